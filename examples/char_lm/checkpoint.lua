--- A run of char_lm in a file: all that it takes to go on as if nothing had happened.

local torch = require "torch"

local checkpoint = {}

-- Options that are of the moment, not of the run.
local OF_THE_MOMENT = { resume = true, checkpoint = true, sample = true, temperature = true, prompt = true }

--- Writes a run; the file is replaced at once or not at all.
---@param path string
---@param run table  options: by name; step: how many are done; vocabulary; model; optimizer
function checkpoint.save(path, run)
  local options = {}
  for name, value in pairs(run.options) do
    if not OF_THE_MOMENT[name] then options[name] = value end
  end
  torch.save({
    char_lm = 1, options = options, step = run.step, vocabulary = run.vocabulary, model = run.model:state_dict(),
    optimizer = run.optimizer:state_dict(), random = torch.get_rng_state(),
  }, path)
end

--- Fails now, rather than after hours, where a file cannot be written.
---@param path string
function checkpoint.check_writable(path)
  local existed = io.open(path, "rb")
  if existed then existed:close() end
  local file, problem = io.open(path, "ab")
  if not file then error("char_lm: cannot write the checkpoint " .. problem, 0) end
  file:close()
  if not existed then os.remove(path) end
end

--- What was written: `options`, `step`, `vocabulary`, and states of the model, the optimizer and the random numbers.
---@param path string
---@return table
function checkpoint.load(path)
  local good, saved = pcall(torch.load, path)
  if not good then error("char_lm: " .. saved:gsub("^.-load: ", ""), 0) end
  if type(saved) ~= "table" or saved.char_lm ~= 1 or type(saved.options) ~= "table" or type(saved.step) ~= "number" then
    error(("char_lm: %s is not a checkpoint of char_lm"):format(path), 0)
  end
  return saved
end

--- Lets a new model and optimizer, and the random numbers, go on where the run stood.
---@param saved table  from `load`
---@param model nn.Module
---@param optimizer optim.Optimizer
function checkpoint.restore(saved, model, optimizer)
  model:load_state_dict(saved.model)
  optimizer:load_state_dict(saved.optimizer)
  torch.set_rng_state(saved.random)
end

return checkpoint
