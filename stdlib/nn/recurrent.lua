--- Recurrent layers: RNN, LSTM and GRU over sequences, and their cells for single steps.
--
-- Sequences are [L, N, features], [N, L, features] with batch_first, [L, features] without a batch, or packed (see
-- nn.utils.rnn). Gates stand in PyTorch's order: LSTM input, forget, cell, output; GRU reset, update, new.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local F, Module = require "torch.nn.functional", require "torch.nn.module"
local options = require "torch.nn.options"
local Parameter, PackedSequence = require "torch.nn.parameter", require "torch.nn.packed_sequence"

-- One step ------------------------------------------------------------------------------------------------------

-- (W_i x + b_i) comes in as `gates`; h is [N, hidden]. Each returns the new state: {h} or {h, c}.
local STEPS = {}

local function nonlinear(f)
  return function(gates, state, w)
    return { f(gates + F.linear(state[1], w.hh, w.bias_hh)) }
  end
end
STEPS.tanh, STEPS.relu = nonlinear(torch.tanh), nonlinear(torch.relu)

function STEPS.lstm(gates, state, w)
  local i, f, g, o = unpack((gates + F.linear(state[1], w.hh, w.bias_hh)):chunk(4, -1))
  local c = f:sigmoid() * state[2] + i:sigmoid() * g:tanh()
  local h = o:sigmoid() * c:tanh()
  if w.hr then h = F.linear(h, w.hr) end
  return { h, c }
end

function STEPS.gru(gates, state, w)
  local r, z, n = unpack(gates:chunk(3, -1))
  local hr, hz, hn = unpack(F.linear(state[1], w.hh, w.bias_hh):chunk(3, -1))
  local new = (n + (r + hr):sigmoid() * hn):tanh()
  return { torch.lerp(new, state[1], (z + hz):sigmoid()) }
end

-- Sequences -----------------------------------------------------------------------------------------------------

local Base = class("RNNBase", Module)

local OPTIONS = "int input_size, int hidden_size, int num_layers=1, %sbool bias=True, bool batch_first=False, "
  .. "float dropout=0.0, bool bidirectional=False"
Base.format = "{input_size}, {hidden_size}{?proj_size}{?num_layers!1}{?bias!True}{?batch_first}{?dropout!0.0}"
  .. "{?bidirectional}"

Base.allows = { input_size = options.least(0), hidden_size = options.least(1), num_layers = options.least(1),
  dropout = options.within(0, 1), proj_size = options.least(0), nonlinearity = options.words("tanh", "relu") }

function Base:expects()
  local both = self.batch_first and "N, L" or "L, N"
  return ("input (%s, {input_size}) or (L, {input_size}) or PackedSequence"):format(both)
end


function Base:init(opt)
  check(self._gates, "%s: this is the base of RNN, LSTM and GRU", class.type(self))
  local hidden, gates, projection = opt.hidden_size, self._gates, opt.proj_size or 0
  check(projection < hidden, "%s: proj_size is less than hidden_size %s, got %s", class.type(self), hidden, projection)
  local k, directions = 1 / math.sqrt(hidden), opt.bidirectional and 2 or 1
  local out = projection > 0 and projection or hidden
  if projection == 0 then self.proj_size = nil end
  for layer = 0, opt.num_layers - 1 do
    for direction = 1, directions do
      local suffix = ("_l%d%s"):format(layer, direction == 2 and "_reverse" or "")
      local function add(key, ...)
        self[key .. suffix] = Parameter(torch.empty(...):uniform_(-k, k))
      end
      add("weight_ih", gates * hidden, layer == 0 and opt.input_size or out * directions)
      add("weight_hh", gates * hidden, out)
      if opt.bias then
        add("bias_ih", gates * hidden)
        add("bias_hh", gates * hidden)
      end
      if projection > 0 then add("weight_hr", projection, hidden) end
    end
  end
end

--- Draws all weights anew.
function Base:reset_parameters()
  self:_reset_uniform(1 / math.sqrt(self.hidden_size))
end

function Base:_weights(layer, direction)
  local suffix = ("_l%d%s"):format(layer, direction == 2 and "_reverse" or "")
  local function get(key) return self[key .. suffix] end
  return { ih = get "weight_ih", hh = get "weight_hh", bias_ih = get "bias_ih", bias_hh = get "bias_hh",
    hr = get "weight_hr" }
end

--- For packed sequences a gradient reaches the parameters all the same: nothing is to be done.
function Base:flatten_parameters() end

local function narrowed(state, n)
  local list = {}
  for i, x in ipairs(state) do list[i] = x:size(1) == n and x or x:narrow(1, 1, n) end
  return list
end

-- Runs one direction of one layer over `steps`: inputs [n_t, features] with n_t falling (or equal). Returns the outputs
-- by step and the last state of every sequence.
local function run(step, w, steps, state, backwards)
  local outputs, count = {}, #steps
  local finished = {} -- states of the sequences that have ended, the shortest first
  if not backwards then
    for t = 1, count do
      local n = steps[t]:size(1)
      if n < state[1]:size(1) then
        local ended = {}
        for i, x in ipairs(state) do ended[i] = x:narrow(1, n + 1, x:size(1) - n) end
        table.insert(finished, 1, ended)
        state = narrowed(state, n)
      end
      state = step(steps[t], state, w)
      outputs[t] = state[1]
    end
    if #finished == 0 then return outputs, state end
    local last = {}
    for i, x in ipairs(state) do
      local parts = { x }
      for j, ended in ipairs(finished) do parts[j + 1] = ended[i] end
      last[i] = torch.cat(parts, 1)
    end
    return outputs, last
  end
  local initial = state
  state = narrowed(initial, steps[count]:size(1))
  for t = count, 1, -1 do
    local n, m = steps[t]:size(1), state[1]:size(1)
    if n > m then -- sequences whose last step this is join in
      for i, x in ipairs(state) do state[i] = torch.cat({ x, initial[i]:narrow(1, m + 1, n - m) }, 1) end
    end
    state = step(steps[t], state, w)
    outputs[t] = state[1]
  end
  return outputs, state
end

-- All steps of an LSTM in one operator, for sequences of `count` steps each. Otherwise as `run`, but for the outputs,
-- which are one tensor.
local function run_lstm(w, gates, count, state, backwards)
  gates = gates:view(count, -1, gates:size(2))
  local y, cells = F._lstm_layer(backwards and gates:flip(1) or gates, state[1], state[2], w.hh)
  return (backwards and y:flip(1) or y):flatten(1, 2), { y[count], cells[count] }
end

-- One direction of a layer over x [all steps, features].
function Base:_run_direction(w, x, sizes, state, backwards)
  local step = self._step or self.nonlinearity
  if step == "lstm" and not w.hr and sizes[1] == sizes[#sizes] then
    local bias = w.bias_ih and w.bias_ih + w.bias_hh
    return run_lstm(w, F.linear(x, w.ih, bias), #sizes, state, backwards)
  end
  local outputs, final = run(STEPS[step], w, F.linear(x, w.ih, w.bias_ih):split(sizes, 1), state, backwards)
  return torch.cat(outputs, 1), final
end

-- All layers. `x` is [all steps, features], `sizes` the number of sequences at each step, `state` a list of tensors
-- [layers * directions, N, *]. Returns the last layer's outputs [all steps, *] and the last states.
function Base:_run(x, sizes, state)
  local directions, last = self.bidirectional and 2 or 1, {}
  for i in ipairs(state) do last[i] = {} end
  for layer = 0, self.num_layers - 1 do
    local sides = {}
    for direction = 1, directions do
      local w, index, initial = self:_weights(layer, direction), layer * directions + direction, {}
      for i, s in ipairs(state) do initial[i] = s[index] end
      local y, final = self:_run_direction(w, x, sizes, initial, direction == 2)
      sides[direction] = y
      for i, s in ipairs(final) do last[i][index] = s end
    end
    x = directions == 2 and torch.cat(sides, -1) or sides[1]
    if layer < self.num_layers - 1 and self.dropout > 0 then x = F.dropout(x, self.dropout, self.training) end
  end
  for i, list in ipairs(last) do last[i] = torch.stack(list, 1) end
  return x, last
end

-- Zeros [layers * directions, n, size] for each part of the state.
function Base:_initial(n, x)
  local layers, list = self.num_layers * (self.bidirectional and 2 or 1), {}
  local out = (self.proj_size or 0) > 0 and self.proj_size or self.hidden_size
  for i = 1, self._states do
    list[i] = torch.zeros(layers, n, i == 1 and out or self.hidden_size, { dtype = x.dtype, device = x.device })
  end
  return list
end

-- A state given as a tensor, or as a list of tensors, as a list.
function Base:_given(state, x, n, single)
  if state == nil then return self:_initial(n, x) end
  local list = torch.is_tensor(state) and { state } or state
  check(#list == self._states, "the state is %s tensors, got %s", self._states, #list)
  local given = {}
  for i, s in ipairs(list) do
    given[i] = single and s:unsqueeze(2) or s
    check(given[i]:dim() == 3 and given[i]:size(2) == n, "state %s has sizes %s, expected %s sequences", i,
      tostring(s:size()), n)
  end
  return given
end

function Base:_returned(state, single)
  if single then
    for i, s in ipairs(state) do state[i] = s:squeeze(2) end
  end
  if self._states == 1 then return state[1] end
  return state
end

function Base:_packed(x, state)
  local n, sizes = x.batch_sizes[1]:item(), x.batch_sizes:tolist()
  local initial = self:_given(state, x.data, n)
  if state ~= nil and x.sorted_indices then
    for i, s in ipairs(initial) do initial[i] = s:index_select(2, x.sorted_indices) end
  end
  local y, last = self:_run(x.data, sizes, initial)
  if x.unsorted_indices then
    for i, s in ipairs(last) do last[i] = s:index_select(2, x.unsorted_indices) end
  end
  return PackedSequence(y, x.batch_sizes, x.sorted_indices, x.unsorted_indices), self:_returned(last)
end

---@param x torch.Tensor|nn.PackedSequence
---@param state? torch.Tensor|torch.Tensor[]  h0, or {h0, c0} of an LSTM: [layers * directions, N, size]. Default: 0.
---@return torch.Tensor output                [L, N, directions * size], or as x is
---@return torch.Tensor|torch.Tensor[] state  after the last step
function Base:forward(x, state)
  if class.isinstance(x, PackedSequence) then return self:_packed(x, state) end
  local single = x:dim() == 2
  check(single or x:dim() == 3, "expected 2 or 3 dimensions, got %s", x:dim())
  if single then
    x = x:unsqueeze(2)
  elseif self.batch_first then
    x = x:transpose(1, 2)
  end
  local length, n = x:size(1), x:size(2)
  check(length > 0, "the sequence has no steps")
  local sizes = {}
  for t = 1, length do sizes[t] = n end
  local y, last = self:_run(x:reshape(length * n, -1), sizes, self:_given(state, x, n, single))
  y = y:reshape(length, n, -1)
  if single then
    y = y:squeeze(2)
  elseif self.batch_first then
    y = y:transpose(1, 2)
  end
  return y, self:_returned(last, single)
end

--- h' = tanh(W_i x + b_i + W_h h + b_h), or relu (Elman 1990).
--
--     torch.nn.RNN(3, 4)(torch.randn(7, 1, 3))
---@class nn.RNN: nn.Module
local RNN = class("RNN(" .. OPTIONS:format "str nonlinearity='tanh', " .. ")", Base)
RNN._gates, RNN._states = 1, 1

function RNN:init(opt)
  self.nonlinearity = opt.nonlinearity
  Base.init(self, opt)
end

--- Long short-term memory (Hochreiter and Schmidhuber 1997), with a projection of h to proj_size (Sak et al. 2014).
--
--     torch.nn.LSTM(3, 4)(torch.randn(7, 1, 3))
---@class nn.LSTM: nn.Module
local LSTM = class("LSTM(" .. OPTIONS:format "" .. ", int proj_size=0)", Base)
LSTM._gates, LSTM._states, LSTM._step = 4, 2, "lstm"

--- Gated recurrent units (Cho et al. 2014), with the reset gate behind the product.
--
--     torch.nn.GRU(3, 4)(torch.randn(7, 1, 3))
---@class nn.GRU: nn.Module
local GRU = class("GRU(" .. OPTIONS:format "" .. ")", Base)
GRU._gates, GRU._states, GRU._step = 3, 1, "gru"

-- Cells ---------------------------------------------------------------------------------------------------------

local Cell = class("RNNCellBase", Module)
Cell.format = "{input_size}, {hidden_size}{?bias!True}{?nonlinearity!tanh}"
Cell.allows = Base.allows
Cell.expects = "input (N, {input_size}) or ({input_size}) and state (N, {hidden_size}) or ({hidden_size}) or nil"

function Cell:init(opt)
  check(self._gates, "%s: this is the base of RNNCell, LSTMCell and GRUCell", class.type(self))
  local k = 1 / math.sqrt(opt.hidden_size)
  local function add(key, ...) self[key] = Parameter(torch.empty(...):uniform_(-k, k)) end
  add("weight_ih", self._gates * opt.hidden_size, opt.input_size)
  add("weight_hh", self._gates * opt.hidden_size, opt.hidden_size)
  if opt.bias then
    add("bias_ih", self._gates * opt.hidden_size)
    add("bias_hh", self._gates * opt.hidden_size)
  end
  rawset(self, "_bias", opt.bias)
end

--- Draws all weights anew.
Cell.reset_parameters = Base.reset_parameters

---@param x torch.Tensor                      [N, input_size] or [input_size]
---@param state? torch.Tensor|torch.Tensor[]  h, or {h, c} of an LSTMCell. Default: zeros.
---@return torch.Tensor ...                   the new h, and c
function Cell:forward(x, state)
  check(x:dim() == 1 or x:dim() == 2, "expected 1 or 2 dimensions, got %s", x:dim())
  local list = torch.is_tensor(state) and { state } or state
  if not list then
    local sizes = x:dim() == 2 and { x:size(1), self.hidden_size } or { self.hidden_size }
    list = {}
    for i = 1, self._states do list[i] = torch.zeros(sizes, { dtype = x.dtype, device = x.device }) end
  end
  local w = { hh = self.weight_hh, bias_hh = self.bias_hh }
  local new = STEPS[self._step or self.nonlinearity](F.linear(x, self.weight_ih, self.bias_ih), list, w)
  return unpack(new)
end

--- One step of an RNN: x [N, input_size] and the state before, zeros without one, to the state.
--
--     torch.nn.RNNCell(3, 4)(torch.randn(1, 3))
local RNNCell = class("RNNCell(int input_size, int hidden_size, bool bias=True, str nonlinearity='tanh')", Cell)
RNNCell._gates, RNNCell._states = 1, 1
--- One step of an LSTM: x [N, input_size] and {h, c} of the step before, zeros without them, to h and c.
--
--     torch.nn.LSTMCell(3, 4)(torch.randn(1, 3))
local LSTMCell = class("LSTMCell(int input_size, int hidden_size, bool bias=True)", Cell)
LSTMCell._gates, LSTMCell._states, LSTMCell._step = 4, 2, "lstm"
LSTMCell.expects = "input (N, {input_size}) or ({input_size}) and state table or nil"
--- One step of a GRU: x [N, input_size] and the state before, zeros without one, to the state.
--
--     torch.nn.GRUCell(3, 4)(torch.randn(1, 3))
local GRUCell = class("GRUCell(int input_size, int hidden_size, bool bias=True)", Cell)
GRUCell._gates, GRUCell._states, GRUCell._step = 3, 1, "gru"

return {
  RNNBase = Base, RNN = RNN, LSTM = LSTM, GRU = GRU,
  RNNCellBase = Cell, RNNCell = RNNCell, LSTMCell = LSTMCell, GRUCell = GRUCell,
}
