#include "interp/settings.h"

#include <cmath>
#include <limits>

#include "core/deterministic.h"
#include "core/parallel.h"
#include "core/print.h"
#include "core/promotion.h"
#include "interp/held_interrupt.h"
#include "interp/method.h"
#include "interp/number.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

// ---- dtypes ----

int get_default_dtype(Call& c) { return c.returns(default_dtype()); }

int set_default_dtype(Call& c) {
  const auto t = c.get<DType>(0);
  check(is_floating(t), "set_default_dtype: only floating point dtypes can be the default, got ", t);
  facula::set_default_dtype(t);
  return 0;
}

int set_default_tensor_type(Call& c) {
  const int at = c.source(0);
  const DType* given = to_dtype(c.L, c.S, at);
  check(given || lua_type(c.L, at) == LUA_TSTRING, "set_default_tensor_type: expected a dtype or a name, got ",
        describe(c.L, c.S, at));
  const DType t = given ? *given : dtype_of_type_name(to_string(c.L, at), "set_default_tensor_type");
  check(is_floating(t), "set_default_tensor_type: only floating point dtypes can be the default, got ", t);
  facula::set_default_dtype(t);
  return 0;
}

int promote_types(Call& c) { return c.returns(promote(c.get<DType>(0), c.get<DType>(1))); }
int can_cast(Call& c) { return c.returns(facula::can_cast(c.get<DType>(0), c.get<DType>(1))); }
int result_type(Call& c) {
  const Tensor both[] = {c.tensor(0), c.tensor(1)};
  return c.returns(facula::result_type(both));
}

void set_number(Call& c, const char* name, Scalar v) {
  push_scalar(c.L, c.S, v);
  lua_setfield(c.L, -2, name);
}

// Of a dtype with `bits` bits behind the point and exponents up to `exponent`.
struct FloatFormat {
  int bits, exponent, smallest;
};

int finfo(Call& c) {
  const DType given = c.given(0) ? c.get<DType>(0) : default_dtype(), t = real_dtype(given);
  check(is_floating(t), "finfo: expected a floating point dtype, got ", given);
  const FloatFormat f = t == DType::Float16    ? FloatFormat{10, 15, -14}
                        : t == DType::BFloat16 ? FloatFormat{7, 127, -126}
                        : t == DType::Float32  ? FloatFormat{23, 127, -126}
                                               : FloatFormat{52, 1023, -1022};
  const double eps = std::ldexp(1.0, -f.bits), max = std::ldexp(2.0 - eps, f.exponent),
               tiny = std::ldexp(1.0, f.smallest);
  lua_newtable(c.L);
  set_number(c, "bits", item_size(t) * 8);
  set_number(c, "eps", eps);
  set_number(c, "max", max);
  set_number(c, "min", -max);
  set_number(c, "tiny", tiny);
  set_number(c, "smallest_normal", tiny);
  set_number(c, "resolution", std::pow(10.0, -std::floor(f.bits * std::log10(2.0))));
  push_dtype(c.L, c.S, t);
  lua_setfield(c.L, -2, "dtype");
  return 1;
}

int iinfo(Call& c) {
  const auto t = c.get<DType>(0);
  check(is_integral(t), "iinfo: expected an integer dtype, got ", t);
  const int64_t bits = item_size(t) * 8;
  const int64_t max = t == DType::UInt8 ? 255 : std::numeric_limits<int64_t>::max() >> (64 - bits);
  lua_newtable(c.L);
  set_number(c, "bits", bits);
  set_number(c, "max", max);
  set_number(c, "min", t == DType::UInt8 ? int64_t{0} : -max - 1);
  push_dtype(c.L, c.S, t);
  lua_setfield(c.L, -2, "dtype");
  return 1;
}

// ---- devices ----

int get_default_device(Call& c) { return c.returns(c.S.default_device.value_or(Device{})); }

int set_default_device(Call& c) {
  c.S.default_device = c.get<OptDevice>(0);
  if (c.S.default_device && !c.S.default_device->is_meta())
    empty({0}, DType::Float32, *c.S.default_device);  // is it there?
  return 0;
}

// ---- threads and printing ----

int get_num_threads(Call& c) { return c.returns(int64_t{num_threads()}); }

int set_num_threads(Call& c) {
  const auto n = c.get<int64_t>(0);
  check(n >= 1 && n <= 1024, "set_num_threads: expected 1 to 1024 threads, got ", n);
  facula::set_num_threads(static_cast<int>(n));
  return 0;
}

int use_deterministic_algorithms(Call& c) {
  set_must_be_deterministic(c.get<bool>(0));
  return 0;
}
int are_deterministic_algorithms_enabled(Call& c) { return c.returns(Scalar(must_be_deterministic())); }

int set_printoptions(Call& c) {
  PrintOptions o = print_options();
  if (const auto profile = c.get<OptString>(4)) {
    check(*profile == "default" || *profile == "short" || *profile == "full", "set_printoptions: profile '", *profile,
          "' is none of default, short, full");
    o = {};
    if (*profile == "short") o.precision = 2, o.edgeitems = 2;
    if (*profile == "full") o.threshold = std::numeric_limits<int64_t>::max();
  }
  if (c.given(0)) o.precision = static_cast<int>(c.get<int64_t>(0));
  if (c.given(1)) o.threshold = saturated(c.get<double>(1));
  if (c.given(2)) o.edgeitems = c.get<int64_t>(2);
  if (c.given(3)) o.linewidth = static_cast<int>(c.get<int64_t>(3));
  o.sci_mode.reset();  // as PyTorch does at every call
  if (c.given(5)) o.sci_mode = c.get<bool>(5);
  set_print_options(o);
  return 0;
}

// Takes any value, a table with string keys too: it has no named arguments.
int is_tensor(lua_State* L, Function&) {
  lua_pushboolean(L, lua_gettop(L) > 0 && to_handle(L, 1) != nullptr);
  return 1;
}

// A size given at the top of the stack, which is popped.
int64_t pop_size(lua_State* L, const State& S) {
  int64_t n;
  check(to_integer(L, S, -1, n) && n >= 0, "broadcast_shapes: expected lists of sizes, got ", describe(L, S, -1));
  lua_pop(L, 1);
  return n;
}

// Each argument is a list of sizes, or one size.
int broadcast_shapes(lua_State* L, Function& f) {
  const State& S = *f.state;
  Sizes common;
  for (int i = 1, top = lua_gettop(L); i <= top; ++i) {
    Sizes sizes;
    if (lua_istable(L, i)) {
      for (int k = 1, n = static_cast<int>(lua_objlen(L, i)); k <= n; ++k) {
        lua_rawgeti(L, i, k);
        sizes.push_back(pop_size(L, S));
      }
    } else {
      lua_pushvalue(L, i);
      sizes.push_back(pop_size(L, S));
    }
    common = broadcast(common, sizes, "broadcast_shapes");
  }
  push_sizes(L, S, common);
  return 1;
}

int is_storage(lua_State* L, Function& f) {
  lua_pushboolean(L, lua_gettop(L) > 0 && to_object(L, f.state->storage, 1) != nullptr);
  return 1;
}

// ---- Ctrl-C ----

// Calls `fn` with what stands behind it, and returns its results; Ctrl-C waits meanwhile.
int hold_interrupts(lua_State* L, Function& f) {
  check(lua_isfunction(L, 1), f.name, ": argument 'fn' must be a function, got ", describe(L, *f.state, 1));
  const HeldInterrupt hold;
  call_lua(L, *f.state, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

int interrupted(Call& c) { return c.returns(HeldInterrupt::ask()); }

constexpr Variadic kVariadics[] = {
    {"is_tensor", door<is_tensor>, "x", "Is `x` a tensor?", "torch.is_tensor(torch.ones(2))"},
    {"is_storage", door<is_storage>, "x", "Is `x` the memory behind a tensor?",
     "torch.is_storage(torch.ones(2):storage())"},
    {"broadcast_shapes", door<broadcast_shapes>, "...", "The sizes that lists of sizes broadcast to.",
     "torch.broadcast_shapes({2, 1}, {3})"},
    {"core.hold_interrupts", door<hold_interrupts>}};
constexpr Native kFunctions[] = {
    {"get_default_dtype() -> DType", get_default_dtype, "The dtype of floating tensors that are made without one.",
     "torch.get_default_dtype()"},
    {"set_default_dtype(DType dtype)", set_default_dtype, "Sets that dtype: float32 at first.",
     "torch.set_default_dtype(torch.float32)"},
    {"set_default_tensor_type(any type)", set_default_tensor_type,
     "Sets the dtype of floating tensors that are made without one, by Torch7's name of the type.",
     "torch.set_default_tensor_type('torch.FloatTensor')"},
    {"get_default_device() -> Device", get_default_device, "Where tensors are made without a device.",
     "torch.get_default_device()"},
    {"set_default_device(Device? device=None)", set_default_device,
     "Sets that device, the CPU at first, for calls that make a tensor from none.", "torch.set_default_device('cpu')"},
    {"promote_types(DType type1, DType type2) -> DType", promote_types, "The smallest dtype that holds both.",
     "torch.promote_types(torch.int64, torch.float16)"},
    {"result_type(Operand tensor1, Operand tensor2) -> DType", result_type,
     "The dtype of an operation on both, by the rules of promotion.", "torch.result_type(torch.arange(3), 0.5)"},
    {"can_cast(DType from, DType to) -> bool", can_cast,
     "May numbers of one dtype go into the other by an in-place operation?",
     "torch.can_cast(torch.float64, torch.int64)"},
    {"finfo(DType? dtype=None) -> any", finfo,
     "`{bits, eps, max, min, tiny, smallest_normal, resolution, dtype}` of a floating dtype.",
     "torch.finfo(torch.float16).max"},
    {"iinfo(DType dtype) -> any", iinfo, "`{bits, max, min, dtype}` of an integer dtype.",
     "torch.iinfo(torch.int8).max"},
    {"get_num_threads() -> int", get_num_threads, "Threads that operations use.", "torch.get_num_threads()"},
    {"set_num_threads(int n)", set_num_threads, "Sets that number. Results do not hang on it.",
     "torch.set_num_threads(torch.get_num_threads())"},
    {"core.interrupted() -> bool", interrupted,
     "Was Ctrl-C pressed while `core.hold_interrupts(fn)` ran? Who asks has taken it over."},
    {"use_deterministic_algorithms(bool mode)", use_deterministic_algorithms,
     "Makes operators fail that would sum in no fixed order: some on cuda, such as scatter_add. On the CPU none does.",
     "torch.use_deterministic_algorithms(false)"},
    {"are_deterministic_algorithms_enabled() -> bool", are_deterministic_algorithms_enabled, "Is that so?",
     "torch.are_deterministic_algorithms_enabled()"},
    {"set_printoptions(int? precision=None, float? threshold=None, int? edgeitems=None, int? linewidth=None, "
     "str? profile=None, bool? sci_mode=None)",
     set_printoptions,
     "How tensors are printed: digits, how many elements before they are summarised, how many then at the edges, "
     "columns, scientific notation; or a profile, 'default', 'short' or 'full'.",
     "torch.set_printoptions{precision=4}"},
};

constexpr std::pair<const char*, double> kConstants[] = {{"inf", std::numeric_limits<double>::infinity()},
                                                         {"nan", std::numeric_limits<double>::quiet_NaN()},
                                                         {"pi", 3.14159265358979323846},
                                                         {"e", 2.71828182845904523536}};

}  // namespace

void open_settings(lua_State* L, State& S) {
  add_variadics(L, S, kVariadics);
  add_natives(L, S, kFunctions);
  for (const auto& [name, value] : kConstants) {
    lua_pushnumber(L, value);
    lua_setfield(L, -2, name);
  }
}

}  // namespace facula::interp
