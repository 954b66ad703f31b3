--- F.multi_head_attention_forward: attention in several heads at once (Vaswani et al. 2017).
-- Sequences are [L, N, E], or [L, E] without a batch. Masks hide where they are true, or are added where they are
-- numbers.

local torch, check = require "torch", require "torch.check"
local F = torch.nn.functional

local NAMES = { "query", "key", "value", "embed_dim_to_check", "num_heads", "in_proj_weight", "in_proj_bias", "bias_k",
  "bias_v", "add_zero_attn", "dropout_p", "out_proj_weight", "out_proj_bias", "training", "key_padding_mask",
  "need_weights", "attn_mask", "use_separate_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight",
  "static_k", "static_v", "average_attn_weights" }
local DEFAULTS = { add_zero_attn = false, dropout_p = 0, training = true, need_weights = true,
  use_separate_proj_weight = false, average_attn_weights = true }

-- More arguments than an operator's signature may have: in order, and then by name in a table.
local function read(...)
  local count, opt = select("#", ...), {}
  local named = count > 0 and select(count, ...)
  if type(named) == "table" then count = count - 1 else named = {} end
  check(count <= #NAMES, "multi_head_attention_forward: %s arguments, but there are only %s", count, #NAMES)
  for i, name in ipairs(NAMES) do
    if i <= count then opt[name] = select(i, ...) else opt[name] = named[name] end
    if opt[name] == nil then opt[name] = DEFAULTS[name] end
  end
  for _, name in ipairs { "query", "key", "value", "out_proj_weight" } do
    check(torch.is_tensor(opt[name]), "multi_head_attention_forward: '%s' must be a tensor, got %s", name, opt[name])
  end
  return opt
end

-- A row of a mask's kind behind its last dimension, which hides nothing: for keys that are added.
local function widened(mask)
  if not mask then return nil end
  local sizes = mask:size()
  sizes[#sizes] = 1
  return torch.cat({ mask, torch.zeros(sizes, { dtype = mask.dtype, device = mask.device }) }, -1)
end

local function projected(opt)
  local q, k, v, w, b = opt.query, opt.key, opt.value, opt.in_proj_weight, opt.in_proj_bias
  if not opt.use_separate_proj_weight and q == k and k == v then
    return unpack(F.linear(q, w, b):chunk(3, -1))
  end
  local wq, wk, wv = opt.q_proj_weight, opt.k_proj_weight, opt.v_proj_weight
  if not opt.use_separate_proj_weight then wq, wk, wv = unpack(w:chunk(3, 1)) end
  local bq, bk, bv
  if b then bq, bk, bv = unpack(b:chunk(3, 1)) end
  return F.linear(q, wq, bq), F.linear(k, wk, bk), F.linear(v, wv, bv)
end

-- Both masks as one that is added to scores [N * heads, L, S], or nil.
local function joined_mask(attn_mask, padding, heads, like)
  local function added(mask)
    if mask.dtype ~= torch.bool then return mask end
    return torch.zeros(mask:size(), { dtype = like.dtype, device = like.device }):masked_fill(mask, -math.huge)
  end
  if not padding then return attn_mask and added(attn_mask) end
  local N, S = padding:size(1), padding:size(2)
  padding = added(padding):reshape(N, 1, 1, S):expand(N, heads, 1, S):reshape(N * heads, 1, S)
  return attn_mask and added(attn_mask) + padding or padding
end

local function in_heads(x, heads)
  local L, N, E = x:size(1), x:size(2), x:size(3)
  return x:reshape(L, N * heads, E / heads):transpose(1, 2)
end

---@param ... any  query [L, N, E], key and value [S, N, E], then PyTorch's further arguments, in order or by name
---@return torch.Tensor output   [L, N, E]
---@return torch.Tensor? weights  [N, L, S], or [N, heads, L, S] without average_attn_weights; nil without need_weights
return function(...)
  local opt = read(...)
  local batched = opt.query:dim() == 3
  check(batched or opt.query:dim() == 2, "multi_head_attention_forward: query must be [L, N, E] or [L, E], got %s "
    .. "dimensions", opt.query:dim())
  if not batched then
    local same = opt.query == opt.key and opt.key == opt.value
    opt.query = opt.query:unsqueeze(2)
    opt.key, opt.value = same and opt.query or opt.key:unsqueeze(2), same and opt.query or opt.value:unsqueeze(2)
    opt.key_padding_mask = opt.key_padding_mask and opt.key_padding_mask:unsqueeze(1)
  end
  local heads, L, N, E = opt.num_heads, opt.query:size(1), opt.query:size(2), opt.query:size(3)
  check(E == opt.embed_dim_to_check, "multi_head_attention_forward: expected %s features, got %s",
    opt.embed_dim_to_check, E)
  check(heads > 0 and E % heads == 0, "multi_head_attention_forward: %s features cannot be divided into %s heads", E,
    heads)

  local q, k, v = projected(opt)
  local mask, padding = opt.attn_mask, opt.key_padding_mask
  if opt.bias_k and opt.bias_v then
    k, v = torch.cat({ k, opt.bias_k:expand(1, N, E) }, 1), torch.cat({ v, opt.bias_v:expand(1, N, E) }, 1)
    mask, padding = widened(mask), widened(padding)
  end
  q = in_heads(q, heads)
  k, v = opt.static_k or in_heads(k, heads), opt.static_v or in_heads(v, heads)
  if opt.add_zero_attn then
    local zeros = torch.zeros(N * heads, 1, E / heads, { dtype = k.dtype, device = k.device })
    k, v = torch.cat({ k, zeros }, 2), torch.cat({ v, zeros }, 2)
    mask, padding = widened(mask), widened(padding)
  end

  local y, weights = F._scaled_dot_product_attention(q, k, v, joined_mask(mask, padding, heads, q),
    opt.training and opt.dropout_p or 0, opt.need_weights)
  y = F.linear(y:transpose(1, 2):reshape(L, N, E), opt.out_proj_weight, opt.out_proj_bias)
  if not batched then y = y:squeeze(2) end
  if not opt.need_weights then return y, nil end
  weights = weights:reshape(N, heads, L, k:size(2))
  if opt.average_attn_weights then weights = weights:mean(2) end
  return y, batched and weights or weights:squeeze(1)
end
