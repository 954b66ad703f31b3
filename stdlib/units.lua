--- Amounts in words.

local units = {}

---@param bytes number
---@return string # such as "1.5 MB"
function units.bytes(bytes)
  local names, i = { "B", "KB", "MB", "GB", "TB" }, 1
  while math.abs(bytes) >= 1024 and i < #names do
    bytes, i = bytes / 1024, i + 1
  end
  return (i == 1 and "%d %s" or "%.1f %s"):format(bytes, names[i])
end

---@param seconds number
---@return string # such as "1.23 ms"
function units.seconds(seconds)
  if seconds >= 1 then return ("%.2f s"):format(seconds) end
  if seconds >= 1e-3 then return ("%.3g ms"):format(seconds * 1e3) end
  if seconds >= 1e-6 then return ("%.3g us"):format(seconds * 1e6) end
  return ("%.3g ns"):format(seconds * 1e9)
end

return units
