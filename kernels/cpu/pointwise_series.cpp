// Special functions that are series of vectors, in float64: Chebyshev's, whose coefficients were computed with mpmath to 40
// digits, and Stirling's. What they do not cover is left to the functions in special.h, number by number.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/pointwise_series.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "kernels/cpu/special.h"
#include "kernels/cpu/vector_error.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace {

// ---- modified Bessel functions: e^-x I0(x) and e^-x I1(x) / x in [0, 8], sqrt(x) e^-x I0(x) and I1(x) in 1 / x beyond ----
constexpr double kI0Small[] = {
    0.33839763720473804,    -0.3046826723431984,     0.17162090152220878,    -0.094901097048047644,
    0.049305284239670708,   -0.023737414805899469,   0.010546460394594998,   -0.0043243099950505759,
    0.0016394756169413358,  -5.7637557453858237e-4,  1.8850288509584166e-4,  -5.7541950100821037e-5,
    1.6448448070728897e-5,  -4.4167383584587506e-6,  1.1173875391201037e-6,  -2.6707938539406117e-7,
    6.0469950225419189e-8,  -1.300025009986248e-8,   2.6598237246823867e-9,  -5.1897956016352629e-10,
    9.6758090353732369e-11, -1.7268262914415557e-11, 2.9550526631296398e-12, -4.8564467831119295e-13,
    7.6761854986049356e-14, -1.1685332877993452e-14, 1.715391285555133e-15,  -2.4312798465479547e-16,
    3.3307945188222381e-17, -4.4153416464793394e-18, 5.6691780069214962e-19};
constexpr double kI0Large[] = {
    0.40224520550705442,     0.0033691164782556941,   6.889758346916824e-5,    2.8913705208347565e-6,
    2.0489185894690637e-7,   2.2666689904981781e-8,   3.3962320257083863e-9,   4.9406023882249696e-10,
    1.1889147107846438e-11,  -3.1499165279632414e-11, -1.3215811840447713e-11, -1.7941785315068061e-12,
    7.1801244513836662e-13,  3.8527783827421427e-13,  1.5400862175214098e-14,  -4.1505693472872221e-14,
    -9.5548466988283076e-15, 3.8116806693526224e-15,  1.7725601330565264e-15,  -3.4254856196772191e-16,
    -2.8276239805165835e-16, 3.4612228676974611e-17,  4.46562142029676e-17,    -4.8305044859441821e-18,
    -7.233180487874754e-18,  9.9214754121736986e-19,  1.1936508908459821e-18};
constexpr double kI1Small[] = {
    0.12629359322181683,    -0.17641651835783406,    0.1026436586898471,     -0.052945981208094991,
    0.024726449030626517,   -0.010564084894626198,   0.0041564229443128882,  -0.0015135724506312531,
    5.1228595616857577e-4,  -1.6176081582589675e-4,  4.7815651075500542e-5,  -1.3273163656039436e-5,
    3.4702513081376785e-6,  -8.5687202646954547e-7,  2.0032947535521353e-7,  -4.4450591287963281e-8,
    9.3815373864957718e-9,  -1.8872497517228293e-9,  3.625590281552117e-10,  -6.6634897235020277e-11,
    1.1736186298890902e-11, -1.9839743977649437e-12, 3.2237933659455747e-13, -5.0421855047279117e-14,
    7.6006842947354069e-15, -1.1055969477353863e-15, 1.5536319577362005e-16, -2.1114212143581661e-17,
    2.7779141127610464e-18, -3.5415817725421362e-19, 4.379302756655071e-20};
constexpr double kI1Large[] = {
    0.38928811750914006,     -0.0097610974913614684,  -1.1058893876262372e-4,  -3.8825648088776904e-6,
    -2.5122362378702089e-7,  -2.6314688468895195e-8,  -3.835380385964237e-9,   -5.5897434621965838e-10,
    -1.8974958123505412e-11, 3.2526035830154882e-11,  1.4125807436613781e-11,  2.0356285441470895e-12,
    -7.1985517762459085e-13, -4.0835511110921973e-13, -2.1015418427726643e-14, 4.2724400167119514e-14,
    1.0420276984128803e-14,  -3.8144030724370078e-15, -1.8803547755107824e-15, 3.3082023109209283e-16,
    2.9626289976459501e-16,  -3.209525921993424e-17,  -4.6503053684893583e-17, 4.4143483230717079e-18,
    7.5172963108421048e-18,  -9.3141788673268834e-19, -1.242193275194891e-18};

template <class D, class V, size_t n, size_t m>
HWY_INLINE V bessel_i(D d, V a, const double (&small)[n], const double (&large)[m]) {
  const V eight = constant(d, 8), one = constant(d, 1);
  const V near = chebyshev(d, hn::MulSub(hn::Min(a, eight), constant(d, 0.25), one), small);
  const auto is_near = hn::Le(a, eight);
  if (hn::AllTrue(d, is_near)) return near;
  const V beyond = hn::Max(a, eight);
  const V far = hn::Div(chebyshev(d, hn::Sub(hn::Div(constant(d, 16), beyond), one), large), hn::Sqrt(beyond));
  return hn::IfThenElse(is_near, near, far);
}
template <class D, class V>
HWY_INLINE V i0e(D d, V x) {
  return hn::IfThenElse(hn::IsNaN(x), x, bessel_i(d, hn::Abs(x), kI0Small, kI0Large));
}
template <class D, class V>
HWY_INLINE V i1e(D d, V x) {
  const V a = hn::Abs(x), y = bessel_i(d, a, kI1Small, kI1Large);
  return hn::IfThenElse(hn::IsNaN(x), x, hn::IfThenElse(hn::Le(a, constant(d, 8)), hn::Mul(x, y), hn::CopySign(y, x)));
}
template <class D, class V>
HWY_INLINE V i0(D d, V x) {
  return hn::Mul(exp(d, hn::Abs(x)), i0e(d, x));
}
template <class D, class V>
HWY_INLINE V i1(D d, V x) {
  return hn::Mul(exp(d, hn::Abs(x)), i1e(d, x));
}

// ---- inverses: erfinv(x) / x in w = -log(1 - x^2) up to 6.25 (Giles 2012), and in its root from 2.5 to 6.25 ----
constexpr double kInverseNear[] = {
    1.6304220989459325,     0.73156744567422574,     -0.021235032142504586,   -0.0065808875424494631,
    0.0019488711426908524,  -1.4158343386374537e-4,  -4.9292864636180005e-5,  1.4752887929042497e-5,
    -6.1119186032581936e-7, -5.1069973354807612e-7,  1.1590277232977349e-7,   1.4907998843194937e-9,
    -5.2447767855306813e-9, 8.5179054910976207e-10,  7.9170205929739079e-11,  -5.0994281737154327e-11,
    5.4362275302313168e-12, 1.2922821897517949e-12,  -4.656064719044143e-13,  2.4256976317675218e-14,
    1.6403697972051413e-14, -3.9495606909014703e-15, -3.9036001761416304e-17, 1.8312908352795899e-16,
    -3.03580260263594e-17,  -2.8782301773959921e-18, 1.8669320251663633e-18};
constexpr double kInverseFar[] = {
    4.2206550336835275,     1.8900835884232286,      0.0027182744131301355,   -0.0016287518508837263,
    6.2909397788849307e-4,  -2.4276189806299142e-4,  9.8156484960724692e-5,   -3.8894067085648883e-5,
    1.3770605213688245e-5,  -3.886281653499327e-6,   6.4119432682446105e-7,   1.0464659053996748e-7,
    -1.3449662433141715e-7, 5.916405363297392e-8,    -1.4985247175259549e-8,  8.9113598230913825e-10,
    1.1657963652793541e-9,  -6.298120788451846e-10,  1.676191502208654e-10,   -1.3545085700757728e-11,
    -9.427817496506567e-12, 5.0856585661187941e-12,  -1.2896540185732923e-12, 1.1681711140978219e-13,
    4.957374993205357e-14,  -2.7696667569365291e-14, 7.6979667317289343e-15,  -1.3637804068406545e-15,
    8.0112667239562621e-17, 6.8374792422268715e-17,  -4.5346257861580324e-17, 1.8110479116545222e-17,
    -4.7383210623465101e-18};

/// erfinv(x) / x, by w.
template <class D, class V>
HWY_INLINE V inverse_slope(D d, V w) {
  const V one = constant(d, 1), edge = constant(d, 6.25);
  const V near = chebyshev(d, hn::MulSub(hn::Min(w, edge), constant(d, 0.32), one), kInverseNear);
  const auto is_near = hn::Le(w, edge);
  if (hn::AllTrue(d, is_near)) return near;
  const V root = hn::Sqrt(hn::Min(hn::Max(w, edge), constant(d, 39)));
  const V far = chebyshev(d, hn::Mul(hn::Sub(root, constant(d, 4.375)), constant(d, 1 / 1.875)), kInverseFar);
  return hn::IfThenElse(is_near, near, far);
}
template <class D, class V>
HWY_INLINE V erfinv(D d, V x) {
  const V one = constant(d, 1), a = hn::Abs(x), w = hn::Neg(log(d, hn::Mul(hn::Sub(one, x), hn::Add(one, x))));
  const V edge = hn::IfThenElse(hn::Eq(a, one), hn::CopySign(infinity(d), x), nan(d));
  return hn::IfThenElse(hn::Lt(a, one), hn::Mul(x, inverse_slope(d, w)), edge);
}
template <class D, class V>
HWY_INLINE V ndtri(D d, V p) {
  const V one = constant(d, 1), x = hn::MulSub(constant(d, 2), p, one);
  const V w = hn::Neg(log(d, hn::Mul(hn::Mul(constant(d, 4), p), hn::Sub(one, p))));
  const V y = hn::Mul(hn::Mul(x, constant(d, 1.41421356237309504880)), inverse_slope(d, w));
  return patched(
      d, y, hn::Not(hn::Le(w, constant(d, 39))), [](double v) { return ndtri_of_tail(v); }, p);
}

// ---- the gamma function: reflected to the right, carried up by products, then Stirling's series (DLMF 5.11) ----

/// x less the nearest whole number.
template <class V>
HWY_INLINE V off_whole(V x) {
  return hn::Sub(x, hn::Round(x));
}

/// z (z + 1) ... and its derivative by z, as far as they carry z to `last`, at most ten steps.
template <class D, class V>
struct Carried {
  V z, product, slope;
  HWY_INLINE Carried(D d, V from, double last) : z(from), product(constant(d, 1)), slope(hn::Zero(d)) {
    for (int step = 0; step < 10; ++step) {
      const auto below = hn::Lt(z, constant(d, last));
      slope = hn::IfThenElse(below, hn::MulAdd(slope, z, product), slope);
      product = hn::IfThenElse(below, hn::Mul(product, z), product);
      z = hn::IfThenElse(below, hn::Add(z, constant(d, 1)), z);
    }
  }
};

/// From 10 on the asymptotic series (Abramowitz and Stegun 6.3.18) has full precision.
template <class D, class V>
HWY_INLINE V digamma(D d, V x) {
  const V zero = hn::Zero(d), one = constant(d, 1), half = constant(d, 0.5);
  const auto negative = hn::Lt(x, zero);
  const Carried<D, V> up(d, hn::IfThenElse(negative, hn::Sub(one, x), x), 10);
  const V r = hn::Div(one, up.z), square = hn::Mul(r, r);
  const V series =
      polynomial(d, square, {1.0 / 12, -691.0 / 32760, 1.0 / 132, -1.0 / 240, 1.0 / 252, -1.0 / 120, 1.0 / 12, 0});
  const V right = hn::Sub(hn::Sub(hn::Sub(log(d, up.z), hn::Mul(half, r)), series), hn::Div(up.slope, up.product));
  const V fraction = off_whole(x), angle = hn::Mul(constant(d, kPi), fraction);
  const V reflection =
      hn::IfThenElseZero(negative, hn::Div(hn::Mul(constant(d, kPi), hn::Cos(d, angle)), hn::Sin(d, angle)));
  const auto pole = hn::And(hn::Le(x, zero), hn::Eq(fraction, zero));
  const V at_pole = hn::IfThenElse(hn::Eq(x, zero), hn::CopySign(infinity(d), hn::Neg(x)), nan(d));
  return hn::IfThenElse(pole, at_pole, hn::Sub(right, reflection));
}

/// To float32's precision: near its zeros 15 digits are lost in parts.
template <class D, class V>
HWY_INLINE V lgamma(D d, V x) {
  const V one = constant(d, 1), half = constant(d, 0.5);
  const auto reflected = hn::Lt(x, half);
  const Carried<D, V> up(d, hn::IfThenElse(reflected, hn::Sub(one, x), x), 8);
  const V r = hn::Div(one, up.z);
  const V series =
      hn::Mul(r, polynomial(d, hn::Mul(r, r),
                            {1.0 / 156, -691.0 / 360360, 1.0 / 1188, -1.0 / 1680, 1.0 / 1260, -1.0 / 360, 1.0 / 12}));
  const V stirling = hn::Add(hn::MulSub(hn::Sub(up.z, half), log(d, up.z), up.z),
                             hn::Add(constant(d, 0.918938533204672741780), series));
  const V sine = hn::Abs(hn::Sin(d, hn::Mul(constant(d, kPi), off_whole(x))));
  const V factor = hn::IfThenElse(reflected, hn::Div(hn::Mul(constant(d, kPi), up.product), sine), up.product);
  const V right = hn::Sub(stirling, log(d, factor)), y = hn::IfThenElse(reflected, hn::Neg(right), right);
  const auto zero = hn::Or(hn::Eq(x, one), hn::Eq(x, constant(d, 2)));
  return patched(
      d, hn::IfThenZeroElse(zero, y), hn::Not(hn::IsFinite(x)), [](double v) { return log_gamma(v); }, x);
}

void lgamma_row(char* out, const char* const* in, int64_t n, ScalarSpan) {
  constexpr int64_t block = 128;
  alignas(64) double x[block];
  for (int64_t begin = 0; begin < n; begin += block) {
    const int64_t count = std::min(block, n - begin);
    std::copy_n(reinterpret_cast<const float*>(in[0]) + begin, count, x);
    const char* operands[] = {reinterpret_cast<const char*>(x)};
    each<double, 1, true>(reinterpret_cast<char*>(x), operands, count, [](auto d, auto v) { return lgamma(d, v); });
    std::copy_n(x, count, reinterpret_cast<float*>(out) + begin);
  }
}

void fill_series() {
#define FACULA_FILL(function) \
  vectors<slots::function, 1, kHeavyGrain>(Types<double>(), [](auto d, auto x) { return function(d, x); });
  FACULA_FILL(i0)
  FACULA_FILL(i0e)
  FACULA_FILL(i1)
  FACULA_FILL(i1e)
  FACULA_FILL(erfinv)
  FACULA_FILL(ndtri)
  FACULA_FILL(digamma)
#undef FACULA_FILL
  add_row<slots::lgamma, 1>(DType::Float32, lgamma_row, kHeavyGrain);
}

}  // namespace
}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {
HWY_EXPORT(fill_series);
void fill_series_rows() { HWY_DYNAMIC_DISPATCH(fill_series)(); }
}  // namespace facula::cpu
#endif
