// Sequences and random numbers. Words of block(0), block(1), ... of the Philox stream, four each, are numbered through;
// w(k) is word k, W(k) = w(2 k) + 2^32 w(2 k + 1) is a pair. Elements take the same words as on the CPU
// (kernels/cpu/random.cpp has the formulas), so that a seed means the same there and here; only logarithms, sines and
// cosines may differ in their last bits.
//
// A thread makes one block of words and from it four numbers, or two that take pairs.
#include <numeric>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/register.h"

namespace facula::cuda {
namespace {

struct Words {
  uint32_t w[4];
  __device__ explicit Words(const Philox& g, uint64_t block) {
    const auto words = g.block(block);
    for (int k = 0; k < 4; ++k) w[k] = words[k];
  }
  __device__ uint64_t pair(int k) const { return w[2 * k] | uint64_t{w[2 * k + 1]} << 32; }
};

/// Calls make(words, first, numbers) for blocks of `each` elements and stores the numbers made.
template <int each, class Number, class Make>
__global__ void __launch_bounds__(kThreads) random_kernel(char* out, DType type, int64_t n, Philox g, Make make) {
  const int64_t block = int64_t{blockIdx.x} * kThreads + threadIdx.x, first = block * each;
  if (first >= n) return;
  Number x[each];
  make(Words(g, static_cast<uint64_t>(block)), first, x);
  const int64_t item = item_size(type);
  for (int k = 0; k < each; ++k)
    if (first + k < n) store_as(out + (first + k) * item, type, x[k]);
}

// Calls fill(dense) with out itself where it is contiguous, else with a tensor that is copied to it.
template <class Fill>
void fill_dense(const Tensor& out, Fill fill) {
  if (out.numel() == 0) return;
  if (out.is_contiguous()) return fill(out);
  const Tensor dense = empty(out.sizes(), out.dtype(), out.device());
  fill(dense);
  slots::copy(out, dense);
}

template <int each, class Number, class Make>
void fill_random(const char* slot, const Tensor& out, Philox g, const Make& make) {
  fill_dense(out, [&](const Tensor& dense) {
    launch(Queue(slot, dense), random_kernel<each, Number, Make>, blocks_for(ceil_div(dense.numel(), each)), kThreads,
           dense.bytes(), dense.dtype(), dense.numel(), g, make);
  });
}

// Products and sums of their own, not fused: as the CPU rounds.
__device__ float scaled(float a, float x, float b) { return __fadd_rn(__fmul_rn(a, x), b); }
__device__ double scaled(double a, double x, double b) { return __dadd_rn(__dmul_rn(a, x), b); }

struct Uniform32 {
  float low, range, last;
  __device__ void operator()(const Words& words, int64_t, float (&x)[4]) const {
    for (int k = 0; k < 4; ++k) x[k] = fminf(scaled(range, static_cast<float>(words.w[k] >> 8) * 0x1p-24f, low), last);
  }
};
struct Uniform64 {
  double low, range, last;
  __device__ void operator()(const Words& words, int64_t, double (&x)[2]) const {
    for (int k = 0; k < 2; ++k)
      x[k] = fmin(scaled(range, static_cast<double>(words.pair(k) >> 11) * 0x1p-53, low), last);
  }
};

// -ln u, where u = (a / 2 + 1/2) 2^-31, or (a / 2^11 + 1) 2^-53.
__device__ float minus_log(uint32_t a) { return -logf(fmaf(static_cast<float>(a >> 1), 0x1p-31f, 0x1p-32f)); }
__device__ double minus_log(uint64_t a) { return -log(fma(static_cast<double>(a >> 11), 0x1p-53, 0x1p-53)); }

// Box and Muller 1958: r cos(t) and r sin(t), where r = sqrt(-2 ln u(a)) and t = 2 pi b / 2^bits. The upper bits of b
// are the quadrant, the others the signed place in it.
__device__ void box_muller(uint32_t a, uint32_t b, float& x, float& y) {
  const float r = sqrtf(2 * minus_log(a));
  const uint32_t quadrant = ((b >> 29) + 1) >> 1;
  float s, c;
  sincospif(static_cast<float>(static_cast<int32_t>(b << 2) >> 2) * 0x1p-31f, &s, &c);
  x = r * (quadrant % 4 == 0 ? c : quadrant % 4 == 1 ? -s : quadrant % 4 == 2 ? -c : s);
  y = r * (quadrant % 4 == 0 ? s : quadrant % 4 == 1 ? c : quadrant % 4 == 2 ? -s : -c);
}
__device__ void box_muller(uint64_t a, uint64_t b, double& x, double& y) {
  const double r = sqrt(2 * minus_log(a));
  const uint64_t quadrant = ((b >> 61) + 1) >> 1;
  double s, c;
  sincospi(static_cast<double>(static_cast<int64_t>(b << 2) >> 2) * 0x1p-63, &s, &c);
  x = r * (quadrant % 4 == 0 ? c : quadrant % 4 == 1 ? -s : quadrant % 4 == 2 ? -c : s);
  y = r * (quadrant % 4 == 0 ? s : quadrant % 4 == 1 ? c : quadrant % 4 == 2 ? -s : -c);
}

struct Normal32 {
  float mean, std;
  __device__ void operator()(const Words& words, int64_t, float (&x)[4]) const {
    box_muller(words.w[0], words.w[1], x[0], x[1]);
    box_muller(words.w[2], words.w[3], x[2], x[3]);
    for (int k = 0; k < 4; ++k) x[k] = scaled(std, x[k], mean);
  }
};
struct Normal64 {
  double mean, std;
  __device__ void operator()(const Words& words, int64_t, double (&x)[2]) const {
    box_muller(words.pair(0), words.pair(1), x[0], x[1]);
    for (int k = 0; k < 2; ++k) x[k] = scaled(std, x[k], mean);
  }
};

struct Exponential32 {
  float scale;
  __device__ void operator()(const Words& words, int64_t, float (&x)[4]) const {
    for (int k = 0; k < 4; ++k) x[k] = scale * fmaxf(minus_log(words.w[k]), 0x1p-25f);
  }
};
struct Exponential64 {
  double scale;
  __device__ void operator()(const Words& words, int64_t, double (&x)[2]) const {
    for (int k = 0; k < 2; ++k) x[k] = scale * fmax(minus_log(words.pair(k)), 0x1p-54);
  }
};

struct Integer {
  int64_t low;
  uint64_t range;
  __device__ void operator()(const Words& words, int64_t, int64_t (&x)[2]) const {
    for (int k = 0; k < 2; ++k)
      x[k] = static_cast<int64_t>(static_cast<uint64_t>(low) + __umul64hi(words.pair(k), range));
  }
};

struct Bernoulli {
  Walk<1> p;
  DType type;
  __device__ void operator()(const Words& words, int64_t first, int64_t (&x)[4]) const {
    for (int k = 0; k < 4 && first + k < p.numel; ++k) {
      char* at[1];
      p.locate(first + k, at);
      const double chance = type == DType::Float64 ? load<double>(at[0], type) : load<float>(at[0], type);
      x[k] = words.w[k] * 0x1p-32 < chance;
    }
  }
};

// The largest element of type T below x: one step down in the bits where x itself is one.
template <class T>
double below(double x) {
  using Bits = std::conditional_t<sizeof(T) == 2, uint16_t, std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>;
  constexpr Bits kSign = Bits{1} << (8 * sizeof(Bits) - 1);
  using R = std::conditional_t<sizeof(T) == 8, double, float>;
  const T t(static_cast<R>(x));
  if (static_cast<double>(t) < x) return static_cast<double>(t);
  auto bits = std::bit_cast<Bits>(t);
  if ((bits & ~kSign) == 0)
    bits = kSign | 1;
  else
    bits = static_cast<Bits>(bits & kSign ? bits + 1 : bits - 1);
  return static_cast<double>(std::bit_cast<T>(bits));
}

double last_below(DType t, double to) {
  switch (t) {
    case DType::Float16: return below<Half>(to);
    case DType::BFloat16: return below<BFloat16>(to);
    case DType::Float32: return below<float>(to);
    default: return below<double>(to);
  }
}

void check_floating(const char* slot, DType t) { check(is_floating(t), slot, ": expected a floating tensor, got ", t); }

void uniform(const Tensor& out, double from, double to, Philox g) {
  check_floating("uniform", out.dtype());
  const double last = std::max(from, last_below(out.dtype(), to));
  if (out.dtype() == DType::Float64)
    fill_random<2, double>("uniform", out, g, Uniform64{from, to - from, last});
  else
    fill_random<4, float>("uniform", out, g,
                          Uniform32{static_cast<float>(from), static_cast<float>(to - from), static_cast<float>(last)});
}

void normal(const Tensor& out, double mean, double std, Philox g) {
  check_floating("normal", out.dtype());
  if (out.dtype() == DType::Float64)
    fill_random<2, double>("normal", out, g, Normal64{mean, std});
  else
    fill_random<4, float>("normal", out, g, Normal32{static_cast<float>(mean), static_cast<float>(std)});
}

void exponential(const Tensor& out, double rate, Philox g) {
  check_floating("exponential", out.dtype());
  if (out.dtype() == DType::Float64)
    fill_random<2, double>("exponential", out, g, Exponential64{1 / rate});
  else
    fill_random<4, float>("exponential", out, g, Exponential32{static_cast<float>(1 / rate)});
}

void random_integer(const Tensor& out, int64_t low, int64_t high, Philox g) {
  fill_random<2, int64_t>("random_integer", out, g,
                          Integer{low, static_cast<uint64_t>(high) - static_cast<uint64_t>(low)});
}

// A walk goes in the order of its first operand's strides: p is walked beside a dense tensor of its sizes.
void bernoulli(const Tensor& out, const Tensor& p, Philox g) {
  if (out.numel() == 0) return;
  check_floating("bernoulli", p.dtype());
  Tensor dense = p;
  if (!p.is_contiguous()) {
    dense = empty(p.sizes(), p.dtype(), p.device());
    slots::copy(dense, p);
  }
  fill_random<4, int64_t>("bernoulli", out, g, Bernoulli{Walk<1>(LoopNest<1>({&dense}), "bernoulli"), p.dtype()});
}

// Fisher and Yates from the last place down, each exchange depending on the one before: on the host.
void randperm(const Tensor& out, Philox g) {
  const Tensor host = empty(out.sizes(), DType::Int64);
  int64_t* x = host.data<int64_t>();
  std::iota(x, x + host.numel(), int64_t{1});
  for (int64_t i = host.numel() - 1; i >= 0; --i) {
    const auto words = g.block(static_cast<uint64_t>(i) / 2);
    const uint64_t pair = words[i % 2 * 2] | uint64_t{words[i % 2 * 2 + 1]} << 32;
    __extension__ using Product = unsigned __int128;
    std::swap(x[i], x[static_cast<uint64_t>(static_cast<Product>(pair) * (static_cast<uint64_t>(i) + 1) >> 64)]);
  }
  fill_dense(out, [&](const Tensor& dense) {
    runtime(DeviceType::CUDA)
        .copy(dense.bytes(), dense.device(), x, host.device(), static_cast<size_t>(host.numel() * host.item_size()));
  });
}

// ---- sequences, computed in int64, double or complex128 and rounded once --------------------------------------------

template <class Value>
__global__ void __launch_bounds__(kThreads)
    sequence_kernel(char* out, int64_t stride, DType type, int64_t n, Value value) {
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i < n) store_as(out + i * stride, type, value(i));
}

template <class Value>
void fill_sequence(const char* slot, const Tensor& out, const Value& value) {
  if (out.numel() == 0) return;
  launch(Queue(slot, out), sequence_kernel<Value>, blocks_for(out.numel()), kThreads, out.bytes(),
         out.stride(0) * out.item_size(), out.dtype(), out.numel(), value);
}

// start + i * step
__device__ int64_t stepped(int64_t start, int64_t step, int64_t i) { return start + step * i; }
__device__ double stepped(double start, double step, int64_t i) { return scaled(step, static_cast<double>(i), start); }
__device__ c128 stepped(c128 start, c128 step, int64_t i) {
  return {stepped(start.real(), step.real(), i), stepped(start.imag(), step.imag(), i)};
}

template <class T>
struct Arange {
  T start, step;
  __device__ T operator()(int64_t i) const { return stepped(start, step, i); }
};

/// From the nearer end, so that both ends are exact and the sequence reads the same from either.
template <class T>
struct Linspace {
  T start, end, step;
  int64_t n;
  __device__ T operator()(int64_t i) const {
    return n == 1 || i < n / 2 ? stepped(start, step, i) : stepped(end, -step, n - 1 - i);
  }
};

void arange(const Tensor& out, const Scalar& start, const Scalar& step) {
  const auto fill = [&]<class T>() { fill_sequence("arange", out, Arange<T>{number<T>(start), number<T>(step)}); };
  if (is_integral(out.dtype(), true))
    fill.template operator()<int64_t>();
  else if (is_complex(out.dtype()))
    fill.template operator()<c128>();
  else
    fill.template operator()<double>();
}

void linspace(const Tensor& out, const Scalar& start, const Scalar& end) {
  const int64_t n = out.numel();
  const auto fill = [&]<class T>() {
    const T a = number<T>(start), b = number<T>(end), step = n > 1 ? (b - a) / static_cast<double>(n - 1) : T(0);
    fill_sequence("linspace", out, Linspace<T>{a, b, step, n});
  };
  if (is_complex(out.dtype()))
    fill.template operator()<c128>();
  else
    fill.template operator()<double>();
}

}  // namespace

void fill_random_slots() {
  slots::uniform.fill(DeviceType::CUDA, uniform);
  slots::normal.fill(DeviceType::CUDA, normal);
  slots::exponential.fill(DeviceType::CUDA, exponential);
  slots::random_integer.fill(DeviceType::CUDA, random_integer);
  slots::bernoulli.fill(DeviceType::CUDA, bernoulli);
  slots::randperm.fill(DeviceType::CUDA, randperm);
  slots::arange.fill(DeviceType::CUDA, arange);
  slots::linspace.fill(DeviceType::CUDA, linspace);
}

}  // namespace facula::cuda
