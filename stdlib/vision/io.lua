--- torch.vision.io: pictures as files. A picture is a uint8 tensor (C, H, W) from 0 to 255 with gray, gray and alpha,
-- RGB, or RGB and alpha. Files may come from anywhere: wrong, cut and hostile ones are errors.

local torch = require "torch"
local core = torch.core

local io = {}

--- The modes by torchvision's names.
io.ImageReadMode = {
  UNCHANGED = "unchanged", GRAY = "gray", GRAY_ALPHA = "gray_alpha", RGB = "rgb", RGB_ALPHA = "rgb_alpha",
}

local read_read = core.signature "read_image(str path, str mode='unchanged', *, int depth=8)"

--- The picture in a PNG or JPEG file of at most 2^28 pixels. Palettes become RGB; EXIF is not looked at.
---@param path string
---@param mode? string  "unchanged" (default: the file's channels), "gray", "gray_alpha", "rgb" or "rgb_alpha"
---@param options? {depth: integer}  16: what has 16 bits comes as int32 from 0 to 65535. Default: 8, all is uint8.
---@return torch.Tensor  (C, H, W)
function io.read_image(...)
  local opt = read_read(...)
  return core.read_image(opt.path, opt.mode, opt.depth)
end

local read_decode = core.signature "decode_image(str bytes, str mode='unchanged', *, int depth=8)"

--- As `read_image`, from the bytes of the file.
---@param bytes string
---@param mode? string
---@param options? {depth: integer}
---@return torch.Tensor  (C, H, W)
function io.decode_image(...)
  local opt = read_decode(...)
  return core.decode_image(opt.bytes, opt.mode, opt.depth)
end

local read_encode_png = core.signature "encode_png(Tensor input, int compression_level=6)"

--- The bytes of a PNG file.
---@param input torch.Tensor  (C, H, W) with 1 to 4 channels: uint8, or int32 from 0 to 65535 for a file of 16 bits
---@param compression_level? integer  0 (fast) to 9 (small). Default: 6.
---@return string
function io.encode_png(...)
  local opt = read_encode_png(...)
  return core.encode_png(opt.input, opt.compression_level)
end

local read_encode_jpeg = core.signature "encode_jpeg(Tensor input, int quality=75)"

--- The bytes of a JPEG file.
---@param input torch.Tensor  (C, H, W) with 1 or 3 channels, uint8
---@param quality? integer  1 (small) to 100. Default: 75.
---@return string
function io.encode_jpeg(...)
  local opt = read_encode_jpeg(...)
  return core.encode_jpeg(opt.input, opt.quality)
end

local read_write_png = core.signature "write_png(Tensor input, str path, int compression_level=6)"

--- Writes a PNG file, which is replaced at once or not at all.
---@param input torch.Tensor  as for `encode_png`
---@param path string
---@param compression_level? integer
function io.write_png(...)
  local opt = read_write_png(...)
  core.write_file(opt.path, core.encode_png(opt.input, opt.compression_level), "write_png")
end

local read_write_jpeg = core.signature "write_jpeg(Tensor input, str path, int quality=75)"

--- Writes a JPEG file, which is replaced at once or not at all.
---@param input torch.Tensor  as for `encode_jpeg`
---@param path string
---@param quality? integer
function io.write_jpeg(...)
  local opt = read_write_jpeg(...)
  core.write_file(opt.path, core.encode_jpeg(opt.input, opt.quality), "write_jpeg")
end

return io
