--- torch.utils.data: data sets and the batches made of them.

local lazy = require "torch.lazy"

return lazy.fields({}, {
  Dataset = "torch.utils.data.dataset:Dataset",
  TensorDataset = "torch.utils.data.dataset:TensorDataset",
  DataLoader = "torch.utils.data.loader",
  default_collate = "torch.utils.data.collate",
})
