--- What runs in a worker of a DataLoader: it answers tasks until the loader closes the connection.
--
--     ("pass")                        a new pass begins; no answer
--     ("fetch", seed, task)           a batch: ("batch", values...), ("end"), or ("error", text, sample)

local torch, check = require "torch", require "torch.check"
local Fetcher = require "torch.utils.data.fetcher"
local core = torch.core

local short = 800 -- bytes of a text that goes through the socket itself

local worker = {}

local info -- of this process

--- In a worker: which it is, and of how many; nil in any other process.
---@return {id: integer, num_workers: integer, seed: integer, dataset: table}?  `id` from 1; `seed` is the batch's
function worker.get_worker_info()
  return info
end

local function answer(channel, fetcher, seed, task)
  info.seed = seed
  torch.manual_seed(seed)
  math.randomseed(seed)
  local function send(...)
    fetcher.at = nil
    if select("#", ...) == 0 or (...) == nil then return channel:send("end") end
    return channel:send("batch", ...)
  end
  return send(fetcher:fetch(task))
end

--- Works for a loader.
---@param channel userdata
---@param opt {dataset: table, collate_fn: function?, worker_init_fn: function?, num_workers: integer}
---@param id integer  from 1
function worker.serve(channel, opt, id)
  info = { id = id, num_workers = opt.num_workers, dataset = opt.dataset }
  rawset(os, "exit", function(code) core.leave_process(tonumber(code) or code == false and 1 or 0) end)
  local fetcher = Fetcher(opt.dataset, opt.collate_fn)
  local ready, problem = xpcall(opt.worker_init_fn or function() end, core.explain, id)
  while true do
    local status, kind, seed, task = channel:receive()
    if status ~= "message" then return end
    if not ready then
      channel:send("error", problem)
    elseif kind == "pass" then
      ready, problem = xpcall(fetcher.begin, core.explain, fetcher)
    else
      local good, text = xpcall(answer, core.explain, channel, fetcher, seed, task)
      if not good and not pcall(channel.send, channel, "error", text, fetcher.at) then
        channel:send("error", text:sub(1, short)) -- which needs no memory
      end
    end
    core.flush_files()
  end
end

local function made(module, ...)
  local make = require(module)
  check(type(make) == "function", "DataLoader: module '%s' returned a %s, not a function", module, type(make))
  return make(...)
end

local function serve_spawned(channel, _, opt, ...)
  package.path, package.cpath = opt.path, opt.cpath
  local good, dataset, collate_fn, worker_init_fn = xpcall(made, core.explain, ...)
  if not good then
    local problem = dataset
    dataset, worker_init_fn = {}, function() error(problem, 0) end
  end
  worker.serve(channel, { dataset = dataset, collate_fn = collate_fn, worker_init_fn = worker_init_fn,
    num_workers = opt.num_workers }, opt.id)
end

--- The whole of a process that `start = "spawn"` made.
---@param parent integer  its process id
function worker.join(parent)
  local channel = core.join_parent(parent)
  serve_spawned(channel, channel:receive())
end

return worker
