--- The three summaries by which TensorBoard knows a run's hyperparameters (its plugin's hparams/api.proto).

local check = require "torch.check"
local pb = require "torch.utils.tensorboard.protobuf"

-- api.proto's DataType, and the field of google.protobuf.Value.
local kinds = {
  string = { type = 1, encode = function(v) return pb.bytes(3, v) end },
  boolean = { type = 2, encode = function(v) return pb.varint(4, v) end },
  number = { type = 3, encode = function(v) return pb.double(2, v) end },
}

local function sorted_names(t)
  local names = {}
  for name in pairs(t) do
    check(type(name) == "string", "add_hparams: names are strings, got a %s", type(name))
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

local function plugin_summary(tag, field, message)
  local metadata = pb.bytes(1, pb.bytes(1, "hparams") .. pb.bytes(2, pb.bytes(field, message)))
  return pb.bytes(1, pb.bytes(1, tag) .. pb.bytes(9, metadata))
end

--- The encodings of three Summaries: experiment, session start, session end.
---@param hparams table<string, string|number|boolean>
---@param metrics table<string, number>
---@return string[]
return function(hparams, metrics)
  local experiment, start = {}, {}
  for _, name in ipairs(sorted_names(hparams)) do
    local value = hparams[name]
    local kind = check(kinds[type(value)], "add_hparams: '%s' is a string, a number or a boolean, got a %s", name,
      type(value))
    experiment[#experiment + 1] = pb.bytes(4, pb.bytes(1, name) .. pb.varint(4, kind.type))
    start[#start + 1] = pb.bytes(1, pb.bytes(1, name) .. pb.bytes(2, kind.encode(value)))
  end
  for _, name in ipairs(sorted_names(metrics)) do
    experiment[#experiment + 1] = pb.bytes(5, pb.bytes(1, pb.bytes(2, name)))
  end
  return {
    plugin_summary("_hparams_/experiment", 2, table.concat(experiment)),
    plugin_summary("_hparams_/session_start_info", 3, table.concat(start)),
    plugin_summary("_hparams_/session_end_info", 4, pb.varint(1, 1)), -- a success
  }
end
