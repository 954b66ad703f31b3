--- What specs need of files and of other programs.

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

--- The program that runs the specs: the parent of the shell.
shell.program = shell.output_of("readlink -f /proc/$PPID/exe"):gsub("\n$", "")

return shell
