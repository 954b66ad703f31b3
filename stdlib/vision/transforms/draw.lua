--- Random numbers for transforms, from torch's default generator.

local torch, check = require "torch", require "torch.check"

local draw = {}

--- A number of [low, high).
---@param low number
---@param high number
---@return number
function draw.uniform(low, high)
  return low + (high - low) * torch.rand(1, { dtype = torch.float64 }):item()
end

--- True with probability p.
---@param p number
---@return boolean
function draw.chance(p)
  return torch.rand(1):item() < p
end

--- A whole number within low..high.
---@param low integer
---@param high integer
---@return integer
function draw.integer(low, high)
  return torch.randint(low, high + 1, { 1 }):item()
end

--- {low, high} from a list of two, or from a number n: {centre - n, centre + n}.
---@param value number|number[]
---@param name string      for errors
---@param centre? number   Default: 0.
---@return number[]
function draw.range(value, name, centre)
  if type(value) == "number" then
    check(value >= 0, "%s is not negative, got %s", name, value)
    return { (centre or 0) - value, (centre or 0) + value }
  end
  check(type(value) == "table" and #value == 2 and type(value[1]) == "number" and type(value[2]) == "number"
    and value[1] <= value[2], "%s is a number or a list {low, high}", name)
  return value
end

return draw
