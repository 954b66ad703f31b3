--- A progress bar on terminals; on anything else a plain line now and then.
--
--     local bar = Progress{total=loader:size(), label="epoch 1"}
--     for x, y in loader:iter() do
--       ...
--       bar:step(("loss %.3f"):format(loss:item()))
--     end
--     bar:close()

local torch, class, check = require "torch", require "torch.class", require "torch.check"

---@class utils.Progress
---@field done integer  steps of `total` that are done; the constructor's are those of an earlier run
local Progress = class("Progress(int total, str label='', *, int done=0, any? write=None, any? clock=None, "
  .. "bool? terminal=None, int? width=None)")

-- Seconds between two drawings.
local terminal_pause, plain_pause = 0.1, 10

local eighths = { [0] = "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" }

local function speaks_utf8()
  local locale = os.getenv("LC_ALL") or os.getenv("LC_CTYPE") or os.getenv("LANG") or ""
  return locale:upper():find("UTF%-?8") ~= nil
end

local function write_out(text)
  io.stdout:write(text)
  io.stdout:flush()
end

function Progress:init(opt)
  check(opt.total >= 0, "Progress: total is at least 0, got %s", opt.total)
  check(opt.done >= 0, "Progress: done is at least 0, got %s", opt.done)
  self.total, self.label, self.done, self.earlier, self.status = opt.total, opt.label, opt.done, opt.done, ""
  self.write, self.clock = opt.write or write_out, opt.clock or torch.monotonic
  self.terminal = opt.terminal
  if self.terminal == nil then self.terminal = torch.core.isatty(1) end
  self.width = opt.width
  self.fancy = speaks_utf8()
  self.begun = self.clock()
  self.drawn = self.begun - (self.terminal and terminal_pause or 0)
end

-- 75 -> "1:15"
local function duration(seconds)
  seconds = math.floor(seconds + 0.5)
  if seconds < 3600 then return ("%d:%02d"):format(seconds / 60, seconds % 60) end
  return ("%d:%02d:%02d"):format(seconds / 3600, seconds / 60 % 60, seconds % 60)
end

-- A bar of `cells` columns, `share` of it full.
local function bar(share, cells, fancy)
  local full = share * cells
  local whole = math.floor(full)
  if not fancy then return ("#"):rep(whole) .. ("."):rep(cells - whole) end
  local part = whole < cells and eighths[math.floor((full - whole) * 8)] or ""
  return ("█"):rep(whole) .. part .. (" "):rep(cells - whole - (part == "" and 0 or 1))
end

-- Columns that a text takes: continuation bytes of UTF-8 take none.
local function columns(text)
  return select(2, text:gsub("[^\128-\191]", ""))
end

function Progress:_line(now)
  local share = self.total > 0 and math.min(self.done / self.total, 1) or 1
  local head = ("%s%3d%%"):format(self.label == "" and "" or self.label .. " ", share * 100)
  local elapsed = now - self.begun
  local made = self.done - self.earlier
  local left = made > 0 and self.done < self.total and elapsed / made * (self.total - self.done)
  local tail = ("%d/%d  %s%s"):format(self.done, self.total, left and duration(left) .. " left" or duration(elapsed),
    self.status == "" and "" or "  " .. self.status)
  if not self.terminal then return head .. "  " .. tail .. "\n" end
  local width = self.width or torch.core.terminal_width()
  local cells = math.min(width - columns(head) - columns(tail) - 5, 30)
  if cells < 5 then return ("\r%s %s\27[K"):format(head, tail) end
  return ("\r%s |%s| %s\27[K"):format(head, bar(share, cells, self.fancy), tail)
end

function Progress:_draw(now)
  self.drawn = now
  self.write(self:_line(now))
end

--- `count` more steps are done.
---@param status? string   shown behind the numbers from now on
---@param count? integer   Default: 1.
function Progress:step(status, count)
  self.done = self.done + (count or 1)
  self.status = status or self.status
  local now = self.clock()
  if now - self.drawn >= (self.terminal and terminal_pause or plain_pause) then self:_draw(now) end
end

--- Writes a line of text above the bar.
---@param text string
function Progress:print(text)
  self.write((self.terminal and "\r\27[K" or "") .. text .. "\n")
  if self.terminal then self:_draw(self.clock()) end
end

--- Draws the last state and ends the line.
---@param status? string
function Progress:close(status)
  self.status = status or self.status
  self:_draw(self.clock())
  if self.terminal then self.write("\n") end
end

return Progress
