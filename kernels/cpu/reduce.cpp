// Sums, products, extrema, any and all as operators of the driver in reduce.h.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/reduce.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "kernels/cpu/reduce.h"
#include "kernels/cpu/reduce_fold.h"
#include "kernels/cpu/register.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace {

struct Any {
  static constexpr bool start = false;
  static bool numbers(bool a, bool b) { return a | b; }
};
struct All {
  static constexpr bool start = true;
  static bool numbers(bool a, bool b) { return a & b; }
};

// ---- partial results of the elements' own dtype ---------------------------------------------------------------------
template <class Op, class T>
void clear(char* state, int64_t n) {
  std::fill_n(reinterpret_cast<T*>(state), n, Op::template nothing<T>());
}

template <class Op, class T>
void fold_state(char* state, const char* x, int64_t n, double) {
  *reinterpret_cast<T*>(state) = fold<Op>(reinterpret_cast<const T*>(x), n);
}
template <class Op, class T>
void merge(char* state, const char* x, int64_t n) {
  const char* in[] = {state, x};
  if constexpr (std::is_floating_point_v<T>)
    each<T, 2>(state, in, n, [](auto, auto a, auto b) { return Op::vectors(a, b); });
  else
    each_number<T, T, 2>(state, in, n, [](T a, T b) { return Op::numbers(a, b); });
}
template <class Op, class T>
void accumulate(char* state, const char* x, int64_t n, int64_t, double) {
  merge<Op, T>(state, x, n);
}
template <class Op, class T>
void combine(char* a, int64_t, const char* b, int64_t, int64_t n) {
  merge<Op, T>(a, b, n);
}
template <class T>
void finish(char* result, const char* state, int64_t n, int64_t, double) {
  std::copy_n(state, n * static_cast<int64_t>(sizeof(T)), result);
}

template <class Op, class T>
constexpr Reduction reduction() {
  constexpr DType t = dtype_of<T>;
  return {t, t, 1, sizeof(T), clear<Op, T>, fold_state<Op, T>, accumulate<Op, T>, combine<Op, T>, finish<T>};
}

// ---- truth of any dtype ---------------------------------------------------------------------------------------------
template <class Op, class T>
void fold_truth(char* state, const char* p, int64_t n, double) {
  const auto* x = reinterpret_cast<const T*>(p);
  bool a = Op::start;
  for (int64_t i = 0; i < n; ++i) a = Op::numbers(a, x[i] != T(0));
  *reinterpret_cast<bool*>(state) = a;
}
template <class Op, class T>
void accumulate_truth(char* state, const char* p, int64_t n, int64_t, double) {
  auto* a = reinterpret_cast<bool*>(state);
  const auto* x = reinterpret_cast<const T*>(p);
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) a[i] = Op::numbers(a[i], x[i] != T(0));
}
template <class Op>
void clear_truth(char* state, int64_t n) {
  std::fill_n(reinterpret_cast<bool*>(state), n, Op::start);
}
template <class Op>
void combine_truth(char* a, int64_t, const char* b, int64_t, int64_t n) {
  accumulate_truth<Op, bool>(a, b, n, 0, 0);
}
template <class Op, class T>
constexpr Reduction truth() {
  return {dtype_of<T>,       DType::Bool, 1, 1, clear_truth<Op>, fold_truth<Op, T>, accumulate_truth<Op, T>,
          combine_truth<Op>, finish<bool>};
}

// ---- slots ----------------------------------------------------------------------------------------------------------
template <class Op>
void run(const Tensor& out, const Tensor& x, const IntList&) {
  with_type(out.dtype(), [&]<class E>() {
    using T = Computed<E>;
    if constexpr (Op::ordered && !std::is_arithmetic_v<T>) {
      fail("amax, amin: complex numbers have no order");
    } else {
      static constexpr Reduction r = reduction<Op, T>();
      reduce(r, out, x);
    }
  });
}
template <class Op>
void run_truth(const Tensor& out, const Tensor& x, const IntList&) {
  with_type(x.dtype(), [&]<class E>() {
    using T = Computed<E>;
    static constexpr Reduction r = truth<Op, T>();
    reduce(r, out, x);
  });
}

void fill_reduce() {
  slots::sum.fill(DeviceType::CPU, run<Sum>);
  slots::prod.fill(DeviceType::CPU, run<Product>);
  slots::amax.fill(DeviceType::CPU, run<Largest>);
  slots::amin.fill(DeviceType::CPU, run<Smallest>);
  slots::any.fill(DeviceType::CPU, run_truth<Any>);
  slots::all.fill(DeviceType::CPU, run_truth<All>);
}

}  // namespace
}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {

HWY_EXPORT(fill_reduce);

void fill_reduce_slots() {
  HWY_DYNAMIC_DISPATCH(fill_reduce)();
  fill_moment_slots();
  fill_position_slots();
}

}  // namespace facula::cpu
#endif
