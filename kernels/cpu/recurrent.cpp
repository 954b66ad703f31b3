// Steps of a long short-term memory, in one pass over the rows: the four gates of a place are read together.
#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/recurrent.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "kernels/cpu/register.h"
#include "kernels/cpu/row_sum.h"
#include "kernels/cpu/vector_math.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace {

constexpr int64_t kStepGrain = 2048;  // elements of h: each takes five transcendental functions

/// Calls body(row) for every row of [N, H].
template <class F>
void for_rows(const Tensor& h, const F& body) {
  const int64_t width = std::max<int64_t>(1, h.size(1));
  parallel_for(h.size(0), std::max<int64_t>(1, kStepGrain / width), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) body(n);
  });
}

template <class T>
void forward(const Tensor& h, const Tensor& next, const Tensor& gates, const Tensor& before) {
  const int64_t H = h.size(1);
  for_rows(h, [=, &h, &next, &gates, &before](int64_t n) {
    T *y = h.data<T>() + n * H, *c = next.data<T>() + n * H, *a = gates.data<T>() + n * 4 * H;
    const T* b = before.data<T>() + n * H;
    for_vectors<T>(H, [=](auto d, int64_t j) HWY_ATTR {
      T* const at = a + j;
      const auto i = sigmoid(d, hn::LoadU(d, at)), f = sigmoid(d, hn::LoadU(d, at + H));
      const auto g = tanh(d, hn::LoadU(d, at + 2 * H)), o = sigmoid(d, hn::LoadU(d, at + 3 * H));
      const auto sum = hn::MulAdd(i, g, hn::Mul(f, hn::LoadU(d, b + j)));
      hn::StoreU(i, d, at);
      hn::StoreU(f, d, at + H);
      hn::StoreU(g, d, at + 2 * H);
      hn::StoreU(o, d, at + 3 * H);
      hn::StoreU(sum, d, c + j);
      hn::StoreU(hn::Mul(o, tanh(d, sum)), d, y + j);
    });
  });
}

/// g times the derivative of a sigmoid that gave y.
template <class D, class V>
V through_sigmoid(D d, V g, V y) {
  return hn::Mul(g, hn::Mul(y, hn::Sub(constant(d, 1), y)));
}
/// The same of a hyperbolic tangent.
template <class D, class V>
V through_tanh(D d, V g, V y) {
  return hn::Mul(g, hn::NegMulAdd(y, y, constant(d, 1)));
}

template <class T>
void backward(const Tensor& dgates, const Tensor& dbefore, const Tensor& dh, const Tensor& dnext, const Tensor& gates,
              const Tensor& next, const Tensor& before) {
  const int64_t H = dh.size(1);
  for_rows(dh, [=, &dgates, &dbefore, &dh, &dnext, &gates, &next, &before](int64_t n) {
    T *da = dgates.data<T>() + n * 4 * H, *db = dbefore.data<T>() + n * H;
    const T *gh = dh.data<T>() + n * H, *gc = dnext.data<T>() + n * H, *a = gates.data<T>() + n * 4 * H;
    const T *c = next.data<T>() + n * H, *b = before.data<T>() + n * H;
    for_vectors<T>(H, [=](auto d, int64_t j) HWY_ATTR {
      const auto i = hn::LoadU(d, a + j), f = hn::LoadU(d, a + j + H), g = hn::LoadU(d, a + j + 2 * H);
      const auto o = hn::LoadU(d, a + j + 3 * H), y = tanh(d, hn::LoadU(d, c + j)), gy = hn::LoadU(d, gh + j);
      const auto sum = hn::Add(hn::LoadU(d, gc + j), through_tanh(d, hn::Mul(gy, o), y));
      hn::StoreU(through_sigmoid(d, hn::Mul(sum, g), i), d, da + j);
      hn::StoreU(through_sigmoid(d, hn::Mul(sum, hn::LoadU(d, b + j)), f), d, da + j + H);
      hn::StoreU(through_tanh(d, hn::Mul(sum, i), g), d, da + j + 2 * H);
      hn::StoreU(through_sigmoid(d, hn::Mul(gy, y), o), d, da + j + 3 * H);
      hn::StoreU(hn::Mul(sum, f), d, db + j);
    });
  });
}

void lstm_step(const Tensor& h, const Tensor& next, const Tensor& gates, const Tensor& before) {
  (h.dtype() == DType::Float64 ? forward<double> : forward<float>)(h, next, gates, before);
}
void lstm_step_backward(const Tensor& dgates, const Tensor& dbefore, const Tensor& dh, const Tensor& dnext,
                        const Tensor& gates, const Tensor& next, const Tensor& before) {
  (dh.dtype() == DType::Float64 ? backward<double> : backward<float>)(dgates, dbefore, dh, dnext, gates, next, before);
}

void fill_recurrent() {
  slots::lstm_step.fill(DeviceType::CPU, lstm_step);
  slots::lstm_step_backward.fill(DeviceType::CPU, lstm_step_backward);
}

}  // namespace
}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {
HWY_EXPORT(fill_recurrent);
void fill_recurrent_slots() { HWY_DYNAMIC_DISPATCH(fill_recurrent)(); }
}  // namespace facula::cpu
#endif
