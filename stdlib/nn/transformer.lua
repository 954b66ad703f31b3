--- The transformer (Vaswani et al. 2017): encoder, decoder, and their layers.

local torch, class = require "torch", require "torch.class"
local F, Module = require "torch.nn.functional", require "torch.nn.module"
local ModuleList = require("torch.nn.container").ModuleList
local MultiheadAttention = require "torch.nn.attention"
local Linear, LayerNorm = require("torch.nn.linear").Linear, require("torch.nn.norm").LayerNorm
local Dropout, init = require("torch.nn.dropout").Dropout, require "torch.nn.initialise"
local options = require "torch.nn.options"

local OPTIONS = "int d_model, int nhead, int dim_feedforward=2048, float dropout=0.1, any activation=None, "
  .. "float layer_norm_eps=1e-5, bool batch_first=False, bool norm_first=False"

local activation = { text = "'relu', 'gelu' or a function", holds = function(value)
  return value == "relu" or value == "gelu" or options.callable.holds(value)
end }
local a_module, some = options.instance(Module, "a module"), options.least(1)

-- The line for sequences of d_model features, where that is known, each a name and the word for its length.
local function sequences(module, ...)
  local parts, features = {}, module.d_model or "E"
  for i = 1, select("#", ...), 2 do
    local name, length = select(i, ...)
    local both = module.batch_first and "N, " .. length or length .. ", N"
    parts[#parts + 1] = ("%s (%s, %s) or (%s, %s)"):format(name, both, features, length, features)
  end
  return table.concat(parts, " and ")
end

-- What the layers share: attention and a feed-forward net, each beside a path that leads past it.
local Layer = class("Layer", Module)
Layer.format = ""
Layer.allows = { activation = activation, dim_feedforward = some }

function Layer:_attention(opt)
  return MultiheadAttention(opt.d_model, opt.nhead, { dropout = opt.dropout, batch_first = opt.batch_first })
end

function Layer:_make(opt, attentions)
  self.linear1 = Linear(opt.d_model, opt.dim_feedforward)
  self.dropout = Dropout(opt.dropout)
  self.linear2 = Linear(opt.dim_feedforward, opt.d_model)
  for i = 1, attentions + 1 do self["norm" .. i] = LayerNorm({ opt.d_model }, { eps = opt.layer_norm_eps }) end
  for i = 1, attentions + 1 do self["dropout" .. i] = Dropout(opt.dropout) end
  rawset(self, "_activation", type(opt.activation) == "string" and F[opt.activation] or opt.activation or F.relu)
  self.activation = nil
end

-- x + block(norm(x)) or norm(x + block(x)), for the i-th block.
function Layer:_beside(x, i, block)
  local norm, drop = self["norm" .. i], self["dropout" .. i]
  if self.norm_first then return x + drop(block(norm(x))) end
  return norm(x + drop(block(x)))
end

function Layer:_feed(x, i)
  return self:_beside(x, i, function(y) return self.linear2(self.dropout(self._activation(self.linear1(y)))) end)
end

function Layer:_look(x, i, attention, memory, mask, padding)
  return self:_beside(x, i, function(y)
    return (attention(y, memory or y, memory or y,
      { attn_mask = mask, key_padding_mask = padding, need_weights = false }))
  end)
end

--- Self-attention, then a feed-forward net.
--
--     torch.nn.TransformerEncoderLayer(8, 2)(torch.randn(5, 1, 8)).shape
---@class nn.TransformerEncoderLayer: nn.Module
local EncoderLayer = class("TransformerEncoderLayer(" .. OPTIONS .. ")", Layer)

function EncoderLayer:init(opt)
  self.self_attn = self:_attention(opt)
  self:_make(opt, 1)
end

function EncoderLayer:expects() return sequences(self, "src", "S") end

local read_encoder = torch.core.signature("TransformerEncoder(Tensor src, Tensor? mask=None, "
  .. "Tensor? src_key_padding_mask=None)")
local read_encoder_layer = torch.core.signature("TransformerEncoderLayer(Tensor src, Tensor? src_mask=None, "
  .. "Tensor? src_key_padding_mask=None)")

---@param src torch.Tensor                    [S, N, d_model]
---@param src_mask? torch.Tensor              [S, S]
---@param src_key_padding_mask? torch.Tensor  [N, S]
---@return torch.Tensor
function EncoderLayer:forward(...)
  local opt = read_encoder_layer(...)
  return self:_feed(self:_look(opt.src, 1, self.self_attn, nil, opt.src_mask, opt.src_key_padding_mask), 2)
end

--- Self-attention, attention to the memory, then a feed-forward net.
--
--     torch.nn.TransformerDecoderLayer(8, 2)(torch.randn(5, 1, 8), torch.randn(6, 1, 8)).shape
---@class nn.TransformerDecoderLayer: nn.Module
local DecoderLayer = class("TransformerDecoderLayer(" .. OPTIONS .. ")", Layer)

function DecoderLayer:init(opt)
  self.self_attn = self:_attention(opt)
  self.multihead_attn = self:_attention(opt)
  self:_make(opt, 2)
end

function DecoderLayer:expects() return sequences(self, "tgt", "T", "memory", "S") end

local DECODER = "(Tensor tgt, Tensor memory, Tensor? tgt_mask=None, Tensor? memory_mask=None, "
  .. "Tensor? tgt_key_padding_mask=None, Tensor? memory_key_padding_mask=None)"
local read_decoder_layer = torch.core.signature("TransformerDecoderLayer" .. DECODER)

---@param tgt torch.Tensor     [T, N, d_model]
---@param memory torch.Tensor  [S, N, d_model]
---@return torch.Tensor
function DecoderLayer:forward(...)
  local opt = read_decoder_layer(...)
  local x = self:_look(opt.tgt, 1, self.self_attn, nil, opt.tgt_mask, opt.tgt_key_padding_mask)
  x = self:_look(x, 2, self.multihead_attn, opt.memory, opt.memory_mask, opt.memory_key_padding_mask)
  return self:_feed(x, 3)
end

-- Copies of a layer, one after the other, and a last normalisation.
local function make_stack(self, layer, n, norm)
  self.layers = ModuleList({})
  for _ = 1, n do self.layers:append(torch.deepcopy(layer)) end
  self.norm = norm
end

--- num_layers copies of an encoder layer, and a last normalisation if there is one.
--
--     torch.nn.TransformerEncoder(torch.nn.TransformerEncoderLayer(8, 2), 3)(torch.randn(5, 1, 8)).shape
---@class nn.TransformerEncoder: nn.Module
local Encoder = class("TransformerEncoder(any encoder_layer, int num_layers, any norm=None, "
  .. "bool enable_nested_tensor=True, bool mask_check=True)", Module)
Encoder.format = ""
Encoder.allows = { encoder_layer = a_module, num_layers = some, norm = a_module }

function Encoder:expects() return sequences(self.layers[1], "src", "S") end

function Encoder:init(opt)
  make_stack(self, opt.encoder_layer, opt.num_layers, opt.norm)
  self.encoder_layer = nil
end

function Encoder:forward(...)
  local opt = read_encoder(...)
  local x = opt.src
  for _, layer in ipairs(self.layers) do
    x = layer(x, { src_mask = opt.mask, src_key_padding_mask = opt.src_key_padding_mask })
  end
  return self.norm and self.norm(x) or x
end

--- num_layers copies of a decoder layer, and a last normalisation if there is one.
--
--     torch.nn.TransformerDecoder(torch.nn.TransformerDecoderLayer(8, 2), 3).layers:size()
---@class nn.TransformerDecoder: nn.Module
local Decoder = class("TransformerDecoder(any decoder_layer, int num_layers, any norm=None)", Module)
Decoder.format = ""
Decoder.allows = { decoder_layer = a_module, num_layers = some, norm = a_module }

function Decoder:expects() return sequences(self.layers[1], "tgt", "T", "memory", "S") end

local read_decoder = torch.core.signature("TransformerDecoder" .. DECODER)

function Decoder:init(opt)
  make_stack(self, opt.decoder_layer, opt.num_layers, opt.norm)
  self.decoder_layer = nil
end

function Decoder:forward(...)
  local opt = read_decoder(...)
  local x, memory = opt.tgt, opt.memory
  opt.tgt, opt.memory = nil, nil
  for _, layer in ipairs(self.layers) do x = layer(x, memory, opt) end
  return self.norm and self.norm(x) or x
end

--- An encoder and a decoder that attends to what the encoder gives.
--
--     torch.nn.Transformer(8, 2, 1, 1, 16)(torch.randn(6, 1, 8), torch.randn(5, 1, 8)).shape
---@class nn.Transformer: nn.Module
local Transformer = class("Transformer(int d_model=512, int nhead=8, int num_encoder_layers=6, "
  .. "int num_decoder_layers=6, int dim_feedforward=2048, float dropout=0.1, any activation=None, "
  .. "any custom_encoder=None, any custom_decoder=None, float layer_norm_eps=1e-5, bool batch_first=False, "
  .. "bool norm_first=False)", Module)
Transformer.format = ""
Transformer.allows = { activation = activation, num_encoder_layers = some, num_decoder_layers = some,
  custom_encoder = a_module, custom_decoder = a_module }

function Transformer:init(opt)
  local settings = {}
  for _, key in ipairs { "d_model", "nhead", "dim_feedforward", "dropout", "activation", "layer_norm_eps",
    "batch_first", "norm_first" } do
    settings[key] = opt[key]
  end
  local function norm() return LayerNorm({ opt.d_model }, { eps = opt.layer_norm_eps }) end
  self.encoder = opt.custom_encoder or Encoder(EncoderLayer(settings), opt.num_encoder_layers, norm())
  self.decoder = opt.custom_decoder or Decoder(DecoderLayer(settings), opt.num_decoder_layers, norm())
  self.custom_encoder, self.custom_decoder, self.activation = nil, nil, nil
  for _, p in ipairs(self:parameters()) do
    if p:dim() > 1 then init.xavier_uniform_(p) end
  end
end

function Transformer:expects() return sequences(self, "src", "S", "tgt", "T") end

--- A mask [size, size] of minus infinity above the diagonal: no place looks at later ones.
---@param size integer
---@return torch.Tensor
function Transformer.generate_square_subsequent_mask(size)
  return torch.full({ size, size }, -math.huge):triu(1)
end

local read_transformer = torch.core.signature("Transformer(Tensor src, Tensor tgt, Tensor? src_mask=None, "
  .. "Tensor? tgt_mask=None, Tensor? memory_mask=None, Tensor? src_key_padding_mask=None, "
  .. "Tensor? tgt_key_padding_mask=None, Tensor? memory_key_padding_mask=None)")

---@param src torch.Tensor  [S, N, d_model]
---@param tgt torch.Tensor  [T, N, d_model]
---@return torch.Tensor     [T, N, d_model]
function Transformer:forward(...)
  local opt = read_transformer(...)
  local memory = self.encoder(opt.src, { mask = opt.src_mask, src_key_padding_mask = opt.src_key_padding_mask })
  return self.decoder(opt.tgt, memory, { tgt_mask = opt.tgt_mask, memory_mask = opt.memory_mask,
    tgt_key_padding_mask = opt.tgt_key_padding_mask, memory_key_padding_mask = opt.memory_key_padding_mask })
end

return {
  TransformerEncoderLayer = EncoderLayer, TransformerDecoderLayer = DecoderLayer, TransformerEncoder = Encoder,
  TransformerDecoder = Decoder, Transformer = Transformer,
}
