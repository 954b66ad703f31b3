--- Draws what comes next, for models that write.

local torch = require "torch"

--- One id for each row.
---@param scores torch.Tensor  [N, ids], logits
---@param temperature number   1: as learned, less: more careful, 0: always the likeliest
---@return torch.Tensor        [N, 1]
return function(scores, temperature)
  if temperature == 0 then return scores:argmax(2, true) end
  return torch.multinomial(torch.softmax(scores / temperature, 2), 1)
end
