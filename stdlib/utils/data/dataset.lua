--- Data sets: objects with `size()`, the number of samples, and `get(i)`, which returns the values of sample i, from 1.
--
-- A loader takes any table with these two methods. A set that also has `batch(index)` gives the batch of the samples
-- at the positions in an int64 tensor at once. Sets whose samples have no positions derive from IterableDataset.

local torch, class, check = require "torch", require "torch.class", require "torch.check"

---@class data.Dataset
local Dataset = class("Dataset")

---@return integer
function Dataset:size()
  check(false, "%s: this class has no method size", class.type(self))
end

---@param i integer
---@return any ...
function Dataset:get(i)
  check(false, "%s: this class has no method get", class.type(self))
end

--- Samples that come one after the other, as from a stream: `iter()` returns a function that gives the values of the
--- next one, and nothing behind the last. `size()` is optional. Each worker of a loader goes through a set of its own;
--- `get_worker_info()` tells `iter` which part of the samples is this worker's.
---@class data.IterableDataset: data.Dataset
local IterableDataset = class("IterableDataset", Dataset)

---@return fun(): any ...
function IterableDataset:iter()
  check(false, "%s: this class has no method iter", class.type(self))
end

--- Samples that are the slices of tensors along their first dimension.
---@class data.TensorDataset: data.Dataset
---@field tensors torch.Tensor[]
local TensorDataset = class("TensorDataset", Dataset)

---@param ... torch.Tensor  of equal sizes in the first dimension
function TensorDataset:init(...)
  self.tensors = { ... }
  check(#self.tensors > 0, "TensorDataset: expected at least one tensor")
  for i, x in ipairs(self.tensors) do
    check(torch.is_tensor(x) and x:dim() > 0, "TensorDataset: argument %s is not a tensor with dimensions", i)
    check(x:size(1) == self.tensors[1]:size(1), "TensorDataset: tensor 1 has %s samples, tensor %s has %s",
      self.tensors[1]:size(1), i, x:size(1))
  end
end

function TensorDataset:size()
  return self.tensors[1]:size(1)
end

function TensorDataset:get(i)
  local values = {}
  for k, x in ipairs(self.tensors) do values[k] = x[i] end
  return unpack(values)
end

--- The samples at the positions in `index`.
---@param index torch.Tensor  int64, one dimension
---@return torch.Tensor ...
function TensorDataset:batch(index)
  local values = {}
  for k, x in ipairs(self.tensors) do values[k] = x:index_select(1, index) end
  return unpack(values)
end

return { Dataset = Dataset, IterableDataset = IterableDataset, TensorDataset = TensorDataset }
