// Exponentials, logarithms, trigonometric and hyperbolic functions, and the error function. Some have vectors of float32;
// the others compute it in float64, which costs half the speed and leaves half a unit in the last place.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/pointwise_math.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "kernels/cpu/vector_error.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace {

void fill_divisions() {
  vectors<slots::fmod, 2, kHeavyGrain>(Floats(), [](auto d, auto x, auto y) { return fmod(d, x, y); });
  vectors<slots::remainder, 2, kHeavyGrain>(Floats(), [](auto d, auto x, auto y) {
    const auto r = fmod(d, x, y), zero = hn::Zero(d);
    const auto differ = hn::And(hn::Ne(r, zero), hn::Xor(hn::Lt(r, zero), hn::Lt(y, zero)));
    return hn::IfThenElse(differ, hn::Add(r, y), r);
  });
  // The quotient that belongs to this remainder, rounded where the division was not exact; by zero as x / y.
  vectors<slots::floor_divide, 2, kHeavyGrain>(Floats(), [](auto d, auto x, auto y) {
    const auto r = fmod(d, x, y), zero = hn::Zero(d), one = constant(d, 1), quotient = hn::Div(x, y);
    const auto differ = hn::And(hn::Ne(r, zero), hn::Xor(hn::Lt(r, zero), hn::Lt(y, zero)));
    const auto exact = hn::Div(hn::Sub(x, r), y);
    const auto q = hn::IfThenElse(differ, hn::Sub(exact, one), exact), whole = hn::Floor(q);
    const auto rounded = hn::IfThenElse(hn::Gt(hn::Sub(q, whole), constant(d, 0.5)), hn::Add(whole, one), whole);
    const auto signed_zero = hn::CopySign(zero, quotient);
    return hn::IfThenElse(hn::Eq(y, zero), quotient, hn::IfThenElse(hn::Eq(q, zero), signed_zero, rounded));
  });
}

/// log(x / (1 - x)), with x held within eps .. 1 - eps first.
template <class T>
void logit_row(char* out, const char* const* in, int64_t n, ScalarSpan params) {
  const auto eps = params[0].to<double>();
  each<T, 1, true>(out, in, n, [eps](auto d, auto x) {
    const auto low = constant(d, eps), high = constant(d, 1 - eps);
    if (eps >= 0) x = hn::IfThenElse(hn::Lt(x, low), low, hn::IfThenElse(hn::Gt(x, high), high, x));
    return log(d, hn::Div(x, hn::Sub(constant(d, 1), x)));
  });
}

void fill_math() {
  fill_divisions();
  using Double = Types<double>;
#define FACULA_FILL(types, function) \
  vectors<slots::function, 1, kHeavyGrain>(types(), [](auto d, auto x) { return function(d, x); });
  FACULA_FILL(Floats, exp)
  FACULA_FILL(Floats, log)
  FACULA_FILL(Floats, tanh)
  FACULA_FILL(Floats, sigmoid)
  FACULA_FILL(Floats, erf)
  FACULA_FILL(Double, erfc)
  FACULA_FILL(Double, ndtr)
  FACULA_FILL(Double, sinc)
  FACULA_FILL(Floats, entr)
  FACULA_FILL(Double, exp2)
  FACULA_FILL(Double, expm1)
  FACULA_FILL(Double, log1p)
  FACULA_FILL(Double, log2)
  FACULA_FILL(Double, log10)
  FACULA_FILL(Double, sinh)
  FACULA_FILL(Double, cosh)
  FACULA_FILL(Double, asinh)
  FACULA_FILL(Double, acosh)
  FACULA_FILL(Double, atanh)
  FACULA_FILL(Double, sin)
  FACULA_FILL(Double, cos)
  FACULA_FILL(Double, tan)
#undef FACULA_FILL
  vectors<slots::atan2, 2, kHeavyGrain>(Double(), [](auto d, auto y, auto x) { return atan2(d, y, x); });
  vectors<slots::xlogy, 2, kHeavyGrain>(Floats(), [](auto d, auto x, auto y) { return xlogy(d, x, y); });
  vectors<slots::xlog1py, 2, kHeavyGrain>(Double(), [](auto d, auto x, auto y) { return xlog1py(d, x, y); });
  vectors<slots::logaddexp, 2, kHeavyGrain>(Double(), [](auto d, auto x, auto y) { return logaddexp(d, x, y); });
  vectors<slots::logaddexp2, 2, kHeavyGrain>(Double(), [](auto d, auto x, auto y) { return logaddexp2(d, x, y); });
  add_row<slots::logit, 1>(DType::Float32, logit_row<float>, kHeavyGrain);
  add_row<slots::logit, 1>(DType::Float64, logit_row<double>, kHeavyGrain);
  vectors<slots::asin, 1, kHeavyGrain>(Double(), [](auto d, auto x) { return hn::Asin(d, x); });
  vectors<slots::acos, 1, kHeavyGrain>(Double(), [](auto d, auto x) { return hn::Acos(d, x); });
  vectors<slots::atan, 1, kHeavyGrain>(Double(), [](auto d, auto x) { return hn::Atan(d, x); });
}

}  // namespace
}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {
HWY_EXPORT(fill_math);
void fill_math_rows() { HWY_DYNAMIC_DISPATCH(fill_math)(); }
}  // namespace facula::cpu
#endif
