#include "interp/settings.h"

#include <cmath>
#include <limits>
#include <random>

#include "core/parallel.h"
#include "core/print.h"
#include "core/promotion.h"
#include "interp/number.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

int push(Call& c, bool v) {
  lua_pushboolean(c.L, v);
  return 1;
}
int push(Call& c, int64_t v) {
  push_integer(c.L, c.S, v);
  return 1;
}
int push(Call& c, DType t) {
  push_dtype(c.L, c.S, t);
  return 1;
}

// ---- dtypes ----

int get_default_dtype(Call& c) { return push(c, default_dtype()); }

int set_default_dtype(Call& c) {
  const auto t = c.get<DType>(0);
  check(is_floating(t), "set_default_dtype: only floating point dtypes can be the default, got ", t);
  facula::set_default_dtype(t);
  return 0;
}

int promote_types(Call& c) { return push(c, promote(c.get<DType>(0), c.get<DType>(1))); }
int can_cast(Call& c) { return push(c, facula::can_cast(c.get<DType>(0), c.get<DType>(1))); }
int result_type(Call& c) {
  const Tensor both[] = {c.tensor(0), c.tensor(1)};
  return push(c, facula::result_type(both));
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
  const double eps = std::ldexp(1.0, -f.bits), max = std::ldexp(2.0 - eps, f.exponent), tiny = std::ldexp(1.0, f.smallest);
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

// ---- random numbers ----

int64_t fresh_seed() {
  std::random_device device;
  return static_cast<int64_t>(device() & 0x1fffff) << 32 | device();  // 53 bits: a plain Lua number
}

Ref<Generator> generator(Call& c) { return c.get<Ref<Generator>>(0); }

// As a tensor of seed and place, which can be saved.
int push_state(Call& c, const Ref<Generator>& g) {
  const Philox state = g->state();
  push_tensor(c.L, c.S, position_tensor({static_cast<int64_t>(state.seed), static_cast<int64_t>(state.offset)}));
  return 1;
}

void set_state(const char* where, const Ref<Generator>& g, const Tensor& state) {
  check(state.dtype() == DType::Int64 && state.numel() == 2 && state.is_cpu() && state.is_contiguous(), where,
        ": expected a state as get_state gives it, two int64 numbers, got a ", state.dtype(), " tensor ", state.sizes());
  const auto* words = state.data<int64_t>();
  g->set_state({static_cast<uint64_t>(words[0]), static_cast<uint64_t>(words[1])});
}

int manual_seed(Call& c) {
  default_generator()->manual_seed(static_cast<uint64_t>(c.get<int64_t>(0)));
  push_object(c.L, c.S.generator, default_generator());
  return 1;
}
int seed(Call& c) {
  const int64_t n = fresh_seed();
  default_generator()->manual_seed(static_cast<uint64_t>(n));
  return push(c, n);
}
int initial_seed(Call& c) { return push(c, static_cast<int64_t>(default_generator()->initial_seed())); }
int get_rng_state(Call& c) { return push_state(c, default_generator()); }
int set_rng_state(Call& c) {
  set_state("set_rng_state", default_generator(), c.tensor());
  return 0;
}
int new_generator(Call& c) {
  push_object(c.L, c.S.generator, make_ref<Generator>(uint64_t{67280421310721}));
  return 1;
}

int generator_manual_seed(Call& c) {
  generator(c)->manual_seed(static_cast<uint64_t>(c.get<int64_t>(1)));
  return c.returns_argument();
}
int generator_seed(Call& c) {
  const int64_t n = fresh_seed();
  generator(c)->manual_seed(static_cast<uint64_t>(n));
  return push(c, n);
}
int generator_initial_seed(Call& c) { return push(c, static_cast<int64_t>(generator(c)->initial_seed())); }
int generator_get_state(Call& c) { return push_state(c, generator(c)); }
int generator_set_state(Call& c) {
  set_state("set_state", generator(c), c.tensor(1));
  return c.returns_argument();
}

constexpr Native kGenerator[] = {
    {"manual_seed(Generator self, int seed) -> Generator", generator_manual_seed},
    {"seed(Generator self) -> int", generator_seed},
    {"initial_seed(Generator self) -> int", generator_initial_seed},
    {"get_state(Generator self) -> Tensor", generator_get_state},
    {"set_state(Generator self, Tensor state) -> Generator", generator_set_state},
};

// ---- threads and printing ----

int get_num_threads(Call& c) { return push(c, int64_t{num_threads()}); }

int set_num_threads(Call& c) {
  const auto n = c.get<int64_t>(0);
  check(n >= 1 && n <= 1024, "set_num_threads: expected 1 to 1024 threads, got ", n);
  facula::set_num_threads(static_cast<int>(n));
  return 0;
}

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
  if (c.given(5)) o.sci_mode = c.get<bool>(5);
  set_print_options(o);
  return 0;
}

// ---- devices ----

int cuda_is_available(Call& c) {
  Runtime* cuda = cuda_runtime_if_available();
  return push(c, cuda && cuda->count() > 0);
}
int cuda_device_count(Call& c) {
  Runtime* cuda = cuda_runtime_if_available();
  return push(c, int64_t{cuda ? cuda->count() : 0});
}

int ordinal(Call& c, int i) {
  Runtime& cuda = runtime(DeviceType::CUDA);
  const int64_t n = c.given(i) ? c.get<int64_t>(i) : cuda.current_device();
  check(n >= 0 && n < cuda.count(), "cuda: device ", n, " is not among the ", cuda.count(), " devices, which count from 0");
  return static_cast<int>(n);
}
int cuda_device_name(Call& c) {
  const int i = ordinal(c, 0);
  lua_pushstring(c.L, runtime(DeviceType::CUDA).device_name(i).c_str());
  return 1;
}
int cuda_current_device(Call& c) { return push(c, int64_t{runtime(DeviceType::CUDA).current_device()}); }
int cuda_set_device(Call& c) {
  const int i = ordinal(c, 0);
  runtime(DeviceType::CUDA).set_current_device(i);
  return 0;
}
int cuda_synchronize(Call& c) {
  const int i = ordinal(c, 0);
  runtime(DeviceType::CUDA).synchronize(i);
  return 0;
}
int cuda_memory_allocated(Call& c) {
  const int i = ordinal(c, 0);
  return push(c, runtime(DeviceType::CUDA).memory_stats(i).allocated);
}
int cuda_empty_cache(Call&) {
  if (Runtime* cuda = cuda_runtime_if_available()) cuda->empty_cache();
  return 0;
}

int never(Call& c) { return push(c, false); }

// Takes any value, a table with string keys too: it has no named arguments.
int is_tensor(lua_State* L, Function&) {
  lua_pushboolean(L, lua_gettop(L) > 0 && to_handle(L, 1) != nullptr);
  return 1;
}

constexpr Variadic kPredicates[] = {{"is_tensor", door<is_tensor>}};
constexpr Native kFunctions[] = {
    {"get_default_dtype() -> DType", get_default_dtype},
    {"set_default_dtype(DType dtype)", set_default_dtype},
    {"promote_types(DType type1, DType type2) -> DType", promote_types},
    {"result_type(Operand tensor1, Operand tensor2) -> DType", result_type},
    {"can_cast(DType from, DType to) -> bool", can_cast},
    {"finfo(DType? dtype=None) -> any", finfo},
    {"iinfo(DType dtype) -> any", iinfo},
    {"manual_seed(int seed) -> Generator", manual_seed},
    {"seed() -> int", seed},
    {"initial_seed() -> int", initial_seed},
    {"get_rng_state() -> Tensor", get_rng_state},
    {"set_rng_state(Tensor state)", set_rng_state},
    {"Generator() -> Generator", new_generator},
    {"get_num_threads() -> int", get_num_threads},
    {"set_num_threads(int n)", set_num_threads},
    {"set_printoptions(int? precision=None, float? threshold=None, int? edgeitems=None, int? linewidth=None, "
     "str? profile=None, bool? sci_mode=None)", set_printoptions},
    {"cuda.is_available() -> bool", cuda_is_available},
    {"cuda.device_count() -> int", cuda_device_count},
    {"cuda.get_device_name(int? device=None) -> str", cuda_device_name},
    {"cuda.current_device() -> int", cuda_current_device},
    {"cuda.set_device(int device)", cuda_set_device},
    {"cuda.synchronize(int? device=None)", cuda_synchronize},
    {"cuda.memory_allocated(int? device=None) -> int", cuda_memory_allocated},
    {"cuda.empty_cache()", cuda_empty_cache},
    {"backends.mps.is_available() -> bool", never},
};

constexpr std::pair<const char*, double> kConstants[] = {{"inf", std::numeric_limits<double>::infinity()},
                                                         {"nan", std::numeric_limits<double>::quiet_NaN()},
                                                         {"pi", 3.14159265358979323846},
                                                         {"e", 2.71828182845904523536}};

}  // namespace

void open_settings(lua_State* L, State& S) {
  add_variadics(L, S, kPredicates);
  add_natives(L, S, kFunctions);
  for (const auto& [name, value] : kConstants) {
    lua_pushnumber(L, value);
    lua_setfield(L, -2, name);
  }
  new_metatable(L, S.generator, "torch.Generator");
  const Metamethod metamethods[] = {{"__gc", collect_object<Ref<Generator>, &State::generator>}};
  set_metamethods(L, S, metamethods);
  lua_newtable(L);
  add_natives(L, S, kGenerator);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

}  // namespace facula::interp
