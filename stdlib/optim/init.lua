--- torch.optim: optimizers, each loaded when it is first asked for.

local lazy = require "torch.lazy"

return lazy.fields({}, {
  Optimizer = "torch.optim.optimizer",
  SGD = "torch.optim.sgd",
  Adam = "torch.optim.adam:Adam",
  AdamW = "torch.optim.adam:AdamW",
  Adamax = "torch.optim.adam_variants:Adamax",
  NAdam = "torch.optim.adam_variants:NAdam",
  RAdam = "torch.optim.adam_variants:RAdam",
  Adagrad = "torch.optim.adaptive:Adagrad",
  Adadelta = "torch.optim.adaptive:Adadelta",
  RMSprop = "torch.optim.adaptive:RMSprop",
  Rprop = "torch.optim.batch:Rprop",
  ASGD = "torch.optim.batch:ASGD",
  LBFGS = "torch.optim.lbfgs",
  lr_scheduler = "torch.optim.lr_scheduler",
  swa_utils = "torch.optim.swa_utils",
})
