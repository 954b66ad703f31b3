--- Learns to read handwritten digits, saves what it learned, loads it again and shows what it reads.
--
--     facula examples/digits.lua                            digits which it draws itself
--     facula examples/digits.lua --data FOLDER              MNIST's IDX files, plain or gzipped
--     facula examples/digits.lua --data FOLDER --download   the same, loaded from the network

local torch = require "torch"
local nn, F, data, vision = torch.nn, torch.nn.functional, torch.utils.data, torch.vision

local opt = require "options"({
  data = "", download = false, epochs = 3, batch = 64, lr = 2e-3, seed = 1, model = "", plot = "", smoke = false,
}, {
  data = "folder with MNIST's IDX files; without it digits are drawn",
  download = "loads MNIST into the folder, as far as it is not there",
  epochs = "passes over the training images",
  batch = "images per step",
  lr = "learning rate of Adam at the start; it falls to a tenth in the last epoch",
  seed = "of the random numbers",
  model = "file for the trained weights; without it they go to a temporary file",
  plot = "file for the curve of the loss, .svg or .png",
  smoke = "a few images only, to see that everything runs",
})

-- Sets of images (1, 28, 28) with ink from 0 to 1, and classes 1..10 for the digits 0..9: to train and to test with.
-- Where there are only MNIST's test images, a random tenth of them is the test.
local function sets()
  local ink = vision.transforms.ToTensor()
  if opt.data == "" then
    return vision.datasets.SyntheticDigits(opt.smoke and 600 or 10000, { transform = ink }),
      vision.datasets.SyntheticDigits(opt.smoke and 100 or 1000, { transform = ink })
  end
  local function part(train)
    return vision.datasets.MNIST(opt.data, { train = train, transform = ink, download = opt.download })
  end
  local test = part(false)
  local found, train = pcall(part, true)
  if found then return train, test end
  print(train)
  return data.random_split(test, { 0.9, 0.1 })
end

local function network()
  return nn.Sequential(
    nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), -- [N, 32, 13, 13]
    nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), -- [N, 64, 5, 5]
    nn.Flatten(), nn.Dropout(0.25),
    nn.Linear(1600, 128), nn.ReLU(), nn.Linear(128, 10))
end

local function accuracy(model, set)
  model:eval()
  local right = 0
  torch.no_grad(function()
    for x, y in data.DataLoader(set, { batch_size = 250 }):iter() do
      right = right + model(x):argmax(2):eq(y):sum():item()
    end
  end)
  return right / set:size()
end

-- Trains, and returns the loss of every step.
local function train(model, set, test)
  local loader = data.DataLoader(set, { batch_size = opt.batch, shuffle = true })
  local optimizer = torch.optim.Adam(model:parameters(), { lr = opt.lr })
  local epochs, losses = opt.smoke and 1 or opt.epochs, {}
  for epoch = 1, epochs do
    optimizer.param_groups[1].lr = opt.lr * 0.1 ^ ((epoch - 1) / math.max(epochs - 1, 1))
    model:train()
    local bar = torch.utils.progress(loader, { desc = ("epoch %d/%d"):format(epoch, epochs) })
    local total = 0
    for x, y in bar do
      local loss = F.cross_entropy(model(x), y)
      optimizer:zero_grad()
      loss:backward()
      optimizer:step()
      losses[#losses + 1] = loss:item()
      total = total + losses[#losses]
      bar:set_postfix { loss = total / (bar.done + 1) }
    end
    print(("epoch %d: test accuracy %.2f %%"):format(epoch, 100 * accuracy(model, test)))
  end
  return losses
end

-- Saves the weights and reads them into a new network.
local function saved_and_loaded(model)
  local path = opt.model ~= "" and opt.model or os.tmpname()
  torch.save(model:state_dict(), path)
  local copy = network()
  copy:load_state_dict(torch.load(path))
  if opt.model == "" then os.remove(path) else print("saved as " .. path) end
  return copy
end

-- Prints images [N, 1, 28, 28] side by side, two rows of pixels per line, with what the model reads in them.
local function show(model, images, classes)
  local shades, lines = " .:-=+*#%@", {}
  local guesses = torch.no_grad(function() return model(images):argmax(2):tolist() end)
  local dark = (images:reshape(-1, 14, 2, 28):mean(3) * 9 + .5):floor():tolist()
  for n, picture in ipairs(dark) do
    for row, pixels in ipairs(picture) do
      for i, shade in ipairs(pixels) do pixels[i] = shades:sub(shade + 1, shade + 1) end
      lines[row] = (lines[row] or "") .. table.concat(pixels)
    end
    local text = ("    reads %d, is %d"):format(guesses[n] - 1, classes[n]:item() - 1)
    lines[15] = (lines[15] or "") .. ("%-28s"):format(text)
  end
  print(table.concat(lines, "\n"))
end

torch.manual_seed(opt.seed)
local begun = torch.monotonic()
local training, test = sets()
print(("%d images to train with, %d to test with, after %.1f s"):format(training:size(), test:size(),
  torch.monotonic() - begun))

local model = network()
print(model)
local losses = train(model, training, test)
if opt.plot ~= "" then
  local axes = { title = "Learning to read digits", xlabel = "step", ylabel = "cross entropy", yscale = "log" }
  torch.plot.line(losses, axes):save(opt.plot)
end

local copy = saved_and_loaded(model)
print(("loaded again: test accuracy %.2f %%"):format(100 * accuracy(copy, test)))
show(copy, test:batch(torch.randperm(test:size()):narrow(1, 1, 4)))
