--- Sound in WAV files (RIFF): samples as integers of 8, 16, 24 and 32 bits or as floating numbers of 32 and 64 bits.
-- Compressed sound is not read.

local torch, check = require "torch", require "torch.check"
local core = torch.core

local wav = {}

local INTEGER, FLOATING, EXTENSIBLE = 1, 3, 0xfffe

local function uint16(bytes, at)
  local low, high = bytes:byte(at, at + 1)
  return low + 256 * high
end

local function uint32(bytes, at)
  return uint16(bytes, at) + 65536 * uint16(bytes, at + 2)
end

-- Where the chunks are that matter: {first byte, length} by name. Others are skipped; each has an even length.
local function find_chunks(bytes, path)
  check(#bytes >= 12 and bytes:sub(1, 4) == "RIFF" and bytes:sub(9, 12) == "WAVE", "load_wav: '%s' is not a WAV file",
    path)
  local chunks, at = {}, 13
  while at + 7 <= #bytes do
    local name, length = bytes:sub(at, at + 3), uint32(bytes, at + 4)
    chunks[name] = chunks[name] or { at + 8, length }
    if name == "data" then break end
    at = at + 8 + length + length % 2
  end
  check(chunks["fmt "] and chunks.data, "load_wav: '%s' has no '%s' chunk before byte %d", path,
    chunks["fmt "] and "data" or "fmt ", #bytes)
  return chunks["fmt "], chunks.data
end

-- The kind of samples, channels, samples per second, and bytes of a sample.
local function read_format(bytes, chunk, path)
  local at, length = chunk[1], chunk[2]
  check(length >= 16 and at + length - 1 <= #bytes, "load_wav: '%s' has a format of %d bytes at byte %d", path, length,
    at - 1)
  local kind, channels, bits = uint16(bytes, at), uint16(bytes, at + 2), uint16(bytes, at + 14)
  if kind == EXTENSIBLE and length >= 40 then kind = uint16(bytes, at + 24) end
  local known = kind == INTEGER and (bits == 8 or bits == 16 or bits == 24 or bits == 32)
    or kind == FLOATING and (bits == 32 or bits == 64)
  check(known, "load_wav: '%s' has format %d with %d bits, which is not read", path, kind, bits)
  check(channels > 0, "load_wav: '%s' has no channels", path)
  return kind, channels, uint32(bytes, at + 4), bits / 8
end

-- By the bytes of a sample; 24 bits have none.
local DTYPES = {
  [INTEGER] = { [1] = torch.uint8, [2] = torch.int16, [4] = torch.int32 },
  [FLOATING] = { [4] = torch.float32, [8] = torch.float64 },
}

-- The samples as the file has them, those of 24 bits as int32, in one row.
local function read_samples(bytes, at, count, kind, width)
  if width ~= 3 then return core.frombytes(bytes, at - 1, { count }, DTYPES[kind][width]) end
  local parts = core.frombytes(bytes, at - 1, { count, 3 }, torch.uint8):to(torch.int32)
  local unsigned = parts:select(2, 1) + parts:select(2, 2) * 256 + parts:select(2, 3) * 65536
  return torch.where(unsigned:ge(2 ^ 23), unsigned - 2 ^ 24, unsigned)
end

local read_load = core.signature "load_wav(str path, *, bool normalize=True)"

--- The sound in a WAV file.
---@param path string
---@param options? {normalize: boolean}  false: the samples as the file has them (uint8, int16, int32, float32 or
--- float64; 24 bits come as int32). Default: true, float32 where whole numbers become -1 to 1.
---@return torch.Tensor wave  (channels, frames)
---@return integer rate       frames per second
function wav.load(...)
  local opt = read_load(...)
  local path = opt.path
  local bytes = core.read_file(path, "load_wav")
  local format, data = find_chunks(bytes, path)
  local kind, channels, rate, width = read_format(bytes, format, path)
  check(data[1] + data[2] - 1 <= #bytes, "load_wav: '%s' should have %d bytes of samples from byte %d, it has %d", path,
    data[2], data[1] - 1, #bytes - data[1] + 1)
  local frames = math.floor(data[2] / (channels * width))
  local wave = read_samples(bytes, data[1], frames * channels, kind, width):reshape(frames, channels):t():contiguous()
  if not opt.normalize then return wave, rate end
  if kind == FLOATING then return wave:to(torch.float32), rate end
  if width == 1 then return (wave:to(torch.float32) - 128) / 128, rate end
  return (wave:to(torch.float64) / 2 ^ (8 * width - 1)):to(torch.float32), rate
end

local function bytes16(n)
  return string.char(n % 256, math.floor(n / 256))
end

local function bytes32(n)
  return bytes16(n % 65536) .. bytes16(math.floor(n / 65536))
end

-- Format and bits by dtype.
local WRITTEN = {}
for _, row in ipairs { { "uint8", INTEGER, 8 }, { "int16", INTEGER, 16 }, { "int32", INTEGER, 32 },
  { "float32", FLOATING, 32 }, { "float64", FLOATING, 64 } } do
  WRITTEN["torch." .. row[1]] = { row[2], row[3] }
end

-- The bytes of samples from -1 to 1 as whole numbers, clipped.
local function whole(samples, bits)
  local most = 2 ^ (bits - 1)
  local x = (samples:to(torch.float64) * most):round():clamp(-most, most - 1):to(torch.int64)
  if bits == 8 then return core.tobytes((x + 128):to(torch.uint8)) end
  if bits ~= 24 then return core.tobytes(x:to(bits == 16 and torch.int16 or torch.int32)) end
  local unsigned = x + most
  local parts = torch.stack({ unsigned % 256, unsigned:div(256, { rounding_mode = "floor" }) % 256,
    unsigned:div(65536, { rounding_mode = "floor" }):add(128) % 256 }, -1)
  return core.tobytes(parts:to(torch.uint8))
end

local read_save = core.signature "save_wav(Tensor wave, str path, int rate, *, int? bits=None)"

--- Writes a WAV file, which is replaced at once or not at all.
---@param wave torch.Tensor  (channels, frames) or (frames): uint8, int16, int32, float32 or float64
---@param path string
---@param rate integer       frames per second
---@param options? {bits: integer}  8, 16, 24 or 32: floating samples from -1 to 1 become whole numbers of so many bits,
--- clipped. Default: samples are written as they are.
function wav.save(...)
  local opt = read_save(...)
  local wave = opt.wave:detach():cpu()
  if wave:dim() == 1 then wave = wave:unsqueeze(1) end
  check(wave:dim() == 2 and wave:size(1) >= 1 and wave:size(1) < 65536,
    "save_wav: expected (channels, frames) or (frames), got %s", opt.wave:size())
  check(opt.rate > 0 and opt.rate < 2 ^ 32, "save_wav: the rate is a number of frames per second, got %s", opt.rate)
  local format = WRITTEN[tostring(wave.dtype)]
  check(format, "save_wav: expected uint8, int16, int32, float32 or float64, got %s", wave.dtype)
  local kind, bits, samples = format[1], format[2], wave:t():contiguous()
  if opt.bits then
    check(kind == FLOATING and (opt.bits == 8 or opt.bits == 16 or opt.bits == 24 or opt.bits == 32),
      "save_wav: bits is 8, 16, 24 or 32, for floating samples; got %s for %s", opt.bits, wave.dtype)
    kind, bits = INTEGER, opt.bits
  end
  local data = opt.bits and whole(samples, bits) or core.tobytes(samples)
  check(#data < 2 ^ 31, "save_wav: the format holds less than 4 GB, got %d bytes", #data)
  local channels, frame = wave:size(1), wave:size(1) * bits / 8
  local head = bytes16(kind) .. bytes16(channels) .. bytes32(opt.rate) .. bytes32(opt.rate * frame % 2 ^ 32)
    .. bytes16(frame % 65536) .. bytes16(bits)
  local padding = #data % 2 == 1 and "\0" or ""
  core.write_file(opt.path, "RIFF" .. bytes32(36 + #data + #padding) .. "WAVEfmt " .. bytes32(16) .. head .. "data"
    .. bytes32(#data) .. data .. padding, "save_wav")
end

return wav
