--- Text that a model makes up, character by character.

local torch, draw = require "torch", require "draw"

--- Goes on from a prompt.
---@param model nn.Module      with `read(ids, state)`
---@param text Text
---@param opt table            sample: characters; temperature: below 1 careful, above 1 bold; prompt
---@param write fun(s: string) gets each character
return function(model, text, opt, write)
  local prompt = opt.prompt ~= "" and opt.prompt or text.vocabulary:find("\n", 1, true) and "\n" or text:decode(1)
  model:eval()
  torch.no_grad(function()
    local ids, state = text:encode(prompt), nil
    for _ = 1, opt.sample do
      local scores
      scores, state = model:read(ids, state)
      ids = draw(scores, opt.temperature)
      write(text:decode(ids:item()))
    end
  end)
end
