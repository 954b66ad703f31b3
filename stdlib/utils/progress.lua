--- How far a loop has come: a bar on terminals; on anything else a plain line now and then.
--
--     for x, y in torch.utils.progress(loader, { desc = "epoch 1" }) do ... end
--
--     local bar = torch.utils.progress(loader:enumerate(), { total = loader:size() })
--     for i, x, y in bar do
--       bar:set_postfix { loss = loss:item() }
--     end
--
--     local bar = torch.utils.progress(1000)    -- without a loop: by hand
--     bar:update(10)
--     bar:close()
--
-- A bar that is made while another one is open stands below it, and goes when it is done or when the outer one moves
-- on. A loop that is left by `break` leaves its bar open: `bar:close()`.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local terminal = require "torch.utils.terminal"

--- Goes through `iterable`: an object with `iter()`, and `size()` for the total, such as a loader; a list, whose values
--- it gives; an iterator, that is a function; or a number n, for 1 to n. `initial` steps are those of an earlier run.
---@class utils.progress
---@field done integer  steps of `total` that are done
---@field total? integer
local Progress = class("progress(any? iterable=None, *, str desc='', int? total=None, int initial=0, "
  .. "any? postfix=None, any? write=None, any? clock=None, bool? terminal=None, int? width=None)")

-- Seconds between two drawings.
local terminal_pause, plain_pause = 0.1, 10

-- Bars on the terminal, the outermost first. Those that nobody else holds are of loops that ended in an error.
local open = setmetatable({}, { __mode = "v" })

-- Closes the gaps that such bars leave. A bar that has not moved for a second may be one, and is worth a collection.
local function drop_lost(now)
  if open[1] and now - open[1].moved >= 1 then collectgarbage() end
  local living = {}
  for i = 1, table.maxn(open) do
    living[#living + 1] = open[i]
    open[i] = nil
  end
  for i, bar in ipairs(living) do open[i] = bar end
end

local eighths = { [0] = "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" }

local function write_out(text)
  io.stdout:write(text)
  io.stdout:flush()
end

-- What the loop calls, and how many steps it has, if that is known.
local function iterator_of(iterable)
  if iterable == nil or type(iterable) == "function" then return iterable end
  if type(iterable) == "number" then
    check(iterable >= 0 and iterable == math.floor(iterable), "progress: a count is a whole number from 0, got %s",
      iterable)
    local i = 0
    return function()
      i = i + 1
      return i <= iterable and i or nil
    end, iterable
  end
  check(type(iterable) == "table", "progress: expected a loader, a list, an iterator or a count, got a %s",
    class.type(iterable))
  if type(iterable.iter) == "function" then
    return iterable:iter(), type(iterable.size) == "function" and iterable:size() or nil
  end
  check(not getmetatable(iterable), "progress: a %s has no method iter", class.type(iterable))
  local i = 0
  return function()
    i = i + 1
    return iterable[i]
  end, #iterable
end

function Progress:init(opt)
  local size
  self.next, size = iterator_of(opt.iterable)
  self.total = opt.total or size
  check(not self.total or self.total >= 0, "progress: total is at least 0, got %s", self.total)
  check(opt.initial >= 0, "progress: initial is at least 0, got %s", opt.initial)
  self.desc, self.done, self.initial = opt.desc, opt.initial, opt.initial
  self:set_postfix(opt.postfix)
  self.write, self.clock = opt.write or write_out, opt.clock or torch.monotonic
  self.terminal = opt.terminal
  if self.terminal == nil then self.terminal = torch.core.isatty(1) end
  self.width, self.fancy = opt.width, terminal.speaks_utf8()
  self.begun = self.clock()
  self.moved = self.begun
  if self.terminal then
    drop_lost(self.begun)
    open[#open + 1] = self
  end
  self.depth = math.max(#open - 1, 0)
  self.drawn = self.begun
  if self.terminal then self:_draw(self.begun) end
end

-- The line --------------------------------------------------------------------------------------------------------

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

-- "12.3/s", or "2.5 s each" where it is slow.
local function rate(steps, seconds)
  if steps <= 0 or seconds <= 0 then return nil end
  if steps < seconds then return ("%.1f s each"):format(seconds / steps) end
  return (steps < 100 * seconds and "%.1f/s" or "%.0f/s"):format(steps / seconds)
end

function Progress:_line(now)
  local made, elapsed = self.done - self.initial, now - self.begun
  local count = self.total and ("%d/%d"):format(self.done, self.total) or ("%d"):format(self.done)
  local words = { count, duration(elapsed) }
  if self.total and made > 0 and self.done < self.total then
    words[2] = words[2] .. ", " .. duration(elapsed / made * (self.total - self.done)) .. " left"
  end
  words[#words + 1] = rate(made, elapsed)
  if self.postfix ~= "" then words[#words + 1] = self.postfix end
  local head, tail = self.desc, table.concat(words, "  ")
  local share = self.total and (self.total > 0 and math.min(self.done / self.total, 1) or 1)
  if share then head = (head == "" and "" or head .. " ") .. ("%3d%%"):format(share * 100) end
  if not self.terminal then return (head == "" and "" or head .. "  ") .. tail .. "\n" end
  local width = self.width or torch.core.terminal_width()
  local cells = math.min(width - terminal.columns(head) - terminal.columns(tail) - 5, 30)
  local middle = share and cells >= 5 and "|" .. bar(share, cells, self.fancy) .. "| " or ""
  return self:_placed(("%s %s%s"):format(head, middle, tail))
end

-- On the bar's own line, from where the cursor returns to the outermost one's.
function Progress:_placed(text)
  local up = self.depth > 0 and ("\27[%dA"):format(self.depth) or ""
  return ("\n"):rep(self.depth) .. "\r" .. text .. "\27[K" .. up
end

function Progress:_draw(now)
  self.drawn = now
  self.write(self:_line(now))
end

-- Moving on -------------------------------------------------------------------------------------------------------

-- Bars below this one are of loops that are over.
function Progress:_close_inner()
  while self.terminal and not self.closed and #open > self.depth + 1 do open[#open]:close() end
end

--- `count` more steps are done.
---@param count? integer  Default: 1.
function Progress:update(count)
  self.done = self.done + (count or 1)
  local now = self.clock()
  self.moved = now
  if now - self.drawn >= (self.terminal and terminal_pause or plain_pause) then self:_draw(now) end
end

local function number_text(v)
  if type(v) == "number" and v ~= math.floor(v) then return ("%.4g"):format(v) end
  return tostring(v)
end

--- What stands behind the numbers from now on.
---@param values table<string, any>|string|nil  metrics by name, shown in the order of their names; or the text itself
function Progress:set_postfix(values)
  if type(values) ~= "table" then
    self.postfix = values == nil and "" or tostring(values)
    return
  end
  local words = {}
  for name, value in pairs(values) do words[#words + 1] = ("%s %s"):format(name, number_text(value)) end
  table.sort(words)
  self.postfix = table.concat(words, "  ")
end

function Progress:_pass(...)
  if (...) == nil then
    self:close()
  else
    self.going = true
  end
  return ...
end

--- The next step of the loop: a step is done when the one after it is asked for.
function Progress:__call()
  check(self.next, "progress: there is nothing to go through; it was made without an iterable")
  self:_close_inner()
  if self.going then self:update() end
  return self:_pass(self.next())
end

--- Writes a line of text above the bar.
---@param text string
function Progress:print(text)
  self.write((self.terminal and "\r\27[J" or "") .. text .. "\n")
  if not self.terminal then return end
  for _, one in ipairs(open) do one:_draw(self.clock()) end
end

--- Draws the last state and ends the line; one that stands below another goes. Doing so twice is no error.
---@param postfix? table|string  as for `set_postfix`
function Progress:close(postfix)
  if self.closed then return end
  self:_close_inner()
  self.closed = true
  if postfix ~= nil then self:set_postfix(postfix) end
  if self.terminal then
    for i = #open, 1, -1 do
      if open[i] == self then table.remove(open, i) end
    end
  end
  if self.depth > 0 then return self.write(self:_placed("")) end
  self:_draw(self.clock())
  if self.terminal then self.write("\n") end
end

return Progress
