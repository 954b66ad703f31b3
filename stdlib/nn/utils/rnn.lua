--- torch.nn.utils.rnn: sequences of several lengths in one tensor, padded or packed.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local PackedSequence = require "torch.nn.packed_sequence"

local rnn = { PackedSequence = PackedSequence }

local function integers(list)
  return torch.tensor(list, { dtype = torch.int64 })
end

--- The permutation that undoes another, of positions from 1.
---@param permutation torch.Tensor  int64
---@return torch.Tensor
function rnn.invert_permutation(permutation)
  local inverse = torch.empty_like(permutation)
  return inverse:index_copy_(1, permutation, torch.arange(1, permutation:numel() + 1))
end

local read_pack = torch.core.signature("pack_padded_sequence(Tensor input, any lengths, bool batch_first=False, "
  .. "bool enforce_sorted=True)")

--- Packs padded sequences [L, N, *] (or [N, L, *] with batch_first). Without enforce_sorted they may come in any order.
---@param input torch.Tensor
---@param lengths torch.Tensor|integer[]  of each sequence, from 1 to L
---@return nn.PackedSequence
function rnn.pack_padded_sequence(...)
  local opt = read_pack(...)
  local x = opt.batch_first and opt.input:transpose(1, 2) or opt.input
  local lengths = torch.is_tensor(opt.lengths) and opt.lengths:tolist() or opt.lengths
  local n, steps = x:size(2), x:size(1)
  check(type(lengths) == "table" and #lengths == n, "pack_padded_sequence: expected %s lengths, got %s", n,
    type(lengths) == "table" and #lengths or type(lengths))
  for i, length in ipairs(lengths) do
    check(type(length) == "number" and length >= 1 and length <= steps,
      "pack_padded_sequence: length %s of sequence %s is outside 1..%s", length, i, steps)
    check(not opt.enforce_sorted or i == 1 or length <= lengths[i - 1],
      "pack_padded_sequence: the lengths do not fall; sort the sequences, or give enforce_sorted=false")
  end

  local order = {}
  for i = 1, n do order[i] = i end
  if not opt.enforce_sorted then
    table.sort(order, function(a, b)
      if lengths[a] ~= lengths[b] then return lengths[a] > lengths[b] end
      return a < b
    end)
  end
  local sorted = not opt.enforce_sorted and integers(order) or nil
  if sorted then x = x:index_select(2, sorted) end

  local parts, sizes, alive = {}, {}, n
  for t = 1, lengths[order[1]] do
    while lengths[order[alive]] < t do alive = alive - 1 end
    parts[t], sizes[t] = x[t]:narrow(1, 1, alive), alive
  end
  local unsorted
  if sorted then
    local back = {}
    for i, from in ipairs(order) do back[from] = i end
    unsorted = integers(back)
  end
  return PackedSequence(torch.cat(parts, 1), integers(sizes), sorted, unsorted)
end

local read_pad = torch.core.signature("pad_packed_sequence(any sequence, bool batch_first=False, "
  .. "Scalar padding_value=0, int? total_length=None)")

--- The inverse: [L, N, *] (or [N, L, *]) and the lengths.
---@param sequence nn.PackedSequence
---@return torch.Tensor padded, torch.Tensor lengths
function rnn.pad_packed_sequence(...)
  local opt = read_pad(...)
  local packed = opt.sequence
  check(class.isinstance(packed, PackedSequence), "pad_packed_sequence: expected a PackedSequence, got a %s",
    class.type(packed))
  local sizes = packed.batch_sizes:tolist()
  local steps, n = #sizes, sizes[1]
  check(not opt.total_length or opt.total_length >= steps, "pad_packed_sequence: total_length %s is less than %s steps",
    opt.total_length, steps)
  local rest = packed.data:size()
  local rows, lengths = {}, {}
  for t, part in ipairs(packed.data:split(sizes, 1)) do
    local missing = n - sizes[t]
    if missing > 0 then
      rest[1] = missing
      part = torch.cat({ part, torch.full(rest, opt.padding_value, { dtype = part.dtype, device = part.device }) }, 1)
    end
    rows[t] = part
    for i = 1, sizes[t] do lengths[i] = t end
  end
  rest[1] = n
  for t = steps + 1, opt.total_length or 0 do
    rows[t] = torch.full(rest, opt.padding_value, { dtype = packed.data.dtype, device = packed.data.device })
  end
  local x, counts = torch.stack(rows, 1), integers(lengths)
  if packed.unsorted_indices then
    x, counts = x:index_select(2, packed.unsorted_indices), counts:index_select(1, packed.unsorted_indices)
  end
  return opt.batch_first and x:transpose(1, 2) or x, counts
end

local read_sequences = torch.core.signature("pad_sequence(Tensor[] sequences, bool batch_first=False, "
  .. "Scalar padding_value=0)")

--- Sequences [l_i, *] as one tensor [L, N, *] (or [N, L, *]), with L the largest length.
---@return torch.Tensor
function rnn.pad_sequence(...)
  local opt = read_sequences(...)
  local list, longest = {}, 0
  for _, x in ipairs(opt.sequences) do longest = math.max(longest, x:size(1)) end
  for i, x in ipairs(opt.sequences) do
    local sizes = x:size()
    sizes[1] = longest - sizes[1]
    list[i] = sizes[1] == 0 and x
      or torch.cat({ x, torch.full(sizes, opt.padding_value, { dtype = x.dtype, device = x.device }) }, 1)
  end
  return torch.stack(list, opt.batch_first and 1 or 2)
end

local read_list = torch.core.signature("pack_sequence(Tensor[] sequences, bool enforce_sorted=True)")

--- Sequences [l_i, *] packed; without enforce_sorted in any order of length.
---@param sequences torch.Tensor[]
---@param enforce_sorted? boolean  Default: true.
---@return nn.PackedSequence
function rnn.pack_sequence(...)
  local opt = read_list(...)
  local lengths = {}
  for i, x in ipairs(opt.sequences) do lengths[i] = x:size(1) end
  return rnn.pack_padded_sequence(rnn.pad_sequence(opt.sequences), lengths, { enforce_sorted = opt.enforce_sorted })
end

local read_unpad = torch.core.signature("unpad_sequence(Tensor padded, Tensor lengths, bool batch_first=False)")

--- The sequences of a padded tensor, without their padding.
---@param padded torch.Tensor   [L, N, *] (or [N, L, *] with batch_first)
---@param lengths torch.Tensor
---@param batch_first? boolean  Default: false.
---@return torch.Tensor[]
function rnn.unpad_sequence(...)
  local opt = read_unpad(...)
  local x, list = opt.batch_first and opt.padded or opt.padded:transpose(1, 2), {}
  check(opt.lengths:dim() == 1 and opt.lengths:numel() <= x:size(1), "unpad_sequence: %s lengths for %s sequences",
    opt.lengths:numel(), x:size(1))
  for i, length in ipairs(opt.lengths:tolist()) do list[i] = x[i]:narrow(1, 1, length) end
  return list
end

--- The sequences of a packed one, in the order in which they were packed.
---@param packed nn.PackedSequence
---@return torch.Tensor[]
function rnn.unpack_sequence(packed)
  return rnn.unpad_sequence(rnn.pad_packed_sequence(packed))
end

return rnn
