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

--- The batch of a list of samples, each the list of values that `dataset:get` returned, as that many values.
---@param samples any[][]
---@return any ...
return function(samples)
  local batch, count = {}, #samples[1]
  for place = 1, count do
    local column = {}
    for i, sample in ipairs(samples) do
      check(#sample == count, "default_collate: sample 1 of the batch has %s values, sample %s has %s", count, i,
        #sample)
      local value = sample[place]
      local kind, first = class.type(value), class.type(samples[1][place])
      check(kind == first, "default_collate: value %s is a %s in sample 1 of the batch, a %s in sample %s", place,
        first, kind, i)
      column[i] = value
    end
    batch[place] = join(column)
  end
  return unpack(batch, 1, count)
end
