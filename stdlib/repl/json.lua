--- The prompt for programs: requests and replies are lines of JSON, one object each. docs/repl.md has the list.
--
--     {"id": 1, "type": "execute", "code": "print(2) 1 + 1"}     request
--     {"id": 1, "type": "output", "text": "2\n"}                 what it prints, as it comes
--     {"id": 1, "type": "result", "values": ["2"]}               the last reply to it
--
-- The standard output is for replies alone: what is printed by other means than `print`, `io` and the prompt's
-- own commands goes to stderr.

local torch = require "torch"
local json, new_session = require "torch.json", require "torch.repl"
local check, redirect, show = require "torch.check", require "torch.output", require "torch.repl.show"

local Server = {}
Server.__index = Server

-- JSON has no place for bytes that are no UTF-8.
local function as_utf8(text)
  return json.is_utf8(text) and text or (text:gsub("[\128-\255]", "\239\191\189"))
end

function Server:reply(kind, fields)
  fields.type, fields.id = kind, self.id
  self.write(json.encode(fields))
end

function Server:output(text)
  if text ~= "" then self:reply("output", { text = as_utf8(text) }) end
end

-- The session's words become replies.
local function redirect_session(self)
  local session = self.session
  function session.say(_, text) self:output(text .. "\n") end
  session.warn = session.say
  function session.complain()
    self.failed = { message = as_utf8(session.failure.message), traceback = as_utf8(session.failure.frames) }
  end
  function session.display(_, results)
    for i = 1, results.n do self.values[i] = as_utf8(show.value(results[i])) end
  end
end

-- What a request's type asks for. Each replies once, at the end.
local requests = {}

function requests.execute(self, code)
  self.values, self.failed = json.list {}, nil
  self.session:run(code)
  if self.failed then return self:reply("error", self.failed) end
  self:reply("result", { values = self.values })
end

function requests.complete(self, code)
  local replaced, words = self.session:complete(code)
  local list = json.list {}
  for i, word in ipairs(words) do list[i] = word end
  self:reply("completions", { replaced = replaced, words = list })
end

function requests.inspect(self, code)
  self.session:explain(code)
  self:reply("result", { values = json.list {} })
end

function requests.is_complete(self, code)
  self:reply("completeness", { complete = not self.session:is_incomplete(code) })
end

function requests.quit(self)
  self.over = true
  self:reply("result", { values = json.list {} })
end

local function read(line)
  local request = json.decode(line)
  check(type(request) == "table" and not json.is_list(request), "a request is an object")
  check(requests[request.type], "type is execute, complete, inspect, is_complete or quit, got %s", request.type)
  check(request.type == "quit" or type(request.code) == "string", "code is a string, got %s", request.code)
  return request
end

--- Answers one line.
function Server:answer(line)
  if line:find("^%s*$") then return end
  self.id = json.null
  local good, request = pcall(read, line)
  if not good then return self:reply("error", { message = as_utf8(request), traceback = "" }) end
  if request.id ~= nil then self.id = request.id end
  local answered, problem = pcall(requests[request.type], self, request.code)
  if not answered then self:reply("error", { message = as_utf8(tostring(problem)), traceback = "" }) end
  self.over = self.over or self.session.over
end

---@param host repl.Host
return function(host)
  local self = setmetatable({ session = new_session(host), write = host.take_output(), id = json.null }, Server)
  redirect(function(text) self:output(text) end)
  redirect_session(self)
  self:reply("ready", { version = torch.__version__ })
  return self
end
