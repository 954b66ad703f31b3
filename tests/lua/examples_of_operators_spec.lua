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
