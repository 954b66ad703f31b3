--- Values as Python prints them: PyTorch's module trees are compared as text, so ours spell them alike.

---@param value any  nil, a boolean, a number, a string, or a list of these
---@param is_float? boolean  a whole number has a fraction, too: 0.0
---@return string
local function repr(value, is_float)
  if value == nil then return "None" end
  if type(value) == "boolean" then return value and "True" or "False" end
  if type(value) == "number" then
    local text
    for digits = 12, 17 do
      text = ("%." .. digits .. "g"):format(value)
      if tonumber(text) == value then break end
    end
    return is_float and text:find("^-?%d+$") and text .. ".0" or text
  end
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  for i, v in ipairs(value) do parts[i] = repr(v, is_float) end
  return "(" .. table.concat(parts, ", ") .. (#parts == 1 and ",)" or ")")
end

return repr
