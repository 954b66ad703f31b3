--- torch.optim: optimizers, each loaded when it is first asked for.

local lazy = require "torch.lazy"

return lazy.fields({}, {
  Optimizer = "torch.optim.optimizer",
  SGD = "torch.optim.sgd",
  Adam = "torch.optim.adam",
})
