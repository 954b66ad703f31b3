--- Counts of values in bins, as TensorBoard shows them.

local torch, check = require "torch", require "torch.check"
local pb = require "torch.utils.tensorboard.protobuf"

-- Edges that grow by a tenth from 1e-12 to 1e20, on both sides of 0: TensorFlow's, whatever the values.
local function tensorflow_edges()
  local positive, v = {}, 1e-12
  while v < 1e20 do
    positive[#positive + 1] = v
    v = v * 1.1
  end
  local edges = {}
  for i = #positive, 1, -1 do edges[#edges + 1] = -positive[i] end
  edges[#edges + 1] = 0
  for _, edge in ipairs(positive) do edges[#edges + 1] = edge end
  return edges
end

-- So many bins of one width over the values.
local function equal_edges(values, bins)
  local low, high = values:min():item(), values:max():item()
  if low == high then low, high = low - 0.5, high + 0.5 end
  local edges, width = {}, (high - low) / bins
  for i = 0, bins - 1 do edges[i + 1] = low + i * width end
  edges[bins + 1] = high
  return edges
end

-- More bins for more values, narrower ones where most lie close: the finer of Sturges' and of Freedman and Diaconis'.
local function automatic_edges(values)
  local n = values:numel()
  local sturges = math.ceil(math.log(n) / math.log(2)) + 1
  local spread = (values:quantile(0.75) - values:quantile(0.25)):item()
  local range = (values:max() - values:min()):item()
  local width = 2 * spread / n ^ (1 / 3)
  return equal_edges(values, math.min(10000, math.max(sturges, width > 0 and math.ceil(range / width) or 1)))
end

local function edges_of(values, bins)
  if bins == "tensorflow" then return tensorflow_edges() end
  if bins == "auto" then return automatic_edges(values) end
  if type(bins) == "number" then
    check(bins >= 1 and bins <= 1e6 and bins == math.floor(bins), "add_histogram: there are 1 to 1000000 bins, got %s",
      bins)
    return equal_edges(values, bins)
  end
  local list = torch.is_tensor(bins) and bins:tolist() or bins
  check(type(list) == "table" and #list >= 2,
    "add_histogram: bins is 'tensorflow', 'auto', a number of bins or a list of their edges, got %s", bins)
  for i = 2, #list do check(list[i] >= list[i - 1], "add_histogram: the edges of bins rise, number %d does not", i) end
  return list
end

-- How many values lie in each bin [a, b); the last one has its end, too.
local function counted(values, edges)
  local below = torch.searchsorted(torch.tensor(edges, { dtype = torch.float64 }), values, { right = true }) - 1
  local last = values:eq(edges[#edges])
  below = below - last:to(below.dtype)
  local counts = torch.bincount(below, { minlength = #edges + 1 }):tolist()
  local inside = {}
  for i = 1, #edges - 1 do inside[i] = counts[i + 1] end -- the first one is of what lies below all
  return inside
end

--- The encoding of a HistogramProto. What is not finite is left out.
---@param values torch.Tensor  any sizes
---@param bins "tensorflow"|"auto"|integer|number[]
---@return string
return function(values, bins)
  values = values:detach():to("cpu"):double():reshape(-1)
  values = values[values:isfinite()]
  check(values:numel() > 0, "add_histogram: there are no finite values")
  local edges = edges_of(values, bins)
  local counts = counted(values, edges)
  local first, last = nil, nil
  for i, n in ipairs(counts) do
    if n > 0 then first, last = first or i, i end
  end
  check(first, "add_histogram: no value lies in the bins")
  -- The file has right edges only; an empty bin before the first one has its left edge.
  local limits, buckets = { edges[first] }, { 0 }
  for i = first, last do limits[#limits + 1], buckets[#buckets + 1] = edges[i + 1], counts[i] end
  return pb.double(1, values:min():item()) .. pb.double(2, values:max():item()) .. pb.double(3, values:numel())
    .. pb.double(4, values:sum():item()) .. pb.double(5, values:dot(values):item()) .. pb.doubles(6, limits)
    .. pb.doubles(7, buckets)
end
