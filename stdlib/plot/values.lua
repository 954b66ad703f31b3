--- What users plot, as Lua's numbers: tensors of any dtype and device, lists of numbers.

local torch, class, check = require "torch", require "torch.class", require "torch.check"

local values = {}

--- A list of numbers.
---@param x torch.Tensor|number[]  a tensor of one dimension; others that are real are refused by their sizes
---@param what string  what the error calls it
---@return number[]
function values.list(x, what)
  if torch.is_tensor(x) then
    check(x:dim() <= 1, "%s: expected one dimension, got %s", what, tostring(x:size()))
    check(not x:is_complex(), "%s: complex numbers cannot be plotted; take x:real() or x:abs()", what)
    local list = x:detach():to("cpu"):double():reshape(-1):tolist()
    return list
  end
  check(type(x) == "table" and not getmetatable(x), "%s: expected a tensor or a list of numbers, got a %s", what,
    class.type(x))
  local field = next(x)
  check(type(field) ~= "string", "%s: unknown option '%s'", what, field)
  for i, v in ipairs(x) do
    check(type(v) == "number", "%s: number %d of the list is a %s", what, i, class.type(v))
  end
  return { unpack(x) }
end

--- x and y of equal lengths; without `y`, `x` is y over its positions.
---@return number[] xs
---@return number[] ys
function values.pair(x, y, what)
  local xs = values.list(x, what)
  if y == nil then
    local positions = {}
    for i = 1, #xs do positions[i] = i end
    return positions, xs
  end
  local ys = values.list(y, what)
  check(#xs == #ys, "%s: x has %d numbers, y has %d", what, #xs, #ys)
  return xs, ys
end

--- A matrix of numbers, float64 [H, W] on the CPU.
---@return torch.Tensor
function values.matrix(x, what)
  if type(x) == "table" and not getmetatable(x) then x = torch.tensor(x, { dtype = torch.float64 }) end
  check(torch.is_tensor(x) and x:dim() == 2, "%s: expected a matrix, got %s", what,
    torch.is_tensor(x) and "sizes " .. tostring(x:size()) or "a " .. class.type(x))
  check(not x:is_complex(), "%s: complex numbers cannot be plotted; take x:real() or x:abs()", what)
  check(x:numel() > 0, "%s: the matrix is empty", what)
  return x:detach():to("cpu"):double()
end

--- A picture, uint8 [H, W, 3]: of integers from 0 to 255, or of others from 0 to 1.
---@param x torch.Tensor  (C, H, W) or (H, W, C) with C = 1, 3 or 4, or (H, W)
---@return torch.Tensor
function values.picture(x, what)
  check(torch.is_tensor(x), "%s: expected a tensor, got a %s", what, class.type(x))
  local function channels(n) return n == 1 or n == 3 or n == 4 end
  if x:dim() == 2 then x = x:unsqueeze(1) end
  check(x:dim() == 3 and (channels(x:size(1)) or channels(x:size(3))),
    "%s: a picture is (H, W), (C, H, W) or (H, W, C) with 1, 3 or 4 channels, got %s", what, tostring(x:size()))
  check(x:numel() > 0 and not x:is_complex(), "%s: the picture is empty or complex", what)
  x = x:detach():to("cpu")
  if channels(x:size(1)) then x = x:permute(2, 3, 1) end
  if x:is_floating_point() then
    x = x:double()
    x = (torch.where(x:ne(x), torch.zeros_like(x), x):clamp(0, 1) * 255):round()
  elseif x.dtype == torch.bool then
    x = x:to(torch.uint8) * 255
  end
  x = x:clamp(0, 255):to(torch.uint8)
  if x:size(3) == 1 then return x:expand(-1, -1, 3):contiguous() end
  return x:narrow(3, 1, 3):contiguous()
end

return values
