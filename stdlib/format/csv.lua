--- Tables in text: comma-separated values and their relatives.

local torch, check, class = require "torch", require "torch.check", require "torch.class"
local core = torch.core

local csv = {}

local read_load = core.signature("load_csv(str path, *, str delimiter=',', bool header=True, float? missing=None, "
  .. "any? types=None)")

-- The columns that are to stay text, and the dtypes of the others.
local function sorted(types)
  local text, dtypes = {}, {}
  for column, kind in pairs(types or {}) do
    if kind == "string" then text[#text + 1] = tostring(column) else dtypes[column] = kind end
  end
  return text, dtypes
end

--- The columns of a table in a text file, which may be gzipped. A column is an int64 tensor if all its fields are
--- integers, a float64 tensor if all are numbers, otherwise a list of strings. Fields in double quotes may hold
--- anything. Missing numbers are fields without anything, NA, N/A, NaN and null. Blank lines do not count.
---@param path string
---@param options? table
--- delimiter: one character; " " is any run of spaces and tabs. Default: ",".
--- header: the first line names the columns. Default: true.
--- missing: stands for missing numbers. Default: NaN, which makes a column of integers float64.
--- types: dtypes, or "string", of columns by their names or numbers.
---@return table columns  in the file's order, and by their names
---@return string[] names  empty without a header
function csv.load(...)
  local opt = read_load(...)
  check(opt.types == nil or type(opt.types) == "table", "load_csv: types is a table, got a %s", class.type(opt.types))
  local text, dtypes = sorted(opt.types)
  local columns, names = core.read_csv(opt.path, opt.delimiter, opt.header, opt.missing, text)
  local places = {}
  for i = #names, 1, -1 do places[names[i]] = i end
  for column, dtype in pairs(dtypes) do
    local i = type(column) == "number" and column or places[column]
    check(columns[i], "load_csv: '%s' has no column %s", opt.path, column)
    check(torch.is_tensor(columns[i]), "load_csv: '%s' has text in column %s, expected %s", opt.path, column, dtype)
    columns[i] = columns[i]:to(dtype)
  end
  for name, i in pairs(places) do columns[name] = columns[i] end
  return columns, names
end

local read_save = core.signature "save_csv(any columns, str path, *, any? names=None, str delimiter=',')"

--- Writes columns as a text file, which is replaced at once or not at all. Numbers read back as they were; NaN is an
--- empty field.
---@param columns table|torch.Tensor  a list of tensors (N) and lists of N strings, or a tensor (N, columns)
---@param path string
---@param options? table
--- names: of the columns, for the first line. Default: no such line.
--- delimiter: one character. Default: ",".
function csv.save(...)
  local opt = read_save(...)
  local columns = opt.columns
  if torch.is_tensor(columns) then
    check(columns:dim() == 2, "save_csv: a tensor for a table has two dimensions, got %s", columns:dim())
    columns = columns:unbind(2)
  end
  check(type(columns) == "table", "save_csv: expected a list of columns, got a %s", class.type(columns))
  check(opt.names == nil or type(opt.names) == "table", "save_csv: names is a list, got a %s", class.type(opt.names))
  core.write_csv(opt.path, columns, opt.names, opt.delimiter)
end

return csv
