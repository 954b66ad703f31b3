--- Everything that reads a text of a script's: a text's first byte chooses who gets the rest.

local torch, json = require "torch", require "torch.json"

local x, y = torch.arange(24):reshape(2, 3, 4), torch.ones(4, 3)

local readers = {
  function(text) return x[text] end,
  function(text) x:clone()[text] = 1 end,
  function(text) return torch.einsum(text, x, y) end,
  torch.device,
  json.decode,
  torch.core.signature,
  function(text) return torch.zeros(1, { dtype = text }) end,
  function(text) return text:format(1, "a", x, 2.5) end,
  function(text) return text:rep(2):find(text) end,
  function(text) return text:gsub("(%w+)", text) end,
  function(text) -- as long a pattern as its first byte says, then where it is looked for
    local length = (text:byte() or 0) % 32
    local pattern, subject = text:sub(2, 1 + length), text:sub(2 + length)
    for _ in subject:gmatch(pattern) do end
    subject:gsub(pattern, "%0")
    return subject:match(pattern)
  end,
}

-- Good ones, by the readers' places in the list.
local samples = {
  { 1, "2,1:2,::2" }, { 2, "...,newaxis,-1" }, { 3, "ijk,kj->i" }, { 4, "cuda:0" },
  { 5, [[{"a": [1, -2.5e3, "\u00e9\ud83d\ude00", null, true]}]] },
  { 6, "f(Tensor self, int[2] a=1, *, str? b='x', float c=1e-3) -> Tensor" }, { 7, "float32" },
  { 8, "%5.2f %s %q %-10d" }, { 9, "%b()%f[%w](.-)%1*[^a-z_]+" }, { 10, "a%1b%0" },
  { 11, "\25%b()%f[%w](.-)%1*[^a-z_]+text (of 12) words 12" }, { 11, "\19^(%a+)%s*=%s*(.-)$name = value" },
}

local texts = { samples = {} }
for i, sample in ipairs(samples) do texts.samples[i] = string.char(sample[1] - 1) .. sample[2] end

--- Errors: what is no answer.
function texts.read(text)
  local reader = readers[(text:byte() or 0) % #readers + 1]
  local good, problem = pcall(reader, text:sub(2))
  problem = tostring(problem)
  if not good and problem:find "^[^:]*:%d+: attempt to " then error(problem, 0) end
end

return texts
