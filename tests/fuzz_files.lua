--- Gives damaged files to every reader: facula tests/fuzz_files.lua [COUNT] [SEED] [READER]
---
--- The files are made here, COUNT damaged copies of each (default: 1000). A reader may succeed or raise an error that
--- names the operation; anything else is a failure, of which the first one of each reader is shown. The same seed makes
--- the same copies; the one that is read lies in a file whose name is printed first, for the case of a crash.

local folder = arg[0]:match "^(.*)/[^/]*$" or "."
package.path = folder .. "/lua/?.lua;" .. package.path
local torch = require "torch"
local files, shell, t7 = require "files", require "shell", require "t7_writer"
local pictures = require "torch.vision.io"

local count, seed, only = tonumber(arg[1] or 1000), tonumber(arg[2] or 1), arg[3]

local picture = torch.arange(3 * 20 * 30):mul(37):remainder(256):to(torch.uint8):reshape(3, 20, 30)
local tensors = { a = torch.arange(6):reshape(2, 3), b = torch.ones(2):to(torch.bool), c = torch.ones(3):t() }

local function torch7()
  local weight = t7.tensor("Double", { 2, 2 }, { 1, 2, 3, 4 })
  local layer = t7.object("nn.SpatialConvolution", "kW", 1, "kH", 1, "dW", 1, "dH", 1, "nOutputPlane", 2, "weight",
    weight)
  return t7.map("net", t7.object("nn.Sequential", "modules", t7.list(layer, t7.object("nn.ReLU"))), "weight", weight,
    "fn", t7.closure(), "size", t7.storage("Long", { 2, -1 }), "text", "some text", "on", true)
end

-- Name, what its errors begin with, how a file is read, and how one is written: by path, or as bytes.
local READERS = {
  { "png", "read_image", pictures.read_image, bytes = pictures.encode_png(picture) },
  { "png of 16 bits", "read_image", pictures.read_image, bytes = pictures.encode_png(picture:to(torch.int32) * 200) },
  { "jpeg", "read_image", pictures.read_image, bytes = pictures.encode_jpeg(picture) },
  { "csv", "load_csv", torch.load_csv, bytes = "a,b,\"c d\"\n1,2.5,x\n-3,NA,\"y\"\"z\"\n\n4,1e300,\n" },
  { "idx", "load_idx", torch.load_idx, write = function(path) torch.save_idx(picture, path) end },
  { "wav", "load_wav", torch.load_wav, write = function(path)
    torch.save_wav(torch.ones(2, 9), path, 8000, { bits = 24 })
  end },
  { "t7", "load_t7", torch.load_t7, bytes = t7.write(torch7()) },
  { "t7 in ascii", "load_t7", torch.load_t7, bytes = t7.write(torch7(), "ascii") },
  { "npy", "load_npy", torch.load_npy, write = function(path) torch.save_npy(picture, path) end },
  { "npz", "load_npz", torch.load_npz, write = function(path) torch.save_npz(tensors, path) end },
  { "safetensors", "load_safetensors", torch.load_safetensors, write = function(path)
    torch.save_safetensors(tensors, path)
  end },
  { "facula", "load", torch.load, write = function(path) torch.save({ tensors, "text", 1 }, path) end },
  { "pytorch", "load", torch.load, write = function(path) torch.save(tensors, path, { format = "pytorch" }) end },
}

local path, failures = os.tmpname(), 0
print("the file that is read: " .. path)

for _, row in ipairs(READERS) do
  local name, operation, read = row[1], row[2], row[3]
  if not only or only == name then
    if row.write then row.write(path) end
    local good, bad = 0, 0
    files.damaged(row.bytes or shell.read(path), count, function(copy, i)
      shell.write(path, copy)
      local fine, problem = pcall(read, path)
      if fine then
        good = good + 1
      elseif not tostring(problem):find(operation .. ": ", 1, true) then
        bad = bad + 1
        if bad == 1 then print(("FAILED %s, copy %d of seed %d: %s"):format(name, i, seed, tostring(problem))) end
      end
    end, seed)
    failures = failures + bad
    print(("%-16s %d of %d were read all the same, %d failed"):format(name, good, count, bad))
  end
end

os.remove(path)
os.exit(failures == 0 and 0 or 1)
