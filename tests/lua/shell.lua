--- What specs need of files and of other programs.

local ffi = require "ffi"

local shell = {}

---@return string # all bytes of the file
function shell.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

function shell.write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

--- What a shell command writes to its standard output.
function shell.output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

--- A new folder, for the specs of one file.
function shell.folder()
  return (shell.output_of("mktemp -d"):gsub("\n$", ""))
end

--- The numbers of this process's children.
---@return integer[]
function shell.children()
  local list, own = {}, nil -- of the shell, which is none of them
  local found = shell.output_of 'echo $$; grep -l "^PPid:[[:space:]]$PPID$" /proc/[0-9]*/status 2>/dev/null'
  for pid in found:gmatch "%d+" do
    if own and pid ~= own then list[#list + 1] = tonumber(pid) end
    own = own or pid
  end
  return list
end

ffi.cdef "int fcntl(int file, int command, ...);"

--- How many files this process has open, of the first thousand. Asked without a shell, whose pipe might count.
function shell.open_files()
  local n, F_GETFD = 0, 1
  for file = 0, 999 do n = n + (ffi.C.fcntl(file, F_GETFD) >= 0 and 1 or 0) end
  return n
end

--- The program that runs the specs: the parent of the shell.
shell.program = shell.output_of("readlink -f /proc/$PPID/exe"):gsub("\n$", "")

--- Does this program run with AddressSanitizer? It reserves terabytes, takes faults for itself, and needs descriptors.
shell.sanitized = shell.read("/proc/self/maps"):find("libasan", 1, true) ~= nil

return shell
