--- Attention: weighted means of values, weighted by how queries agree with keys (Vaswani et al. 2017).

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local F, Module = require "torch.nn.functional", require "torch.nn.module"
local Parameter = require "torch.nn.parameter"
local options = require "torch.nn.options"
local linear, init = require "torch.nn.linear", require "torch.nn.initialise"

--- Several attentions side by side, each in its own subspace. Sequences are [L, N, E], [N, L, E] with batch_first, or
--- [L, E] without a batch.
--
--     torch.nn.MultiheadAttention(8, 2)(torch.randn(5, 1, 8), torch.randn(6, 1, 8), torch.randn(6, 1, 8))
---@class nn.MultiheadAttention: nn.Module
---@field in_proj_weight? torch.Tensor  [3 E, E]; q_proj_weight, k_proj_weight, v_proj_weight where kdim or vdim differ
---@field in_proj_bias? torch.Tensor    [3 E]
local MultiheadAttention = class("MultiheadAttention(int embed_dim, int num_heads, float dropout=0.0, bool bias=True, "
  .. "bool add_bias_kv=False, bool add_zero_attn=False, int? kdim=None, int? vdim=None, bool batch_first=False)",
  Module)
MultiheadAttention.format = ""

MultiheadAttention.allows = { num_heads = options.least(1), dropout = options.within(0, 1) }

function MultiheadAttention:expects()
  local function sequence(name, length, features)
    local both = self.batch_first and "N, " .. length or length .. ", N"
    return ("%s (%s, {%s}) or (%s, {%s})"):format(name, both, features, length, features)
  end
  return sequence("query", "L", "embed_dim") .. " and " .. sequence("key", "S", "kdim") .. " and "
    .. sequence("value", "S", "vdim")
end

function MultiheadAttention:init(opt)
  local e = opt.embed_dim
  check(e % opt.num_heads == 0,
    "MultiheadAttention: embed_dim %s is not divisible by num_heads %s", e, opt.num_heads)
  self.kdim, self.vdim = opt.kdim or e, opt.vdim or e
  local function glorot(...) return init.xavier_uniform_(Parameter(torch.empty(...))) end
  if self.kdim == e and self.vdim == e then
    self.in_proj_weight = glorot(3 * e, e)
  else
    self.q_proj_weight = glorot(e, e)
    self.k_proj_weight = glorot(e, self.kdim)
    self.v_proj_weight = glorot(e, self.vdim)
  end
  self.in_proj_bias = opt.bias and Parameter(torch.zeros(3 * e)) or nil
  if opt.add_bias_kv then
    self.bias_k = Parameter(torch.empty(1, 1, e):normal_(0, 1 / math.sqrt(e)))
    self.bias_v = Parameter(torch.empty(1, 1, e):normal_(0, 1 / math.sqrt(e)))
  end
  self.out_proj = linear.NonDynamicallyQuantizableLinear(e, e, opt.bias)
  if opt.bias then init.zeros_(self.out_proj.bias) end
end

-- Queries, keys and values in the model's space.
function MultiheadAttention:_project(query, key, value)
  local e = self.embed_dim
  local biases = self.in_proj_bias and self.in_proj_bias:chunk(3) or {}
  if not self.in_proj_weight then
    return F.linear(query, self.q_proj_weight, biases[1]), F.linear(key, self.k_proj_weight, biases[2]),
      F.linear(value, self.v_proj_weight, biases[3])
  end
  if query:id() == key:id() and key:id() == value:id() then
    return unpack(F.linear(query, self.in_proj_weight, self.in_proj_bias):split(e, -1))
  end
  local w = self.in_proj_weight:chunk(3)
  return F.linear(query, w[1], biases[1]), F.linear(key, w[2], biases[2]), F.linear(value, w[3], biases[3])
end

-- A mask as numbers to add: true, "do not look", becomes minus infinity.
local function additive(mask, x)
  if not mask or mask.dtype ~= torch.bool then return mask end
  return torch.zeros(mask:size(), { dtype = x.dtype, device = x.device }):masked_fill_(mask, -math.huge)
end

-- Both masks as one, [N or 1, heads or 1, L, S].
local function joined(self, attn_mask, padding, n, x)
  local mask = additive(attn_mask, x)
  if mask and mask:dim() == 3 then
    check(mask:size(1) == n * self.num_heads, "MultiheadAttention: attn_mask has sizes %s, expected (%s, L, S)",
      tostring(mask:size()), n * self.num_heads)
    mask = mask:reshape(n, self.num_heads, mask:size(2), mask:size(3))
  end
  if not padding then return mask end
  padding = additive(padding, x):reshape(n, 1, 1, -1)
  return mask and mask + padding or padding
end

-- One more place to look at: appended to keys and values [S, N, E], and to both masks.
local function extended(k, v, more_k, more_v, attn_mask, padding)
  k, v = torch.cat({ k, more_k }, 1), torch.cat({ v, more_v }, 1)
  if attn_mask then attn_mask = F.pad(attn_mask, { 0, 1 }) end
  if padding then padding = F.pad(padding, { 0, 1 }) end
  return k, v, attn_mask, padding
end

-- [L, N, E] to [N, heads, L, E / heads].
local function split_heads(x, heads)
  local length, n = x:size(1), x:size(2)
  return x:reshape(length, n, heads, -1):permute(2, 3, 1, 4)
end

local read = torch.core.signature("MultiheadAttention(Tensor query, Tensor key, Tensor value, "
  .. "Tensor? key_padding_mask=None, bool need_weights=True, Tensor? attn_mask=None, bool average_attn_weights=True)")

--- Masks are bool (true: do not look) or numbers that are added to the scores.
---@param query torch.Tensor              [L, N, E]
---@param key torch.Tensor                [S, N, kdim]
---@param value torch.Tensor              [S, N, vdim]
---@param key_padding_mask? torch.Tensor  [N, S]
---@param need_weights? boolean           Default: true.
---@param attn_mask? torch.Tensor         [L, S] or [N heads, L, S]
---@param average_attn_weights? boolean   over the heads. Default: true.
---@return torch.Tensor output            [L, N, E]
---@return torch.Tensor? weights          [N, L, S], or [N, heads, L, S]
function MultiheadAttention:forward(...)
  local opt = read(...)
  local query, key, value = opt.query, opt.key, opt.value
  local single = query:dim() == 2
  check(single or query:dim() == 3, "expected 2 or 3 dimensions, got %s", query:dim())
  local q, k, v = self:_project(query, key, value)
  local padding, attn_mask = opt.key_padding_mask, opt.attn_mask
  if single then
    q, k, v, padding = q:unsqueeze(2), k:unsqueeze(2), v:unsqueeze(2), padding and padding:unsqueeze(1)
  elseif self.batch_first then
    q, k, v = q:transpose(1, 2), k:transpose(1, 2), v:transpose(1, 2)
  end
  local n, heads = q:size(2), self.num_heads
  if self.bias_k then
    k, v, attn_mask, padding = extended(k, v, self.bias_k:expand(1, n, -1), self.bias_v:expand(1, n, -1), attn_mask,
      padding)
  end
  if self.add_zero_attn then
    local nothing = torch.zeros(1, n, self.embed_dim, { dtype = k.dtype, device = k.device })
    k, v, attn_mask, padding = extended(k, v, nothing, nothing, attn_mask, padding)
  end
  q, k, v = split_heads(q, heads), split_heads(k, heads), split_heads(v, heads)
  local y, weights = self:_attend(q, k, v, joined(self, attn_mask, padding, n, q), opt.need_weights)
  y = self.out_proj(y:permute(3, 1, 2, 4):reshape(q:size(3), n, -1))
  if single then
    y = y:squeeze(2)
  elseif self.batch_first then
    y = y:transpose(1, 2)
  end
  if not weights then return y end
  if opt.average_attn_weights then weights = weights:mean(2) end
  return y, single and weights:squeeze(1) or weights
end

-- The heads' outputs, and their weights if somebody wants them.
function MultiheadAttention:_attend(q, k, v, mask, need_weights)
  local drop = self.training and self.dropout or 0
  if not need_weights then
    return F.scaled_dot_product_attention(q, k, v, { attn_mask = mask, dropout_p = drop })
  end
  local scores = (q / math.sqrt(q:size(-1))):matmul(k:transpose(-1, -2))
  local weights = F.softmax(mask and scores + mask or scores, -1)
  if drop > 0 then weights = F.dropout(weights, drop) end
  return weights:matmul(v), weights
end

return MultiheadAttention
