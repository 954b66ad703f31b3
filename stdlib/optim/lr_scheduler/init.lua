--- torch.optim.lr_scheduler: how the learning rates of an optimizer change. `step` is called after the optimizer's.

local lazy = require "torch.lazy"

local homes = { LRScheduler = "torch.optim.lr_scheduler.scheduler" }
for file, names in pairs {
  factors = "StepLR MultiStepLR ConstantLR LinearLR ExponentialLR PolynomialLR LambdaLR MultiplicativeLR",
  cycles = "CosineAnnealingLR CosineAnnealingWarmRestarts CyclicLR OneCycleLR",
  compound = "ChainedScheduler SequentialLR ReduceLROnPlateau",
} do
  for name in names:gmatch "%S+" do homes[name] = ("torch.optim.lr_scheduler.%s:%s"):format(file, name) end
end

return lazy.fields({}, homes)
