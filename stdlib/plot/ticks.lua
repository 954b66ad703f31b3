--- Where the ticks of an axis stand, and what stands at them.

local ticks = {}

--- A number that reads well near `x`: 1, 2 or 5 times a power of ten, not below `x`.
local function nice_above(x)
  local power = 10 ^ math.floor(math.log10(x))
  for _, step in ipairs { 1, 2, 5 } do
    if step * power >= x * (1 - 1e-9) then return step * power end
  end
  return 10 * power
end

local superscripts = { ["-"] = "⁻", [0] = "⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹" }

local function power_of_ten(exponent)
  local digits = ("%d"):format(exponent):gsub(".", function(c) return superscripts[tonumber(c) or c] end)
  return "10" .. digits
end

local function fixed(value, digits)
  if value == 0 then value = 0 end -- which may have been -0
  return (("%%.%df"):format(digits):format(value):gsub("%-", "−"))
end

-- As many digits behind the point as tell neighbours apart; very large and small ones by powers of ten.
local function label(value, step, largest)
  if largest >= 1e6 or largest < 1e-3 then
    if value == 0 then return "0" end
    local exponent = math.floor(math.log10(largest) + 1e-9)
    local digits = math.max(0, exponent - math.floor(math.log10(step) + 1e-9))
    return fixed(value / 10 ^ exponent, digits) .. "×" .. power_of_ten(exponent)
  end
  local digits = math.max(0, -math.floor(math.log10(step) + 1e-9))
  return fixed(value, digits)
end

--- About `count` ticks from `low` to `high`, at multiples of 1, 2 or 5 times a power of ten (Heckbert 1990).
---@param low number
---@param high number  larger than `low`
---@param count number
---@return { value: number, label: string }[]
function ticks.linear(low, high, count)
  local step = nice_above((high - low) / math.max(count, 1))
  local list, largest = {}, math.max(math.abs(low), math.abs(high))
  for i = math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6) do
    local value = i * step
    list[#list + 1] = { value = value, label = label(value, step, largest) }
  end
  return list
end

--- Powers of ten from `low` to `high`, every n-th if there are too many. What spans few of them is marked between, too:
--- with labels at 2 and 5, or as nice numbers where not even two powers of ten are in sight.
---@param low number   above 0
---@param high number  larger than `low`
---@param count number
---@return { value: number, label: string }[]  the label of what is only marked is empty
function ticks.log(low, high, count)
  local first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
  local decades = math.log10(high) - math.log10(low)
  if decades < 1 then return ticks.linear(low, high, count) end
  local list, every = {}, math.max(1, math.ceil((last - first) / math.max(count, 1)))
  for exponent = first, last do
    for digit = 1, 9 do
      local value = digit * 10 ^ exponent
      if value >= low * (1 - 1e-9) and value <= high * (1 + 1e-9) then
        local text = ""
        if digit == 1 and exponent % every == 0 then text = power_of_ten(exponent) end
        if decades < 2.5 and (digit == 2 or digit == 5) then
          text = math.abs(exponent) <= 3 and ("%g"):format(value) or digit .. "×" .. power_of_ten(exponent)
        end
        if digit == 1 or every == 1 then list[#list + 1] = { value = value, label = text } end
      end
    end
  end
  return list
end

return ticks
