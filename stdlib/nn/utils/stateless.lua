--- torch.nn.utils.stateless: the older name of torch.func.functional_call.

return { functional_call = require("torch.func").functional_call }
