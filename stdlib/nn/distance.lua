--- Distances between vectors.

local class = require "torch.class"
local F, Module = require "torch.nn.functional", require "torch.nn.module"

--- x1 x2 / max(|x1| |x2|, eps) along `dim`.
--
--     torch.nn.CosineSimilarity()(torch.tensor{{1, 0}}, torch.tensor{{1, 1}})
---@class nn.CosineSimilarity: nn.Module
local CosineSimilarity = class("CosineSimilarity(int dim=2, float eps=1e-8)", Module)
CosineSimilarity.format = ""
CosineSimilarity.expects = "x1 (*) and x2 (*)"

function CosineSimilarity:forward(x1, x2)
  return F.cosine_similarity(x1, x2, self.dim, self.eps)
end

--- |x1 - x2 + eps|_p along the last dimension.
--
--     torch.nn.PairwiseDistance()(torch.tensor{{0, 0}}, torch.tensor{{3, 4}})
---@class nn.PairwiseDistance: nn.Module
local PairwiseDistance = class("PairwiseDistance(float p=2.0, float eps=1e-6, bool keepdim=False)", Module)
PairwiseDistance.format = ""
PairwiseDistance.expects = "x1 (*, D) and x2 (*, D)"

function PairwiseDistance:forward(x1, x2)
  return F.pairwise_distance(x1, x2, self.p, self.eps, self.keepdim)
end

return { CosineSimilarity = CosineSimilarity, PairwiseDistance = PairwiseDistance }
