--- torch.nn.grad: the gradients of convolutions by themselves: conv1d_input, conv1d_weight, ... conv3d_weight.
--
--     grad.conv2d_input(input_size, weight, grad_output, stride, padding, dilation, groups)
--     grad.conv2d_weight(input, weight_size, grad_output, stride, padding, dilation, groups)

local torch = require "torch"
local F = require "torch.nn.functional"

local grad = {}

-- A convolution is linear in both: at which point it is differentiated does not matter.
local function anywhere(sizes, like)
  return torch.zeros(sizes, { dtype = like.dtype, device = like.device }):requires_grad_()
end

for dims = 1, 3 do
  local convolve = ("conv%dd"):format(dims)
  local options = (", Tensor grad_output, int[#] stride=1, int[#] padding=0, int[#] dilation=1, int groups=1)")
    :gsub("#", dims)
  local read_input = torch.core.signature(convolve .. "_input(int[] input_size, Tensor weight" .. options)
  local read_weight = torch.core.signature(convolve .. "_weight(Tensor input, int[] weight_size" .. options)

  local function derivative(x, w, by, opt)
    return torch.enable_grad(function()
      local y = F[convolve](x, w, nil, opt.stride, opt.padding, opt.dilation, opt.groups)
      local recorded = opt.grad_output.requires_grad or x.requires_grad and w.requires_grad
      return torch.autograd.grad({ y }, { by }, { grad_outputs = { opt.grad_output }, create_graph = recorded })[1]
    end)
  end

  --- The gradient of the input, from that of the output.
  ---@return torch.Tensor  [input_size]
  grad[convolve .. "_input"] = function(...)
    local opt = read_input(...)
    local x = anywhere(opt.input_size, opt.weight)
    return derivative(x, opt.weight, x, opt)
  end

  --- The gradient of the weight, from that of the output.
  ---@return torch.Tensor  [weight_size]
  grad[convolve .. "_weight"] = function(...)
    local opt = read_weight(...)
    local w = anywhere(opt.weight_size, opt.input)
    return derivative(opt.input, w, w, opt)
  end
end

return grad
