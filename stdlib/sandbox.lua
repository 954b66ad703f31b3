--- The inside of a sandbox: what scripts keep of Lua's library, and what stands in for the rest. docs/sandbox.md tells
-- the whole.
--
-- What is not listed here is taken away, so that nothing new slips in. The library's own modules run in an environment
-- with a few functions more, of which scripts see none.

local torch = require "torch"
local select, type, error = select, type, error

-- Globals that scripts keep; `true` for what is no table, else its fields.
local KEPT = {
  assert = true, error = true, getmetatable = true, ipairs = true, next = true, pairs = true, pcall = true,
  print = true, rawequal = true, rawget = true, rawset = true, require = true, select = true, setmetatable = true,
  tonumber = true, tostring = true, type = true, unpack = true, xpcall = true, _VERSION = true, torch = true,
  arg = true, _G = true,
  bit = { "tobit", "tohex", "bnot", "band", "bor", "bxor", "lshift", "rshift", "arshift", "rol", "ror", "bswap" },
  coroutine = { "create", "resume", "running", "status", "wrap", "yield", "isyieldable" },
  math = {
    "abs", "acos", "asin", "atan", "atan2", "ceil", "cos", "cosh", "deg", "exp", "floor", "fmod", "frexp", "huge",
    "ldexp", "log", "log10", "max", "min", "mod", "modf", "pi", "pow", "rad", "random", "randomseed", "sin", "sinh",
    "sqrt", "tan", "tanh",
  },
  os = { "clock", "date", "difftime", "time" },
  string = { "byte", "char", "format", "len", "lower", "rep", "reverse", "sub", "upper" },
  table = { "concat", "foreach", "foreachi", "getn", "insert", "maxn", "remove" },
}

-- What the library's modules may use besides.
local LIBRARY = {
  debug = { "getinfo", "getlocal", "traceback" },
  io = { "stdout", "stderr", "write" },
  os = { "clock", "date", "difftime", "getenv", "time" },
}

-- Functions of torch that reach beyond the script.
local WITHDRAWN = {
  [torch] = { "set_memory_limit", "set_num_threads", "from_dlpack", "to_dlpack" },
  [torch.core] = { "from_dlpack", "to_dlpack", "hold_interrupts", "interrupted", "describe", "start_worker",
    "spawn_worker", "join_parent", "leave_process", "program_path", "process_id", "download", "borrow" },
}

-- Modules of the library that scripts cannot require.
local PRIVATE = { "data_pointer", "from_buffer", "program", "repl", "command", "strict", "output", "utils.dlpack" }

local function selected(from, names)
  local some = {}
  for _, name in ipairs(names) do some[name] = from[name] end
  return some
end

-- Replacements ------------------------------------------------------------------------------------------------

local load_any, read_file = load, torch.core.read_file

-- Source code only: bytecode is not checked by anything.
local function load_text(chunk, name, _, ...)
  if type(chunk) == "function" then
    local parts = {}
    for piece in chunk do
      if piece == "" then break end
      parts[#parts + 1] = piece
    end
    chunk = table.concat(parts)
  end
  if select("#", ...) > 0 then return load_any(chunk, name, "t", (...)) end
  return load_any(chunk, name, "t")
end

local function loadfile(path)
  local good, text = pcall(read_file, path)
  if not good then return nil, text end
  return load_text(text, "@" .. path)
end

local function dofile(path)
  local chunk, problem = loadfile(path)
  if not chunk then error(problem, 2) end
  return chunk()
end

local collect = collectgarbage

local function collectgarbage_(what, ...)
  what = what or "collect"
  if what ~= "collect" and what ~= "count" and what ~= "step" then
    error(("collectgarbage: '%s' is not there in a sandbox"):format(what), 2)
  end
  return collect(what, ...)
end

-- Lua calls a handler before it leaves the place of the error, where no hook runs; here it is called afterwards.
local function finish(handler, good, ...)
  if good then return true, ... end
  return false, select(2, pcall(handler, (...)))
end

local function xpcall_(fn, handler, ...)
  return finish(handler, pcall(fn, ...))
end

-- Merges runs of doubling length. Lua's own sort is one call, in which no limit is looked at.
local function sort(list, before)
  before = before or function(a, b) return a < b end
  local n, from, into, width = #list, list, {}, 1
  while width < n do
    for first = 1, n, 2 * width do
      local i, middle, last = first, math.min(first + width, n + 1), math.min(first + 2 * width, n + 1)
      local j = middle
      for k = first, last - 1 do
        if i < middle and (j >= last or not before(from[j], from[i])) then
          into[k], i = from[i], i + 1
        else
          into[k], j = from[j], j + 1
        end
      end
    end
    from, into, width = into, from, 2 * width
  end
  if from ~= list then
    for k = 1, n do list[k] = from[k] end
  end
end

-- Loaders for `require`: what was preloaded, the library, and files of the allowed folders as their names say.
local function loaders_for(loaders, folders)
  local preloaded, of_library = loaders[1], loaders[2]
  local private = {}
  for _, name in ipairs(PRIVATE) do private["torch." .. name] = true end
  local function library(name)
    if private[name] or private[name:match "^torch%.%w+" or ""] then return "\n\tnot there in a sandbox" end
    return of_library(name)
  end
  local function file(name)
    for _, folder in ipairs(folders) do
      local path = folder .. "/" .. name:gsub("%.", "/") .. ".lua"
      local good, text = pcall(read_file, path)
      if good then
        local chunk, problem = load_text(text, "@" .. path)
        return chunk or error(problem, 0)
      end
    end
    return "\n\tno file of that name in the folders of the sandbox"
  end
  return { preloaded, library, file }
end

-- Closing -----------------------------------------------------------------------------------------------------

local function copied(t)
  local copy = {}
  for name, value in pairs(t) do copy[name] = value end
  return copy
end

---@param patterns table<string, function>  string.find and its relatives, which limits stop
---@param folders string[]  whose files scripts may use
---@return table environment  for the library's modules
return function(patterns, folders)
  local loaded = package.loaded
  local kept = { load = load_text, loadstring = load_text, loadfile = loadfile, dofile = dofile,
    collectgarbage = collectgarbage_, xpcall = xpcall_ }
  for name, fields in pairs(KEPT) do
    if fields == true then
      kept[name] = kept[name] or _G[name]
    else
      kept[name] = selected(_G[name], fields)
    end
  end
  for name, fn in pairs(patterns) do kept.string[name] = fn end
  kept.table.sort = sort

  local environment = { package = { loaded = loaded } }
  for name, value in pairs(kept) do environment[name] = type(KEPT[name]) == "table" and copied(value) or value end
  for name, fields in pairs(LIBRARY) do environment[name] = selected(_G[name], fields) end
  environment._G = environment

  local of_require = package
  of_require.loaders = loaders_for(package.loaders, folders)
  for _, name in ipairs { "loadlib", "searchpath", "seeall" } do rawset(of_require, name, nil) end
  _G.package = nil
  for name in pairs(loaded) do
    if name ~= "_G" and name ~= "torch" and not name:find "^torch%." then loaded[name] = nil end
  end
  for name in pairs(of_require.preload) do
    if name ~= "nn" and name ~= "optim" then of_require.preload[name] = nil end
  end
  for owner, names in pairs(WITHDRAWN) do
    for _, name in ipairs(names) do owner[name] = nil end
  end
  for name, value in pairs(_G) do
    if type(value) == "table" and KEPT[name] ~= true then
      for field in pairs(value) do value[field] = nil end -- also for those who hold the table
      for field, own in pairs(kept[name] or {}) do value[field] = own end
    else
      _G[name] = kept[name]
    end
    if not kept[name] then _G[name] = nil end
  end
  for name, value in pairs(kept) do
    if not _G[name] then _G[name] = value end
  end
  getmetatable("").__metatable = false
  return environment
end
