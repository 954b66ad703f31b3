--- Makes a batch of samples: tensors are stacked, numbers and booleans become a tensor, tables are gone through field
--- by field; anything else stays a list.

local torch, class, check = require "torch", require "torch.class", require "torch.check"

-- One value of the batch, from the values at one place of all samples.
local function join(values)
  local first, n = values[1], #values
  if torch.is_tensor(first) then return torch.stack(values, 1) end
  local kind = type(first)
  if kind == "number" or kind == "boolean" or kind == "cdata" then return torch.tensor(values) end
  if kind ~= "table" then return values end
  local fields = {}
  for key in pairs(first) do
    local column = {}
    for i = 1, n do
      check(type(values[i]) == "table" and values[i][key] ~= nil,
        "default_collate: sample %s of the batch has no field '%s', sample 1 has one", i, key)
      column[i] = values[i][key]
    end
    fields[key] = join(column)
  end
  return fields
end

-- The values at one place of all samples.
local function column(samples, place)
  local values, kind = {}, class.type(samples[1][place])
  for i, sample in ipairs(samples) do
    local value = sample[place]
    local own = class.type(value)
    if own ~= kind then
      check(false, "default_collate: value %s is a %s in sample 1 of the batch, a %s in sample %s", place, kind, own, i)
    end
    values[i] = value
  end
  return values
end

--- The batch of a list of samples, each the list of values that `dataset:get` returned, as that many values.
---@param samples any[][]
---@return any ...
return function(samples)
  local batch, count = {}, #samples[1]
  for i, sample in ipairs(samples) do
    if #sample ~= count then
      check(false, "default_collate: sample 1 of the batch has %s values, sample %s has %s", count, i, #sample)
    end
  end
  for place = 1, count do batch[place] = join(column(samples, place)) end
  return unpack(batch, 1, count)
end
