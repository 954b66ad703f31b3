--- torch.save and torch.load: facula's own files, and those of PyTorch and Torch7, known by their first bytes.

local torch, check = require "torch", require "torch.check"
local class = require "torch.class"
local core = torch.core

local serialization = {}

local writers = {
  facula = function(object, path) require("torch.format.facula").save(object, path) end,
  pytorch = function(object, path) require("torch.format.pytorch").save(object, path) end,
}

local read_save = core.signature("save(str path, *, str format='facula')")

--- Writes `object` to a file, which is replaced at once or not at all.
---@param object any   tables, strings, numbers, booleans, tensors, dtypes; a module is saved as its `state_dict()`
---@param path string
---@param options? table  format: "facula", which keeps all sharing and cycles, or "pytorch", a .pt file which PyTorch's
---                       torch.load(path, weights_only=True) reads. Default: "facula".
function serialization.save(object, path, options)
  check(type(path) == "string", "save: the path is a string, got a %s", class.type(path))
  local opt = read_save(path, options)
  local write = check(writers[opt.format], "save: the format is 'facula' or 'pytorch', got '%s'", opt.format)
  write(object, path)
end

-- What to do about files that are no archives and not PyTorch's. Torch7's begin with the kind of a value.
local function load_other(head, opt)
  if head:find("^[\1-\8]%z%z%z") or head:find("^[1-8]\r?\n") then return torch.load_t7(opt.path) end
  local function advise(text) check(false, "load: '%s' " .. text, opt.path) end
  if head:sub(1, 6) == "\147NUMPY" then advise "is an array of NumPy's; use torch.load_npy" end
  if head:sub(1, 4) == "\137HDF" then advise "is an HDF5 file; use torch.hdf5.open" end
  if head:find("^.......%z{") then advise "looks like a safetensors file; use torch.load_safetensors" end
  if head:sub(258, 262) == "ustar" then
    advise "is from PyTorch before 0.1.10; load and save it with a later version of PyTorch first"
  end
  if head:find("^\128[\1-\5]") then advise "is a pickle but not of torch.save; save it with torch.save in PyTorch" end
  advise "is not a file of torch.save"
end

local function load_archive(opt)
  local zip, pytorch = core.open_zip(opt.path, "load"), require "torch.format.pytorch"
  if zip:size("facula/version") then return require("torch.format.facula").load(opt) end
  if pytorch.is_archive(zip) then return pytorch.load_archive(zip, opt) end
  for _, name in ipairs(zip:names()) do
    check(not name:find("%.npy$"), "load: '%s' is an archive of NumPy's; use torch.load_npz", opt.path)
  end
  check(false, "load: '%s' is a zip archive, but not a file of torch.save", opt.path)
end

local read_load = core.signature("load(str path, Device? map_location=None, *, bool mmap=False, "
  .. "bool weights_only=True)")

--- What `torch.save` wrote, here, in PyTorch or in Torch7. The file may come from anywhere: no code in it is run, and
--- wrong files are errors. Objects of classes are not made; of a module there is its state, for `load_state_dict`.
---@param path string
---@param map_location? torch.Device|string  where the tensors go. Default: the CPU.
---@param options? table  mmap: tensors lie in the file, are read when first used and not compared with checksums.
---                       Default: copies. weights_only: accepted as PyTorch spells it; a file is never more than data
---                       here.
---@return any
function serialization.load(...)
  local opt = read_load(...)
  local file = core.open_file(opt.path, "load")
  local head = file:read(0, math.min(file:size(), 512))
  check(#head > 0, "load: '%s' is empty", opt.path)
  if head:sub(1, 2) == "PK" then return load_archive(opt) end
  local pytorch = require "torch.format.pytorch"
  local start = pytorch.legacy_start(head)
  if start then return pytorch.load_legacy(file, start, opt) end
  return load_other(head, opt)
end

return serialization
