--- Base64 (RFC 4648, section 4).

local digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

---@param bytes string
---@return string
return function(bytes)
  local parts = {}
  for i = 1, #bytes, 3 do
    local a, b, c = bytes:byte(i, i + 2)
    local group = a * 65536 + (b or 0) * 256 + (c or 0)
    for n, power in ipairs { 262144, 4096, 64, 1 } do
      local digit = math.floor(group / power) % 64 + 1
      local missing = n == 3 and not b or n == 4 and not c
      parts[#parts + 1] = missing and "=" or digits:sub(digit, digit)
    end
  end
  return table.concat(parts)
end
