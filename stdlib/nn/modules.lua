--- torch.nn.modules.module: hooks that run in every module, before its own, until they are removed.

local hooks, Module = require "torch.nn.hooks", require "torch.nn.module"

local module = {}

--- `hook(module, input)`, as Module.register_forward_pre_hook takes.
---@return nn.HookHandle
function module.register_module_forward_pre_hook(...) return hooks.register(Module, "_hooks", "before", ...) end

--- `hook(module, input, output)`, as Module.register_forward_hook takes.
---@return nn.HookHandle
function module.register_module_forward_hook(...) return hooks.register(Module, "_hooks", "after", ...) end

--- `hook(module, grad_input, grad_output)`, as Module.register_full_backward_hook takes.
---@return nn.HookHandle
function module.register_module_full_backward_hook(...) return hooks.register(Module, "_hooks", "backward", ...) end

--- `hook(module, grad_output)`, as Module.register_full_backward_pre_hook takes.
---@return nn.HookHandle
function module.register_module_full_backward_pre_hook(...)
  return hooks.register(Module, "_hooks", "backward_pre", ...)
end

return { module = module }
