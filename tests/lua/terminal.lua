--- Programs on a pseudo-terminal, driven by what is expected on the screen.
--
--     local terminal = Terminal({ "facula", "-q" }, { HOME = "/home/me" })
--     terminal:expect("> ")
--     terminal:type("1 + 1\r")
--     terminal:expect("2")
--     local code = terminal:close()
--
-- `expect` waits for output, not for time: its limit only ends tests of a program that hangs.

local ffi = require "ffi"

ffi.cdef [[
  typedef struct { unsigned short row, column, x, y; } facula_winsize;
  struct facula_pollfd { int fd; short events, revents; };
  int forkpty(int *master, char *name, const void *termios, const facula_winsize *size);
  int execve(const char *path, const char *const argv[], const char *const envp[]);
  int poll(struct facula_pollfd *fds, unsigned long count, int timeout);
  long read(int fd, void *buffer, unsigned long size);
  long write(int fd, const void *buffer, unsigned long size);
  int close(int fd);
  int kill(int pid, int signal);
  int waitpid(int pid, int *status, int options);
  void _exit(int code);
]]

local C = ffi.C
local limit = 20000 -- milliseconds until a program counts as hanging
local POLLIN, SIGKILL = 1, 9

local Terminal = {}
Terminal.__index = Terminal

-- A NULL-terminated array of strings; the second result keeps them alive.
local function strings(list)
  local array, kept = ffi.new("const char *[?]", #list + 1), {}
  for i, text in ipairs(list) do
    kept[i] = text
    array[i - 1] = text
  end
  return array, kept
end

-- Without what moves the cursor, colours, and names modes.
local function plain(text)
  return (text:gsub("\r?\27%[[%d;?]*[%a@]", ""))
end

-- What can be read now or within the limit; nil at the end of the output.
local function read(self)
  local fds = ffi.new("struct facula_pollfd[1]")
  fds[0].fd, fds[0].events = self.master, POLLIN
  local ready = C.poll(fds, 1, limit)
  if ready == 0 then error("the program wrote nothing for too long, after:\n" .. self.screen, 0) end
  local buffer = ffi.new("char[4096]")
  local n = C.read(self.master, buffer, 4096)
  if n <= 0 then return nil end
  return ffi.string(buffer, n)
end

--- Waits until the output has `text`, apart from escape sequences; what is behind it is looked at by the next call.
---@param text string
---@return string before  the output before the text
function Terminal:expect(text)
  while true do
    local first, last = self.unread:find(text, 1, true)
    if first then
      local before = self.unread:sub(1, first - 1)
      self.unread = self.unread:sub(last + 1)
      return before
    end
    local more = read(self)
    if not more then error(("the program ended before '%s', after:\n%s"):format(text, self.screen), 0) end
    self.screen, self.unread = self.screen .. more, plain(self.unread .. more)
  end
end

--- Sends keys: `\r` is Enter, `\3` Ctrl-C.
function Terminal:type(text)
  local sent = 0
  while sent < #text do
    local n = C.write(self.master, text:sub(sent + 1, sent + 1024), math.min(1024, #text - sent))
    assert(n > 0, "the terminal takes no input")
    sent = sent + tonumber(n)
  end
end

--- Waits for the program's end.
---@return integer code  128 + signal if a signal ended it
---@return string rest  output that was not looked at
function Terminal:close()
  while true do
    local good, more = pcall(read, self)
    if not good then C.kill(self.pid, SIGKILL) end
    if not good or not more then break end
    self.unread, self.screen = self.unread .. more, self.screen .. more
  end
  local status = ffi.new("int[1]")
  C.waitpid(self.pid, status, 0)
  C.close(self.master)
  local signal = status[0] % 128
  return signal == 0 and math.floor(status[0] / 256) % 256 or 128 + signal, self.unread
end

--- Starts a program on a terminal of its own.
---@param command string[]  the program's path and its arguments
---@param environment table<string, string>  all of it
---@param size? {integer, integer}  rows and columns, 24 and 80 by default
return function(command, environment, size)
  local list = {}
  for name, value in pairs(environment) do list[#list + 1] = name .. "=" .. value end
  local argv, kept_arguments = strings(command)
  local envp, kept_variables = strings(list)
  local master = ffi.new("int[1]")
  local window = ffi.new("facula_winsize", size and size[1] or 24, size and size[2] or 80, 0, 0)
  local pid = C.forkpty(master, nil, nil, window)
  assert(pid >= 0, "no pseudo-terminal")
  if pid == 0 then
    C.execve(command[1], argv, envp)
    C._exit(127)
  end
  return setmetatable({ pid = pid, master = master[0], unread = "", screen = "",
    kept = { kept_arguments, kept_variables } }, Terminal)
end
