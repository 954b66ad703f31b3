--- Sound in WAV files (RIFF): samples as integers of 8, 16, 24 and 32 bits or as floating numbers of 32 and 64 bits.
-- Compressed sound is not read.

local torch, check = require "torch", require "torch.check"
local reader = require "torch.format.reader"
local core = torch.core

local wav = {}

local INTEGER, FLOATING, EXTENSIBLE = 1, 3, 0xfffe
local MOST_CHUNKS = 1000

local function uint16(bytes, at)
  local low, high = bytes:byte(at, at + 1)
  return low + 256 * high
end

local function uint32(bytes, at)
  return uint16(bytes, at) + 65536 * uint16(bytes, at + 2)
end

-- Where the chunks are that matter: offset and length by name. Others are skipped; each begins at an even offset.
local function find_chunks(file, valid)
  local size, chunks, offset = file:size(), {}, 12
  local head = file:read(0, math.min(size, 12))
  valid(#head == 12 and head:sub(1, 4) == "RIFF" and head:sub(9, 12) == "WAVE", "it is not a WAV file")
  for _ = 1, MOST_CHUNKS do
    valid(offset + 8 <= size, "it has no '%s' chunk before byte %d", chunks["fmt "] and "data" or "fmt ", size)
    head = file:read(offset, 8)
    local name, length = head:sub(1, 4), uint32(head, 5)
    chunks[name] = chunks[name] or { offset = offset + 8, length = length }
    if name == "data" and chunks["fmt "] then return chunks["fmt "], chunks.data end
    offset = offset + 8 + length + length % 2
  end
  valid(false, "it has more than %d chunks", MOST_CHUNKS)
end

-- The kind of samples, channels, samples per second, and bytes of a sample.
local function read_format(file, chunk, valid)
  valid(chunk.length >= 16 and chunk.offset + chunk.length <= file:size(), "its format has %d bytes at byte %d",
    chunk.length, chunk.offset)
  local bytes = file:read(chunk.offset, math.min(chunk.length, 40))
  local kind, channels, bits = uint16(bytes, 1), uint16(bytes, 3), uint16(bytes, 15)
  if kind == EXTENSIBLE and #bytes == 40 then kind = uint16(bytes, 25) end
  local known = kind == INTEGER and (bits == 8 or bits == 16 or bits == 24 or bits == 32)
    or kind == FLOATING and (bits == 32 or bits == 64)
  valid(known, "format %d with %d bits is not read", kind, bits)
  valid(channels > 0, "it has no channels")
  return kind, channels, uint32(bytes, 5), bits / 8
end

-- By the bytes of a sample; 24 bits have none.
local DTYPES = {
  [INTEGER] = { [1] = torch.uint8, [2] = torch.int16, [4] = torch.int32 },
  [FLOATING] = { [4] = torch.float32, [8] = torch.float64 },
}

-- The samples as the file has them, those of 24 bits as int32, in one row.
local function read_samples(file, offset, count, kind, width)
  if width ~= 3 then return file:tensor(offset, DTYPES[kind][width], { count }) end
  local parts = file:tensor(offset, torch.uint8, { count, 3 }):to(torch.int32)
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
  local file, valid = core.open_file(opt.path, "load_wav"), reader.validator("load_wav", opt.path)
  local format, data = find_chunks(file, valid)
  local kind, channels, rate, width = read_format(file, format, valid)
  valid(data.offset + data.length <= file:size(), "its %d bytes of samples from byte %d on reach beyond its end at %d",
    data.length, data.offset, file:size())
  local frames = math.floor(data.length / (channels * width))
  local samples = read_samples(file, data.offset, frames * channels, kind, width)
  local wave = samples:reshape(frames, channels):t():contiguous()
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

-- Samples from -1 to 1 as whole numbers, clipped; those of 24 bits byte by byte.
local function whole(samples, bits)
  local most = 2 ^ (bits - 1)
  local x = (samples:to(torch.float64) * most):round():clamp(-most, most - 1):to(torch.int64)
  if bits == 8 then return (x + 128):to(torch.uint8) end
  if bits ~= 24 then return x:to(bits == 16 and torch.int16 or torch.int32) end
  local unsigned = x + most
  local parts = torch.stack({ unsigned % 256, unsigned:div(256, { rounding_mode = "floor" }) % 256,
    unsigned:div(65536, { rounding_mode = "floor" }):add(128) % 256 }, -1)
  return parts:to(torch.uint8)
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
  if opt.bits then samples = whole(samples, bits) end
  local channels, frame = wave:size(1), wave:size(1) * bits / 8
  local length = wave:size(2) * frame
  check(length < 2 ^ 32 - 64, "save_wav: the format holds less than 4 GB, got %s bytes", length)
  local head = bytes16(kind) .. bytes16(channels) .. bytes32(opt.rate) .. bytes32(opt.rate * frame % 2 ^ 32)
    .. bytes16(frame % 65536) .. bytes16(bits)
  local padding = length % 2 == 1 and "\0" or ""
  core.write_pieces(opt.path, "save_wav", { "RIFF" .. bytes32(36 + length + #padding) .. "WAVEfmt " .. bytes32(16)
    .. head .. "data" .. bytes32(length), samples, padding })
end

return wav
