--- A stack of LSTM layers over characters (Graves 2013). Every window of text begins with a state of zeros.

local torch = require "torch"
local nn = torch.nn

---@class CharLSTM: nn.Module
local CharLSTM = torch.class("CharLSTM(int vocabulary, int width, int layers, float dropout=0)", nn.Module)

function CharLSTM:init(opt)
  self.token = nn.Embedding(opt.vocabulary, opt.width)
  self.lstm = nn.LSTM(opt.width, opt.width, opt.layers, { batch_first = true, dropout = opt.dropout })
  self.drop = nn.Dropout(opt.dropout)
  self.head = nn.Linear(opt.width, opt.vocabulary)
end

---@param ids torch.Tensor        [N, T]
---@param state? torch.Tensor[]   of the LSTM. Default: zeros.
---@return torch.Tensor scores    of what comes next, [N, T, vocabulary]
---@return torch.Tensor[] state
function CharLSTM:forward(ids, state)
  local y, last = self.lstm(self.drop(self.token(ids)), state)
  return self.head(self.drop(y)), last
end

--- Reads on: scores [N, vocabulary] of what comes after `ids` [N, T], and the state to go on from.
---@param ids torch.Tensor
---@param state? torch.Tensor[]
function CharLSTM:read(ids, state)
  local scores, last = self(ids, state)
  return scores:select(2, ids:size(2)), last
end

return CharLSTM
