--- Learns what names sound like and makes up new ones (the network of Bengio et al. 2003, after Karpathy's makemore).
--
--     facula examples/names.lua                a list of first names that ships
--     facula examples/names.lua --data FILE    any list, one name in a line

local torch, options = require "torch", require "options"
local NameList = require "names.list"
local nn, F, data = torch.nn, torch.nn.functional, torch.utils.data

local opt = options({
  data = "", context = 4, width = 16, hidden = 128, epochs = 15, batch = 64, lr = 2e-3, seed = 1, sample = 20,
  temperature = 0.8, smoke = false,
}, {
  data = "file with the names; without it the list that ships",
  context = "letters by which the next one is told",
  width = "numbers that stand for a letter",
  hidden = "units between",
  epochs = "passes over the list",
  batch = "letters per step",
  lr = "learning rate of AdamW at the start; it falls along a cosine",
  seed = "of the random numbers",
  sample = "names to make up",
  temperature = "of these: below 1 more like the list, above 1 bolder",
  smoke = "a tiny network and one pass, to see that everything runs",
})

options.whole(opt, { "context", "width", "hidden", "epochs", "batch" })
options.not_negative(opt, { "lr", "sample", "temperature" })

local function network(letters)
  local hidden = opt.smoke and 8 or opt.hidden
  return nn.Sequential(
    nn.Embedding(letters, opt.width), nn.Flatten(), -- [N, context * width]
    nn.Linear(opt.context * opt.width, hidden, { bias = false }), nn.BatchNorm1d(hidden), nn.Tanh(),
    nn.Linear(hidden, letters))
end

-- Mean loss per letter.
local function loss_on(model, set)
  model:eval()
  local total = 0
  torch.no_grad(function()
    for x, y in data.DataLoader(set, { batch_size = 1000 }):iter() do
      total = total + F.cross_entropy(model(x), y, { reduction = "sum" }):item()
    end
  end)
  return total / set:size()
end

local function train(model, set, test)
  local epochs = opt.smoke and 1 or opt.epochs
  local loader = data.DataLoader(set, { batch_size = opt.batch, shuffle = true, drop_last = true })
  local optimizer = torch.optim.AdamW(model:parameters(), { lr = opt.lr, weight_decay = 0.1 })
  local schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * loader:size())
  local bar = torch.utils.progress { total = epochs * loader:size(), desc = "names" }
  for epoch = 1, epochs do
    model:train()
    local total = 0
    for i, x, y in loader:enumerate() do
      local loss = F.cross_entropy(model(x), y)
      optimizer:zero_grad()
      loss:backward()
      optimizer:step()
      schedule:step()
      total = total + loss:item()
      bar:set_postfix { loss = total / i }
      bar:update()
    end
    bar:print(("epoch %d: training loss %.4f, test loss %.4f"):format(epoch, total / loader:size(),
      loss_on(model, test)))
  end
  bar:close()
end

torch.manual_seed(opt.seed)
local list = NameList(opt.data ~= "" and opt.data or NameList.shipped, opt.context)
local set, test = list:split()
print(("%d names, %d letters to learn, %d to test with"):format(#list.names, set:size(), test:size()))

local model = network(#list.letters)
print(model)
train(model, set, test)
for _, name in ipairs(list:invent(model, opt.sample, opt.temperature)) do
  print("  " .. name .. (list.known[name] and "  (in the list)" or ""))
end
