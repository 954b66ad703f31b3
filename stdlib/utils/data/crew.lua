--- The workers of a DataLoader, seen from the loader: hands out tasks in turn and takes the answers in the same order,
--- so that batches come as they would without workers.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local worker = require "torch.utils.data.worker"
local core = torch.core

local grace = 1 -- seconds that a worker has to end by itself

---@class data.Crew
local Crew = class("Crew")

local function forked(loader, id)
  return core.start_worker(function(channel) worker.serve(channel, loader, id) end)
end

-- A program of its own, which makes the data set from a module.
local function spawned(loader, id)
  local own = core.program_path()
  local program = os.getenv("FACULA_PROGRAM") or own:match("/facula$") and own or "facula"
  local channel = core.spawn_worker(program,
    ("require('torch.utils.data.worker').join(%d)"):format(core.process_id()))
  channel:send({ id = id, num_workers = loader.num_workers, path = package.path, cpath = package.cpath },
    unpack(loader.module, 1, table.maxn(loader.module)))
  return channel
end

---@param loader data.DataLoader
function Crew:init(loader)
  collectgarbage() -- ends the workers of passes that were left early
  self.loader, self.workers, self.pass = loader, {}, 0
  self.limit = loader.num_workers * (loader.prefetch_factor or 2)
  local start = loader.start == "spawn" and spawned or forked
  for id = 1, loader.num_workers do
    local channel = start(loader, id)
    self.workers[id] = { id = id, channel = channel, pid = channel:pid() }
  end
end

--- Ends the workers; what they were at is lost.
---@param seconds number  that they have to end by themselves
function Crew:close(seconds)
  for _, one in ipairs(self.workers) do one.channel:finish(seconds) end
  self.closed = true
end

-- Ends all of it with an error that names the worker.
function Crew:_give_up(one, text, ...)
  self:close(0)
  check(false, "DataLoader: worker %s (pid %s) " .. text, one.id, one.pid, ...)
end

function Crew:_lost(one, batch)
  self:_give_up(one, "%s; batch %s was its next", one.channel:fate(), batch)
end

local function timed_out(self, one, batch)
  self:_give_up(one, "gave no batch %s within the timeout of %s seconds", batch, self.loader.timeout)
end

local function failed(self, one, batch, text, sample)
  self:_give_up(one, "failed at batch %s%s:\n%s", batch, sample and (", sample %s"):format(sample) or "", text)
end

-- Is there a batch? And its values.
local function opened(self, one, batch, status, kind, ...)
  if status == "closed" then return self:_lost(one, batch) end
  if status == "timeout" then return timed_out(self, one, batch) end
  if kind == "batch" then return true, ... end
  one.exhausted = kind == "end"
  if one.exhausted then return false end
  return failed(self, one, batch, ...)
end

function Crew:_answer(one)
  local timeout = self.loader.timeout
  return one.channel:receive(timeout > 0 and timeout or nil)
end

-- The worker whose turn it is; nil if all have come to the end of their sets.
function Crew:_turn()
  for _ = 1, #self.workers do
    self.last = self.last % #self.workers + 1
    local one = self.workers[self.last]
    if not one.exhausted then return one end
  end
end

-- Hands out tasks until enough are under way, or there are none.
function Crew:_hand_out()
  while self.tasks and self.sent - self.taken < self.limit do
    local one = self:_turn()
    local task = one and self.tasks()
    if not task then
      self.tasks = nil
      return
    end
    self.sent = self.sent + 1
    self.owners[self.sent] = one
    one.channel:send("fetch", self.seed + self.sent, task) -- whoever is gone is missed when the answer is due
  end
end

local function values(self, number, got, ...)
  if got then return ... end
  return self:_next(number)
end

function Crew:_next(number)
  check(self.pass == number and not self.closed, "DataLoader: this pass was ended, by an error or by a new pass")
  self:_hand_out()
  if self.taken == self.sent then
    if not self.loader.persistent_workers then self:close(grace) end
    return nil
  end
  self.taken = self.taken + 1
  local one = self.owners[self.taken]
  self.owners[self.taken] = nil
  return values(self, number, opened(self, one, self.taken, self:_answer(one)))
end

-- Takes what an earlier pass left under way; its errors do not matter any more.
function Crew:_drain()
  while self.pass > 0 and self.taken < self.sent do
    self.taken = self.taken + 1
    local one = self.owners[self.taken]
    local status = self:_answer(one)
    if status ~= "message" then opened(self, one, self.taken, status) end
  end
end

--- An iterator over the batches of a new pass; the earlier pass has ended then.
---@param tasks fun(): table?  what Fetcher:fetch takes, in order
---@param seed integer  batch k is made with random numbers from seed + k
---@return fun(): any ...
function Crew:iter(tasks, seed)
  self:_drain()
  self.pass = self.pass + 1
  self.tasks, self.seed, self.sent, self.taken, self.owners, self.last = tasks, seed, 0, 0, {}, 0
  for _, one in ipairs(self.workers) do
    one.exhausted = false
    one.channel:send("pass")
  end
  local number, over = self.pass, false
  local function noted(...)
    over = (...) == nil
    return ...
  end
  local function following()
    if over then return nil end
    return noted(self:_next(number))
  end
  -- A trace keeps what its functions refer to: compiled, it would keep the workers after the pass.
  jit.off(noted)
  jit.off(following)
  return following
end

return Crew
