// Activations of networks and their slopes, and a loss of their kind. Number parameters arrive as `p`, in the dtype that is computed in.
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/pointwise_activation.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "kernels/cpu/complex_number.h"
#include "kernels/cpu/vector_math.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace {

template <class F, class T, int N, bool heavy>
void parameter_row(char* out, const char* const* in, int64_t n, ScalarSpan params) {
  T p[3] = {};
  for (size_t i = 0; i < params.size() && i < std::size(p); ++i) p[i] = params[i].to<T>();
  if constexpr (std::is_floating_point_v<T>)
    each<T, N, heavy>(out, in, n, [&](auto d, auto... x) { return F()(d, p, x...); });
  else
    each_number<T, T, N>(out, in, n, [&](auto... x) { return F()(p, x...); });
}
/// Like `vectors` in rows.h, for lambdas that take (d, p, x...), or (p, x...) where T are integers.
template <PointwiseSlot& slot, int N, int64_t grain = kGrain, class F, class... T>
void with_parameters(Types<T...>, F) {
  (add_row<slot, N>(dtype_of<T>, parameter_row<F, T, N, (grain < kGrain)>, grain), ...);
}

// ---- pieces of lines ------------------------------------------------------------------------------------------------
void fill_leaky_relu() {
  with_parameters<slots::leaky_relu, 1>(Floats(), [](auto d, auto* p, auto x) {
    return hn::IfThenElse(hn::Gt(x, hn::Zero(d)), x, hn::Mul(x, hn::Set(d, p[0])));
  });
  with_parameters<slots::leaky_relu_backward, 2>(Floats(), [](auto d, auto* p, auto g, auto x) {
    return hn::IfThenElse(hn::Gt(x, hn::Zero(d)), g, hn::Mul(g, hn::Set(d, p[0])));
  });
  vectors<slots::prelu, 2>(
      Floats(), [](auto d, auto x, auto w) { return hn::IfThenElse(hn::Gt(x, hn::Zero(d)), x, hn::Mul(w, x)); });
}

// NaN stays NaN: comparisons with it are false.
void fill_hardtanh() {
  with_parameters<slots::hardtanh, 1>(Floats(), [](auto d, auto* p, auto x) {
    const auto low = hn::Set(d, p[0]), high = hn::Set(d, p[1]), raised = hn::IfThenElse(hn::Lt(x, low), low, x);
    return hn::IfThenElse(hn::Gt(raised, high), high, raised);
  });
  with_parameters<slots::hardtanh, 1>(Integers(), [](auto* p, auto x) { return std::min(std::max(x, p[0]), p[1]); });
  with_parameters<slots::hardtanh_backward, 2>(Floats(), [](auto d, auto* p, auto g, auto x) {
    return hn::IfThenZeroElse(hn::Or(hn::Le(x, hn::Set(d, p[0])), hn::Ge(x, hn::Set(d, p[1]))), g);
  });
  with_parameters<slots::threshold, 1>(Floats(), [](auto d, auto* p, auto x) {
    return hn::IfThenElse(hn::Le(x, hn::Set(d, p[0])), hn::Set(d, p[1]), x);
  });
  with_parameters<slots::threshold, 1>(Integers(), [](auto* p, auto x) { return x <= p[0] ? p[1] : x; });
}

/// min(max(x + 3, 0), 6) / 6
template <class D, class V>
HWY_INLINE V hard_gate(D d, V x) {
  const V lifted = hn::Add(x, constant(d, 3)), six = constant(d, 6);
  const V cut = hn::IfThenElse(hn::Gt(lifted, six), six, hn::IfThenZeroElse(hn::Lt(lifted, hn::Zero(d)), lifted));
  return hn::Div(cut, six);
}

void fill_hard_gates() {
  vectors<slots::hardsigmoid, 1>(Floats(), [](auto d, auto x) { return hard_gate(d, x); });
  vectors<slots::hardsigmoid_backward, 2>(Floats(), [](auto d, auto g, auto x) {
    return hn::IfThenElseZero(hn::Lt(hn::Abs(x), constant(d, 3)), hn::Div(g, constant(d, 6)));
  });
  vectors<slots::hardswish, 1>(Floats(), [](auto d, auto x) { return hn::Mul(x, hard_gate(d, x)); });
  vectors<slots::hardswish_backward, 2>(Floats(), [](auto d, auto g, auto x) {
    const auto middle = hn::Mul(g, hn::Add(hn::Div(x, constant(d, 3)), constant(d, 0.5)));
    return hn::IfThenZeroElse(hn::Lt(x, constant(d, -3)), hn::IfThenElse(hn::Le(x, constant(d, 3)), middle, g));
  });
}

void fill_huber() {
  with_parameters<slots::huber, 2>(Floats(), [](auto d, auto* p, auto x, auto t) {
    const auto w = hn::Set(d, p[0]), half = constant(d, 0.5), z = hn::Abs(hn::Sub(x, t));
    const auto line = hn::Mul(hn::NegMulAdd(half, w, z), w);
    return hn::Mul(hn::Set(d, p[1]), hn::IfThenElse(hn::Lt(z, w), hn::Mul(half, hn::Mul(z, z)), line));
  });
}

void fill_shrinks() {
  with_parameters<slots::hardshrink, 1>(
      Floats(), [](auto d, auto* p, auto x) { return hn::IfThenZeroElse(hn::Le(hn::Abs(x), hn::Set(d, p[0])), x); });
  with_parameters<slots::softshrink, 1>(Floats(), [](auto d, auto* p, auto x) {  // 0 for NaN, as in PyTorch
    const auto l = hn::Set(d, p[0]);
    return hn::IfThenElseZero(hn::Gt(hn::Abs(x), l), hn::Sub(x, hn::CopySign(l, x)));
  });
  with_parameters<slots::shrink_backward, 2>(Floats(), [](auto d, auto* p, auto g, auto x) {
    return hn::IfThenZeroElse(hn::Le(hn::Abs(x), hn::Set(d, p[0])), g);
  });
}

// ---- exponentials ---------------------------------------------------------------------------------------------------
/// e^x - 1, by Highway where that is exact near 0 and by e^x for large negative x.
template <class D, class V>
HWY_INLINE V below_zero(D d, V x) {
  const V bounded = hn::Max(hn::Min(x, hn::Zero(d)), constant(d, -80));
  return hn::IfThenElse(hn::Lt(hn::Abs(bounded), constant(d, 1e-17)), bounded, hn::Expm1(d, bounded));
}

void fill_elu() {
  with_parameters<slots::elu, 1, kHeavyGrain>(Floats(), [](auto d, auto* p, auto x) {
    const auto curve = hn::Mul(hn::Set(d, p[0]), below_zero(d, hn::Mul(x, hn::Set(d, p[2]))));
    return hn::IfThenElse(hn::Le(x, hn::Zero(d)), curve, hn::Mul(x, hn::Set(d, p[1])));
  });
  with_parameters<slots::elu_backward, 2, kHeavyGrain>(Floats(), [](auto d, auto* p, auto g, auto x) {
    const auto slope = hn::Mul(hn::Set(d, p[0] * p[2]), exp(d, hn::Mul(x, hn::Set(d, p[2]))));
    return hn::Mul(g, hn::IfThenElse(hn::Le(x, hn::Zero(d)), slope, hn::Set(d, p[1])));
  });
}

/// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|)
template <class D, class V>
HWY_INLINE V log_one_plus_exp(D d, V x) {
  const V y = hn::Add(hn::Max(x, hn::Zero(d)), hn::Log1p(d, exp(d, hn::Neg(hn::Abs(x)))));
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

void fill_softplus() {
  with_parameters<slots::softplus, 1, kHeavyGrain>(Floats(), [](auto d, auto* p, auto x) {
    const auto beta = hn::Set(d, p[0]), u = hn::Mul(x, beta);
    return hn::IfThenElse(hn::Gt(u, hn::Set(d, p[1])), x, hn::Div(log_one_plus_exp(d, u), beta));
  });
  with_parameters<slots::softplus_backward, 2, kHeavyGrain>(Floats(), [](auto d, auto* p, auto g, auto x) {
    const auto u = hn::Mul(x, hn::Set(d, p[0]));
    return hn::IfThenElse(hn::Gt(u, hn::Set(d, p[1])), g, hn::Mul(g, sigmoid(d, u)));
  });
  vectors<slots::log_sigmoid, 1, kHeavyGrain>(Floats(),
                                              [](auto d, auto x) { return hn::Neg(log_one_plus_exp(d, hn::Neg(x))); });
  vectors<slots::log_sigmoid_backward, 2, kHeavyGrain>(
      Floats(), [](auto d, auto g, auto x) { return hn::Mul(g, sigmoid(d, hn::Neg(x))); });
}

void fill_silu() {
  vectors<slots::silu, 1, kHeavyGrain>(Floats(), [](auto d, auto x) { return hn::Mul(x, sigmoid(d, x)); });
  numbers<slots::silu, 1, kHeavyGrain>(Complexes(), []<class C>(C x) { return x / (C(1) + std::exp(-x)); });
  // s + x s (1 - s)
  vectors<slots::silu_backward, 2, kHeavyGrain>(Floats(), [](auto d, auto g, auto x) {
    const auto s = sigmoid(d, x), one = constant(d, 1);
    return hn::Mul(g, hn::Mul(s, hn::MulAdd(x, hn::Sub(one, s), one)));
  });
  numbers<slots::silu_backward, 2, kHeavyGrain>(Complexes(), []<class C>(C g, C x) {
    const C s = C(1) / (C(1) + std::exp(-x));
    return times(g, std::conj(times(s, C(1) + times(x, C(1) - s))));
  });
  vectors<slots::gated, 2, kHeavyGrain>(Floats(), [](auto d, auto a, auto b) { return hn::Mul(a, sigmoid(d, b)); });
}

/// tanh(log(1 + e^x)) = ((1 + e^x)^2 - 1) / ((1 + e^x)^2 + 1), with e^-2x multiplied in where x > 0.
template <class D, class V>
HWY_INLINE V tanh_softplus(D d, V x) {
  const V e = exp(d, hn::Neg(hn::Abs(x))), two = constant(d, 2), one = constant(d, 1);
  const auto positive = hn::Gt(x, hn::Zero(d));
  const V top = hn::IfThenElse(positive, hn::MulAdd(two, e, one), hn::Mul(e, hn::Add(e, two)));
  return hn::Div(top, hn::Add(top, hn::IfThenElse(positive, hn::Mul(two, hn::Mul(e, e)), two)));
}

void fill_mish() {
  vectors<slots::mish, 1, kHeavyGrain>(Floats(), [](auto d, auto x) { return hn::Mul(x, tanh_softplus(d, x)); });
  // t + x s (1 - t^2)
  vectors<slots::mish_backward, 2, kHeavyGrain>(Floats(), [](auto d, auto g, auto x) {
    const auto t = tanh_softplus(d, x), s = hn::Mul(x, sigmoid(d, x));
    return hn::Mul(g, hn::MulAdd(s, hn::NegMulAdd(t, t, constant(d, 1)), t));
  });
}

void fill_activations() {
  fill_leaky_relu();
  fill_hardtanh();
  fill_hard_gates();
  fill_huber();
  fill_shrinks();
  fill_elu();
  fill_softplus();
  fill_silu();
  fill_mish();
}

}  // namespace
}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {
HWY_EXPORT(fill_activations);
void fill_activation_rows() { HWY_DYNAMIC_DISPATCH(fill_activations)(); }
}  // namespace facula::cpu
#endif
