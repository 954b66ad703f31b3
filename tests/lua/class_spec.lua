local torch, class = require "torch", require "torch.class"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails

local Animal = class("Animal(str name, int legs=4)")
function Animal:init(opt)
  self.name, self.legs = opt.name, opt.legs
end
function Animal:walk() return self.name .. " walks on " .. self.legs end
function Animal:__tostring() return "<" .. self.name .. ">" end

describe("a class with a signature", function()
  it("takes positional arguments, named ones, and defaults", function()
    equal(Animal("rex").legs, 4)
    equal(Animal("tom", 3).legs, 3)
    equal(Animal("bob", { legs = 2 }).legs, 2)
    equal(Animal { name = "eve", legs = 6 }:walk(), "eve walks on 6")
  end)

  it("refuses what its signature does not know, at the line of the caller", function()
    local text = fails(function() Animal { name = "x", wings = 2 } end, "unknown argument 'wings'")
    assert(text:find("class_spec.lua:", 1, true), text)
    fails(function() Animal() end, "Animal: ")
    fails(function() Animal("x", "many") end, "Animal: ")
  end)

  it("reads its arguments without an init of its own", function()
    local seen
    local Silent = class("Silent(int n=3)")
    function Silent:_configured(opt) seen = opt.n end
    Silent()
    equal(seen, 3)
    Silent(5)
    equal(seen, 5)
  end)
end)

describe("a subclass", function()
  local Bird = class("Bird", Animal)
  function Bird:init(name, sings)
    Animal.init(self, name, 2)
    self.sings = sings
  end

  it("passes arguments through where it has a bare name", function()
    local b = Bird("ada", true)
    equal(b.sings, true)
    equal(b:walk(), "ada walks on 2")
  end)

  it("takes over its parent's metamethods", function()
    equal(tostring(Bird("ada")), "<ada>")
  end)

  it("reads its parent's signature where it has no init", function()
    local Dog = class("Dog", Animal)
    equal(Dog { name = "rex" }.legs, 4)
    fails(function() Dog {} end, "Animal: ")
  end)

  it("sees methods that its parent gets later", function()
    function Animal:sleep() return self.name .. " sleeps" end
    equal(Bird("ada"):sleep(), "ada sleeps")
  end)
end)

describe("predicates", function()
  local Fish = class("Fish", Animal)
  it("isinstance knows a class and its ancestors", function()
    local f = Fish("wanda")
    assert(torch.isinstance(f, Fish) and torch.isinstance(f, Animal))
    assert(not torch.isinstance(Animal("x"), Fish))
    for _, x in ipairs { 1, "s", {}, torch.zeros(1), Fish } do assert(not torch.isinstance(x, Animal)) end
  end)

  it("type gives the name of the class, Tensor, or Lua's type", function()
    equal(torch.type(Fish("wanda")), "Fish")
    equal(torch.type(torch.zeros(1)), "Tensor")
    equal(torch.type(1), "number")
    equal(torch.type(nil), "nil")
    equal(tostring(Fish), "Fish")
  end)

  it("a name or a parent that is none is refused", function()
    fails(function() class(3) end, "class: expected a name")
    fails(function() class("A", {}) end, "class: the parent of A is not a class")
  end)
end)
