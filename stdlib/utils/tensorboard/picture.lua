--- Tensors as the pictures of event files.

local torch, check = require "torch", require "torch.check"
local pb = require "torch.utils.tensorboard.protobuf"

local formats = { HW = true, CHW = true, HWC = true, NCHW = true, NHWC = true }

-- [N, H, W, C] with one or more pictures.
local function in_order(x, format, name)
  check(formats[format], "%s: dataformats is HW, CHW, HWC, NCHW or NHWC, got '%s'", name, format)
  check(x:dim() == #format, "%s: %s has %d dimensions, got %s", name, format, #format, tostring(x:size()))
  if format == "HW" then return x:unsqueeze(1):unsqueeze(-1) end
  if not format:find("N", 1, true) then
    x, format = x:unsqueeze(1), "N" .. format
  end
  return format == "NCHW" and x:permute(1, 3, 4, 2) or x
end

-- Numbers that are not whole go from 0 to 1.
local function bytes_of(x)
  if x:is_floating_point() then x = (x:double() * 255):nan_to_num(0) end
  if x.dtype == torch.bool then x = x:to(torch.int32) * 255 end
  return x:clamp(0, 255):to(torch.uint8)
end

-- Side by side, eight in a row: [H, W, C].
local function tiled(x)
  local n, h, w, c = x:size(1), x:size(2), x:size(3), x:size(4)
  if n == 1 then return x[1] end
  local columns = math.min(n, 8)
  local rows = math.ceil(n / columns)
  if rows * columns > n then x = torch.cat({ x, x:new_zeros(rows * columns - n, h, w, c) }, 1) end
  return x:reshape(rows, columns, h, w, c):permute(1, 3, 2, 4, 5):reshape(rows * h, columns * w, c)
end

--- The encoding of a Summary.Image.
---@param x torch.Tensor  uint8, or from 0 to 1
---@param format string   "CHW", "HWC", "HW", "NCHW" or "NHWC"; 1, 3 or 4 channels
---@param name string     what errors call the operation
---@return string
return function(x, format, name)
  check(torch.is_tensor(x) and not x:is_complex(), "%s: a picture is a real tensor, got %s", name, tostring(x))
  x = in_order(x:detach():to("cpu"), format, name)
  check(x:numel() > 0, "%s: the picture is empty", name)
  local c = x:size(4)
  check(c == 1 or c == 3 or c == 4, "%s: a picture has 1, 3 or 4 channels, got %d of %s", name, c, format)
  x = tiled(bytes_of(x))
  if c == 1 then x = x:expand(-1, -1, 3) end
  local png = require("torch.vision.io").encode_png(x:permute(3, 1, 2):contiguous())
  return pb.varint(1, x:size(1)) .. pb.varint(2, x:size(2)) .. pb.varint(3, x:size(3)) .. pb.bytes(4, png)
end
