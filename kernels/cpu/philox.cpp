// The rounds of Philox run in 64-bit lanes, one block per lane: products of 32-bit halves need no shuffles there. Sines
// and cosines need no range reduction: the angle's upper bits are the quadrant, the lower ones the place in it.
#include "kernels/cpu/philox.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/philox.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
// The rest of Highway.
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void Words(const Philox& g, uint64_t first, int64_t blocks, uint32_t* words) {
  int64_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<uint64_t> d;
  const hn::Repartition<uint32_t, decltype(d)> d32;
  using V = hn::Vec<decltype(d)>;
  const int64_t lanes = hn::Lanes(d);
  const auto low = hn::Set(d, 0xffffffffu), count = hn::Iota(d, 0);
  const auto m0 = hn::Set(d32, 0xD2511F53u), m1 = hn::Set(d32, 0xCD9E8D57u);
  constexpr int kSide = 4;  // vectors side by side: the rounds of one depend on each other
  for (; i + kSide * lanes <= blocks; i += kSide * lanes) {
    // Only the lower half of each lane counts; what the upper half holds is never read.
    V c0[kSide], c1[kSide], c2[kSide], c3[kSide];
    for (int v = 0; v < kSide; ++v) {
      c0[v] = hn::Add(count, hn::Set(d, g.offset + first + static_cast<uint64_t>(i + v * lanes)));
      c1[v] = hn::ShiftRight<32>(c0[v]);
      c2[v] = c3[v] = hn::Zero(d);
    }
    uint32_t k0 = static_cast<uint32_t>(g.seed), k1 = static_cast<uint32_t>(g.seed >> 32);
    for (int round = 0; round < 10; ++round) {
      const auto key0 = hn::Set(d, k0), key1 = hn::Set(d, k1);
      for (int v = 0; v < kSide; ++v) {
        const auto p0 = hn::MulEven(hn::BitCast(d32, c0[v]), m0), p1 = hn::MulEven(hn::BitCast(d32, c2[v]), m1);
        c0[v] = hn::Xor(hn::Xor(hn::ShiftRight<32>(p1), c1[v]), key0);
        c2[v] = hn::Xor(hn::Xor(hn::ShiftRight<32>(p0), c3[v]), key1);
        c1[v] = p1, c3[v] = p0;
      }
      k0 += 0x9E3779B9, k1 += 0xBB67AE85;
    }
    for (int v = 0; v < kSide; ++v) {
      const auto c01 = hn::Or(hn::And(c0[v], low), hn::ShiftLeft<32>(c1[v]));
      const auto c23 = hn::Or(hn::And(c2[v], low), hn::ShiftLeft<32>(c3[v]));
      hn::StoreInterleaved2(c01, c23, d, reinterpret_cast<uint64_t*>(words + 4 * (i + v * lanes)));
    }
  }
#endif
  for (; i < blocks; ++i) {
    const auto block = g.block(first + static_cast<uint64_t>(i));
    for (int k = 0; k < 4; ++k) words[4 * i + k] = block[k];
  }
}

// -ln u of random words, in the words' own lanes.
template <class V>
auto MinusLog(hn::ScalableTag<float> d, V a) {
  const hn::RebindToSigned<decltype(d)> di;
  const auto half = hn::ConvertTo(d, hn::BitCast(di, hn::ShiftRight<1>(a)));
  return hn::Neg(hn::Log(d, hn::MulAdd(half, hn::Set(d, 0x1p-31f), hn::Set(d, 0x1p-32f))));
}
template <class V>
auto MinusLog(hn::ScalableTag<double> d, V a) {
  const hn::RebindToSigned<decltype(d)> di;
  const auto k = hn::ConvertTo(d, hn::BitCast(di, hn::ShiftRight<11>(a)));
  return hn::Neg(hn::Log(d, hn::MulAdd(k, hn::Set(d, 0x1p-53), hn::Set(d, 0x1p-53))));
}

// Sine and cosine of pi/2 x for |x| <= 1/2: the polynomials of Cephes (Moshier 1989).
template <class V>
void SinCos(hn::ScalableTag<float> d, V x, V& sine, V& cosine) {
  const auto a = hn::Mul(x, hn::Set(d, 1.57079632679489661923f)), z = hn::Mul(a, a);
  auto s = hn::Set(d, -1.9515295891e-4f);
  for (const float c : {8.3321608736e-3f, -1.6666654611e-1f}) s = hn::MulAdd(s, z, hn::Set(d, c));
  auto c = hn::Set(d, 2.443315711809948e-5f);
  for (const float k : {-1.388731625493765e-3f, 4.166664568298827e-2f, -0.5f, 1.0f})
    c = hn::MulAdd(c, z, hn::Set(d, k));
  sine = hn::MulAdd(hn::Mul(s, z), a, a);
  cosine = c;
}
template <class V>
void SinCos(hn::ScalableTag<double> d, V x, V& sine, V& cosine) {
  const auto a = hn::Mul(x, hn::Set(d, 1.57079632679489661923)), z = hn::Mul(a, a);
  auto s = hn::Set(d, 1.58962301576546568060e-10);
  for (const double c : {-2.50507477628578072866e-8, 2.75573136213857245213e-6, -1.98412698295895385996e-4,
                         8.33333333332211858878e-3, -1.66666666666666307295e-1})
    s = hn::MulAdd(s, z, hn::Set(d, c));
  auto c = hn::Set(d, -1.13585365213876817300e-11);
  for (const double k : {2.08757008419747316778e-9, -2.75573141792967388112e-7, 2.48015872888517045348e-5,
                         -1.38888888888730564116e-3, 4.16666666666665929218e-2, -0.5, 1.0})
    c = hn::MulAdd(c, z, hn::Set(d, k));
  sine = hn::MulAdd(hn::Mul(s, z), a, a);
  cosine = c;
}

// From words of T's size, `count` a multiple of 2. What does not fill vectors is computed from a padded copy.
template <class T>
void Normal(const hwy::MakeUnsigned<T>* words, int64_t count, T* out) {
  const hn::ScalableTag<T> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  const hn::RebindToSigned<decltype(d)> di;
  constexpr int kBits = 8 * sizeof(T);
  auto pairs = [&](const hwy::MakeUnsigned<T>* from, T* to) {
    hn::Vec<decltype(du)> a, b;
    hn::LoadInterleaved2(du, from, a, b);
    const auto radius = hn::Sqrt(hn::Mul(hn::Set(d, T(2)), MinusLog(d, a)));
    // t = pi/2 (quadrant + x): the place in the quadrant is signed, so that |x| <= 1/2.
    const auto quadrant = hn::ShiftRight<1>(hn::Add(hn::ShiftRight<kBits - 3>(b), hn::Set(du, 1)));
    const auto place = hn::ShiftRight<2>(hn::BitCast(di, hn::ShiftLeft<2>(b)));
    const auto x =
        hn::Mul(hn::ConvertTo(d, place), hn::Set(d, static_cast<T>(1.0 / (hwy::MakeUnsigned<T>{1} << (kBits - 2)))));
    hn::Vec<decltype(d)> sine, cosine;
    SinCos(d, x, sine, cosine);
    const auto is_odd = hn::RebindMask(d, hn::TestBit(quadrant, hn::Set(du, 1)));
    const auto sine_sign = hn::ShiftLeft<kBits - 2>(hn::And(quadrant, hn::Set(du, 2)));
    const auto cosine_sign = hn::ShiftLeft<kBits - 2>(hn::And(hn::Add(quadrant, hn::Set(du, 1)), hn::Set(du, 2)));
    const auto c = hn::Xor(hn::IfThenElse(is_odd, sine, cosine), hn::BitCast(d, cosine_sign));
    const auto s = hn::Xor(hn::IfThenElse(is_odd, cosine, sine), hn::BitCast(d, sine_sign));
    hn::StoreInterleaved2(hn::Mul(radius, c), hn::Mul(radius, s), d, to);
  };
  const int64_t step = 2 * hn::Lanes(d);
  int64_t i = 0;
  for (; i + step <= count; i += step) pairs(words + i, out + i);
  if (i == count) return;
  hwy::MakeUnsigned<T> padded[2 * hn::MaxLanes(d)] = {};
  T numbers[2 * hn::MaxLanes(d)];
  std::copy(words + i, words + count, padded);
  pairs(padded, numbers);
  std::copy(numbers, numbers + (count - i), out + i);
}

template <class T>
void Exponential(const hwy::MakeUnsigned<T>* words, int64_t count, T* out) {
  const hn::ScalableTag<T> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  const auto least = hn::Set(d, sizeof(T) == 4 ? T(0x1p-25) : T(0x1p-54));
  const int64_t lanes = hn::Lanes(d);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(hn::Max(MinusLog(d, hn::LoadU(du, words + i)), least), d, out + i);
  if (i == count) return;
  hwy::MakeUnsigned<T> padded[hn::MaxLanes(d)] = {};
  T numbers[hn::MaxLanes(d)];
  std::copy(words + i, words + count, padded);
  hn::StoreU(hn::Max(MinusLog(d, hn::LoadU(du, padded)), least), d, numbers);
  std::copy(numbers, numbers + (count - i), out + i);
}

void Normal32(const uint32_t* words, int64_t count, float* out) { Normal<float>(words, count, out); }
void Normal64(const uint64_t* words, int64_t count, double* out) { Normal<double>(words, count, out); }
void Exponential32(const uint32_t* words, int64_t count, float* out) { Exponential<float>(words, count, out); }
void Exponential64(const uint64_t* words, int64_t count, double* out) { Exponential<double>(words, count, out); }

}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {

HWY_EXPORT(Words);
HWY_EXPORT(Normal32);
HWY_EXPORT(Normal64);
HWY_EXPORT(Exponential32);
HWY_EXPORT(Exponential64);

void philox_words(const Philox& g, uint64_t first, int64_t blocks, uint32_t* words) {
  HWY_DYNAMIC_DISPATCH(Words)(g, first, blocks, words);
}
void normal_numbers(const uint32_t* words, int64_t count, float* out) {
  HWY_DYNAMIC_DISPATCH(Normal32)(words, count, out);
}
void normal_numbers(const uint32_t* words, int64_t count, double* out) {
  HWY_DYNAMIC_DISPATCH(Normal64)(reinterpret_cast<const uint64_t*>(words), count, out);
}
void exponential_numbers(const uint32_t* words, int64_t count, float* out) {
  HWY_DYNAMIC_DISPATCH(Exponential32)(words, count, out);
}
void exponential_numbers(const uint32_t* words, int64_t count, double* out) {
  HWY_DYNAMIC_DISPATCH(Exponential64)(reinterpret_cast<const uint64_t*>(words), count, out);
}

}  // namespace facula::cpu
#endif
