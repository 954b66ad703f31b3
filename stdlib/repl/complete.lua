--- Completion at the prompt: from the text before the cursor to the words that may stand there.
--
-- Four places are told apart by the tokens before the cursor: a string (modules behind `require`, files otherwise), a
-- table of named arguments in a call, a command, and a name with a path before it. Fields are looked up, so that what
-- is loaded at its first use is loaded; functions are not called.

local torch, class = require "torch", require "torch.class"
local commands, source = require "torch.repl.commands", require "torch.repl.source"

-- Words ------------------------------------------------------------------------------------------------------

local Words = {}
Words.__index = Words

local function words_of(prefix)
  return setmetatable({ prefix = prefix, seen = {} }, Words)
end

function Words:add(word)
  local hidden = word:sub(1, 1) == "_" and self.prefix:sub(1, 1) ~= "_"
  if word:sub(1, #self.prefix) == self.prefix and not hidden and not self.seen[word] then
    self.seen[word] = true
    self[#self + 1] = word
  end
end

-- Fields of a table and of the tables that its metatable leads to: `__index`, and what is not loaded yet.
local function add_fields(t, accepts, words, depth)
  if type(t) ~= "table" or depth > 8 then return end
  for name, value in next, t do
    if source.is_name(name) and accepts(value) then words:add(name) end
  end
  local meta = debug.getmetatable(t)
  if type(meta) ~= "table" then return end
  add_fields(rawget(meta, "__index"), accepts, words, depth + 1)
  for name in pairs(rawget(meta, "homes") or {}) do words:add(name) end
end

local function anything() return true end
local function callable(value) return type(value) == "function" end

-- Fields (or methods) of any value.
local function add_members(value, only_methods, words)
  local accepts = only_methods and callable or anything
  if torch.is_tensor(value) then
    add_fields(torch.Tensor, callable, words, 0)
    if not only_methods then
      for _, name in ipairs(torch.core.properties()) do words:add(name) end
    end
  elseif type(value) == "string" then
    add_fields(string, callable, words, 0)
  else
    local whole = type(value) == "table" and words.prefix ~= "" and value[words.prefix] -- loads what is lazy
    if whole and accepts(whole) then words:add(words.prefix) end
    add_fields(value, accepts, words, 0)
  end
end

-- Paths ------------------------------------------------------------------------------------------------------

-- Without asking a table of globals that complains of undefined ones.
local function local_or_global(env, name)
  local value = rawget(env, name)
  if value == nil then value = rawget(_G, name) end
  return value
end

-- The value of `a.b[1].c` whose last token is `last`: value and the position of its first token; nil if there is none.
local function value_of_path(env, tokens, last)
  local token = tokens[last]
  if not token then return nil end
  if token.kind == "string" and token.closed then return loadstring("return " .. token.text)(), last end
  if token.text == "]" then
    local key, open = tokens[last - 1], tokens[last - 2]
    if not (key and open and open.text == "[" and (key.kind == "number" or key.kind == "string")) then return nil end
    local value, first = value_of_path(env, tokens, last - 3)
    if value == nil then return nil end
    return value[loadstring("return " .. key.text)()], first
  end
  if token.kind ~= "name" then return nil end
  local dot = tokens[last - 1]
  if not (dot and (dot.text == "." or dot.text == ":")) then return local_or_global(env, token.text), last end
  local value, first = value_of_path(env, tokens, last - 2)
  if value == nil then return nil end
  return value[token.text], first
end

-- Named arguments ----------------------------------------------------------------------------------------------

local opening, closing = { ["("] = true, ["{"] = true, ["["] = true }, { [")"] = true, ["}"] = true, ["]"] = true }

-- The last bracket among tokens[1..last] that is open; nil without one.
local function open_bracket(tokens, last)
  local depth = 0
  for i = last, 1, -1 do
    local symbol = tokens[i].kind == "symbol" and tokens[i].text
    if closing[symbol] then depth = depth + 1 end
    if opening[symbol] then
      if depth == 0 then return i end
      depth = depth - 1
    end
  end
end

local function parameter_names(f)
  if class.is_class(f) then
    local signature = getmetatable(f).signature
    if not signature or not signature:find("(", 1, true) then return {} end
    return (select(2, torch.core.signature(signature)))
  end
  local names = {}
  for _, form in ipairs(torch.core.describe(f) or {}) do
    for _, parameter in ipairs(form.parameters) do names[#names + 1] = parameter.name end
    if form.out then names[#names + 1] = "out" end
  end
  return names
end

-- Names of arguments, if the word is a key of a table that is an argument of a call.
local function add_arguments(env, tokens, last, words)
  local before = tokens[last]
  if not before or (before.text ~= "{" and before.text ~= ",") then return false end
  local brace = open_bracket(tokens, last)
  if not brace or tokens[brace].text ~= "{" then return false end
  local callee = brace - 1
  if callee >= 1 and (tokens[callee].text == "(" or tokens[callee].text == ",") then
    local parenthesis = open_bracket(tokens, callee)
    if not parenthesis or tokens[parenthesis].text ~= "(" then return false end
    callee = parenthesis - 1
  end
  local f = value_of_path(env, tokens, callee)
  if f == nil then return false end
  local used = {}
  for i = brace + 1, last do
    if tokens[i].text == "=" then used[tokens[i - 1].text] = true end
  end
  for _, name in ipairs(parameter_names(f)) do
    if name ~= "self" and not used[name] then words:add(name .. "=") end
  end
  return #words > 0
end

-- Strings ------------------------------------------------------------------------------------------------------

local function add_modules(list_folder, words)
  for _, name in ipairs(torch.core.modules()) do words:add(name) end
  for _, t in ipairs { package.loaded, package.preload } do
    for name in pairs(t) do words:add(name) end
  end
  local folder = words.prefix:match("^(.*)%.[^.]*$")
  for _, file in ipairs(list_folder(folder and folder:gsub("%.", "/") or ".")) do
    local module = file:match("^([%w_]+)%.lua$") or file:match("^([%w_]+)/$")
    if module then words:add((folder and folder .. "." or "") .. module) end
  end
end

-- Files, folders with a slash behind; `~/` is the home folder.
local function add_files(list_folder, words)
  local folder, name = words.prefix:match("^(.*/)([^/]*)$")
  folder, name = folder or "", name or words.prefix
  local place = folder:gsub("^~/", (os.getenv("HOME") or "~") .. "/")
  for _, file in ipairs(list_folder(place == "" and "." or place)) do
    if file:sub(1, 1) ~= "." or name:sub(1, 1) == "." then words:add(folder .. file) end
  end
end

-- The place ----------------------------------------------------------------------------------------------------

local function add_names(env, tokens, words)
  local n = #tokens
  local before = tokens[n]
  if before and before.kind == "symbol" and (before.text == "." or before.text == ":") then
    add_members((value_of_path(env, tokens, n - 1)), before.text == ":", words)
  elseif not add_arguments(env, tokens, n, words) then
    add_fields(env, anything, words, 0)
    for word in pairs(source.keywords) do words:add(word) end
  end
end

-- A command's name, or files behind a command that takes one.
local function add_command_words(text, list_folder)
  local sign, rest = text:match("^%s*([:%%])([%w_]*)$")
  if sign then
    local words = words_of(rest)
    for _, command in ipairs(commands) do
      for _, name in ipairs(command.names) do words:add(name) end
    end
    return words
  end
  local name, file = text:match("^%s*[:%%]([%w_]+)%s+(%S*)$")
  local command = name and commands.find(name)
  local shell = text:match("^%s*[$!].-(%S*)$")
  if not (shell or command and command.takes_files) then return nil end
  local words = words_of(shell or file)
  add_files(list_folder, words)
  return words
end

--- The words that may stand at the end of `text`.
---@param env table  the session's variables
---@param text string  everything before the cursor
---@param list_folder fun(path: string): string[]  names in a folder, folders with a slash behind
---@return integer length  how many bytes at the end of `text` the words replace
---@return string[] words  in order
return function(env, text, list_folder)
  local words = add_command_words(text, list_folder)
  if not words then
    text = text:gsub("^%s*%?+", "")
    local tokens = source.tokens(text)
    local last = tokens[#tokens]
    if last and last.kind == "string" and not last.closed then
      words = words_of(last.text:sub(2))
      local before = tokens[#tokens - 1]
      if before and before.text == "(" then before = tokens[#tokens - 2] end
      local add = before and before.text == "require" and add_modules or add_files
      add(list_folder, words)
    else
      local is_word = last and last.stop == #text + 1 and (last.kind == "name" or last.kind == "word")
      if is_word then tokens[#tokens] = nil end
      words = words_of(is_word and last.text or "")
      if not (last and last.kind == "number" and last.stop == #text + 1) then add_names(env, tokens, words) end
    end
  end
  table.sort(words)
  return #words.prefix, words
end
