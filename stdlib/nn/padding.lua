--- Padding of the last one to three dimensions, one class for each number of them.

local class, check = require "torch.class", require "torch.check"
local F, Module = require "torch.nn.functional", require "torch.nn.module"
local expects = require "torch.nn.expects"

local padding = {}

-- One number stands for all sides: {left, right, top, bottom, ...}.
local function sides(given, dims, name)
  if type(given) == "number" then
    local list = {}
    for i = 1, 2 * dims do list[i] = given end
    return list
  end
  check(type(given) == "table" and #given == 2 * dims, "%s: padding is a number or %s of them, got %s", name, 2 * dims,
    type(given) == "table" and #given or class.type(given))
  return given
end

local function define(name, dims, mode, signature, format)
  local Pad = class(("%s%dd(%s)"):format(name, dims, signature), Module)
  Pad.format = format
  Pad.expects = expects.over(mode == "constant" and "input (*, #)" or "input (N, C, #) or (C, #)", dims)

  function Pad:init(opt)
    self.padding = sides(opt.padding, dims, class.type(self))
  end

  ---@param x torch.Tensor  [N, C, s...] or [C, s...]
  function Pad:forward(x)
    return F.pad(x, self.padding, { mode = mode, value = mode == "constant" and (self.value or 0) or nil })
  end

  padding[Pad.__name] = Pad
end

for dims = 1, 3 do
  --- The elements beyond each side mirror those within.
  --
  --     torch.nn.ReflectionPad#d(2)
  define("ReflectionPad", dims, "reflect", "any padding", "{padding}")
  --- The elements beyond each side repeat the last one.
  --
  --     torch.nn.ReplicationPad#d(2)
  define("ReplicationPad", dims, "replicate", "any padding", "{padding}")
  --- The elements beyond each side are those of the other side.
  --
  --     torch.nn.CircularPad#d(2)
  define("CircularPad", dims, "circular", "any padding", "{padding}")
  --- Zeros beyond each side.
  --
  --     torch.nn.ZeroPad#d(2)
  define("ZeroPad", dims, "constant", "any padding", "{padding}")
  --- `value` beyond each side.
  --
  --     torch.nn.ConstantPad#d(2, 0.5)
  define("ConstantPad", dims, "constant", "any padding, float value", "padding={padding}, value={value}")
end

return padding
