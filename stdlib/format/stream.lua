--- Bytes of a file one after the other, for formats that are read from front to back.

local class = require "torch.class"

local CHUNK = 2 ^ 16

---@class format.Stream
local Stream = class("Stream")

---@param source table|userdata  with `size()` and `read(offset, count)`
---@param offset integer         of the first byte
---@param valid function         from reader.validator
function Stream:init(source, offset, valid)
  self.source, self.valid, self.size = source, valid, source:size()
  self.text, self.first, self.at = "", offset, 1
end

--- The offset of the next byte in the file.
---@return integer
function Stream:position()
  return self.first + self.at - 1
end

--- The next `count` bytes. Errors: there are fewer.
---@param count integer
---@return string
function Stream:take(count)
  local stop = self.at + count - 1
  if stop > #self.text then
    local position = self:position()
    local rest = self.size - position
    self.valid(count <= rest, "%s bytes at byte %s reach beyond its %s", count, position, self.size)
    self.text = self.source:read(position, math.min(math.max(count, CHUNK), rest))
    self.valid(#self.text >= count, "%s bytes at byte %s cannot be read", count, position)
    self.first, self.at, stop = position, 1, count
  end
  local taken = self.text:sub(self.at, stop)
  self.at = stop + 1
  return taken
end

--- The next byte as a number.
---@return integer
function Stream:byte()
  if self.at > #self.text then return self:take(1):byte() end
  local at = self.at
  self.at = at + 1
  return self.text:byte(at)
end

--- The next `count` bytes as an unsigned number, the lowest byte first; exact up to 2^53.
---@param count integer
---@return number
function Stream:unsigned(count)
  local bytes, n = self:take(count), 0
  for i = count, 1, -1 do n = n * 256 + bytes:byte(i) end
  return n
end

--- The next line, at most 1024 bytes, without its end.
---@return string
function Stream:line()
  local bytes = {}
  for _ = 1, 1024 do
    local byte = self:byte()
    if byte == 10 then return table.concat(bytes) end
    bytes[#bytes + 1] = string.char(byte)
  end
  return self.valid(false, "a line ends nowhere before byte %s", self:position())
end

return Stream
