--- torch.utils.dlpack: tensors exchanged with other libraries without a copy.

local torch = require "torch"

return {to_dlpack = torch.to_dlpack, from_dlpack = torch.from_dlpack}
