// Random numbers by counter: element i takes the words of its own place in the stream, so that the result depends on
// neither the number of threads nor the strides. Words of block(0), block(1), ... of the stream, four each, are
// numbered through; w(k) is word k, W(k) = w(2 k) + 2^32 w(2 k + 1) is a pair. Element i of
//
//   uniform         float32, float16, bfloat16: u = (w(i) >> 8) 2^-24; float64: u = (W(i) >> 11) 2^-53;
//                   from + u (to - from), and the number next below `to` where that rounds to it
//   normal          numbers i and i + 1, i even, by Box and Muller from w(i), w(i + 1); float64: from W(i), W(i + 1)
//   exponential     -ln u / rate from w(i); float64: from W(i); philox.h has both formulas
//   bernoulli       w(i) 2^-32 < p
//   random_integer  low + W(i) (high - low) / 2^64, of which the bias is at most (high - low) 2^-64
//   randperm        Fisher and Yates from the last place down: place i is exchanged with place W(i) (i + 1) / 2^64
//
// so that n elements take at most n / 2 + 1 blocks.
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <type_traits>

#include "core/iterator.h"
#include "core/slots.h"
#include "kernels/cpu/philox.h"
#include "kernels/cpu/register.h"

namespace facula::cpu {
namespace {

constexpr int64_t kPiece = 1024;  // elements whose words are made at a time; a multiple of 4

template <class T>
using Real = std::conditional_t<std::is_same_v<T, double>, double, float>;
// 32-bit words that one element takes.
template <class T>
inline constexpr int kWords = std::is_same_v<T, double> ? 2 : 1;

uint64_t pair(const uint32_t* words, int64_t i) { return words[2 * i] | uint64_t{words[2 * i + 1]} << 32; }
// The upper 64 bits of the product: w 2^-64 of n.
uint64_t share(uint64_t w, uint64_t n) {
  __extension__ using Product = unsigned __int128;
  return static_cast<uint64_t>(static_cast<Product>(w) * n >> 64);
}

// Calls body(first, count, words) for pieces of n elements that take `words_each` words.
template <class Body>
void for_pieces(const Philox& g, int64_t n, int words_each, Body body) {
  parallel_for((n + kPiece - 1) / kPiece, kHeavyGrain / kPiece, [&](int64_t begin, int64_t end) {
    uint32_t words[2 * kPiece];
    for (int64_t piece = begin; piece < end; ++piece) {
      const int64_t first = piece * kPiece, count = std::min(kPiece, n - first);
      philox_words(g, first * words_each / 4, (count * words_each + 3) / 4, words);
      body(first, count, words);
    }
  });
}

// Calls fill(dense) with out itself where it is contiguous, else with a tensor that is copied to it.
template <class Fill>
void fill_dense(const Tensor& out, Fill fill) {
  if (out.numel() == 0) return;
  if (out.is_contiguous()) return fill(out);
  const Tensor dense = empty(out.sizes(), out.dtype());
  fill(dense);
  slots::copy(out, dense);
}

// Calls f.operator()<T>() for floating element types.
template <class F>
void with_floating(const char* where, DType t, F&& f) {
  check(is_floating(t), where, ": expected a floating tensor, got ", t);
  with_type(t, [&]<class T>() {
    if constexpr (is_floating(dtype_of<T>)) f.template operator()<T>();
  });
}

// The largest T below x.
template <class T>
Real<T> below(double x) {
  T t(static_cast<Real<T>>(x));
  if (static_cast<double>(t) < x) return t;
  if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
    return std::nextafter(t, -std::numeric_limits<T>::infinity());
  } else {  // one step in the bits: towards 0 where x > 0, away from it elsewhere
    constexpr uint16_t kSign = 0x8000;
    if ((t.bits & ~kSign) == 0)
      t.bits = kSign | 1;
    else
      t.bits = static_cast<uint16_t>(t.bits & kSign ? t.bits + 1 : t.bits - 1);
    return t;
  }
}

void uniform(const Tensor& out, double from, double to, Philox g) {
  with_floating("uniform", out.dtype(), [&]<class T>() {
    using R = Real<T>;
    const R low = static_cast<R>(from), range = static_cast<R>(to - from);
    const R last = std::max(low, below<T>(to));
    fill_dense(out, [&](const Tensor& dense) {
      for_pieces(g, dense.numel(), kWords<T>, [&](int64_t first, int64_t count, const uint32_t* words) {
        T* x = dense.data<T>() + first;
        for (int64_t i = 0; i < count; ++i) {
          R u;
          if constexpr (kWords<T> == 2)
            u = static_cast<R>(static_cast<int64_t>(pair(words, i) >> 11)) * 0x1p-53;
          else
            u = static_cast<R>(static_cast<int32_t>(words[i] >> 8)) * 0x1p-24f;
          x[i] = T(std::min(low + u * range, last));
        }
      });
    });
  });
}

// out = shift + scale * numbers(words), where `numbers` fills a buffer with an even count.
template <class Numbers>
void fill_scaled(const char* where, const Tensor& out, Philox g, double shift, double scale, Numbers numbers) {
  with_floating(where, out.dtype(), [&]<class T>() {
    using R = Real<T>;
    const R a = static_cast<R>(scale), b = static_cast<R>(shift);
    fill_dense(out, [&](const Tensor& dense) {
      for_pieces(g, dense.numel(), kWords<T>, [&](int64_t first, int64_t count, const uint32_t* words) {
        R x[kPiece];
        numbers(words, (count + 1) / 2 * 2, x);
        T* to = dense.data<T>() + first;
        for (int64_t i = 0; i < count; ++i) to[i] = T(a * x[i] + b);
      });
    });
  });
}

void normal(const Tensor& out, double mean, double std, Philox g) {
  fill_scaled("normal", out, g, mean, std,
              [](const uint32_t* words, int64_t n, auto* x) { normal_numbers(words, n, x); });
}

void exponential(const Tensor& out, double rate, Philox g) {
  fill_scaled("exponential", out, g, 0, 1 / rate,
              [](const uint32_t* words, int64_t n, auto* x) { exponential_numbers(words, n, x); });
}

template <class T>
T from_integer(int64_t i) {
  if constexpr (std::is_same_v<T, bool>)
    return i != 0;
  else if constexpr (std::is_integral_v<T>)
    return static_cast<T>(i);
  else if constexpr (std::is_same_v<T, double> || std::is_same_v<T, complex128>)
    return T(static_cast<double>(i));
  else
    return T(static_cast<float>(i));
}

void random_integer(const Tensor& out, int64_t low, int64_t high, Philox g) {
  const uint64_t range = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  with_type(out.dtype(), [&]<class T>() {
    fill_dense(out, [&](const Tensor& dense) {
      for_pieces(g, dense.numel(), 2, [&](int64_t first, int64_t count, const uint32_t* words) {
        T* x = dense.data<T>() + first;
        for (int64_t i = 0; i < count; ++i)
          x[i] = from_integer<T>(static_cast<int64_t>(static_cast<uint64_t>(low) + share(pair(words, i), range)));
      });
    });
  });
}

// Where one probability serves all elements, it is compared with the words as an integer.
template <class T>
void bernoulli_constant(const Tensor& out, double p, Philox g) {
  const auto last = static_cast<uint32_t>(p >= 1 ? 0x1p32 - 1 : p > 0 ? std::ceil(p * 0x1p32) - 1 : 0);
  const T values[] = {from_integer<T>(0), from_integer<T>(p > 0)};
  for_pieces(g, out.numel(), 1, [&](int64_t first, int64_t count, const uint32_t* words) {
    T* x = out.data<T>() + first;
    for (int64_t i = 0; i < count; ++i) x[i] = values[words[i] <= last];
  });
}

template <class T, class P>
void bernoulli_each(const Tensor& out, const Tensor& p, Philox g) {
  const LoopNest<2> nest({&out, &p});  // out is dense: rows come in its order
  const T values[] = {from_integer<T>(0), from_integer<T>(1)};
  for_pieces(g, out.numel(), 1, [&](int64_t first, int64_t count, const uint32_t* words) {
    nest.rows(first, first + count, [&](const std::array<char*, 2>& at, int64_t n) {
      const auto [to, from] = nest.stride[0];
      for (int64_t i = 0; i < n; ++i) {
        const double chance = static_cast<double>(*reinterpret_cast<const P*>(at[1] + i * from));
        *reinterpret_cast<T*>(at[0] + i * to) = values[*words++ * 0x1p-32 < chance];
      }
    });
  });
}

void bernoulli(const Tensor& out, const Tensor& p, Philox g) {
  bool constant = true;
  for (int64_t d = 0; d < p.dim(); ++d) constant = constant && (p.stride(d) == 0 || p.size(d) == 1);
  fill_dense(out, [&](const Tensor& dense) {
    with_floating("bernoulli", p.dtype(), [&]<class P>() {
      with_type(out.dtype(), [&]<class T>() {
        if (constant)
          bernoulli_constant<T>(dense, static_cast<double>(*p.data<P>()), g);
        else
          bernoulli_each<T, P>(dense, p, g);
      });
    });
  });
}

void randperm(const Tensor& out, Philox g) {
  fill_dense(out, [&](const Tensor& dense) {
    const int64_t n = dense.numel();
    int64_t* x = dense.data<int64_t>();
    std::iota(x, x + n, int64_t{1});
    uint32_t words[2 * kPiece];
    for (int64_t end = n; end > 0;) {  // pieces of places from the last down
      const int64_t first = (end - 1) / kPiece * kPiece;
      philox_words(g, first / 2, (end - first + 1) / 2, words);
      for (int64_t i = end - 1; i >= first; --i)
        std::swap(x[i], x[share(pair(words, i - first), static_cast<uint64_t>(i) + 1)]);
      end = first;
    }
  });
}

}  // namespace

void fill_random_slots() {
  slots::uniform.fill(DeviceType::CPU, uniform);
  slots::normal.fill(DeviceType::CPU, normal);
  slots::random_integer.fill(DeviceType::CPU, random_integer);
  slots::bernoulli.fill(DeviceType::CPU, bernoulli);
  slots::exponential.fill(DeviceType::CPU, exponential);
  slots::randperm.fill(DeviceType::CPU, randperm);
}

}  // namespace facula::cpu
