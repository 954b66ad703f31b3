--- torch.autograd.graph: how tensors are kept for the way back.

local torch = require "torch"

local graph = torch.autograd.graph

local function to_cpu(t) return { t:cpu(), device = t.device } end

local function back(kept) return kept[1]:to(kept.device) end

--- Calls `fn`; what its operations keep for their derivatives is kept on the CPU, and comes back when it is needed.
---@param fn fun(...): any
---@param ... any  its arguments
---@return any ...  its results
function graph.save_on_cpu(fn, ...)
  return graph.saved_tensors_hooks(to_cpu, back, fn, ...)
end

return graph
