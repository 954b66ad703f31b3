--- Tar archives: headers of 512 bytes, each before a file that is filled up to a multiple of 512.

local check = require "torch.check"

local BLOCK = 512

--- The contents of plain files in an archive.
---@param bytes string                       the archive, not compressed
---@param where string                       for errors
---@return fun(): string?, string?           name and content of each file
return function(bytes, where)
  local at = 1
  return function()
    while at + BLOCK - 1 <= #bytes do
      local name = bytes:sub(at, at + 99):match "^[^%z]*"
      if name == "" then return nil end
      local kind = bytes:sub(at + 156, at + 156)
      local size = tonumber(bytes:sub(at + 124, at + 135):match "^%s*([0-7]+)" or "", 8)
      check(size and at + BLOCK + size - 1 <= #bytes, "%s: the archive is damaged at byte %d", where, at - 1)
      local first = at + BLOCK
      at = first + math.ceil(size / BLOCK) * BLOCK
      if kind == "0" or kind == "\0" then return name, bytes:sub(first, first + size - 1) end
    end
  end
end
