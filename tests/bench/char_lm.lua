package.path = "../../examples/?.lua;" .. package.path
local torch, measure = require "torch", require "measure"
local F, clip_grad_norm_ = torch.nn.functional, torch.nn.utils.clip_grad_norm_
local GPT = require "char_lm.gpt"

local vocabulary, batch, context = 65, 12, 64

torch.manual_seed(1)
local model = GPT { vocabulary = vocabulary, width = 128, layers = 4, heads = 4, context = context }
local matrices, vectors = {}, {}
for _, p in ipairs(model:parameters()) do table.insert(p:dim() > 1 and matrices or vectors, p) end
local optimizer = torch.optim.AdamW(
  { { params = matrices, weight_decay = 0.1 }, { params = vectors, weight_decay = 0 } },
  { lr = 1e-3, betas = { 0.9, 0.99 } })
local text = torch.randint(1, vocabulary + 1, { batch, context + 1 })
local x, y = text:narrow(2, 1, context), text:narrow(2, 2, context)

measure(10, function()
  local loss = F.cross_entropy(model(x):flatten(1, 2), y:flatten())
  optimizer:zero_grad()
  loss:backward()
  clip_grad_norm_(model:parameters(), 1)
  optimizer:step()
  return loss:item()
end)
