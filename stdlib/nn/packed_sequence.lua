local class = require "torch.class"

--- Sequences of several lengths, step by step: all first elements, then all second ones, and so on.
---@class nn.PackedSequence
---@field data torch.Tensor              [all steps, *]
---@field batch_sizes torch.Tensor       sequences that have each step, falling
---@field sorted_indices? torch.Tensor   where the i-th longest sequence stood
---@field unsorted_indices? torch.Tensor the inverse
local PackedSequence = class("PackedSequence")

function PackedSequence:init(data, batch_sizes, sorted_indices, unsorted_indices)
  self.data, self.batch_sizes = data, batch_sizes
  self.sorted_indices, self.unsorted_indices = sorted_indices, unsorted_indices
end

--- The same with data converted as `x:to(...)` does.
function PackedSequence:to(...)
  return PackedSequence(self.data:to(...), self.batch_sizes, self.sorted_indices, self.unsorted_indices)
end

return PackedSequence
