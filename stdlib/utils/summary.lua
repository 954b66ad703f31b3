--- What a model is made of: its layers with the sizes of their outputs, their parameters, and the arithmetic they do.
--
--     print(torch.utils.summary(model, { 1, 1, 28, 28 }))

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local Module = require "torch.nn.module"
local core = torch.core

---@class utils.Summary
---@field rows table[]  for each module, outer before inner: path, name, type, depth, calls, output_size (of the first
---  call: a text such as "(1, 10)"), parameters and flops of its own, without those of the modules within
---@field total_parameters integer
---@field trainable_parameters integer
---@field total_flops number
---@field parameter_bytes number
---@field output_bytes number  of what modules without others within returned
local Summary = class "Summary"

-- The input --------------------------------------------------------------------------------------------------------

-- Of zeros; positions are ones, the first of each table.
local function blank(size, dtype, device)
  for i, n in ipairs(size) do
    check(type(n) == "number" and n >= 0 and n == math.floor(n), "summary: size %d of the input is %s", i, n)
  end
  local make = dtype.is_floating_point and torch.zeros or torch.ones
  return make(size, { dtype = dtype, device = device })
end

-- The model's arguments: of one size, of several, or as given.
local function inputs_of(input, dtype, device)
  if torch.is_tensor(input) then return { input } end
  check(type(input) == "table" and #input > 0, "summary: expected the input's size, such as { 1, 3, 224, 224 }, a list "
    .. "of sizes, or tensors; got a %s", class.type(input))
  if type(input[1]) == "number" then return { blank(input, dtype, device) } end
  local list = {}
  for i, one in ipairs(input) do
    check(type(one) == "table" or torch.is_tensor(one), "summary: input %d is a %s", i, class.type(one))
    list[i] = torch.is_tensor(one) and one or blank(one, dtype, device)
  end
  return list
end

-- The run ----------------------------------------------------------------------------------------------------------

-- The sizes of all tensors in an output, and their bytes.
local function described(output)
  if torch.is_tensor(output) then
    local sizes = {}
    for d = 1, output:dim() do sizes[d] = ("%d"):format(output:size(d)) end
    return "(" .. table.concat(sizes, ", ") .. ")", output:numel() * output:element_size()
  end
  if type(output) ~= "table" or getmetatable(output) then return "", 0 end
  local texts, bytes = {}, 0
  for _, one in ipairs(output) do
    local text, more = described(one)
    if text ~= "" then texts[#texts + 1] = text end
    bytes = bytes + more
  end
  return table.concat(texts, " "), bytes
end

-- A row for every module; `seen` keeps parameters from being counted twice.
local function rows_of(model)
  local rows, by_module, seen = {}, {}, {}
  local function add(module, path, name, depth)
    if by_module[module] then return end
    module:_check_ready(path)
    local row = { module = module, path = path, name = name, type = class.type(module), depth = depth, calls = 0,
      output_size = "", output_bytes = 0, parameters = 0, trainable = 0, bytes = 0, flops = 0, leaf = true }
    rows[#rows + 1], by_module[module] = row, row
    for _, p in ipairs(module:parameters(false)) do
      if not seen[p:id()] then
        seen[p:id()] = true
        row.parameters, row.bytes = row.parameters + p:numel(), row.bytes + p:numel() * p:element_size()
        row.trainable = row.trainable + (p.requires_grad and p:numel() or 0)
      end
    end
    for child_name, child in module:named_children() do
      row.leaf = false
      add(child, path == "" and child_name or path .. "." .. child_name, child_name, depth + 1)
    end
  end
  add(model, "", "", 0)
  return rows
end

-- Hooks that fill in the rows. What is counted goes to the innermost module that runs.
local function watch(rows)
  local handles, running, counted = {}, {}, 0
  local function settle()
    local now, row = core.flops(), running[#running]
    if row then row.flops = row.flops + now - counted end
    counted = now
  end
  for _, row in ipairs(rows) do
    handles[#handles + 1] = row.module:register_forward_pre_hook(function()
      settle()
      running[#running + 1] = row
    end, { prepend = true })
    handles[#handles + 1] = row.module:register_forward_hook(function(_, _, output)
      settle()
      running[#running] = nil
      row.calls = row.calls + 1
      local size, bytes = described(output)
      if row.calls == 1 then row.output_size = size end
      if row.leaf then row.output_bytes = row.output_bytes + bytes end
    end)
  end
  return handles
end

-- Runs the model as in use, and leaves it as it was.
local function run(model, rows, inputs)
  local modes, handles = {}, nil
  for i, row in ipairs(rows) do modes[i] = row.module.training end
  core.start_flops()
  local good, problem = pcall(function()
    handles = watch(rows)
    model:eval()
    torch.no_grad(function() model(unpack(inputs)) end)
  end)
  core.stop_flops()
  for _, handle in ipairs(handles or {}) do handle:remove() end
  for i, row in ipairs(rows) do rawset(row.module, "training", modes[i]) end
  if not good then error(problem, 0) end
end

local read = core.signature "summary(any model, any input, *, DType? dtype=None, Device? device=None)"

--- Runs the model once, in evaluation mode and without gradients, and tells what happened; the model is left as it was.
--- FLOPs count what products of matrices, convolutions, attention, LSTMs and normalisations cost, a multiplication with
--- an addition as two; the rest is small beside it.
---@param model nn.Module
---@param input integer[]|integer[][]|torch.Tensor|torch.Tensor[]  the size of the input, with the batch; a list of
---  sizes for several inputs; or tensors
---@param options? { dtype: torch.dtype, device: torch.device }  of the inputs made from sizes: zeros, for integers
---  ones. Default: float32, where the model's first parameter is.
---@return utils.Summary  `print` shows it as a table
local function summary(...)
  local opt = read(...)
  local model = opt.model
  check(class.isinstance(model, Module), "summary: expected a module, got a %s", class.type(model))
  local rows = rows_of(model)
  local first = model:parameters()[1]
  local device = opt.device or first and first.device or torch.device "cpu"
  run(model, rows, inputs_of(opt.input, opt.dtype or torch.float32, device))
  local result = Summary()
  result.rows = rows
  local totals = { total_parameters = "parameters", trainable_parameters = "trainable", total_flops = "flops",
    parameter_bytes = "bytes", output_bytes = "output_bytes" }
  for total, field in pairs(totals) do
    result[total] = 0
    for _, row in ipairs(rows) do result[total] = result[total] + row[field] end
  end
  for _, row in ipairs(rows) do row.module = nil end
  return result
end

-- The table --------------------------------------------------------------------------------------------------------

-- 1234567 -> "1,234,567"
local function with_commas(n)
  local text = ("%d"):format(n)
  repeat
    local changed
    text, changed = text:gsub("^(-?%d+)(%d%d%d)", "%1,%2")
  until changed == 0
  return text
end

-- 1234567 -> "1.23 M"
local function scaled(n)
  for _, unit in ipairs { { 1e15, "P" }, { 1e12, "T" }, { 1e9, "G" }, { 1e6, "M" }, { 1e3, "K" } } do
    if n >= unit[1] then return ("%.2f %s"):format(n / unit[1], unit[2]) end
  end
  return ("%d"):format(n)
end

local function cells_of(row)
  local name = row.name == "" and row.type or row.name .. ": " .. row.type
  if row.calls > 1 then name = name .. " x" .. row.calls end
  local none = row.leaf and "0" or ""
  return {
    ("  "):rep(row.depth) .. name,
    row.calls > 0 and row.output_size or "not called",
    row.parameters > 0 and with_commas(row.parameters) or none,
    row.flops > 0 and scaled(row.flops) or none,
  }
end

function Summary:__tostring()
  local grid, widths = { { "Layer", "Output size", "Parameters", "FLOPs" } }, { 0, 0, 0, 0 }
  for i, row in ipairs(self.rows) do grid[i + 1] = cells_of(row) end
  for _, cells in ipairs(grid) do
    for i, cell in ipairs(cells) do widths[i] = math.max(widths[i], #cell) end
  end
  local lines, rule = {}, ("-"):rep(widths[1] + widths[2] + widths[3] + widths[4] + 6)
  for n, cells in ipairs(grid) do
    for i, cell in ipairs(cells) do
      local space = (" "):rep(widths[i] - #cell)
      cells[i] = i <= 2 and cell .. space or space .. cell
    end
    lines[#lines + 1] = (table.concat(cells, "  "):gsub(" +$", ""))
    if n == 1 then lines[#lines + 1] = rule end
  end
  lines[#lines + 1] = rule
  lines[#lines + 1] = ("Parameters: %s (%.2f MB), %s of them trainable"):format(with_commas(self.total_parameters),
    self.parameter_bytes / 1e6, with_commas(self.trainable_parameters))
  lines[#lines + 1] = ("FLOPs: %s   Outputs: %.2f MB"):format(scaled(self.total_flops), self.output_bytes / 1e6)
  return table.concat(lines, "\n")
end

return summary
