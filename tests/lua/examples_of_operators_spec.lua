--- The examples that help() shows: every public operator has one, and all run.
local torch = require "torch"
local class, help, examples = require "torch.class", require "torch.repl.help", require "torch.repl.examples"
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
      assert(example ~= "", "there is none: add it behind the description")
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

describe("the example in the comment of the class", function()
  local count = 0
  for _, classes in ipairs { require "torch.nn", torch.optim, torch.optim.lr_scheduler, torch.optim.swa_utils } do
    for name in pairs((getmetatable(classes) or {}).homes or classes) do
      local C = classes[name]
      local text = class.is_class(C) and help.of_value(C) or ""
      for line in text:gmatch("\n    ([^\n]*%." .. name .. "[({][^\n]*)") do
        count = count + 1
        it(name, function() examples.run(line) end)
      end
    end
  end

  it("all of which are found", function() assert(count >= 65, count) end)
end)

describe("help", function()
  it("shows the example of a class, or of the function that it applies", function()
    local function shows(C, text) assert(help.of_value(C):find(text, 1, true), help.of_value(C)) end
    shows(torch.nn.Linear, "\n    torch.nn.Linear(3, 2)(torch.randn(5, 3))\n")
    shows(torch.nn.Conv2d, "\n    torch.nn.Conv2d(3, 16, 3, {padding=1})\n")
    shows(torch.nn.BatchNorm1d, "\n    torch.nn.BatchNorm1d(3)\n")
    shows(torch.nn.LSTM, "\n    torch.nn.LSTM(3, 4)(torch.randn(7, 1, 3))\n")
    shows(torch.optim.Adam, "\n    torch.optim.Adam(")
    shows(torch.nn.LeakyReLU, "\nexample: torch.nn.functional.leaky_relu(")
    shows(torch.nn.CrossEntropyLoss, "\nexample: torch.nn.functional.cross_entropy(")
  end)

  it("shows the example of a method and of a function", function()
    local example = "\nexample: torch.ones(2, 3):sum(1)"
    assert(help.of_value(torch.sum):find(example, 1, true))
    assert(help.of_value(torch.ones(1).sum):find(example, 1, true))
    assert(help.of_value(torch.no_grad):find("\nexample: torch.no_grad(", 1, true))
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
