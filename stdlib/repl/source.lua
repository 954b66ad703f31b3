--- What is typed at the prompt, as Lua that the session can run.
--
-- Note [Locals of a session]
-- A local of Lua ends with its chunk, and every input is one. At the prompt, `local x = 1` outside of blocks means a
-- variable of the session: the word `local` is taken out, and the session keeps the names in a table of its own, so
-- that `local type = 1` hides `type` from the prompt but not from the modules. `local function f` and `local a, b` go
-- the same way.

local source = {}

local keywords = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then true
  until while]]):gmatch("%a+") do
  keywords[word] = true
end
source.keywords = keywords

--- What names are made of: LuaJIT takes every byte beyond ASCII for a letter.
source.name_start, source.name_part = "[%a_\128-\255]", "[%w_\128-\255]"

--- Is the string a name of Lua?
---@param s any
---@return boolean
function source.is_name(s)
  return type(s) == "string" and s:find("^" .. source.name_start .. source.name_part .. "*$") ~= nil
    and not keywords[s]
end

--- The prompts, which are also what is taken off pasted lines.
source.prompt, source.continued = "> ", "..> "

---@param text string
---@return string text  without spaces at either end
function source.trimmed(text)
  return text:match("^%s*(.*%S)") or ""
end

--- The line without a prompt that was copied along with it.
---@param line string
---@return string
function source.without_prompt(line)
  for _, prompt in ipairs { source.continued, source.prompt } do
    if line:sub(1, #prompt) == prompt then return line:sub(#prompt + 1) end
  end
  return line
end

-- Tokens ----------------------------------------------------------------------------------------------------

-- Behind `[==[ ... ]==]`, and whether it is closed; nil if none begins at `at`.
local function end_of_long_bracket(text, at)
  local equals = text:match("^%[(=*)%[", at)
  if not equals then return nil end
  local _, stop = text:find("]" .. equals .. "]", at + #equals + 2, true)
  return (stop or #text) + 1, stop ~= nil
end

local function end_of_string(text, at)
  local quote, from = text:sub(at, at), at + 1
  while true do
    local stop = text:find("[\\\n" .. quote .. "]", from)
    if not stop then return #text + 1, false end
    local c = text:sub(stop, stop)
    if c == quote then return stop + 1, true end
    if c == "\n" then return stop, false end
    from = stop + 2
  end
end

-- Behind blanks and comments.
local function skip_blanks(text, at)
  while true do
    at = text:find("%S", at) or #text + 1
    if text:sub(at, at + 1) ~= "--" then return at end
    at = end_of_long_bracket(text, at + 2) or text:find("\n", at, true) or #text + 1
  end
end

---@class repl.Token
---@field text string
---@field first integer  where it begins
---@field stop integer   behind it
---@field kind "name"|"word"|"number"|"string"|"symbol"
---@field closed boolean  false: a string that does not end

--- Lua's tokens, as coarse as is enough to tell names from strings, comments and numbers.
---@param text string
---@return repl.Token[]
function source.tokens(text)
  local tokens, at = {}, 1
  while true do
    at = skip_blanks(text, at)
    if at > #text then return tokens end
    local c, kind, stop, closed = text:sub(at, at), "symbol", at + 1, true
    if c == '"' or c == "'" then
      kind, stop, closed = "string", end_of_string(text, at)
    elseif c == "[" and end_of_long_bracket(text, at) then
      kind, stop, closed = "string", end_of_long_bracket(text, at)
    elseif c:find(source.name_start) then
      stop = select(2, text:find("^" .. source.name_part .. "+", at)) + 1
      kind = keywords[text:sub(at, stop - 1)] and "word" or "name"
    elseif text:find("^%.?%d", at) then
      kind, stop = "number", select(2, text:find("^[%w_.]+", at)) + 1
    end
    tokens[#tokens + 1] = { text = text:sub(at, stop - 1), first = at, stop = stop, kind = kind, closed = closed }
    at = stop
  end
end

-- `for` and `while` open their block with `do`, `if` keeps one open up to its `end`.
local opens = { ["function"] = true, ["do"] = true, ["if"] = true, ["repeat"] = true }
local closes = { ["end"] = true, ["until"] = true }
local brackets = { ["("] = 1, ["{"] = 1, ["["] = 1, [")"] = -1, ["}"] = -1, ["]"] = -1 }

-- Sets `blocks` and `depth` of every token: open blocks, and these together with open brackets, before it.
local function nested(tokens)
  local blocks, depth = 0, 0
  for _, token in ipairs(tokens) do
    local word = token.kind == "word" and token.text
    if closes[word] then blocks = blocks - 1 end
    token.blocks, token.depth = blocks, blocks + depth
    if opens[word] then blocks = blocks + 1 end
    if token.kind == "symbol" then depth = depth + (brackets[token.text] or 0) end
  end
  return tokens
end

-- Session code ------------------------------------------------------------------------------------------------

-- The code without `local` outside of blocks, and the names of these locals.
local function without_locals(text)
  local tokens, parts, names, copied = nested(source.tokens(text)), {}, {}, 1
  local function copy_until(stop)
    parts[#parts + 1] = text:sub(copied, stop - 1)
    copied = stop
  end
  for i, token in ipairs(tokens) do
    local following = tokens[i + 1]
    if token.kind == "word" and token.text == "local" and token.blocks == 0 and following then
      copy_until(token.first)
      copied = following.first
      if following.text == "function" then
        names[#names + 1] = tokens[i + 2] and tokens[i + 2].text
      else
        local last = i
        repeat
          last = last + (last == i and 1 or 2)
          names[#names + 1] = tokens[last].text
        until not (tokens[last + 1] and tokens[last + 1].text == "," and tokens[last + 2])
        copy_until(tokens[last].stop)
        if not (tokens[last + 1] and tokens[last + 1].text == "=") then parts[#parts + 1] = " = nil;" end
      end
    end
  end
  copy_until(#text + 1)
  return table.concat(parts), names
end

-- Where the last statement begins: what stands before a name, or behind `;`, and compiles alone, is complete, since no
-- statement goes on with a name. Nil where that cannot be told.
local function last_statement(text)
  local tokens, most = nested(source.tokens(text)), 100
  for i = #tokens, 2, -1 do
    local token = tokens[i]
    if token.depth == 0 and (token.kind == "name" or tokens[i - 1].text == ";") then
      if loadstring(text:sub(1, token.first - 1)) then return token.first end
      most = most - 1
      if most == 0 then return nil end
    end
  end
end

-- Of both messages the one that got beyond the first token.
local function better_message(text, as_expression, as_statements)
  local first = source.tokens(text)[1]
  local stuck = first and as_statements:sub(-#first.text - 2) == "'" .. first.text .. "'"
  return stuck and as_expression or as_statements
end

--- The chunk of an input: an expression gives its values, statements those of the last one if that is an expression.
---@param text string
---@param name string  the chunk's
---@return function? chunk
---@return string|string[] names  of locals that become the session's; the parser's message if there is no chunk
function source.compile(text, name)
  local expression, as_expression = loadstring("return " .. text, name)
  if expression then return expression, {} end
  local statements, as_statements = loadstring(text, name)
  local start = last_statement(text)
  if start then
    local ending = text:sub(1, start - 1) .. "return " .. text:sub(start)
    if loadstring(ending) then text, statements = ending, true end
  end
  if not statements then return nil, better_message(text, as_expression, as_statements) end
  local code, names = without_locals(text)
  return loadstring(code, name), names
end

local function ends_early(message)
  return message:find("near '<eof>'", -12, true) and not message:find("unfinished string near", 1, true)
end

--- Does the parser want more than this?
---@param text string
---@return boolean
function source.is_incomplete(text)
  local good, as_expression = loadstring("return " .. text)
  local also_good, as_statements = loadstring(text)
  if good or also_good then return false end
  local wants_more = text:find("\\$") or ends_early(as_expression) or ends_early(as_statements)
  return wants_more and not source.compile(text, "=") or false
end

return source
