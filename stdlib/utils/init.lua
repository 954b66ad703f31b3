--- torch.utils: what surrounds training.

local lazy = require "torch.lazy"

return lazy.fields({}, {
  data = "torch.utils.data",
  checkpoint = "torch.utils.checkpoint",
  dlpack = "torch.utils.dlpack",
  progress = "torch.utils.progress",
  summary = "torch.utils.summary",
  tensorboard = "torch.utils.tensorboard",
})
