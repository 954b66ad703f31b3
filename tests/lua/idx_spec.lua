local torch = require "torch"
local spec, files, shell = require "spec", require "files", require "shell"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails

local BYTES = "\0\0\8\2\0\0\0\2\0\0\0\3\0\1\2\3\4\255" -- of the format's description

describe("IDX files", function()
  it("hold tensors of six dtypes and any shape", function()
    files.with(function(path)
      for _, name in ipairs { "uint8", "int8", "int16", "int32", "float32", "float64" } do
        local x = torch.tensor({ { 1, 2, 3 }, { 100, 0, 77 } }, { dtype = torch[name] })
        for _, shape in ipairs { x, x:t(), x[{ 1, 2 }], x:narrow(1, 1, 0), x:reshape(1, 2, 1, 3) } do
          torch.save_idx(shape, path)
          equal(torch.load_idx(path), shape)
        end
      end
      torch.save_idx(torch.tensor { -1.5, 1e-40, math.huge }, path)
      equal(torch.load_idx(path), torch.tensor { -1.5, 1e-40, math.huge }, 0)
    end)
  end)

  it("are big-endian", function()
    files.holding(BYTES, function(path)
      local x = torch.load_idx(path)
      equal(x, torch.tensor({ { 0, 1, 2 }, { 3, 4, 255 } }, { dtype = torch.uint8 }))
      torch.save_idx(x, path)
      equal(shell.read(path), BYTES)
    end)
    files.holding("\0\0\11\1\0\0\0\2\1\2\255\254", function(path)
      equal(torch.load_idx(path), torch.tensor({ 258, -2 }, { dtype = torch.int16 }))
    end)
  end)

  it("may be gzipped", function()
    files.holding(BYTES, function(path)
      os.execute(("gzip -c %s > %s.gz"):format(path, path))
      equal(torch.load_idx(path .. ".gz"), torch.load_idx(path))
      shell.write(path .. ".gz", shell.read(path .. ".gz"):sub(1, 20))
      local good, problem = pcall(torch.load_idx, path .. ".gz")
      os.remove(path .. ".gz")
      assert(not good and problem:find("it ends too early", 1, true), problem)
    end)
  end)

  it("that are wrong are errors which name them", function()
    local function refuses(bytes, text)
      files.holding(bytes, function(path)
        local message = fails(function() torch.load_idx(path) end, text)
        assert(message:find(path, 1, true))
      end)
    end
    refuses("", "is not an IDX file")
    refuses("\0\0\10\1", "is not an IDX file")
    refuses("\0\0\8\200" .. ("\0"):rep(2000), "has 200 dimensions, more than 64")
    refuses("\0\0\8\2\0\0\0\2\0", "ends in its header, at byte 9")
    refuses(BYTES:sub(1, 15), "should have 6 bytes behind its header (2 x 3), it has 3")
    refuses(BYTES .. "x", "should have 6 bytes behind its header (2 x 3), it has more")
    refuses("\0\0\8\2\255\255\255\255\255\255\255\255", "more than 2 GB")
    refuses("\0\0\8\3" .. ("\255"):rep(8) .. "\0\0\0\0", "4294967295 x 4294967295 x 0 elements, more than 2 GB")
    fails(function() torch.load_idx "/dev/zero" end, "load_idx: '/dev/zero' is not a plain file")
    fails(function() torch.save_idx(torch.ones(2, { dtype = torch.int64 }), "never") end,
      "the format has uint8, int8, int16, int32, float32 and float64, got torch.int64")
  end)
end)
