--- Writes the files that fuzzers begin with: facula tests/fuzz/corpus.lua FOLDER
---
--- A folder per reader, named after it, with a few small files that it reads.

local torch = require "torch"

local folder = assert(arg[1], "usage: facula corpus.lua FOLDER")

local tensors = { a = torch.arange(6):view(2, 3):to(torch.float32), b = torch.tensor { true, false } }
for _, name in ipairs { "uint8", "int64", "bfloat16", "complex64" } do
  tensors[name] = torch.ones(2, { dtype = torch[name] })
end
local plain = { tensors, tensors.a:t(), { 1, 2.5, "text", { true } }, epoch = 3 }

local samples = {
  load = {
    function(path) torch.save(plain, path) end,
    function(path) torch.save(plain, path, { format = "pytorch" }) end,
    function(path) torch.save(torch.nn.Linear(2, 3), path, { format = "pytorch" }) end,
  },
  load_npy = {
    function(path) torch.save_npy(tensors.a, path) end,
    function(path) torch.save_npy(tensors.b, path) end,
  },
  load_npz = { function(path) torch.save_npz({ a = tensors.a, b = tensors.b }, path) end },
  load_csv = { function(path) torch.save_csv({ a = torch.arange(3), b = { "x", "y", "z" } }, path) end },
  load_idx = { function(path) torch.save_idx(tensors.a, path) end },
  load_wav = { function(path) torch.save_wav(torch.zeros(2, 9), path, 8000) end },
  ["vision.read_image"] = {
    function(path) torch.vision.write_png(torch.zeros(3, 8, 9, { dtype = torch.uint8 }), path) end,
    function(path) torch.vision.write_jpeg(torch.zeros(3, 8, 9, { dtype = torch.uint8 }), path) end,
  },
  load_safetensors = { function(path) torch.save_safetensors(tensors, path, { format = "pt" }) end },
}

for reader, writers in pairs(samples) do
  assert(os.execute(("mkdir -p '%s/%s'"):format(folder, reader)) == 0)
  for i, write in ipairs(writers) do write(("%s/%s/%d"):format(folder, reader, i)) end
end
