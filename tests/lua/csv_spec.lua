local torch = require "torch"
local spec, files, shell = require "spec", require "files", require "shell"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails

-- What load_csv makes of a text.
local function load_text(text, options)
  local columns, names
  files.holding(text, function(path) columns, names = torch.load_csv(path, options) end)
  return columns, names
end

-- What load_csv says to a text, which it refuses; the file's name is left out.
local function refusal(text, options)
  local message
  files.holding(text, function(path)
    local good, problem = pcall(torch.load_csv, path, options)
    assert(not good)
    message = problem:gsub("'/[^']*'", "FILE")
  end)
  return message
end

describe("load_csv", function()
  it("types each column by its fields", function()
    local c, names = load_text "id,x,name\n1,0.5,ann\n-2,1e3,\"b, c\"\n+3,7,\"say \"\"hi\"\"\"\n"
    equal(names, { "id", "x", "name" })
    equal(c.id, torch.tensor({ 1, -2, 3 }, { dtype = torch.int64 }))
    equal(c.x, torch.tensor({ 0.5, 1000, 7 }, { dtype = torch.float64 }))
    equal(c.name, { "ann", "b, c", 'say "hi"' })
    assert(c[1] == c.id and c[3] == c.name and #c == 3)
  end)

  it("reads what is missing as NaN, or as what it is told", function()
    local c = load_text "a,b,c\n1,,x\nNA,2.5,\nnull,n/a,z\n"
    equal(c.a, torch.tensor({ 1, 0 / 0, 0 / 0 }, { dtype = torch.float64 }))
    equal(c.b, torch.tensor({ 0 / 0, 2.5, 0 / 0 }, { dtype = torch.float64 }))
    equal(c.c, { "x", "", "z" })
    equal(load_text("a\n1\nNA\n", { missing = -1 }).a, torch.tensor({ 1, -1 }, { dtype = torch.int64 }))
    equal(load_text("a,b\n,1\n,2\n").a:isnan():all():item(), true)
  end)

  it("takes types by name and by number", function()
    local c = load_text("zip,n\n00501,1\n12345,2\n", { types = { zip = "string", [2] = torch.float32 } })
    equal(c.zip, { "00501", "12345" })
    equal(c.n, torch.tensor { 1, 2 })
    local message = refusal("a\nx\n", { types = { a = torch.float32 } })
    assert(message:find("FILE has text in column a, expected torch.float32", 1, true))
    assert(refusal("a\n1\n", { types = { b = torch.float32 } }):find("FILE has no column b"))
  end)

  it("reads other delimiters, line ends and no header", function()
    equal(load_text("1;2\r\n3;4\r\n", { delimiter = ";", header = false })[2]:tolist(), { 2, 4 })
    local c = load_text("  1   2\t3\n\n 4 5 6  \n", { delimiter = " ", header = false })
    equal({ c[1]:tolist(), c[3]:tolist() }, { { 1, 4 }, { 3, 6 } })
    equal(load_text("\239\187\191a,b\n1,2").b:tolist(), { 2 })
    equal(#load_text "", 0)
    equal(load_text("a,b\n").a:size(), { 0 })
  end)

  it("keeps whole numbers to 2^63 and floating ones to the last bit", function()
    local c = load_text "i,x,big\n9223372036854775807,0.1,9223372036854775808\n-9223372036854775808,1e-310,1\n"
    equal(tostring(c.i[1]:item()), "9223372036854775807LL")
    equal(c.x:tolist(), { 0.1, 1e-310 }, 0)
    equal(c.big.dtype, torch.float64)
    equal(load_text("x\n1e999\n-inf\n1e-999\n").x:tolist(), { math.huge, -math.huge, 0 })
  end)

  it("says which line is wrong", function()
    assert(refusal("a,b\n1,2\n\n3\n"):find("load_csv: FILE line 4: 1 field, expected 2", 1, true))
    assert(refusal("a,b\n\"1\n2\",2\n3,4,5\n"):find("FILE line 4: 3 fields, expected 2", 1, true))
    assert(refusal("a\n\"1\n"):find("FILE line 2: a quoted field does not end", 1, true))
    assert(refusal("a\n\"1\"2\n"):find("FILE line 2: a quoted field goes on after its quotes", 1, true))
    assert(refusal("a\n", { delimiter = ",," }):find("the delimiter is one character, got ',,'", 1, true))
    fails(function() torch.load_csv "/no/such/file" end, "load_csv: cannot open '/no/such/file'")
  end)

  it("refuses gzip files that unpack to far more than they are", function()
    local zeros = shell.output_of "head -c 33554432 /dev/zero | gzip -1"
    files.holding(zeros:rep(9), function(path)
      local message = fails(function() torch.load_csv(path) end, "it unpacks to more than 200 times its size")
      assert(message:find(path, 1, true), message)
    end)
  end)

  it("does not hang at one long line", function()
    assert(refusal(("1,"):rep(2 ^ 21)):find("line 1: more than 1048576 columns", 1, true))
    local c = load_text(("x"):rep(2 ^ 24), { header = false })
    equal(#c[1][1], 2 ^ 24)
  end)
end)

describe("save_csv", function()
  it("writes what load_csv reads back", function()
    local columns = {
      torch.tensor({ 1, 2, 3 }, { dtype = torch.int64 }),
      torch.tensor({ 0.1, 0 / 0, -1e300 }, { dtype = torch.float64 }),
      { "plain", 'with "quotes", and\nlines', "" },
    }
    files.with(function(path)
      torch.save_csv(columns, path, { names = { "id", "a value", "text" } })
      equal(shell.read(path), 'id,"a value",text\n1,0.1,plain\n2,,"with ""quotes"", and\nlines"\n3,-1e+300,""\n')
      local back, names = torch.load_csv(path)
      equal(names, { "id", "a value", "text" })
      for i = 1, 3 do equal(back[i], columns[i], 0) end
    end)
  end)

  it("writes every dtype, strided and single columns", function()
    files.with(function(path)
      for _, name in ipairs {
        "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64",
      } do
        local x = torch.tensor({ { 1, 2 }, { 3, 0 } }, { dtype = torch[name] })
        torch.save_csv(x, path)
        equal(torch.load_csv(path, { header = false })[2]:to(torch[name]), x:select(2, 2))
      end
      torch.save_csv({ torch.tensor { true, false } }, path)
      equal(shell.read(path), "1\n0\n")
      torch.save_csv({ torch.tensor { 0 / 0, 0.1 } }, path)
      equal(shell.read(path), "nan\n0.1\n")
      torch.save_csv({}, path)
      equal(shell.read(path), "")
    end)
  end)

  it("refuses what is no table", function()
    local function refuses(columns, text, options)
      fails(function() torch.save_csv(columns, "never.csv", options) end, text)
    end
    refuses({ torch.ones(2), { "a" } }, "save_csv: column 2 has 1 rows, column 1 has 2")
    refuses({ torch.ones(2, 2) }, "save_csv: column 1 is a tensor (2, 2), expected one dimension")
    refuses({ 1 }, "save_csv: column 1 is the number 1, expected a tensor or a list of strings")
    refuses({ { "a", {} } }, "save_csv: a column has a table")
    refuses({ torch.ones(2) }, "save_csv: 2 names for 1 columns", { names = { "a", "b" } })
    refuses({ torch.complex(torch.ones(1), torch.ones(1)) }, "save_csv: column 1 is complex")
    refuses("x", "save_csv: expected a list of columns, got a string")
  end)
end)
