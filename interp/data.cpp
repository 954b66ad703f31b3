#include "interp/data.h"

#include <algorithm>

#include "core/autograd.h"
#include "core/ops.h"
#include "interp/number.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

constexpr int kMaxDepth = 64;  // a table that contains itself has no end

// Reads a nested table twice: for its sizes and the kind of its numbers, then for the numbers.
class Reader {
 public:
  Reader(lua_State* L, State& S, const char* where) : L_(L), S_(S), where_(where) {}

  Tensor read(int index, OptDType dtype, Device device) {
    check(lua_checkstack(L_, kMaxDepth + 8), where_, ": the Lua stack is full");
    if (index < 0) index = lua_gettop(L_) + 1 + index;
    find_sizes(index);
    measure(index, 0);
    if (has_tensors_) return stacked(index, dtype, device);
    const DType type = dtype ? *dtype : inferred();
    if (device.is_meta()) return empty(sizes_, type, device);
    Tensor t = empty(sizes_, type);
    with_type(type, [&]<class T>() {
      T* out = t.data<T>();
      if (t.numel() > 0) fill(index, 0, out);
    });
    return device.is_cpu() ? t : ops::to_device(t, device);
  }

 private:
  // Along the first items.
  void find_sizes(int index) {
    lua_pushvalue(L_, index);
    while (lua_istable(L_, -1)) {
      if (sizes_.size() >= kMaxDepth) wrong(" nests deeper than ", kMaxDepth, " tables");
      const auto n = static_cast<int64_t>(lua_objlen(L_, -1));
      if (n == 0) check_empty();
      sizes_.push_back(n);
      path_.push_back(1);
      if (n == 0) break;
      lua_rawgeti(L_, -1, 1);
      lua_remove(L_, -2);
    }
    lua_pop(L_, 1);
    path_.clear();
  }

  void check_empty() {
    lua_pushnil(L_);
    if (!lua_next(L_, -2)) return;
    wrong(" has the key ", describe(L_, S_, -2), " but no [1]");
  }

  // Compares every table with the sizes, and notes the kinds of numbers.
  void measure(int index, size_t depth) {
    const bool is_table = lua_istable(L_, index);
    if (depth == sizes_.size()) {
      if (is_table) wrong(" is a table, but the first items hold numbers at this depth");
      return note(index);
    }
    if (!is_table) wrong(" is ", describe(L_, S_, index), ", expected a list of ", sizes_[depth]);
    const auto n = static_cast<int64_t>(lua_objlen(L_, index));
    if (n != sizes_[depth])
      wrong(" has ", n, n == 1 ? " item" : " items", ", the first one at this depth ", sizes_[depth]);
    for (int i = 1; i <= n; ++i) {
      path_.push_back(i);
      lua_rawgeti(L_, index, i);
      measure(lua_gettop(L_), depth + 1);
      lua_pop(L_, 1);
      path_.pop_back();
    }
  }

  void note(int index) {
    Scalar s;
    if (lua_type(L_, index) == LUA_TNUMBER)
      has_numbers_ = true;
    else if (to_tensor(L_, S_, index))
      has_tensors_ = true;
    else if (!to_scalar(L_, S_, index, s))
      wrong(" is ", describe(L_, S_, index), ", not a number");
    else if (s.kind() == Category::Bool)
      has_booleans_ = true;
    else
      (s.is_complex() ? has_complex_ : has_int64_) = true;
    if (has_booleans_ && has_numbers_ && !mixed_at_.size()) mixed_at_ = path();
  }

  DType inferred() const {
    if (!mixed_at_.empty()) fail(where_, ": ", mixed_at_, " mixes booleans and numbers; give a dtype to convert them");
    if (has_complex_) return complex_dtype(default_dtype());
    if (has_numbers_) return default_dtype();
    if (has_int64_) return DType::Int64;
    return has_booleans_ ? DType::Bool : default_dtype();
  }

  template <class T>
  void fill(int index, size_t depth, T*& out) {
    if (depth == sizes_.size()) {
      *out++ = element_at<T>(index);
      return;
    }
    for (int i = 1, n = static_cast<int>(sizes_[depth]); i <= n; ++i) {
      lua_rawgeti(L_, index, i);
      fill(lua_gettop(L_), depth + 1, out);
      lua_pop(L_, 1);
    }
  }

  template <class T>
  T element_at(int index) {
    if (lua_type(L_, index) == LUA_TNUMBER) return Scalar(number_at(L_, index)).to<T>();
    Scalar s;
    to_scalar(L_, S_, index, s);
    return s.to<T>();
  }

  // Tensors in the list are stacked, as numbers are if there are both.
  Tensor stacked(int index, OptDType dtype, Device device) {
    if (const Tensor* one = to_tensor(L_, S_, index)) {
      return converted(detach(*one), dtype, device);
    }
    if (!lua_istable(L_, index)) return Reader(L_, S_, where_).read(index, dtype, device);
    Tensors rows;
    for (int i = 1, n = static_cast<int>(lua_objlen(L_, index)); i <= n; ++i) {
      lua_rawgeti(L_, index, i);
      rows.push_back(stacked(lua_gettop(L_), dtype, device));
      lua_pop(L_, 1);
    }
    return ops::stack(rows, 0);
  }

  std::string path() const {
    std::string s;
    for (const int i : path_) s += '[' + std::to_string(i) + ']';
    if (path_.size() >= kMaxDepth) return "[1][1]...";
    return s.empty() ? "the table" : s;
  }
  template <class... Parts>
  [[noreturn]] void wrong(const Parts&... parts) const {
    fail(where_, ": ", path(), parts...);
  }

  lua_State* L_;
  State& S_;
  const char* where_;
  Sizes sizes_;
  std::vector<int> path_;
  std::string mixed_at_;
  bool has_numbers_ = false, has_booleans_ = false, has_int64_ = false, has_complex_ = false, has_tensors_ = false;
};

template <class T>
void push_element(lua_State* L, const State& S, T v) {
  if constexpr (std::is_same_v<T, bool>)
    lua_pushboolean(L, v);
  else if constexpr (std::is_same_v<T, int64_t>)
    push_integer(L, S, v);
  else if constexpr (std::is_same_v<T, complex64> || std::is_same_v<T, complex128>)
    push_scalar(L, S, Scalar(complex128(v)));
  else
    lua_pushnumber(L, static_cast<lua_Number>(static_cast<double>(v)));
}

template <class T>
void push_rows(lua_State* L, const State& S, const Tensor& x, int64_t dim, const T*& p) {
  if (dim == x.dim()) return push_element(L, S, *p++);
  const auto n = static_cast<int>(x.size(dim));
  lua_createtable(L, n, 0);
  for (int i = 1; i <= n; ++i) {
    push_rows(L, S, x, dim + 1, p);
    lua_rawseti(L, -2, i);
  }
}

}  // namespace

Tensor converted(const Tensor& x, OptDType dtype, OptDevice device) {
  Tensor y = x;
  if (device && *device != x.device()) y = ops::to_device(y, *device);
  if (dtype && *dtype != x.dtype()) y = ops::to_dtype(y, *dtype);
  return y;
}

Tensor tensor_of(lua_State* L, State& S, int index, const char* where, OptDType dtype, Device device) {
  if (const Tensor* x = to_tensor(L, S, index)) {
    const Tensor y = converted(detach(*x), dtype, device);
    return y.storage() == x->storage() ? ops::clone(y) : y;
  }
  return Reader(L, S, where).read(index, dtype, device);
}

void push_nested(lua_State* L, State& S, const Tensor& x) {
  check(!x.is_meta(), "tolist: a meta tensor has no elements");
  check(lua_checkstack(L, static_cast<int>(x.dim()) + 8), "tolist: too many dimensions");
  const Tensor host = ops::contiguous(ops::to_device(detach(x), Device()));
  with_type(host.dtype(), [&]<class T>() {
    const T* p = host.data<T>();
    push_rows(L, S, host, 0, p);
  });
}

namespace {

int push_made(Call& c, const Tensor& t, bool requires_grad = false) {
  if (requires_grad) set_requires_grad(t, true);
  push_tensor(c.L, c.S, t);
  return 1;
}

// Where the data is, unless it says otherwise.
Device device_for(Call& c, int data, int option) {
  if (c.given(option)) return c.get<Device>(option);
  const Tensor* x = to_tensor(c.L, c.S, c.source(data));
  return x ? x->device() : Device();
}

int tensor(Call& c) {
  return push_made(c, tensor_of(c.L, c.S, c.source(0), "tensor", c.get<OptDType>(1), device_for(c, 0, 2)),
                   c.get<bool>(3));
}

// Shares the storage where dtype and device are already right.
int as_tensor(Call& c) {
  const Tensor* x = to_tensor(c.L, c.S, c.source(0));
  if (!x) return push_made(c, tensor_of(c.L, c.S, c.source(0), "as_tensor", c.get<OptDType>(1), device_for(c, 0, 2)));
  const Tensor y = converted(*x, c.get<OptDType>(1), c.get<OptDevice>(2));
  return y.is(*x) ? c.returns_argument(0) : push_made(c, y);
}

// As as_tensor, without history; `copy` says whether memory must be the data's own (false) or new (true).
int asarray(Call& c) {
  const Tensor* x = to_tensor(c.L, c.S, c.source(0));
  const bool must_copy = c.given(3) && c.get<bool>(3), must_share = c.given(3) && !must_copy;
  check(x || !must_share, "asarray: a list cannot be used without a copy");
  Tensor y = x ? converted(detach(*x), c.get<OptDType>(1), c.get<OptDevice>(2))
               : tensor_of(c.L, c.S, c.source(0), "asarray", c.get<OptDType>(1), device_for(c, 0, 2));
  const bool shares = x && y.storage() == x->storage();
  check(shares || !must_share, "asarray: another dtype or device needs a copy");
  if (shares && must_copy) y = ops::clone(y);
  return push_made(c, y, c.get<bool>(4));
}

int new_tensor(Call& c) {
  const Tensor& self = c.tensor();
  const DType dtype = c.given(2) ? c.get<DType>(2) : self.dtype();
  const Device device = c.given(3) ? c.get<Device>(3) : self.device();
  return push_made(c, tensor_of(c.L, c.S, c.source(1), "new_tensor", dtype, device), c.get<bool>(4));
}

// torch.Tensor(2, 3): sizes, not initialised; torch.Tensor{2, 3}: elements.
int legacy_tensor(lua_State* L, Function& f) {
  State& S = *f.state;
  lua_remove(L, 1);  // torch.Tensor itself
  const int top = lua_gettop(L);
  if (top == 1 && (lua_istable(L, 1) || to_tensor(L, S, 1))) {
    push_tensor(L, S, tensor_of(L, S, 1, "Tensor", default_dtype(), {}));
    return 1;
  }
  Sizes sizes;
  for (int i = 1; i <= top; ++i) {
    int64_t n;
    check(to_integer(L, S, i, n), "Tensor: size ", i, " is ", describe(L, S, i), ", not a whole number");
    sizes.push_back(n);
  }
  if (top == 0) sizes.push_back(0);
  push_tensor(L, S, empty(sizes, default_dtype()));
  return 1;
}

int to_list(Call& c) {
  push_nested(c.L, c.S, c.tensor());
  return 1;
}

int get_item(Call& c) {
  check(!c.tensor().is_meta(), "item: a meta tensor has no elements");
  push_scalar(c.L, c.S, item(c.tensor()));
  return 1;
}

#define OPTIONS "*, DType? dtype=None, Device? device=None, bool requires_grad=False) -> Tensor"
constexpr Native kFunctions[] = {
    {"tensor(any data, " OPTIONS, tensor,
     "A tensor of a number, a boolean, nested tables of them, or a copy of a tensor. Numbers become the default dtype, "
     "booleans bool. Errors: rows of different lengths.",
     "torch.tensor{{1, 2}, {3, 4}}"},
    {"as_tensor(any data, DType? dtype=None, Device? device=None) -> Tensor", as_tensor,
     "`tensor(data)`, but a tensor that fits is returned as it is.", "torch.as_tensor{1, 2}"},
    {"asarray(any obj, *, DType? dtype=None, Device? device=None, bool? copy=None, bool requires_grad=False) -> Tensor",
     asarray, "`as_tensor` with a say in copying: `copy` true always makes one, false never does, or fails.",
     "torch.asarray({1, 2}, {dtype=torch.int64})"},
};
constexpr Native kMethods[] = {
    {"new_tensor(Tensor self, any data, " OPTIONS, new_tensor, "A tensor of `data` with this one's dtype and device.",
     "torch.ones(2):double():new_tensor{1, 2}"},
    {"tolist(Tensor self) -> any", to_list,
     "The elements as nested tables; a plain number where there are no dimensions.",
     "torch.tensor{{1, 2}, {3, 4}}:tolist()"},
    {"totable(Tensor self) -> any", to_list, "The elements as nested tables: `tolist` by Torch7's name.",
     "torch.tensor{{1, 2}, {3, 4}}:totable()"},
    {"item(Tensor self) -> Scalar", get_item,
     "The only element, as a number or boolean. Errors: more or fewer elements.", "torch.tensor{1, 2}:sum():item()"},
};
#undef OPTIONS

}  // namespace

void open_data(lua_State* L, State& S) {
  add_natives(L, S, kFunctions);
  lua_rawgeti(L, LUA_REGISTRYINDEX, S.methods);
  add_natives(L, S, kMethods);
  // torch.Tensor holds the methods, and makes tensors when called.
  lua_newtable(L);
  push_function(L, S, "Tensor", door<legacy_tensor, Retry::Yes>);
  lua_setfield(L, -2, "__call");
  lua_setmetatable(L, -2);
  lua_setfield(L, -2, "Tensor");
}

}  // namespace facula::interp
