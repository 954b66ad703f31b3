--- Plain text.

local torch, check, class = require "torch", require "torch.check", require "torch.class"
local core = torch.core

local text = {}

local read_load = core.signature "load_text(str path, *, bool lines=False)"

--- The text in a file, which may be gzipped.
---@param path string
---@param options? {lines: boolean}  true: a list of lines without their ends, "\n" or "\r\n". Default: one string.
---@return string|string[]
function text.load(...)
  local opt = read_load(...)
  local whole = core.read_file(opt.path, "load_text")
  if not opt.lines then return whole end
  local lines, at = {}, 1
  while at <= #whole do
    local stop = whole:find("\n", at, true) or #whole + 1
    local line = whole:sub(at, stop - 1)
    lines[#lines + 1] = line:sub(-1) == "\r" and line:sub(1, -2) or line
    at = stop + 1
  end
  return lines
end

local read_save = core.signature "save_text(any content, str path)"

--- Writes a text, or a list of lines, as a file, which is replaced at once or not at all.
---@param content string|string[]
---@param path string
function text.save(...)
  local opt = read_save(...)
  local content = opt.content
  if type(content) == "table" then
    for i, line in ipairs(content) do
      check(type(line) == "string", "save_text: line %d is a %s, not a string", i, class.type(line))
    end
    content = #content > 0 and table.concat(content, "\n") .. "\n" or ""
  end
  check(type(content) == "string", "save_text: expected a string or a list of lines, got a %s", class.type(content))
  core.write_pieces(opt.path, "save_text", content)
end

return text
