--- The files of MNIST.

local torch = require "torch"

local idx = {}

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

local function find(path)
  if exists(path) then return path end
  return exists(path .. ".gz") and path .. ".gz" or nil
end

--- The bytes in a file.
---@param path string  without .gz
---@param dims integer  how many dimensions it has
---@return torch.Tensor  uint8
function idx.read(path, dims)
  local found = find(path) or error(("digits: neither %s nor %s.gz exists"):format(path, path), 0)
  local x = torch.load_idx(found)
  if x:dim() ~= dims or x.dtype ~= torch.uint8 then
    error(("digits: %s is not an IDX file of bytes with %d dimensions"):format(found, dims), 0)
  end
  return x
end

-- Images [N, 1, H, W] with ink from 0 to 1, and classes 1..10 for the digits 0..9.
local function read_pair(prefix)
  local images, labels = idx.read(prefix .. "-images-idx3-ubyte", 3), idx.read(prefix .. "-labels-idx1-ubyte", 1)
  if images:size(1) ~= labels:size(1) then
    error(("digits: %s has %d images, but %d labels"):format(prefix, images:size(1), labels:size(1)), 0)
  end
  return images:unsqueeze(2):to(torch.float32) / 255, labels:to(torch.int64) + 1
end

--- Images and classes to train and to test with. Where only the t10k files are, a random tenth of them is the test.
---@param folder string
---@return torch.Tensor x, torch.Tensor y, torch.Tensor test_x, torch.Tensor test_y
function idx.load(folder)
  local test_x, test_y = read_pair(folder .. "/t10k")
  if find(folder .. "/train-images-idx3-ubyte") then
    local x, y = read_pair(folder .. "/train")
    return x, y, test_x, test_y
  end
  local n = test_x:size(1)
  local order = torch.randperm(n)
  local test, train = order:narrow(1, 1, n / 10), order:narrow(1, n / 10 + 1, n - n / 10)
  return test_x:index_select(1, train), test_y:index_select(1, train), test_x:index_select(1, test),
    test_y:index_select(1, test)
end

return idx
