local torch = require "torch"
local spec, files = require "spec", require "files"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails

local function numbers(list, name) return torch.tensor(list, { dtype = torch[name] }) end

-- A file with samples of its own format, by the description of RIFF.
local function file_of(kind, channels, bits, data, extra)
  local function u16(n) return string.char(n % 256, math.floor(n / 256)) end
  local function u32(n) return u16(n % 65536) .. u16(math.floor(n / 65536)) end
  local frame = channels * bits / 8
  local rates = u32(8000) .. u32(8000 * frame)
  local format = u16(kind) .. u16(channels) .. rates .. u16(frame) .. u16(bits) .. (extra or "")
  local chunks = "WAVELIST" .. u32(3) .. "abc\0fmt " .. u32(#format) .. format .. "data" .. u32(#data) .. data
  return "RIFF" .. u32(#chunks) .. chunks
end

local function load_bytes(bytes, options)
  local wave, rate
  files.holding(bytes, function(path) wave, rate = torch.load_wav(path, options) end)
  return wave, rate
end

describe("WAV files", function()
  it("are read with their channels apart, from -1 to 1", function()
    local wave, rate = load_bytes(file_of(1, 2, 16, "\0\128\255\127\0\64\0\0"))
    equal(wave, torch.tensor { { -1, 0.5 }, { 32767 / 32768, 0 } }, 1e-7)
    equal(rate, 8000)
    equal(load_bytes(file_of(1, 1, 8, "\0\128\255")), torch.tensor { { -1, 0, 127 / 128 } })
    equal(load_bytes(file_of(1, 1, 24, "\0\0\128\255\255\127\1\0\0\255\255\255"), { normalize = false }),
      numbers({ { -2 ^ 23, 2 ^ 23 - 1, 1, -1 } }, "int32"))
    equal(load_bytes(file_of(1, 1, 32, "\0\0\0\128\0\0\0\64")), torch.tensor { { -1, 0.5 } })
    equal(load_bytes(file_of(3, 1, 32, "\0\0\128\63")), torch.tensor { { 1 } })
    equal(load_bytes(file_of(3, 1, 64, "\0\0\0\0\0\0\240\63"), { normalize = false }), numbers({ { 1 } }, "float64"))
    local extensible = "\22\0\16\0\4\0\0\0\1\0\0\0\0\0\16\0\128\0\0\170\0\56\155\113"
    equal(load_bytes(file_of(0xfffe, 1, 16, "\0\64", extensible)), torch.tensor { { 0.5 } })
  end)

  it("give back what was written", function()
    files.with(function(path)
      for _, name in ipairs { "uint8", "int16", "int32", "float32", "float64" } do
        local wave = numbers({ { 1, 2, 3 }, { 4, 5, 60 } }, name)
        torch.save_wav(wave, path, 44100)
        local back, rate = torch.load_wav(path, { normalize = false })
        equal(back, wave)
        equal(rate, 44100)
      end
      local wave = torch.tensor { -1, -0.25, 0, 0.5, 0.999, 2 }
      for bits, step in pairs { [8] = 2 ^ -7, [16] = 2 ^ -15, [24] = 2 ^ -23, [32] = 2 ^ -24 } do
        torch.save_wav(wave, path, 8000, { bits = bits })
        local back = torch.load_wav(path)
        assert((back:squeeze() - wave:clamp(-1, 1)):abs():max():item() <= step)
      end
      torch.save_wav(torch.empty(2, 0), path, 8000)
      equal(torch.load_wav(path):size(), { 2, 0 })
    end)
  end)

  it("that are wrong are errors which name them", function()
    local function refuses(bytes, text)
      files.holding(bytes, function(path)
        assert(fails(function() torch.load_wav(path) end, text):find(path, 1, true))
      end)
    end
    local good = file_of(1, 1, 16, "\0\64\0\64")
    refuses("", "is damaged: it is not a WAV file")
    refuses("RIFF\0\0\0\0WAVE", "it has no 'fmt ' chunk before byte 12")
    refuses(good:sub(1, 40), "it has no 'data' chunk before byte 40")
    refuses(good:sub(1, -2), "its 4 bytes of samples from byte 56 on reach beyond its end at 59")
    refuses(file_of(85, 1, 16, ""), "format 85 with 16 bits is not read")
    refuses(file_of(1, 0, 16, ""), "it has no channels")
    refuses("RIFF\0\0\0\0WAVE" .. ("abcd\0\0\0\0"):rep(2000), "it has more than 1000 chunks")
    local function not_written(wave, rate, text, options)
      fails(function() torch.save_wav(wave, "never", rate, options) end, text)
    end
    not_written(torch.ones(1, 2), 0, "the rate is a number of frames per second, got 0")
    not_written(torch.ones(1, 2, 3), 1, "expected (channels, frames) or (frames), got torch.Size([1, 2, 3])")
    not_written(numbers({ 1 }, "int64"), 1, "got torch.int64")
    not_written(numbers({ 1 }, "int16"), 1, "for floating samples", { bits = 16 })
  end)

  it("are read by Python's wave, and written by it", function()
    files.with(function(path)
      torch.save_wav(numbers({ { 1, -2 }, { 300, 4 } }, "int16"), path, 22050)
      local seen = files.python("wave", [[
sound = wave.open(sys.argv[1])
frames = sound.readframes(9)
print(sound.getnchannels(), sound.getframerate(), sound.getsampwidth(), frames.hex())
out = wave.open(sys.argv[1], "wb")
out.setparams((1, 3, 16000, 0, "NONE", ""))
out.writeframes(bytes([1, 2, 3, 255, 255, 255]))
out.close()
]], path)
      if not seen then return end
      equal(seen, "2 22050 2 01002c01feff0400\n")
      local wave, rate = torch.load_wav(path, { normalize = false })
      equal(wave, numbers({ { 0x30201, -1 } }, "int32"))
      equal(rate, 16000)
    end)
  end)
end)
