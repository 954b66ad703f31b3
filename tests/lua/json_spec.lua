local json = require "torch.json"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails

describe("JSON", function()
  it("comes back as it was written", function()
    local value = {
      text = 'a "quoted" \\ line\nand é, €, 😀, \1', empty = "", yes = true, no = false,
      numbers = json.list { 0, -1.5, 1e300, 0.1, 2 ^ 53, 5e-324 },
      nested = json.list { json.list {}, {}, json.list { { deep = json.null } } },
    }
    local back = json.decode(json.encode(value))
    equal(back, value, 0)
    assert(json.is_list(back.nested[1]) and not json.is_list(back.nested[2]))
    equal(back.nested[3][1].deep, json.null)
  end)

  it("is written with keys in order and lists as lists", function()
    equal(json.encode { b = json.list { 1, "x" }, a = {} }, '{"a":{},"b":[1,"x"]}')
  end)

  it("is read with any space and every escape", function()
    equal(json.decode ' [ 1 ,\n\t{ "a" : -0.5e+2 } ] ', { 1, { a = -50 } })
    equal(json.decode [["\u0041\u00e9\u20ac\ud83d\ude00\/\b\f\n\r\t"]], "Aé€😀/\b\f\n\r\t")
  end)

  it("that is none is refused with the place", function()
    local wrong = {
      [""] = "a value at byte 1", ["nul"] = "a value", ["NaN"] = "a value", ["+1"] = "a value", ["'a'"] = "a value",
      ["{"] = "a key at byte 2", ["[1,]"] = "a value at byte 4", ["[1 2]"] = "',' or ']' at byte 4",
      ["[1}"] = "',' or ']'", ['{"a" 1}'] = "':' at byte 6", ['{"a":1,"a":2}'] = "keys that differ",
      ["01"] = "no zero in front", ["1 2"] = "the end at byte 3", ['"abc'] = "the end of a string",
      ['"\n"'] = "an escape for a control character", ['"\\x"'] = "can be escaped",
      ['"\\ud800"'] = "a pair of surrogates", ['"\255"'] = "UTF-8",
    }
    for text, problem in pairs(wrong) do fails(function() json.decode(text) end, problem) end
    fails(function() json.decode(("["):rep(100000)) end, "no more than 100 levels")
  end)

  it("cannot hold everything", function()
    fails(function() json.encode(0 / 0) end, "is not a number of JSON")
    fails(function() json.encode { 1 } end, "keys are strings, got a number")
    fails(function() json.encode("\255") end, "not UTF-8")
    fails(function() json.encode(print) end, "a function cannot be written")
  end)
end)
