#include "interp/method.h"

#include "core/autograd.h"
#include "core/ops.h"
#include "interp/data.h"
#include "interp/number.h"
#include "interp/types.h"

namespace facula::interp {

// Torch7's and PyTorch's names of tensor types, by dtype.
static constexpr const char* kTypeNames[kDTypes] = {"Bool",  "Byte",   "Char",         "Short",
                                                    "Int",   "Long",   "Half",         "BFloat16",
                                                    "Float", "Double", "ComplexFloat", "ComplexDouble"};

DType dtype_of_type_name(std::string_view name, const char* where) {
  for (int i = 0; i < kDTypes; ++i)
    if (name == text("torch.", kTypeNames[i], "Tensor")) return static_cast<DType>(i);
  const OptDType t = dtype_of_name(name.starts_with("torch.") ? name.substr(6) : name);
  check(t.has_value(), where, ": '", name,
        "' is no type; expected a dtype such as torch.float64, or 'torch.DoubleTensor'");
  return *t;
}

int64_t wrapped_dim(const Tensor& x, int64_t dim, const char* where) {
  const int64_t rank = x.dim();
  check(rank > 0, where, ": a tensor without dimensions has no dim ", Counting::shown(dim));
  check(dim >= -rank && dim < rank, where, ": dim ", Counting::shown(dim), " is out of range for a tensor with ", rank,
        rank == 1 ? " dimension" : " dimensions", " (1..", rank, " or ", -rank, "..-1)");
  return dim < 0 ? dim + rank : dim;
}

namespace {

// ---- geometry ----

int size(Call& c) {
  const Tensor& x = c.tensor();
  if (c.given(1)) return c.returns(x.size(wrapped_dim(x, c.get<int64_t>(1), "size")));
  push_sizes(c.L, c.S, x.sizes());
  return 1;
}

int stride(Call& c) {
  const Tensor& x = c.tensor();
  if (c.given(1)) return c.returns(x.stride(wrapped_dim(x, c.get<int64_t>(1), "stride")));
  push_sizes(c.L, c.S, x.strides());
  return 1;
}

int dim(Call& c) { return c.returns(c.tensor().dim()); }
int numel(Call& c) { return c.returns(c.tensor().numel()); }
int storage_offset(Call& c) { return c.returns(c.tensor().offset()); }
int element_size(Call& c) { return c.returns(c.tensor().item_size()); }
int is_contiguous(Call& c) { return c.returns(c.tensor().is_contiguous()); }
int is_same_size(Call& c) { return c.returns(c.tensor(0).sizes() == c.tensor(1).sizes()); }
int data_ptr(Call& c) { return c.returns(static_cast<int64_t>(reinterpret_cast<intptr_t>(c.tensor().bytes()))); }
int id(Call& c) { return c.returns(static_cast<int64_t>(reinterpret_cast<intptr_t>(c.tensor().impl()))); }
int is_floating_point(Call& c) { return c.returns(is_floating(c.tensor().dtype())); }
int is_complex_(Call& c) { return c.returns(is_complex(c.tensor().dtype())); }
int is_signed(Call& c) { return c.returns(c.tensor().dtype() > DType::UInt8); }
int is_nonzero(Call& c) {
  const Tensor& x = c.tensor();
  check(x.numel() == 1, "is_nonzero: expected one element, got sizes ", x.sizes());
  return c.returns(item(x).to<bool>());
}
int is_inference(Call& c) { return c.returns(c.tensor().impl()->is_inference); }
int get_device(Call& c) {
  const Device d = c.tensor().device();
  return c.returns(int64_t{d.is_cuda() ? d.index : -1});
}
int share_memory(Call& c) {
  c.tensor().storage()->share();
  return c.returns_argument();
}
int is_shared(Call& c) { return c.returns(c.tensor().storage()->is_shared() || c.tensor().device().is_cuda()); }
int is_pinned(Call& c) { return c.returns(false); }
int pin_memory(Call&) {
  check(cuda_runtime_if_available() != nullptr, "pin_memory: there is no cuda device here to copy to");
  fail("pin_memory: page-locked memory is not there yet; x:cuda() copies from any memory");
}
int storage(Call& c) {
  push_storage(c.L, c.S, c.tensor());
  return 1;
}

// ---- conversions ----

template <DType T>
int cast(Call& c) {
  return c.returns(converted(c.tensor(), T, {}));
}

int cpu(Call& c) { return c.returns(converted(c.tensor(), {}, Device())); }

int cuda(Call& c) {
  const Device d = parse_device(c.given(1) ? text("cuda:", c.get<int64_t>(1)) : "cuda");
  return c.returns(converted(c.tensor(), {}, d));
}

int type(Call& c) {
  const Tensor& x = c.tensor();
  if (!c.source(1))
    return c.returns(
        text(x.device().is_cuda() ? "torch.cuda." : "torch.", kTypeNames[static_cast<int>(x.dtype())], "Tensor")
            .c_str());
  const DType* given = to_dtype(c.L, c.S, c.source(1));
  check(given || lua_type(c.L, c.source(1)) == LUA_TSTRING, "type: expected a dtype or a name, got ",
        describe(c.L, c.S, c.source(1)));
  return c.returns(converted(x, given ? *given : dtype_of_type_name(to_string(c.L, c.source(1)), "type"), {}));
}

// ---- Lua functions over the elements ----

// Calls the function at stack position `fn` with each element of the inputs, and writes what it returns over the first.
int map_elements(Call& c, int fn, std::initializer_list<Tensor> inputs) {
  check(lua_isfunction(c.L, fn), c.function.name, ": expected a function, got ", describe(c.L, c.S, fn));
  const Tensor& self = c.tensor();
  Tensors rows;
  for (const Tensor& x : inputs) rows.push_back(ops::reshape(detach(x), {-1}));
  const Tensor result = ops::clone(rows[0]);
  for (int64_t i = 0; i < result.numel(); ++i) {
    lua_pushvalue(c.L, fn);
    for (const Tensor& x : rows) push_scalar(c.L, c.S, item(ops::select(x, 0, i)));
    call_lua(c.L, c.S, static_cast<int>(rows.size()), 1);
    Scalar v;
    if (!lua_isnil(c.L, -1)) {
      check(to_scalar(c.L, c.S, -1, v), c.function.name, ": the function returned ", describe(c.L, c.S, -1),
            ", not a number");
      ops::fill_.in_place(ops::select(result, 0, i), v);
    }
    lua_pop(c.L, 1);
  }
  ops::copy_.in_place(self, ops::reshape(result, self.sizes()));
  return c.returns_argument();
}

int apply(Call& c) { return map_elements(c, c.source(1), {c.tensor()}); }

int map(Call& c) {
  const Tensor other = ops::expand(c.tensor(1), c.tensor().sizes());
  return map_elements(c, c.source(2), {c.tensor(), other});
}

// Also functions of the module.
constexpr Native kShared[] = {
    {"numel(Tensor self) -> int", numel, "The number of elements.", "torch.ones(2, 3):numel()"},
    {"is_floating_point(Tensor self) -> bool", is_floating_point, "Is the dtype float16, bfloat16, float32 or float64?",
     "torch.arange(3):is_floating_point()"},
    {"is_complex(Tensor self) -> bool", is_complex_, "Is the dtype complex?", "torch.ones(2):cfloat():is_complex()"},
    {"is_same_size(Tensor self, Tensor other) -> bool", is_same_size, "Have both tensors the same sizes?",
     "torch.ones(2, 3):is_same_size(torch.ones(3, 2))"},
    {"is_signed(Tensor self) -> bool", is_signed, "Can the dtype hold negative numbers?",
     "torch.ones(2):byte():is_signed()"},
    {"is_nonzero(Tensor self) -> bool", is_nonzero, "Is the only element not zero?", "torch.tensor(3):is_nonzero()"},
    {"is_inference(Tensor self) -> bool", is_inference, "Was the tensor made in inference mode?",
     "torch.inference_mode(function() return torch.ones(2) end):is_inference()"},
};
constexpr Native kMethods[] = {
    {"size(Tensor self, Dim? dim=None) -> any", size, "The sizes, or the size of one dimension.",
     "torch.ones(2, 3):size(2)"},
    {"stride(Tensor self, Dim? dim=None) -> any", stride,
     "How many elements lie between neighbours along each dimension, or along one.", "torch.ones(2, 3):stride()"},
    {"dim(Tensor self) -> int", dim, "The number of dimensions.", "torch.ones(2, 3):dim()"},
    {"ndimension(Tensor self) -> int", dim, "The number of dimensions.", "torch.ones(2, 3):ndimension()"},
    {"nelement(Tensor self) -> int", numel, "The number of elements.", "torch.ones(2, 3):nelement()"},
    {"storage_offset(Tensor self) -> int", storage_offset, "How many elements of the storage come before the first.",
     "torch.arange(6):narrow(1, 3, 2):storage_offset()"},
    {"element_size(Tensor self) -> int", element_size, "Bytes of one element.",
     "torch.ones(2):double():element_size()"},
    {"is_contiguous(Tensor self) -> bool", is_contiguous, "Do the elements lie in row-major order without gaps?",
     "torch.ones(2, 3):t():is_contiguous()"},
    {"data_ptr(Tensor self) -> int", data_ptr, "The address of the first element.",
     "('0x%x'):format(torch.ones(2):data_ptr())"},
    {"share_memory_(Tensor self) -> Tensor", share_memory,
     "Moves the elements into memory that forked processes share; returns the tensor, as its views stay views.",
     "torch.ones(2):share_memory_():is_shared()"},
    {"is_shared(Tensor self) -> bool", is_shared, "Are the elements in memory that forked processes share?",
     "torch.ones(2):is_shared()"},
    {"is_pinned(Tensor self) -> bool", is_pinned,
     "Are the elements in page-locked memory? Nothing puts them there yet.", "torch.ones(2):is_pinned()"},
    {"pin_memory(Tensor self) -> Tensor", pin_memory, "An error: there is no page-locked memory yet.",
     "pcall(function() return torch.ones(2):pin_memory() end)"},
    {"storage(Tensor self) -> any", storage, "The memory behind the tensor, which views share.",
     "torch.arange(6):view(2, 3):storage():size()"},
    {"id(Tensor self) -> int", id, "A number that no other living tensor has.", "torch.ones(2):id()"},
    {"get_device(Tensor self) -> int", get_device, "The number of the cuda device, -1 for others.",
     "torch.ones(2):get_device()"},
    {"type(Tensor self, any dtype=None) -> any", type,
     "The tensor's type by Torch7's name, or a copy of another dtype.", "torch.ones(2):type('torch.DoubleTensor')"},
    {"bool(Tensor self) -> Tensor", cast<DType::Bool>, "The tensor itself or a copy of dtype bool.",
     "torch.tensor{0, 2.5}:bool()"},
    {"byte(Tensor self) -> Tensor", cast<DType::UInt8>, "The tensor itself or a copy of dtype uint8.",
     "torch.tensor{0, 2.5}:byte()"},
    {"char(Tensor self) -> Tensor", cast<DType::Int8>, "The tensor itself or a copy of dtype int8.",
     "torch.tensor{0, 2.5}:char()"},
    {"short(Tensor self) -> Tensor", cast<DType::Int16>, "The tensor itself or a copy of dtype int16.",
     "torch.tensor{0, 2.5}:short()"},
    {"int(Tensor self) -> Tensor", cast<DType::Int32>, "The tensor itself or a copy of dtype int32.",
     "torch.tensor{0, 2.5}:int()"},
    {"long(Tensor self) -> Tensor", cast<DType::Int64>, "The tensor itself or a copy of dtype int64.",
     "torch.tensor{0, 2.5}:long()"},
    {"half(Tensor self) -> Tensor", cast<DType::Float16>, "The tensor itself or a copy of dtype float16.",
     "torch.tensor{0, 2.5}:half()"},
    {"bfloat16(Tensor self) -> Tensor", cast<DType::BFloat16>, "The tensor itself or a copy of dtype bfloat16.",
     "torch.tensor{0, 2.5}:bfloat16()"},
    {"float(Tensor self) -> Tensor", cast<DType::Float32>, "The tensor itself or a copy of dtype float32.",
     "torch.tensor{0, 2.5}:float()"},
    {"double(Tensor self) -> Tensor", cast<DType::Float64>, "The tensor itself or a copy of dtype float64.",
     "torch.tensor{0, 2.5}:double()"},
    {"cfloat(Tensor self) -> Tensor", cast<DType::Complex64>, "The tensor itself or a copy of dtype complex64.",
     "torch.tensor{0, 2.5}:cfloat()"},
    {"cdouble(Tensor self) -> Tensor", cast<DType::Complex128>, "The tensor itself or a copy of dtype complex128.",
     "torch.tensor{0, 2.5}:cdouble()"},
    {"cpu(Tensor self) -> Tensor", cpu, "The tensor itself or a copy on the CPU.", "torch.ones(2):cpu().device"},
    {"cuda(Tensor self, int? device=None) -> Tensor", cuda, "The tensor itself or a copy on a cuda device.",
     "torch.cuda.is_available() and torch.ones(2):cuda()"},
    {"apply_(Tensor self, any fn) -> Tensor", apply,
     "Puts `fn(x)` in the place of every element x; nil leaves it. Slow: for odd jobs.",
     "torch.tensor{1, 2, 3}:apply_(function(x) return 10 * x end)"},
    {"map_(Tensor self, Tensor other, any fn) -> Tensor", map,
     "Puts `fn(x, y)` in the place of every element x, with `other`'s y. Slow: for odd jobs.",
     "torch.tensor{1, 2}:map_(torch.tensor{3, 4}, function(x, y) return x * y end)"},
};

}  // namespace

void open_methods(lua_State* L, State& S) {
  add_natives(L, S, kShared);
  lua_rawgeti(L, LUA_REGISTRYINDEX, S.methods);
  add_natives(L, S, kShared);
  add_natives(L, S, kMethods);
  lua_pop(L, 1);
}

}  // namespace facula::interp
