--- Files of more than 4 GB, where 32 bits are not enough for an offset or a size: FACULA_LARGE_FILES=1 facula
--- tests/lua/run.lua large_files. Needs 5 GB of memory and twice that on the disk.

local torch = require "torch"
local spec, files = require "spec", require "files"
local describe, it, equal = spec.describe, spec.it, spec.equal

if os.getenv("FACULA_LARGE_FILES") ~= "1" then
  print("skipped files of more than 4 GB: FACULA_LARGE_FILES is not 1")
  return
end

local SIZE = 2 ^ 32 + 2 ^ 20
local marks = { 1, 2 ^ 31, 2 ^ 32, 2 ^ 32 + 1, SIZE }
local x, behind = torch.zeros(SIZE, { dtype = torch.uint8 }), torch.arange(5)
for k, at in ipairs(marks) do x[at] = k end

local function check(loaded, small)
  equal(loaded:numel(), SIZE)
  for k, at in ipairs(marks) do equal(loaded[at]:item(), k) end
  equal(loaded:narrow(1, 2 ^ 32 - 2 ^ 20, 2 ^ 21):sum():item(), 3 + 4)
  if small then equal(small, behind) end
end

-- Of each format: how to write the tensor and a small one behind it, how to read both, and a Python program that prints
-- the elements at the marks (from 0 in sys.argv[2:]) and the small one.
local formats = {
  { "torch.save",
    save = function(path) torch.save({ x, behind }, path) end,
    load = function(path, opt) return unpack(torch.load(path, opt)) end },
  { "torch.save for PyTorch", needs = "torch",
    save = function(path) torch.save({ x, behind }, path, { format = "pytorch" }) end,
    load = function(path, opt) return unpack(torch.load(path, opt)) end,
    python = "x, small = torch.load(sys.argv[1])" },
  { "torch.save_npy", needs = "numpy",
    save = function(path) torch.save_npy(x, path) end,
    load = torch.load_npy,
    python = "x, small = numpy.load(sys.argv[1], mmap_mode='r'), numpy.arange(5)" },
  { "torch.save_npz", needs = "numpy",
    save = function(path) torch.save_npz({ x = x, small = behind }, path) end,
    load = function(path, opt)
      local list = torch.load_npz(path, opt)
      return list.x, list.small
    end,
    python = "f = numpy.load(sys.argv[1]); x, small = f['x'], f['small']" },
  { "torch.save_safetensors", needs = "safetensors.torch",
    save = function(path) torch.save_safetensors({ x = x, small = behind }, path) end,
    load = function(path, opt)
      local list = torch.load_safetensors(path, opt)
      return list.x, list.small
    end,
    python = "f = safetensors.torch.load_file(sys.argv[1]); x, small = f['x'], f['small']" },
}

describe("a file of more than 4 GB", function()
  for _, format in ipairs(formats) do
    it("is written and read by " .. format[1], function()
      files.with(function(path)
        format.save(path)
        check(format.load(path))
        check(format.load(path, { mmap = true }))
        if not format.python then return end
        local program = format.python .. "\nprint([int(x[int(i)]) for i in sys.argv[2:]], small.tolist())"
        local positions = {}
        for k, at in ipairs(marks) do positions[k] = ("%d"):format(at - 1) end
        files.agree(files.python(format.needs, program, path, unpack(positions)), "[1, 2, 3, 4, 5] [0, 1, 2, 3, 4]\n")
      end)
    end)
  end
end)
