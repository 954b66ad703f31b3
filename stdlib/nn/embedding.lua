--- Tables of vectors, looked up by position (from 1).

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local F, Module = require "torch.nn.functional", require "torch.nn.module"
local Parameter, options = require "torch.nn.parameter", require "torch.nn.options"

-- What both have: the table, whose row for padding is zero.
local Table = class("Table", Module)
Table.allows = { num_embeddings = options.least(0), embedding_dim = options.least(0),
  mode = options.words("sum", "mean", "max") }

function Table:init(opt)
  local rows, padding = opt.num_embeddings, opt.padding_idx
  check(not padding or padding ~= 0 and math.abs(padding) <= rows, "%s: padding_idx %s is outside 1..%s",
    class.type(self), padding, rows)
  self.padding_idx = padding and (padding < 0 and rows + padding + 1 or padding) or nil
  if opt._weight then
    check(opt._weight:size(1) == rows and opt._weight:size(2) == opt.embedding_dim,
      "%s: _weight has sizes %s, expected (%s, %s)", class.type(self), tostring(opt._weight:size()), rows,
      opt.embedding_dim)
    self.weight = Parameter(opt._weight)
  else
    self.weight = Parameter(torch.empty(rows, opt.embedding_dim))
    self:reset_parameters()
  end
end

--- Draws the rows anew, but for that of padding.
function Table:reset_parameters()
  torch.no_grad(function()
    self.weight:normal_()
    if self.padding_idx then self.weight[self.padding_idx]:zero_() end
  end)
end

-- A class method: `Embedding.from_pretrained(weights, {freeze=true, ...})`.
local function from_pretrained(C, weights, settings)
  local given = { _weight = weights }
  for key, value in pairs(settings or {}) do given[key] = value end
  local freeze = given.freeze
  given.freeze = nil
  given.num_embeddings, given.embedding_dim = weights:size(1), weights:size(2)
  local module = C(given)
  module.weight:requires_grad_(freeze == false)
  return module
end

local OPTIONS = "int num_embeddings, int embedding_dim, int? padding_idx=None, float? max_norm=None, "
  .. "float norm_type=2.0, bool scale_grad_by_freq=False, bool sparse=False, Tensor? _weight=None"

--- The rows of `weight` at the positions x: (*) to (*, embedding_dim). The row at padding_idx gets no gradient; rows
--- longer than max_norm are shortened to it when they are looked up.
--
--     torch.nn.Embedding(10, 3)(torch.tensor{1, 10, 1}:long())
---@class nn.Embedding: nn.Module
---@field weight torch.Tensor  [num_embeddings, embedding_dim]
local Embedding = class("Embedding(" .. OPTIONS .. ")", Table)
Embedding.format = "{num_embeddings}, {embedding_dim}{?padding_idx}{?max_norm}{?norm_type!2.0}"
  .. "{?scale_grad_by_freq}{?sparse}"

Embedding.expects = "input (*) of 1..{num_embeddings}"

function Embedding.from_pretrained(weights, settings)
  return from_pretrained(Embedding, weights, settings)
end

function Embedding:forward(x)
  return F.embedding(x, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq,
    self.sparse)
end

--- Sums, means or maxima over bags of rows: [B, N] positions, or [N] with the positions where each bag begins.
--
--     torch.nn.EmbeddingBag(10, 3)(torch.tensor{{1, 2}, {3, 3}}:long())
---@class nn.EmbeddingBag: nn.Module
---@field weight torch.Tensor  [num_embeddings, embedding_dim]
local EmbeddingBag = class("EmbeddingBag(int num_embeddings, int embedding_dim, float? max_norm=None, "
  .. "float norm_type=2.0, bool scale_grad_by_freq=False, str mode='mean', bool sparse=False, Tensor? _weight=None, "
  .. "bool include_last_offset=False, int? padding_idx=None)", Table)
EmbeddingBag.format = "{num_embeddings}, {embedding_dim}{?max_norm}{?norm_type!2.0}{?scale_grad_by_freq}, mode={mode}"
  .. "{?sparse}{?include_last_offset}{?padding_idx}"

EmbeddingBag.expects = "input (B, N) of 1..{num_embeddings} or (N) of 1..{num_embeddings}"

function EmbeddingBag.from_pretrained(weights, settings)
  return from_pretrained(EmbeddingBag, weights, settings)
end

function EmbeddingBag:forward(x, offsets, per_sample_weights)
  if type(offsets) == "table" and not torch.is_tensor(offsets) then
    offsets, per_sample_weights = offsets.offsets, offsets.per_sample_weights
  end
  return (F.embedding_bag(x, self.weight, { offsets = offsets, max_norm = self.max_norm, norm_type = self.norm_type,
    scale_grad_by_freq = self.scale_grad_by_freq, mode = self.mode, sparse = self.sparse,
    per_sample_weights = per_sample_weights, include_last_offset = self.include_last_offset,
    padding_idx = self.padding_idx }))
end

return { Embedding = Embedding, EmbeddingBag = EmbeddingBag }
