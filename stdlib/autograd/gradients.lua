--- What `torch.autograd.functional` and `torch.func` ask of the graph.

local torch = require "torch"

--- The gradients of `outputs` by `inputs`, in the same order; false where there is no way from any output. Outputs that
--- require none are left out.
---@param outputs torch.Tensor[]
---@param inputs torch.Tensor[]
---@param grad_outputs? torch.Tensor[]  one for each output; nil for outputs of one element
---@param create_graph boolean          can the gradients be differentiated?
---@return (torch.Tensor|false)[]
return function(outputs, inputs, grad_outputs, create_graph)
  local ys, vs = {}, grad_outputs and {} or nil
  for i, y in ipairs(outputs) do
    if y.requires_grad then
      ys[#ys + 1] = y
      if vs then vs[#ys] = grad_outputs[i] end
    end
  end
  local grads = #ys > 0 and torch.autograd.grad(ys, inputs,
    { grad_outputs = vs, create_graph = create_graph, retain_graph = true, allow_unused = true }) or {}
  local list = {}
  for i = 1, #inputs do list[i] = grads[i] or false end
  return list
end
