--- Modules of Torch7's that torch.nn has no use for, so that old networks run as they did.

local torch, class = require "torch", require "torch.class"
local F, Module = require "torch.nn.functional", require "torch.nn.module"

local layers = {}

--- Views x as (N, size...), where N is its first dimension if the rest has as many elements as `size`; otherwise x as
--- `size`, or as (*, size...). One size may be -1. `dims`: all but so many last dimensions of x are the batch.
---@class t7.Reshape: nn.Module
local Reshape = class("Reshape(int[] size, *, int? dims=None)", Module)

local function product(list)
  local n = 1
  for _, size in ipairs(list) do n = n * size end
  return n
end

function Reshape:forward(x)
  local size, numel = self.size, product(self.size)
  if self.dims and x:dim() > self.dims then
    return x:reshape(product { unpack(x:size(), 1, x:dim() - self.dims) }, unpack(size))
  end
  local single = numel < 0 or x:numel() == numel and not (x:dim() > 1 and x:size(1) == 1)
  return single and x:reshape(size) or x:reshape(-1, unpack(size))
end

--- `factor * module(x)`.
---@class t7.Scaled: nn.Module
local Scaled = class("Scaled(any module, float factor)", Module)

function Scaled:forward(x)
  return self.module(x) * self.factor
end

-- Along the features: the first dimension of one or three, otherwise the second.
for name, operator in pairs { SoftMax = "softmax", LogSoftMax = "log_softmax", SoftMin = "softmin" } do
  local Softmax = class(name, Module)
  function Softmax:forward(x)
    return F[operator](x, (x:dim() == 1 or x:dim() == 3) and 1 or 2)
  end
  layers[name] = Softmax
end

-- Keeps a list of modules as children 1, 2, ...
local function adopt(container, list)
  for i, module in ipairs(list) do container[i] = module end
end

--- The list of what each module makes of x.
---@class t7.ConcatTable: nn.Module
local ConcatTable = class("ConcatTable", Module)
ConcatTable.init = adopt

function ConcatTable:forward(x)
  local out = {}
  for i, module in ipairs(self) do out[i] = module(x) end
  return out
end

--- The list of what module i makes of item i.
---@class t7.ParallelTable: nn.Module
local ParallelTable = class("ParallelTable", Module)
ParallelTable.init = adopt

function ParallelTable:forward(list)
  local out = {}
  for i, module in ipairs(self) do out[i] = module(list[i]) end
  return out
end

--- What each module makes of x, one behind the other along a dimension.
---@class t7.Concat: nn.Module
local Concat = class("Concat", Module)

function Concat:init(list, dimension)
  self.dimension = dimension
  adopt(self, list)
end

function Concat:forward(x)
  return torch.cat(ConcatTable.forward(self, x), self.dimension)
end

--- The items of a list one behind the other along a dimension, counted without the batch where items have more than
--- `dims`.
---@class t7.JoinTable: nn.Module
local JoinTable = class("JoinTable(int dimension, *, int? dims=None)", Module)

function JoinTable:forward(list)
  local batched = self.dims and list[1]:dim() > self.dims
  return torch.cat(list, batched and self.dimension + 1 or self.dimension)
end

-- Folds a list by an operator.
local function folding(name, operator)
  local Fold = class(name, Module)
  function Fold:forward(list)
    local y = list[1]
    for i = 2, #list do y = operator(y, list[i]) end
    return y
  end
  layers[name] = Fold
end

folding("CAddTable", torch.add)
folding("CMulTable", torch.mul)

layers.Reshape, layers.Scaled, layers.Concat, layers.JoinTable = Reshape, Scaled, Concat, JoinTable
layers.ConcatTable, layers.ParallelTable = ConcatTable, ParallelTable
return layers
