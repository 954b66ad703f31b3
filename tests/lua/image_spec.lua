local torch = require "torch"
local spec, files = require "spec", require "files"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local io = require "torch.vision.io"

local function picture(C, H, W)
  return torch.arange(C * H * W):mul(37):remainder(256):to(torch.uint8):reshape(C, H, W)
end

-- A few pixels each, written by hand after the specification of PNG; the last one by libjpeg.
local SAMPLES = {
  palette = "89504e470d0a1a0a0000000d4948445200000003000000020203000000e01a8e8900000009504c5445ff000000ff000000ff"
    .. "2d4acd8a0000000274524e5300809b2b4e180000000c4944415478da63906098000000dc00a9521a138f0000000049454e44"
    .. "ae426082",
  bits = "89504e470d0a1a0a0000000d494844520000000900000001010000000024b9b9d00000000b4944415478da6358d5000001d7"
    .. "012bfff067550000000049454e44ae426082",
  interlaced = "89504e470d0a1a0a0000000d494844520000000300000003100000000154d406b6000000204944415478da6360606030dbc0"
    .. "b044e0d60106e90886fd190c411cb9091d3b004a3d0736461fa4b60000000049454e44ae426082",
  gray_alpha = "89504e470d0a1a0a0000000d49484452000000020000000108040000005e2bb7010000000d4944415478da63e0fa7f220500"
    .. "051e023648f23bbb0000000049454e44ae426082",
  progressive = "ffd8ffe000104a46494600010100000100010000ffdb004300a06e788c7864a08c828cb4aaa0bef0fffff0dcdcf0ffffffff"
    .. "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc2000b08000800080101"
    .. "1100ffc40014000100000000000000000000000000000001ffda00080101000000013fffc400141001000000000000000000"
    .. "00000000000000ffda00080101000105027fffc40014100100000000000000000000000000000000ffda0008010100063f02"
    .. "7fffc40014100100000000000000000000000000000000ffda0008010100013f217fffda00080101000000107fffc4001410"
    .. "0100000000000000000000000000000000ffda0008010100013f107fffd9",
}

local function sample(name, ...) return io.decode_image(files.bytes(SAMPLES[name]), ...) end

describe("PNG files", function()
  it("give back what was written", function()
    for C = 1, 4 do
      for _, level in ipairs { 0, 6, 9 } do
        equal(io.decode_image(io.encode_png(picture(C, 5, 7), level)), picture(C, 5, 7))
      end
    end
    local x = picture(3, 5, 7)
    files.with(function(path)
      io.write_png(x, path)
      equal(io.read_image(path), x)
    end)
    local turned = x:transpose(2, 3)
    equal(io.decode_image(io.encode_png(turned)), turned:contiguous())
  end)

  it("have 16 bits for int32", function()
    local x = torch.tensor({ { { 0, 1, 255 }, { 256, 40000, 65535 } } }, { dtype = torch.int32 })
    equal(io.decode_image(io.encode_png(x), { depth = 16 }), x)
    equal(io.decode_image(io.encode_png(x)):tolist(), { { { 0, 0, 1 }, { 1, 156, 255 } } })
    fails(function() io.encode_png(x + 1) end, "encode_png: an element is 65536, 16 bits go from 0 to 65535")
  end)

  it("may have palettes, few bits, transparent colours and interlaced rows", function()
    equal(sample "palette":tolist(), { { { 255, 0, 0 }, { 0, 0, 255 } }, { { 0, 255, 0 }, { 0, 255, 0 } },
      { { 0, 0, 255 }, { 255, 0, 0 } }, { { 0, 128, 255 }, { 255, 128, 0 } } })
    equal(sample "bits":tolist(), { { { 255, 0, 255, 0, 255, 0, 255, 0, 255 } } })
    equal(sample("interlaced", { depth = 16 }):tolist(),
      { { { 0, 7000, 14000 }, { 21000, 28000, 35000 }, { 42000, 49000, 56000 } } })
    equal(sample "gray_alpha":tolist(), { { { 10, 200 } }, { { 255, 100 } } })
  end)

  it("are converted to what is asked for", function()
    equal(sample("palette", "rgb"):size(), { 3, 2, 3 })
    equal(sample("gray_alpha", "gray"):tolist(), { { { 10, 200 } } })
    equal(sample("gray_alpha", "rgb_alpha"):squeeze():tolist(), { { 10, 200 }, { 10, 200 }, { 10, 200 }, { 255, 100 } })
    equal(sample("bits", io.ImageReadMode.GRAY_ALPHA)[{ 2 }]:min():item(), 255)
    equal(sample("palette", "gray")[{ 1, 1, 1 }]:item(), 76) -- 0.299 of 255
    fails(function() sample("bits", "grey") end,
      "decode_image: mode is 'unchanged', 'gray', 'gray_alpha', 'rgb' or 'rgb_alpha', got 'grey'")
  end)
end)

describe("JPEG files", function()
  local smooth = (torch.arange(32):reshape(1, 1, 32) * 4 + torch.arange(24):reshape(1, 24, 1) * 3
    + torch.arange(3):reshape(3, 1, 1) * 10):to(torch.uint8)

  it("give back nearly what was written", function()
    for _, x in ipairs { smooth, smooth:narrow(1, 1, 1) } do
      local y = io.decode_image(io.encode_jpeg(x, 95))
      equal(y:size(), x:size())
      assert((y:to(torch.float32) - x:to(torch.float32)):abs():max():item() <= 4)
    end
    files.with(function(path)
      io.write_jpeg(smooth, path, 50)
      equal(io.read_image(path, "gray"):size(), { 1, 24, 32 })
      equal(io.read_image(path, "rgb_alpha")[4]:min():item(), 255)
      equal(io.read_image(path, "gray_alpha"):size(), { 2, 24, 32 })
    end)
    assert(#io.encode_jpeg(smooth, 10) < #io.encode_jpeg(smooth, 95))
  end)
end)

describe("pictures that cannot be written", function()
  it("are errors", function()
    fails(function() io.encode_png(torch.zeros(3, 4, 4)) end,
      "encode_png: expected uint8, or int32 for 16 bits, got float32")
    fails(function() io.encode_png(picture(5, 2, 2)) end,
      "encode_png: expected a picture (C, H, W) with 1 to 4 channels, got (5, 2, 2)")
    fails(function() io.encode_png(picture(3, 0, 2)) end, "encode_png: a picture of (3, 0, 2) has no pixels")
    fails(function() io.encode_png(picture(1, 2, 2), 10) end, "encode_png: compression_level is 0 to 9, got 10")
    fails(function() io.encode_jpeg(picture(2, 2, 2)) end, "encode_jpeg: expected 1 or 3 channels, got 2")
    fails(function() io.encode_jpeg(picture(1, 2, 2), 0) end, "encode_jpeg: quality is 1 to 100, got 0")
    fails(function() io.encode_jpeg(picture(1, 1, 70000)) end, "encode_jpeg: a side has at most 65500 pixels")
    fails(function() io.encode_png(torch.empty(3, 2, 2, { dtype = torch.uint8, device = "meta" })) end,
      "encode_png: a meta tensor has no elements")
    fails(function() io.write_png(picture(1, 2, 2), "/no/such/folder/x.png") end, "write_png: cannot write")
  end)
end)

-- A PNG header that claims so many pixels, without a checksum that fits: the pixels are what is looked at first.
local function claiming(width, height)
  local function big_endian(n)
    return string.char(math.floor(n / 2 ^ 24) % 256, math.floor(n / 2 ^ 16) % 256, math.floor(n / 2 ^ 8) % 256, n % 256)
  end
  return big_endian(width) .. big_endian(height)
end

describe("pictures that lie", function()
  it("are errors that name the file", function()
    files.holding("GIF89a", function(path)
      fails(function() io.read_image(path) end, ("read_image: '%s' is neither a PNG nor a JPEG file"):format(path))
    end)
    fails(function() io.read_image "/dev/zero" end, "read_image: '/dev/zero' is not a plain file")
    fails(function() io.read_image "/" end, "read_image: '/' is a directory")
    fails(function() io.decode_image "" end, "decode_image: the file is neither a PNG nor a JPEG file")
  end)

  it("ask for no more memory than their bytes can fill", function()
    local jpeg = io.encode_jpeg(picture(1, 8, 8))
    local at = jpeg:find("\255\192", 1, true) -- the frame's header: its length, the depth, height and width
    local huge = jpeg:sub(1, at + 4) .. "\255\220\255\220" .. jpeg:sub(at + 9)
    fails(function() io.decode_image(huge) end, "has 65500 x 65500 pixels, more than the 268435456 that are read")
    local large = jpeg:sub(1, at + 4) .. "\63\255\63\255" .. jpeg:sub(at + 9)
    fails(function() io.decode_image(large) end, "bytes cannot hold 16383 x 16383 pixels")
    local png = files.bytes(SAMPLES.bits)
    for _, size in ipairs { { 65535, 65535 }, { 2 ^ 31, 1 }, { 0, 1 }, { 16384, 16384 } } do
      local changed = png:sub(1, 16) .. claiming(size[1], size[2]) .. png:sub(25)
      fails(function() io.decode_image(changed) end, "is damaged")
    end
  end)

  it("may not go over their pixels again and again", function()
    local jpeg = files.bytes(SAMPLES.progressive)
    equal(io.decode_image(jpeg):size(), { 1, 8, 8 })
    local scan = jpeg:sub(268, 278)
    fails(function() io.decode_image(jpeg:sub(1, 278) .. scan:rep(1000) .. "\255\217") end, "it has too many scans")
  end)

  it("neither crash nor hang when they are damaged", function()
    local whole = 0
    for _, bytes in ipairs {
      io.encode_png(picture(3, 9, 11)), files.bytes(SAMPLES.interlaced), files.bytes(SAMPLES.palette),
      io.encode_jpeg(picture(3, 24, 24)), io.encode_jpeg(picture(1, 16, 16)),
    } do
      files.damaged(bytes, 200, function(copy)
        local good, x = pcall(io.decode_image, copy)
        if good then
          whole = whole + 1
          assert(x:dim() == 3)
        else
          assert(x:find("decode_image: the file", 1, true), x)
        end
      end)
    end
    assert(whole < 1000)
  end)
end)

describe("Pillow", function()
  it("reads what is written here, and the other way round", function()
    files.with(function(path)
      local x = picture(3, 4, 5)
      io.write_png(x, path)
      local seen = files.python("numpy, PIL.Image", [[
image = PIL.Image.open(sys.argv[1])
print(numpy.array(image).transpose(2, 0, 1).astype(int).tolist())
image.save(sys.argv[1], "PNG")
]], path)
      if not seen then return end
      equal(assert(load("return " .. seen:gsub("%[", "{"):gsub("%]", "}")))(), x:tolist())
      equal(io.read_image(path), x)
    end)
  end)
end)
