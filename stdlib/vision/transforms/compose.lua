--- Transforms made of others.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local options, Transform = require "torch.nn.options", require "torch.vision.transforms.transform"

local function check_list(list, where)
  check(type(list) == "table" and not class.isinstance(list, Transform), "%s: expected a list of transforms, got a %s",
    where, class.type(list))
  for i, t in ipairs(list) do
    check(options.callable.holds(t), "%s: transform %s is a %s, which cannot be called", where, i, class.type(t))
  end
end

-- Lists of transforms print them one per line.
local List = class("List", Transform)

function List:extra_repr()
  local lines = {}
  for i, t in ipairs(self.transforms) do lines[i] = tostring(t) end
  return table.concat(lines, "\n")
end

--- All transforms, one after the other.
---@class vision.Compose: nn.Module
local Compose = class("Compose(any transforms)", List)

function Compose:init(opt)
  check_list(opt.transforms, "Compose")
  for _, t in ipairs(opt.transforms) do
    if not (class.isinstance(t, Transform) and t.stepwise) then self.stepwise = false end
  end
end

function Compose:forward(x)
  for _, t in ipairs(self.transforms) do x = t(x) end
  return x
end

-- Step by step for all images at once, where every step gives images.
function Compose:each(batch)
  if not self.stepwise then return Transform.map(self, batch) end
  for _, t in ipairs(self.transforms) do batch = t:each(batch) end
  return batch
end

--- All transforms with probability p, else none.
---@class vision.RandomApply: nn.Module
local RandomApply = class("RandomApply(any transforms, float p=0.5)", List)
RandomApply.allows = { p = options.within(0, 1) }

function RandomApply:init(opt) check_list(opt.transforms, "RandomApply") end

function RandomApply:forward(x)
  if torch.rand(1):item() >= self.p then return x end
  return Compose.forward(self, x)
end

--- One of the transforms; `p` are their weights (default: equal ones).
---@class vision.RandomChoice: nn.Module
local RandomChoice = class("RandomChoice(any transforms, float[]? p=None)", List)

function RandomChoice:init(opt)
  check_list(opt.transforms, "RandomChoice")
  check(#opt.transforms > 0, "RandomChoice: the list is empty")
  check(opt.p == nil or #opt.p == #opt.transforms, "RandomChoice: p has %s weights for %s transforms",
    opt.p and #opt.p, #opt.transforms)
  self._weights = opt.p and torch.tensor(opt.p) or torch.ones(#opt.transforms)
end

function RandomChoice:forward(x)
  return self.transforms[self._weights:multinomial(1):item()](x)
end

--- All transforms in random order.
---@class vision.RandomOrder: nn.Module
local RandomOrder = class("RandomOrder(any transforms)", List)

function RandomOrder:init(opt) check_list(opt.transforms, "RandomOrder") end

function RandomOrder:forward(x)
  for _, i in ipairs(torch.randperm(#self.transforms):tolist()) do x = self.transforms[i](x) end
  return x
end

--- Any function of an image.
---@class vision.Lambda: nn.Module
local Lambda = class("Lambda(any lambd)", Transform)
Lambda.allows, Lambda.stepwise = { lambd = options.callable }, false

function Lambda:forward(x)
  return self.lambd(x)
end

return { Compose = Compose, RandomApply = RandomApply, RandomChoice = RandomChoice, RandomOrder = RandomOrder,
  Lambda = Lambda }
