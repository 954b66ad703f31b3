--- Text that a model makes up, character by character.

local torch = require "torch"
local F = torch.nn.functional

--- The position of the next character, drawn by the scores [1, vocabulary] over the temperature; at 0 the likeliest.
local function draw(scores, temperature)
  if temperature == 0 then return scores:argmax(2, true) end
  return torch.multinomial(F.softmax(scores / temperature, 2), 1)
end

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
