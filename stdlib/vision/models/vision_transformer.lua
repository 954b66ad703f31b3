--- ViT: a transformer that reads an image as a sequence of patches (Dosovitskiy et al. 2020).

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local nn, init = torch.nn, torch.nn.init
local Classifier = require "torch.vision.models.classifier"

local function norm(width) return nn.LayerNorm(width, { eps = 1e-6 }) end

-- Linear, GELU, Linear with dropout behind both.
local function perceptron(width, hidden, dropout)
  local mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, width),
    nn.Dropout(dropout))
  for _, i in ipairs { 1, 4 } do
    init.xavier_uniform_(mlp[i].weight)
    init.normal_(mlp[i].bias, 0, 1e-6)
  end
  return mlp
end

local EncoderBlock = class("EncoderBlock(int num_heads, int hidden_dim, int mlp_dim, float dropout, "
  .. "float attention_dropout)", nn.Module)
EncoderBlock.format = ""

function EncoderBlock:init(opt)
  local width = opt.hidden_dim
  self.ln_1 = norm(width)
  self.self_attention = nn.MultiheadAttention(width, opt.num_heads, { dropout = opt.attention_dropout,
    batch_first = true })
  -- the argument of this name becomes a layer
  self.dropout = nn.Dropout(opt.dropout)
  self.ln_2 = norm(width)
  self.mlp = perceptron(width, opt.mlp_dim, opt.dropout)
end

-- x is [N, L, width].
function EncoderBlock:forward(x)
  local y = self.ln_1(x)
  x = x + self.dropout((self.self_attention(y, y, y, { need_weights = false })))
  return x + self.mlp(self.ln_2(x))
end

local Encoder = class("Encoder(int seq_length, int num_layers, int num_heads, int hidden_dim, int mlp_dim, "
  .. "float dropout, float attention_dropout)", nn.Module)
Encoder.format = ""

function Encoder:init(opt)
  self.pos_embedding = nn.Parameter(torch.empty(1, opt.seq_length, opt.hidden_dim):normal_(0, 0.02))
  self.dropout = nn.Dropout(opt.dropout)
  self.layers = nn.Sequential()
  for i = 0, opt.num_layers - 1 do
    self.layers:add_module("encoder_layer_" .. i, EncoderBlock(opt.num_heads, opt.hidden_dim, opt.mlp_dim, opt.dropout,
      opt.attention_dropout))
  end
  self.ln = norm(opt.hidden_dim)
end

function Encoder:forward(x)
  return self.ln(self.layers(self.dropout(x + self.pos_embedding)))
end

--- `representation_size` puts a layer with tanh before the last one.
---@class vision.VisionTransformer: vision.Classifier
---@field class_token torch.Tensor  [1, 1, hidden_dim]
local VisionTransformer = class("VisionTransformer(int image_size, int patch_size, int num_layers, int num_heads, "
  .. "int hidden_dim, int mlp_dim, float dropout=0.0, float attention_dropout=0.0, int num_classes=1000, "
  .. "int? representation_size=None)", Classifier)

-- Weights with the variance 1 / inputs, biases of zero.
local function initialise(layer, inputs)
  init.trunc_normal_(layer.weight, 0, math.sqrt(1 / inputs))
  init.zeros_(layer.bias)
end

function VisionTransformer:init(opt)
  local width, patch, size = opt.hidden_dim, opt.patch_size, opt.image_size
  check(patch > 0 and size > 0 and size % patch == 0, "VisionTransformer: image_size %s is not divisible by "
    .. "patch_size %s", size, patch)
  self.class_token = nn.Parameter(torch.zeros(1, 1, width))
  self.conv_proj = nn.Conv2d(3, width, patch, { stride = patch })
  initialise(self.conv_proj, 3 * patch * patch)
  self.encoder = Encoder((size / patch) ^ 2 + 1, opt.num_layers, opt.num_heads, width, opt.mlp_dim, opt.dropout,
    opt.attention_dropout)
  self.heads = nn.Sequential()
  if opt.representation_size then
    self.heads:add_module("pre_logits", nn.Linear(width, opt.representation_size))
    initialise(self.heads.pre_logits, width)
    self.heads:add_module("act", nn.Tanh())
  end
  self.heads:add_module("head", nn.Linear(opt.representation_size or width, opt.num_classes))
  init.zeros_(self.heads.head.weight)
  init.zeros_(self.heads.head.bias)
  self:_accept_old_states { ["%.mlp%.linear_1%."] = ".mlp.0.", ["%.mlp%.linear_2%."] = ".mlp.3." }
end

---@param x torch.Tensor  [N, 3, image_size, image_size]
---@return torch.Tensor   [N, num_classes]
function VisionTransformer:forward(x)
  local size = self.image_size
  check(x:dim() == 4 and x:size(3) == size and x:size(4) == size, "VisionTransformer: expected images (N, 3, %s, %s), "
    .. "got (%s)", size, size, table.concat(x:size(), ", "))
  local patches = self.conv_proj(x):flatten(3):transpose(2, 3) -- [N, patches, width]
  local token = self.class_token:expand(x:size(1), -1, -1)
  local y = self.encoder(torch.cat({ token, patches }, 2))
  return self.heads(y:select(2, 1))
end

local models = { VisionTransformer = VisionTransformer }
for name, entry in pairs {
  vit_b_16 = { 16, 12, 12, 768, 3072 },
  vit_b_32 = { 32, 12, 12, 768, 3072 },
  vit_l_16 = { 16, 24, 16, 1024, 4096 },
  vit_l_32 = { 32, 24, 16, 1024, 4096 },
  vit_h_14 = { 14, 32, 16, 1280, 5120 },
} do
  models[name] = Classifier.builder(VisionTransformer, { patch_size = entry[1], num_layers = entry[2],
    num_heads = entry[3], hidden_dim = entry[4], mlp_dim = entry[5] }, { image_size = 224 })
end
return models
