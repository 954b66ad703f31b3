--- Files of tensors by the ends of their names, for programs that are given nothing but a name.

local torch, check = require "torch", require "torch.check"

local by_name = {}

local function ending(path)
  return (path:match("%.(%w+)$") or ""):lower()
end

-- Tensors by name out of tables in tables, `layers.1.weight`; `left_out(name, value)` is told of other values.
local function flattened(value, left_out)
  local tensors, seen = {}, {}
  local function visit(name, x)
    if torch.is_tensor(x) then
      tensors[name == "" and "tensor" or name] = x
    elseif type(x) == "table" and not seen[x] then
      seen[x] = true
      for key, item in pairs(x) do visit((name == "" and "" or name .. ".") .. tostring(key), item) end
    else
      left_out(name, x)
    end
  end
  visit("", value)
  return tensors
end

local function only_tensor(value, path)
  local tensors = flattened(value, function() end)
  local name, x = next(tensors)
  check(x and not next(tensors, name), "save: '%s' can hold one tensor, and there are %s", path, x and "more" or "none")
  return x
end

local loaders = { npy = "load_npy", npz = "load_npz", safetensors = "load_safetensors" }

local savers = {
  npy = function(value, path) torch.save_npy(only_tensor(value, path), path) end,
  npz = function(value, path, left_out) torch.save_npz(flattened(value, left_out), path) end,
  safetensors = function(value, path, left_out) torch.save_safetensors(flattened(value, left_out), path) end,
  t7 = function(_, path) check(false, "save: '%s': Torch7's files are read only", path) end,
}
for _, name in ipairs { "pt", "pth", "bin", "ckpt" } do
  savers[name] = function(value, path) torch.save(value, path, { format = "pytorch" }) end
end

--- What a file holds: NumPy's .npy and .npz, .safetensors, and everything that torch.load knows.
---@param path string
---@return any
function by_name.load(path)
  return (torch[loaders[ending(path)] or "load"](path))
end

--- Writes a value in the format of the name: .npy (one tensor), .npz and .safetensors (tensors by name), .pt, .pth,
--- .bin and .ckpt (PyTorch's), others as torch.save does.
---@param value any
---@param path string
---@param left_out fun(name: string, value: any)  is told of what the format cannot hold
function by_name.save(value, path, left_out)
  local save = savers[ending(path)] or function() torch.save(value, path) end
  save(value, path, left_out)
end

return by_name
