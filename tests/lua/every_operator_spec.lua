--- What holds for every operator of the registry: derivatives, first and second, agree with finite differences.
--
-- Inputs are the conformance pack's smallest cases with gradients, in float64. What the pack does not have is called
-- with random tensors, if its schema wants nothing else. An operator that gets inputs from neither must stand in the
-- list of those that cannot.

local torch = require "torch"
local spec = require "spec"
local describe, it = spec.describe, spec.it

local conformance = arg[0]:match("^(.*)/[^/]*$") .. "/../conformance"
package.path = package.path .. ";" .. conformance .. "/?.lua"
local lib, cases = require "lib", require "cases"
cases.use(torch)

local CASES = 3 -- of each file
local ELEMENTS, MOST = 30, 260 -- of all inputs of a case that are moved: what is preferred, and what is too slow

-- Where derivatives and differences do not agree, and why. A function says which cases are meant.
local MOMENTS = "gives moments that are constants to derivatives"
local SCORES = "has the gradient of the scores before log_softmax, as in PyTorch"
local STEPS = "gives steps"
local MEETING = "gives each of several values for one place its gradient, as PyTorch does"
local EXCEPT = {
  ["nn.functional.ctc_loss"] = SCORES,
  ["nn.functional.ctc_loss|samples"] = SCORES,
  native_batch_norm = MOMENTS,
  native_group_norm = MOMENTS,
  native_layer_norm = MOMENTS,
  ["nn.functional.one_hot"] = "gives integers",
  ["nn.functional.max_unpool1d"] = MEETING,
  ["nn.functional.max_unpool2d"] = MEETING,
  ["nn.functional.max_unpool3d"] = MEETING,
  index_put = function(case) return not (case.kwargs and case.kwargs.accumulate) end, -- MEETING
  ["linalg.norm|subgradients_at_zero"] = "is tested at its kinks",
  ["linalg.ldl_factor"] = "has no derivative in PyTorch",
  ["linalg.ldl_solve"] = "has no derivative in PyTorch",
  bernoulli = STEPS,
  binomial = STEPS,
  poisson = STEPS,
  nextafter = "has no derivative",
  heaviside = "has no derivative",
  imag = "takes complex tensors, which differences of float64 do not reach",
  view_as_real = "takes complex tensors",
}
for d = 1, 3 do
  EXCEPT["nn.functional.max_unpool" .. d .. "d"] = "drops numbers that meet; the cases of `grad` have none"
end
-- The same for second derivatives only.
local EXCEPT_SECOND = {
  ["norm|nuc"] = "has no second derivative",
  ["linalg.det|singular"] = "has second derivatives without bound at singular matrices",
  float_power = "has powers in the pack that are too large for differences",
}
-- The results that can be differentiated; the others are not unique, or constants to derivatives.
local RESULTS = {
  ["linalg.eig"] = 1,
  ["linalg.eigh"] = 1,
  ["linalg.lstsq"] = 1,
  ["linalg.lstsq|grad_oriented"] = 1,
  svd = 2,
}

-- What an operator reads of its arguments: differences must not move one half of a symmetric matrix, nor what is zero.
local function symmetric(arguments)
  arguments[1] = (arguments[1] + arguments[1].mT) / 2
end
local function triangle(place)
  return function(arguments, named)
    local upper = named and named.upper or arguments[place + 1] == true
    arguments[place] = upper and arguments[place]:triu() or arguments[place]:tril()
  end
end
local READ = {
  cholesky = symmetric,
  cholesky_inverse = triangle(1),
  cholesky_solve = triangle(2),
  ["linalg.cholesky"] = symmetric,
  ["linalg.cholesky_ex"] = symmetric,
  ["linalg.eigh"] = symmetric,
  ["linalg.eigvalsh"] = symmetric,
  ["linalg.pinv|hermitian"] = symmetric,
}

------------------------------------------------------------------------
-- The pack's inputs
------------------------------------------------------------------------

-- All T in a case's value, lists opened, and all dtypes that are asked for.
local function each_T(v, see, see_dtype)
  if lib.is_T(v) then return see(v) end
  if type(v) ~= "table" then return end
  if type(v.name) == "string" and see_dtype then see_dtype(v) end
  for key, item in pairs(v) do
    if key ~= "n" then each_T(item, see, see_dtype) end
  end
end

-- Does a T hold numbers that no difference can be taken of?
local function is_finite(T)
  for _, v in ipairs(T and T.data or {}) do
    if type(v) == "number" and v - v ~= 0 then return false end
  end
  return true
end

-- Brings a case to float64; the number of elements that require a gradient, 0 if the case is of no use.
local function to_double(case)
  local count, good = 0, true
  each_T({ case.args, case.kwargs or false }, function(T)
    if T.dtype:find("float") then T.dtype = "float64" end
    if T.grad then count = count + lib.numel(T.shape) end
    good = good and is_finite(T)
  end, function(D)
    if D.name:find("float") then D.name = "float64" end
  end)
  each_T({ case.out, case.grads }, function(T) good = good and is_finite(T) end)
  return good and count or 0
end

local function is_excepted(reason, case)
  return type(reason) == "function" and reason(case) or type(reason) == "string"
end

-- Up to CASES cases of a file that have gradients.
local function chosen(file)
  local list = {}
  for _, make in ipairs(file.cases) do
    local case = make()
    local real = case.dtype == "float32" or case.dtype == "float64"
    if real and case.grads and not is_excepted(EXCEPT[cases.name(file)], case) then
      case.count = to_double(case)
      if case.count > 0 and case.count <= MOST then list[#list + 1] = case end
    end
  end
  table.sort(list, function(a, b) return math.abs(a.count - ELEMENTS) < math.abs(b.count - ELEMENTS) end)
  return { unpack(list, 1, math.min(#list, CASES)) }
end

------------------------------------------------------------------------
-- Random inputs
------------------------------------------------------------------------

local function random(...) return torch.randn({ ... }, { dtype = torch.float64, requires_grad = true }) end

local function positive(...) return (torch.rand({ ... }, { dtype = torch.float64 }) + 0.5):requires_grad_() end
local function fixed(...) return torch.rand({ ... }, { dtype = torch.float64 }) end
local function cell(gates)
  return function() return { random(2, 3), random(2, 2), random(2 * gates, 3), random(2 * gates, 2) } end
end
local function of_positive() return { positive(3, 3) } end
local function of_positive_order() return { fixed(3, 3) + 1.5, positive(3, 3) } end

-- For operators that the pack does not have, or has without gradients, and whose schema does not say enough.
local SAMPLES = {
  addbmm = function() return { random(2, 3), random(2, 2, 2), random(2, 2, 3) } end,
  channel_shuffle = function() return { random(1, 4, 2), 2 } end,
  convolution = function() return { random(1, 2, 4), random(2, 2, 2), random(2), 1, 0, 1, false, 0, 1 } end,
  igamma = of_positive_order,
  igammac = of_positive_order,
  native_dropout = function() return { random(3), 0.5, true } end,
  ["nn.functional.adaptive_avg_pool3d"] = function() return { random(1, 2, 3, 2), { 1, 2, 1 } } end,
  ["nn.functional.adaptive_max_pool1d_with_indices"] = function() return { random(1, 4), { 2 } } end,
  ["nn.functional.adaptive_max_pool2d_with_indices"] = function() return { random(1, 3, 4), { 2, 2 } } end,
  ["nn.functional.adaptive_max_pool3d_with_indices"] = function() return { random(1, 2, 3, 2), { 1, 2, 1 } } end,
  ["nn.functional.fractional_max_pool2d_with_indices"] = function()
    return { random(1, 4, 4), { 2, 2 }, { 2, 2 } }
  end,
  ["nn.functional.fractional_max_pool3d_with_indices"] = function()
    return { random(1, 3, 3, 3), { 2, 2, 2 }, { 2, 2, 2 } }
  end,
  ["nn.functional.upsample"] = function() return { random(1, 1, 3), 6 } end,
  ormqr = function() return { random(3, 2), random(2), random(3, 2) } end,
  ["special.bessel_y0"] = of_positive,
  ["special.bessel_y1"] = of_positive,
  ["special.modified_bessel_k0"] = of_positive,
  ["special.modified_bessel_k1"] = of_positive,
  ["special.scaled_modified_bessel_k0"] = of_positive,
  ["special.scaled_modified_bessel_k1"] = of_positive,
  ["special.zeta"] = of_positive_order,
  batch_norm = function() return { random(3, 2), random(2), random(2), fixed(2), fixed(2), true, 0.5, 0.1 } end,
  instance_norm = function() return { random(2, 3, 4), random(3), random(3), fixed(3), fixed(3), true, 0.5, 0.1 } end,
  group_norm = function() return { random(2, 4, 3), 2, random(4), random(4) } end,
  gru_cell = cell(3),
  lstm_cell = function() return { random(2, 3), { random(2, 2), random(2, 2) }, random(8, 3), random(8, 2) } end,
  ["nn.functional._lstm_layer"] = function()
    return { random(3, 2, 8), random(2, 2), random(2, 2), random(8, 2) }
  end,
  ["nn.functional.dropout3d"] = function() return { random(2, 3, 2, 1) } end,
  rnn_relu_cell = cell(1),
  rnn_tanh_cell = cell(1),
  ["Tensor.where"] = function() return { random(2, 3), torch.tensor { { true, false, true } }, random(2, 1) } end,
  as_strided_scatter = function() return { random(3, 4), random(2, 3), { 2, 3 }, { 1, 1 }, 2 } end,
  baddbmm = function() return { random(2, 2, 3), random(2, 2, 2), random(2, 2, 3) } end,
  bmm = function() return { random(2, 2, 2), random(2, 2, 3) } end,
  clamp = function() return { random(3, 3), -0.5, 0.5 } end,
  index = function() return { random(3, 2), { torch.tensor({ 3, 1, 3 }, { dtype = torch.int64 }) } } end,
  to = function() return { random(3), torch.float64 } end,
  vander = function() return { random(4), 3 } end,
}

for d = 1, 3 do
  local function image() return random(1, 2, unpack({ 4, 5, 4 }, 1, d)) end
  local function pooled() return { image(), 2 } end
  for _, name in ipairs { "max_pool", "adaptive_max_pool", "adaptive_avg_pool" } do
    SAMPLES["nn.functional." .. name .. d .. "d"] = pooled
    SAMPLES["nn.functional." .. name .. d .. "d_with_indices"] = pooled
  end
  SAMPLES["nn.functional.fractional_max_pool" .. d .. "d_with_indices"] = function() return { image(), 2, 2 } end
end
SAMPLES["nn.functional.upsample"] = function() return { random(1, 2, 3), 4 } end
SAMPLES.channel_shuffle = function() return { random(2, 4, 3), 2 } end
SAMPLES.convolution = function() return { random(2, 2, 4), random(3, 2, 2), random(3), { 2 } } end

-- A value for each type of a parameter that has no default.
local BY_TYPE = {
  Tensor = function() return random(3, 3) end,
  Operand = function() return random(3, 3) end,
  ["Tensor[]"] = function() return { random(3, 3), random(3, 3) } end,
  ["Tensor[]..."] = function() return { random(3, 3), random(3, 3) } end,
  IndexTensor = function() return torch.tensor({ 2, 1, 2 }, { dtype = torch.int64 }) end,
  Dim = function() return 2 end,
  NewDim = function() return 2 end,
  Index = function() return 2 end,
  int = function() return 2 end,
  Scalar = function() return 0.5 end,
  float = function() return 0.5 end,
  bool = function() return true end,
}

-- The arguments for a schema, or nil and the type that is not known here.
local function sample(operator)
  if SAMPLES[operator.name] then return SAMPLES[operator.name]() end
  local arguments = {}
  for parameter in operator.schema:match("%((.*)%) %->"):gsub("%b[]", "[]"):gmatch("[^,]+") do
    local type_name = parameter:match("^%s*(%S+) [%w_]+$")
    if parameter:find("*", 1, true) then break end
    if type_name and not type_name:find("?", 1, true) then
      local make = BY_TYPE[type_name]
      if not make then return nil, type_name end
      arguments[#arguments + 1] = make()
    end
  end
  return arguments
end

------------------------------------------------------------------------
-- Checks
------------------------------------------------------------------------

local function leaves_of(arguments)
  local leaves = {}
  local function collect(v)
    if torch.is_tensor(v) then
      if v.requires_grad then leaves[#leaves + 1] = v end
    elseif type(v) == "table" then
      for _, item in ipairs(v) do collect(item) end
    end
  end
  collect(arguments)
  return leaves
end

-- The same call again and again, random operators with the same numbers.
local function repeated(name, fn, arguments, named)
  return function()
    torch.manual_seed(1)
    local given = { n = arguments.n, unpack(arguments, 1, arguments.n) }
    if READ[name] then READ[name](given, named) end
    local good, results = lib.call(fn, given, named)
    if not good then error(results, 0) end
    results = lib.flatten(results)
    if RESULTS[name] then return results[RESULTS[name]] end
    return unpack(results)
  end
end

local function check(name, fn, leaves)
  torch.autograd.gradcheck(fn, leaves)
  if not EXCEPT_SECOND[name] then torch.autograd.gradgradcheck(fn, leaves) end
end

local checked = {} -- by the operator's own name

describe("the derivatives of", function()
  torch.manual_seed(1)
  for _, entry in ipairs(lib.list_files { conformance .. "/ops" }) do
    local file = assert(lib.load_file(entry.path))
    local name, operator = cases.name(file), torch.core.operator(file.base or file.name)
    local list = operator and operator.differentiable and chosen(file) or {}
    if #list > 0 then
      checked[operator.name] = true
      it(name, function()
        for _, case in ipairs(list) do
          local leaves = {}
          local arguments, named = lib.arguments(case, { grad = true, leaves = leaves })
          check(name, repeated(name, assert(cases.callee(case.call or file.call)), arguments, named), leaves)
        end
      end)
    end
  end

  for _, operator in ipairs(torch.core.operators()) do
    local name = operator.name
    local gives_tensors = operator.schema:find("%) %-> %(?Tensor") ~= nil
    local is_function = name:sub(1, 1) ~= "_" and name:sub(-1) ~= "_"
    if operator.differentiable and gives_tensors and is_function and not checked[name] and not EXCEPT[name] then
      checked[name] = true
      it(name .. ", at random", function()
        local arguments, unknown = sample(operator)
        assert(arguments, ("no sample for a %s: add one to SAMPLES"):format(tostring(unknown)))
        arguments.n = #arguments
        check(name, repeated(name, assert(lib.resolve("torch." .. name)), arguments), leaves_of(arguments))
      end)
    end
  end
end)
