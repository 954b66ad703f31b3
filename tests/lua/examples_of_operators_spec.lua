--- The examples that help() shows: every public operator has one, and all run.
local torch = require "torch"
local examples = require "torch.repl.examples"
local spec = require "spec"
local describe, it, equal = spec.describe, spec.it, spec.equal

describe("the example of", function()
  examples.each(function(name, example)
    it(name, function()
      assert(example ~= "", "there is none: add .example(...) to the declaration")
      assert(example:find(name:match "[^.]+$", 1, true), "it does not call the operator: " .. example)
      assert(#example <= 150, "it is longer than a line: " .. example)
      torch.manual_seed(1)
      examples.run(example)
    end)
  end)
end)

describe("the example of the function", function()
  local count = 0
  examples.each_function(function(name, example)
    count = count + 1
    it(name, function()
      assert(#example <= 150, "it is longer than a line: " .. example)
      examples.run(example)
    end)
  end)

  it("all of which are found", function() assert(count >= 90, count) end)

  it("that is a method of generators or of sizes", function()
    local generator, size = torch.Generator(), torch.Size(2, 3)
    for _, f in ipairs { generator.manual_seed, generator.seed, generator.initial_seed, generator.get_state,
      generator.set_state, size.numel, size.totable, size.tolist } do
      examples.run(torch.core.describe(f)[1].example)
    end
  end)
end)

describe("an example", function()
  it("gives its values, or prints them for nobody", function()
    equal({ examples.run "1, torch.ones(2):sum():item()" }, { 1, 2 })
    equal({ examples.run "local x = 3 print(x)" }, {})
  end)

  it("fails where it is wrong", function()
    spec.fails(function() examples.run "torch.ones(2):sum(3)" end, "sum: dim 3 is out of range")
    spec.fails(function() examples.run "torch.ones(" end, "example")
  end)
end)
