--- torch.utils: what surrounds training.

local lazy = require "torch.lazy"

return lazy.fields({}, {
  data = "torch.utils.data",
  Progress = "torch.utils.progress",
})
