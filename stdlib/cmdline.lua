--- Options of scripts, as Torch7 has them: `-opt value`; and as argparse spells them: `--opt value`, `--opt=value`.
--
--     local cmd = torch.CmdLine()
--     cmd:text "Trains a classifier."
--     cmd:argument("data", "folder of the images")
--     cmd:option("-lr", 0.1, "learning rate")
--     cmd:option("-cuda", false, "use the GPU")
--     local opt = cmd:parse(arg)                      -- opt.data, opt.lr, opt.cuda
--     opt.rundir = cmd:string("run", opt, {data=true})   -- "run,lr=0.5": what differs from the defaults
--     cmd:log(opt.rundir .. ".log", opt)

local class, check, redirect = require "torch.class", require "torch.check", require "torch.output"

---@class torch.CmdLine
local CmdLine = class("CmdLine(str argseparator=',', str keyseparator='=')")

function CmdLine:init(opt)
  self.argseparator, self.keyseparator = opt.argseparator, opt.keyseparator
  self.entries = {} -- what help shows, in order: texts, arguments, options
  self.arguments, self.options = {}, {} -- arguments in order, options by name
end

local function plain_name(key)
  check(type(key) == "string", "CmdLine: expected a name such as '-lr', got %s", key)
  return check(key:match("^%-*(.+)$"), "CmdLine: '%s' is no name", key)
end

local function add(self, entry)
  check(not self.options[entry.name], "CmdLine: there is an option '%s' already", entry.name)
  for _, argument in ipairs(self.arguments) do
    check(argument.name ~= entry.name, "CmdLine: there is an argument '%s' already", entry.name)
  end
  self.entries[#self.entries + 1] = entry
  return entry
end

--- Adds a line to the help.
---@param text? string  default: an empty line
function CmdLine:text(text)
  self.entries[#self.entries + 1] = { text = text or "" }
end

--- Adds an argument that must be given, by its place.
---@param key string
---@param help? string
---@param kind? "string"|"number"|"boolean"  default: a string
function CmdLine:argument(key, help, kind)
  self.arguments[#self.arguments + 1] = add(self, { name = plain_name(key), help = help, kind = kind or "string" })
end

--- Adds an option.
---@param key string  its name, with any number of dashes
---@param default any  gives the kind: a number, a string, a boolean, which the option alone turns over; nil: a string
---@param help? string
---@param kind? "string"|"number"|"boolean"
function CmdLine:option(key, default, help, kind)
  kind = kind or (default == nil and "string" or type(default))
  check(kind == "string" or kind == "number" or kind == "boolean",
    "CmdLine: option '%s' is a string, a number or a boolean, got a %s", key, kind)
  local entry = add(self, { name = plain_name(key), default = default, help = help, kind = kind, is_option = true })
  self.options[entry.name] = entry
end

--- The help as text.
---@return string
function CmdLine:usage()
  local lines, names = {}, {}
  for i, argument in ipairs(self.arguments) do names[i] = "<" .. argument.name .. ">" end
  lines[1] = table.concat({ "usage: " .. tostring(arg and arg[0] or "script"), "[options]", unpack(names) }, " ")
  for _, entry in ipairs(self.entries) do
    if entry.text then
      lines[#lines + 1] = entry.text
    else
      local name = entry.is_option and "-" .. entry.name or "<" .. entry.name .. ">"
      local default = entry.default ~= nil and (" [%s]"):format(tostring(entry.default)) or ""
      lines[#lines + 1] = (("  %-18s %s%s"):format(name, entry.help or "", default):gsub("%s+$", ""))
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

--- Writes the help to stdout.
function CmdLine:help()
  io.stdout:write(self:usage())
end

--- Ends the program with 2: the problem and the help go to stderr.
---@param problem string
function CmdLine:error(problem)
  io.stderr:write(tostring(arg and arg[0] or "script"), ": ", problem, "\n", self:usage())
  os.exit(2)
end

local booleans = { ["true"] = true, ["false"] = false }

-- The text as a value of the entry's kind; nil if it is none.
local function converted(entry, text)
  if entry.kind == "number" then return tonumber(text) end
  if entry.kind == "boolean" then return booleans[text] end
  return text
end

local function take(self, params, entry, text)
  local value = text and converted(entry, text)
  if value == nil then
    self:error(("%s needs a %s%s"):format(entry.is_option and "-" .. entry.name or entry.name, entry.kind,
      text and ", got '" .. text .. "'" or ""))
  end
  params[entry.name] = value
end

--- Reads the script's arguments. `-help`, `--help` and `-h` show the help and end the program; mistakes end it with 2.
---@param arguments? string[]  default: the global `arg`
---@return table<string, any>
function CmdLine:parse(arguments)
  arguments = arguments or arg or {}
  local params, taken, i = self:default(), 0, 0
  while i < #arguments do
    i = i + 1
    local text = arguments[i]
    local name, value = text:match("^%-%-?([^-=][^=]*)=?(.*)$")
    local entry = name and self.options[name]
    if entry and entry.kind == "boolean" and not text:find("=", 1, true) then
      params[name] = not entry.default
    elseif entry and text:find("=", 1, true) then
      take(self, params, entry, value)
    elseif entry then
      i = i + 1
      take(self, params, entry, arguments[i])
    elseif name == "help" or name == "h" then
      self:help()
      os.exit(0)
    elseif name and not tonumber(text) then
      self:error("unknown option " .. text)
    else
      taken = taken + 1
      if not self.arguments[taken] then self:error(("unexpected argument '%s'"):format(text)) end
      take(self, params, self.arguments[taken], text)
    end
  end
  if taken < #self.arguments then self:error(("argument <%s> is missing"):format(self.arguments[taken + 1].name)) end
  return params
end

--- The options' defaults.
---@return table<string, any>
function CmdLine:default()
  local params = {}
  for name, entry in pairs(self.options) do params[name] = entry.default end
  return params
end

--- A name for a run: the prefix, the arguments, and the options that are not at their defaults, in alphabetical order.
---@param prefix? string
---@param params table<string, any>  of `parse`
---@param ignored? table<string, boolean>  names to leave out
---@return string
function CmdLine:string(prefix, params, ignored)
  local parts, given = {}, {}
  ignored = ignored or {}
  if prefix and prefix ~= "" then parts[1] = prefix end
  for _, argument in ipairs(self.arguments) do
    if not ignored[argument.name] then parts[#parts + 1] = tostring(params[argument.name]) end
  end
  for name, entry in pairs(self.options) do
    if not ignored[name] and params[name] ~= entry.default then
      local value = params[name]
      if type(value) == "boolean" then value = value and "t" or "f" end
      given[#given + 1] = name .. self.keyseparator .. tostring(value)
    end
  end
  table.sort(given)
  for _, text in ipairs(given) do parts[#parts + 1] = text end
  return table.concat(parts, self.argseparator)
end

--- From here on, what `print` and `io.write` write goes to the file, too. It begins with the parameters.
---@param path string
---@param params? table<string, any>
function CmdLine:log(path, params)
  local file, problem = io.open(path, "w")
  check(file, "CmdLine: cannot write the log %s", problem)
  file:setvbuf("line")
  local names = {}
  for name in pairs(params or {}) do names[#names + 1] = tostring(name) end
  table.sort(names)
  for _, name in ipairs(names) do file:write(name, self.keyseparator, tostring(params[name]), "\n") end
  self:_tee(file)
end

function CmdLine:_tee(file)
  local shown = not self.is_silent and io.stdout
  redirect(function(text)
    file:write(text)
    if shown then shown:write(text) end
  end)
  if self.time then io.write(self.time(), "\n") end
end

--- The log keeps what is written to itself.
function CmdLine:silent()
  self.is_silent = true
end

--- The log begins with a line of the time.
---@param name? string  before the time
---@param format? string  of os.date
function CmdLine:addTime(name, format)
  self.time = function() return ("[%s] %s"):format(name or "time", os.date(format or "%Y-%m-%d %H:%M:%S")) end
end

return CmdLine
