// Variance and norms.
#include "kernels/cuda/reduce.h"
#include "kernels/cuda/register.h"

namespace facula::cuda {
namespace {

/// Welford 1962, parts merged by Chan, Golub and LeVeque 1979: one pass, no cancellation.
template <class T>
struct Variance {
  using R = Real<T>;
  struct State {
    T mean;
    R squares;  // sum of |x - mean|^2
    R count;
  };
  static constexpr int kOperands = 2;
  DType out_type, type;
  double correction;

  static __device__ R product(T a, T b) {  // the real part of a conj(b)
    if constexpr (is_complex_type<T>)
      return a.real() * b.real() + a.imag() * b.imag();
    else
      return a * b;
  }
  __device__ State start() const { return {T(0), R(0), R(0)}; }
  __device__ void add(State& s, char* const (&p)[2], int64_t) const {
    const T x = load<T>(p[1], type), d = x - s.mean;
    s.count += 1;
    s.mean += d / s.count;
    s.squares += product(d, x - s.mean);
  }
  __device__ void merge(State& s, const State& other) const {
    if (other.count == 0) return;
    const R n = s.count + other.count;
    const T d = other.mean - s.mean;
    s.mean += d * (other.count / n);
    s.squares += other.squares + product(d, d) * (s.count * (other.count / n));
    s.count = n;
  }
  __device__ void finish(const State& s, char* const (&p)[2]) const {
    const R n = s.count - static_cast<R>(correction);
    store<R>(p[0], out_type, s.squares / (n > 0 ? n : R(0)));
  }
};

enum class Power { Zero, One, Two, Any, Largest, Smallest };

/// Sums of |x|^p in double, whatever x is: squares of floats cannot overflow there. Squares of doubles can: their sum
/// is scale^2 * sum, where scale is the largest |x| (Blue 1978).
struct Norm {
  struct State {
    double sum, scale;
  };
  static constexpr int kOperands = 2;
  DType out_type, type;
  Power power;
  double p;

  __device__ State start() const { return {power == Power::Smallest ? static_cast<double>(INFINITY) : 0.0, 0.0}; }

  static __device__ double magnitude(const char* x, DType t) {
    double m = 0;
    with_number_type(t, [&]<class T>() {
      const T v = load<T>(x, t);
      if constexpr (is_complex_type<T>)
        m = hypot(static_cast<double>(v.real()), static_cast<double>(v.imag()));
      else
        m = fabs(static_cast<double>(v));
    });
    return m;
  }

  __device__ void add(State& s, char* const (&at)[2], int64_t) const {
    const double x = magnitude(at[1], type);
    switch (power) {
      case Power::Zero: s.sum += x != 0; break;
      case Power::One: s.sum += x; break;
      case Power::Two: merge(s, scaled() ? State{x == 0 ? 0.0 : 1.0, x} : State{x * x, 0}); break;
      case Power::Any: s.sum += pow(x, p); break;
      case Power::Largest:
      case Power::Smallest: merge(s, {x, 0}); break;
    }
  }

  __device__ void merge(State& s, const State& other) const {
    switch (power) {
      case Power::Largest: s.sum = is_nan(s.sum) || s.sum > other.sum ? s.sum : other.sum; break;
      case Power::Smallest: s.sum = is_nan(s.sum) || s.sum < other.sum ? s.sum : other.sum; break;
      case Power::Two:
        if (scaled()) {
          merge_scaled(s, other);
          break;
        }
        [[fallthrough]];
      default: s.sum += other.sum;
    }
  }

  __device__ bool scaled() const { return out_type == DType::Float64; }

  static __device__ void merge_scaled(State& s, const State& other) {
    if (other.scale == s.scale || is_nan(s.scale)) {  // also two infinities, whose ratio is not a number
      s.sum += other.sum;
    } else if (s.scale > other.scale) {
      const double r = other.scale / s.scale;
      s.sum += other.sum * r * r;
    } else {  // also where other.scale is not a number: it spreads
      const double r = s.scale / other.scale;
      s = {other.sum + s.sum * r * r, other.scale};
    }
  }

  __device__ void finish(const State& s, char* const (&at)[2]) const {
    double y = s.sum;
    if (power == Power::Two) y = scaled() ? s.scale * sqrt(s.sum) : sqrt(s.sum);
    if (power == Power::Any) y = pow(y, 1 / p);
    if (out_type == DType::Float64)
      store<double>(at[0], out_type, y);
    else
      store<float>(at[0], out_type, static_cast<float>(y));
  }
};

void var(const Tensor& out, const Tensor& x, const IntList& dims, double correction) {
  if (out.numel() == 0) return;
  const Queue queue("var", out);
  with_compute_type<kFloating>(x.dtype(), "var", [&]<class T>() {
    reduce(queue, {&out, &x}, dims, Variance<T>{out.dtype(), x.dtype(), correction});
  });
}

Power power_of(double p) {
  if (std::isinf(p)) return p > 0 ? Power::Largest : Power::Smallest;
  return p == 0 ? Power::Zero : p == 1 ? Power::One : p == 2 ? Power::Two : Power::Any;
}

void norm(const Tensor& out, const Tensor& x, const IntList& dims, double p) {
  if (out.numel() == 0) return;
  reduce(Queue("norm", out), {&out, &x}, dims, Norm{out.dtype(), x.dtype(), power_of(p), p});
}

}  // namespace

void fill_moment_slots() {
  slots::var.fill(DeviceType::CUDA, var);
  slots::norm.fill(DeviceType::CUDA, norm);
}

}  // namespace facula::cuda
