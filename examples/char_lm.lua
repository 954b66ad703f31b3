--- Learns to write like a text, character by character, with a small GPT or an LSTM.
--
--     facula examples/char_lm.lua                                     Romeo and Juliet, by a GPT
--     facula examples/char_lm.lua --data FILE --model lstm            any text, by an LSTM
--     facula examples/char_lm.lua --resume                            goes on where it was stopped
--     facula examples/char_lm.lua --resume --prompt ROMEO: --sample 1000 --temperature 0.8
--
-- The GPT has the sizes and the schedule of nanoGPT's recipe for CPUs. Characters are bytes. A run that is resumed from
-- its checkpoint ends with the same weights, bit for bit, as one that was never stopped.

local torch, options = require "torch", require "options"
local Text, checkpoint = require "char_lm.text", require "char_lm.checkpoint"
local schedule, sample = require "char_lm.schedule", require "char_lm.sample"
local nn, F = torch.nn, torch.nn.functional

local opt = options({
  model = "gpt", data = "", steps = 2000, batch = 12, context = 64, layers = 4, width = 128, heads = 4, dropout = 0,
  lr = 1e-3, warmup = 100, decay = 0.1, clip = 1, evaluate = 250, windows = 240, seed = 1,
  checkpoint = "char_lm.checkpoint", every = 500, resume = false,
  sample = 500, temperature = 0.8, prompt = "", smoke = false,
}, {
  model = "gpt, or lstm: that has 2 layers of 256, batches of 32, and a rate of 2e-3 unless said otherwise",
  data = "file with the text; without it Romeo and Juliet",
  steps = "training steps",
  batch = "windows of text per step",
  context = "characters in a window",
  layers = "of the model",
  width = "of the model: size of its vectors",
  heads = "of attention, in a GPT",
  dropout = "share of activations that are dropped in training",
  lr = "highest learning rate of AdamW; it falls to a tenth",
  warmup = "steps in which the learning rate rises",
  decay = "of weights, those of matrices",
  clip = "longest gradient; 0: any",
  evaluate = "steps between two looks at the validation loss",
  windows = "of text in such a look; the last one takes all",
  seed = "of the random numbers",
  checkpoint = "file for the state of the run",
  every = "steps between two checkpoints",
  resume = "go on from the checkpoint, with its options where no others are given",
  sample = "characters to write in the end",
  temperature = "of what is written: 0 always takes the likeliest character, 1 takes as learned",
  prompt = "what it is to go on from",
  smoke = "a tiny model and a few steps, to see that everything runs",
})

local RECIPES = { gpt = {}, lstm = { layers = 2, width = 256, batch = 32, lr = 2e-3 } }
local SMOKE = { steps = 20, batch = 4, context = 16, layers = 2, width = 16, heads = 2, warmup = 5, evaluate = 10,
  windows = 8, every = 10, sample = 40 }
local SHAPE = { "model", "layers", "width", "heads", "context" }

local function fail(text, ...)
  error("char_lm: " .. text:format(...), 0)
end

-- Options that were not given, from a table that has them.
local function fill(values)
  for name, value in pairs(values) do
    if rawget(opt, name) == nil then opt[name] = value end
  end
end

-- The checkpoint, if the run is to go on; fills in all options.
local function configure()
  local saved = opt.resume and checkpoint.load(opt.checkpoint) or nil
  for _, name in ipairs(saved and SHAPE or {}) do
    local given = rawget(opt, name)
    if given ~= nil and given ~= saved.options[name] then
      fail("--%s %s does not fit %s, where it is %s", name, given, opt.checkpoint, saved.options[name])
    end
  end
  fill(saved and saved.options or {})
  fill(opt.smoke and SMOKE or {})
  fill(RECIPES[opt.model] or fail("--model is gpt or lstm, not %s", opt.model))
  fill(getmetatable(opt).__index)
  options.whole(opt, { "steps", "batch", "context", "layers", "width", "heads", "evaluate", "windows", "every" })
  options.not_negative(opt, { "lr", "warmup", "decay", "clip", "sample", "temperature" })
  return saved
end

local function new_model(vocabulary)
  return require("char_lm." .. opt.model) {
    vocabulary = vocabulary, width = opt.width, layers = opt.layers, dropout = opt.dropout,
    heads = opt.model == "gpt" and opt.heads or nil, context = opt.model == "gpt" and opt.context or nil,
  }
end

-- Weights decay in matrices only.
local function new_optimizer(model)
  local matrices, vectors = {}, {}
  for _, p in ipairs(model:parameters()) do table.insert(p:dim() > 1 and matrices or vectors, p) end
  return torch.optim.AdamW({ { params = matrices, weight_decay = opt.decay }, { params = vectors, weight_decay = 0 } },
    { lr = opt.lr, betas = { 0.9, 0.99 } })
end

local function loss_of(model, x, y)
  local scores = model(x)
  return F.cross_entropy(scores:flatten(1, 2), y:flatten())
end

-- Mean loss per character over `count` windows for validation, or over all.
local function validation_loss(model, text, count)
  model:eval()
  local total, n = 0, 0
  torch.no_grad(function()
    for x, y in text:validation(64, count) do
      total = total + loss_of(model, x, y):item() * x:size(1)
      n = n + x:size(1)
    end
  end)
  model:train()
  return total / n
end

local function make_step(model, optimizer, x, y)
  local loss = loss_of(model, x, y)
  optimizer:zero_grad()
  loss:backward()
  if opt.clip > 0 then nn.utils.clip_grad_norm_(model:parameters(), opt.clip) end
  optimizer:step()
  return loss:item()
end

-- Makes the steps from `done` on. Returns false if Ctrl-C ended it before the last.
local function train(model, optimizer, text, done)
  local scheduler = schedule(optimizer, { warmup = opt.warmup, steps = opt.steps, floor = 0.1 }, done)
  local bar = torch.utils.progress { total = opt.steps, initial = done, desc = opt.model }
  local begun, total, count, stopped = torch.monotonic(), 0, 0, false
  model:train()
  for step = done + 1, opt.steps do
    local loss = make_step(model, optimizer, text:batch(opt.batch))
    scheduler:step()
    total, count = total + loss, count + 1
    bar:set_postfix { loss = loss }
    bar:update()
    if step % opt.evaluate == 0 or step == opt.steps then
      bar:print(("step %d: training loss %.4f, validation loss %.4f, %.0f s"):format(step, total / count,
        validation_loss(model, text, opt.windows), torch.monotonic() - begun))
      total, count = 0, 0
    end
    stopped = step < opt.steps and torch.core.interrupted()
    if stopped or step % opt.every == 0 or step == opt.steps then
      checkpoint.save(opt.checkpoint, { options = opt, step = step, vocabulary = text.vocabulary, model = model,
        optimizer = optimizer })
    end
    if stopped then break end
  end
  bar:close()
  return not stopped
end

local saved = configure()
torch.manual_seed(opt.seed)
local text = Text(opt.data ~= "" and opt.data or Text.shipped, opt.context)
print(("%d characters, %d different"):format(text.train:size(1) + text.valid:size(1), #text.vocabulary))
if saved and saved.vocabulary ~= text.vocabulary then
  fail("%s is of a text with other characters than %s", opt.checkpoint, opt.data ~= "" and opt.data or Text.shipped)
end
text:encode(opt.prompt) -- so that a wrong one is told before the training
local model = new_model(#text.vocabulary)
local optimizer = new_optimizer(model)
if saved then checkpoint.restore(saved, model, optimizer) end

local done = saved and saved.step or 0
if done < opt.steps then
  checkpoint.check_writable(opt.checkpoint)
  if not torch.core.hold_interrupts(train, model, optimizer, text, done) then
    print("stopped; --resume goes on from " .. opt.checkpoint)
    os.exit(130)
  end
  print(("validation loss %.4f nats per character"):format(validation_loss(model, text)))
end
if opt.sample > 0 then
  sample(model, text, opt, function(character)
    io.write(character)
    io.flush()
  end)
  print()
end
