--- Writes the files that fuzzers begin with: facula tests/fuzz/corpus.lua FOLDER
---
--- A folder per reader, named after it, with its samples.

local folder = assert(arg[1], "usage: facula corpus.lua FOLDER")
local here = arg[0]:match "^(.*)/[^/]*$" or "."
package.path = here .. "/../lua/?.lua;" .. package.path
local shell = require "shell"

local function folder_of(name)
  local path = folder .. "/" .. name
  assert(os.execute(('mkdir -p "%s"'):format(path)) == 0)
  return path .. "/"
end

for name, reader in pairs(require "readers") do
  for i, write in ipairs(reader.samples) do write(folder_of(name) .. i) end
end

for i, text in ipairs(dofile(here .. "/texts.lua").samples) do shell.write(folder_of "texts" .. i, text) end
