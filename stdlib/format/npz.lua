--- NumPy's archives of arrays (.npz): zip archives of .npy files.

local torch, check = require "torch", require "torch.check"
local reader, npy = require "torch.format.reader", require "torch.format.npy"
local core = torch.core

local npz = {}

local read_load = core.signature("load_npz(str path, *, bool mmap=False)")

--- The arrays of a .npz file, compressed or not, by name.
---@param path string
---@param options? table  mmap: what is not compressed lies in the file and is not compared with its checksum. Default:
---                       copies.
---@return table<string, torch.Tensor>
function npz.load(...)
  local opt = read_load(...)
  local zip, arrays = core.open_zip(opt.path, "load_npz"), {}
  for _, entry in ipairs(zip:names()) do
    local name = entry:match("^(.*)%.npy$")
    local path = opt.path .. "/" .. entry
    local source = reader.entry(zip, entry, ("load_npz: '%s' is damaged"):format(path))
    if name then arrays[name] = npy.read(source, reader.validator("load_npz", path), opt.mmap) end
  end
  return arrays
end

local read_save = core.signature("save_npz(any tensors, str path)")

--- Writes tensors to a .npz file, which is replaced at once or not at all.
---@param tensors table<string, torch.Tensor>|torch.Tensor[]  those of a list are called arr_0, arr_1 ... as NumPy does
---@param path string
function npz.save(...)
  local opt = read_save(...)
  check(type(opt.tensors) == "table", "save_npz: expected a table of tensors, got a %s", type(opt.tensors))
  local by_name, names, contents = {}, {}, {}
  for key, x in pairs(opt.tensors) do
    local name = type(key) == "number" and ("arr_%d"):format(key - 1) or tostring(key)
    by_name[name], names[#names + 1] = x, name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    check(not name:find("%z") and #name < 65000, "save_npz: name %s has a zero byte in it, or is too long", i)
    local header = npy.header(by_name[name], "save_npz: " .. name)
    names[i], contents[i] = name .. ".npy", { header, by_name[name] }
  end
  core.write_zip(opt.path, "save_npz", names, contents)
end

return npz
