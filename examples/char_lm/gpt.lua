--- A small GPT (Radford et al. 2019) as nanoGPT builds it: layer norms in front, no biases, the output's weights are
--- the token table's.

local torch = require "torch"
local nn, F = torch.nn, torch.nn.functional

--- Every position looks at itself and at what is before it.
local Attention = torch.class("Attention(int width, int heads)", nn.Module)

function Attention:init(opt)
  self.qkv = nn.Linear(opt.width, 3 * opt.width, { bias = false })
  self.proj = nn.Linear(opt.width, opt.width, { bias = false })
end

---@param x torch.Tensor  [N, T, width]
---@return torch.Tensor
function Attention:forward(x)
  local n, t, width = x:size(1), x:size(2), self.width
  local q, k, v = unpack(self.qkv(x):view(n, t, 3, self.heads, width / self.heads):permute(3, 1, 4, 2, 5):unbind())
  local y = F.scaled_dot_product_attention(q, k, v, { is_causal = true }) -- [N, heads, T, width / heads]
  return self.proj(y:transpose(2, 3):reshape(n, t, width))
end

local Block = torch.class("Block(int width, int heads, float dropout)", nn.Module)

function Block:init(opt)
  local width = opt.width
  self.norm1 = nn.LayerNorm(width, { bias = false })
  self.attention = Attention(width, opt.heads)
  self.norm2 = nn.LayerNorm(width, { bias = false })
  self.up = nn.Linear(width, 4 * width, { bias = false })
  self.proj = nn.Linear(4 * width, width, { bias = false })
  self.drop = nn.Dropout(opt.dropout)
end

function Block:forward(x)
  x = x + self.drop(self.attention(self.norm1(x)))
  return x + self.drop(self.proj(F.gelu(self.up(self.norm2(x)))))
end

---@class GPT: nn.Module
local GPT = torch.class("GPT(int vocabulary, int width, int layers, int heads, int context, float dropout=0)",
  nn.Module)

-- Normal weights of deviation 0.02. What blocks add to their input, two terms each, begins so much smaller that the sum
-- of all terms does not grow with the number of layers.
local function initialise(model, layers)
  for name, p in model:named_parameters() do
    if p:dim() == 2 then
      nn.init.normal_(p, 0, name:find("proj") and 0.02 / math.sqrt(2 * layers) or 0.02)
    end
  end
end

function GPT:init(opt)
  if opt.width % opt.heads ~= 0 then
    error(("char_lm: a width of %d does not split into %d heads"):format(opt.width, opt.heads), 0)
  end
  self.token, self.position = nn.Embedding(opt.vocabulary, opt.width), nn.Embedding(opt.context, opt.width)
  self.drop = nn.Dropout(opt.dropout)
  self.blocks = nn.ModuleList()
  for _ = 1, opt.layers do self.blocks:append(Block(opt.width, opt.heads, opt.dropout)) end
  self.norm = nn.LayerNorm(opt.width, { bias = false })
  initialise(self, opt.layers)
end

---@param ids torch.Tensor  [N, T], T up to the context
---@return torch.Tensor     scores of what comes next, [N, T, vocabulary]
function GPT:forward(ids)
  local x = self.drop(self.token(ids) + self.position.weight:narrow(1, 1, ids:size(2)))
  for _, block in ipairs(self.blocks) do x = block(x) end
  return F.linear(self.norm(x), self.token.weight)
end

--- Reads on: scores [N, vocabulary] of what comes after `ids` [N, T], and the ids to go on from.
---@param ids torch.Tensor
---@param before? torch.Tensor
function GPT:read(ids, before)
  local seen = before and torch.cat({ before, ids }, 2) or ids
  local t = math.min(seen:size(2), self.context)
  seen = seen:narrow(2, seen:size(2) - t + 1, t)
  return self(seen):select(2, t), seen
end

return GPT
