--- torch.utils.data: data sets and the batches made of them.

local lazy = require "torch.lazy"

return lazy.fields({}, {
  Dataset = "torch.utils.data.dataset:Dataset",
  IterableDataset = "torch.utils.data.dataset:IterableDataset",
  TensorDataset = "torch.utils.data.dataset:TensorDataset",
  ConcatDataset = "torch.utils.data.combination:ConcatDataset",
  ChainDataset = "torch.utils.data.combination:ChainDataset",
  StackDataset = "torch.utils.data.combination:StackDataset",
  Subset = "torch.utils.data.combination:Subset",
  random_split = "torch.utils.data.combination:random_split",
  Sampler = "torch.utils.data.sampler:Sampler",
  SequentialSampler = "torch.utils.data.sampler:SequentialSampler",
  RandomSampler = "torch.utils.data.sampler:RandomSampler",
  SubsetRandomSampler = "torch.utils.data.sampler:SubsetRandomSampler",
  WeightedRandomSampler = "torch.utils.data.sampler:WeightedRandomSampler",
  BatchSampler = "torch.utils.data.sampler:BatchSampler",
  DistributedSampler = "torch.utils.data.sampler:DistributedSampler",
  DataLoader = "torch.utils.data.loader",
  default_collate = "torch.utils.data.collate",
  get_worker_info = "torch.utils.data.worker:get_worker_info",
})
