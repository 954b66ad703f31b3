--- `torch.nn.utils.spectral_norm` by its parametrization.

local parametrize = require "torch.nn.utils.parametrize"
local parametrizations = require "torch.nn.utils.parametrizations"

return {
  spectral_norm = parametrizations.spectral_norm,
  --- Makes the weight a plain parameter again.
  remove_spectral_norm = function(module, name)
    return parametrize.remove_parametrizations(module, name or "weight")
  end,
}
