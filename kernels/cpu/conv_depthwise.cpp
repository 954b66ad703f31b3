// The derivative of a depthwise convolution (one channel per group) by its weight. As products of matrices these are too thin:
// here the sums of up to nine taps stay in registers while a plane of g passes by once, which is 4 times as fast.
#include "core/parallel.h"
#include "kernels/cpu/conv.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/conv_depthwise.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/cpu/rows.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

constexpr int kTaps = 9;  // a 3 x 3 kernel

// sums[k] = the sum over pixels p of g[p] * copy[taps[k] + p's place], for K taps.
template <int K, class T>
void sum_taps(const Space& out, const Frame& frame, const T* g, const T* copy, const int64_t* taps, T* sums) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  hn::Vec<decltype(d)> sum[K];
  for (int k = 0; k < K; ++k) sum[k] = hn::Zero(d);
  for_box({out[0], out[1], 1}, [&](const Space& line) {
    const T* from = copy + frame.step(line);
    int64_t i = 0;
    for (; i + lanes <= out[2]; i += lanes) {
      const auto v = hn::LoadU(d, g + i);
      for (int k = 0; k < K; ++k) sum[k] = hn::MulAdd(v, hn::LoadU(d, from + taps[k] + i), sum[k]);
    }
    if (i < out[2]) {
      const auto v = load_some(d, g + i, out[2] - i);
      for (int k = 0; k < K; ++k) sum[k] = hn::MulAdd(v, load_some(d, from + taps[k] + i, out[2] - i), sum[k]);
    }
    g += out[2];
  });
  for (int k = 0; k < K; ++k) sums[k] = hn::GetLane(hn::SumOfLanes(d, sum[k]));
}

template <int K, class T>
void sum_some(int64_t count, const Space& out, const Frame& frame, const T* g, const T* copy, const int64_t* taps,
              T* sums) {
  if (count == K) return sum_taps<K>(out, frame, g, copy, taps, sums);
  if constexpr (K > 1) sum_some<K - 1>(count, out, frame, g, copy, taps, sums);
}

template <class T>
void weight_adjoint(const ConvShape& s, T* dw, const T* g, const T* x) {
  const Frame frame = s.frame();
  const int64_t planes = s.N * s.G, count = s.taps(), pixels = volume(s.out);
  std::vector<int64_t> taps;
  for_box(s.kernel, [&](const Space& k) {
    taps.push_back(frame.at({k[0] * s.dilation[0], k[1] * s.dilation[1], k[2] * s.dilation[2]}));
  });
  const Tensor partial = empty({planes, count}, dtype_of<T>);
  T* sums = partial.data<T>();
  parallel_for(planes, std::max<int64_t>(1, kGrain / (pixels * count)), [&](int64_t begin, int64_t end) {
    const Tensor scratch = empty({frame.plane()}, dtype_of<T>);
    T* copy = scratch.data<T>();
    for (int64_t p = begin; p < end; ++p) {
      frame.fill(x + p * volume(s.in), s.in, 1, copy);
      for (int64_t k = 0; k < count; k += kTaps)
        sum_some<kTaps>(std::min<int64_t>(kTaps, count - k), s.out, frame, g + p * pixels, copy, taps.data() + k,
                        sums + p * count + k);
    }
  });
  std::fill(dw, dw + s.G * count, T(0));
  for (int64_t n = 0; n < s.N; ++n)
    for (int64_t i = 0; i < s.G * count; ++i) dw[i] += sums[n * s.G * count + i];
}

}  // namespace

void depthwise_weight_float(const ConvShape& s, float* dw, const float* g, const float* x) {
  weight_adjoint(s, dw, g, x);
}
void depthwise_weight_double(const ConvShape& s, double* dw, const double* g, const double* x) {
  weight_adjoint(s, dw, g, x);
}

}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {

HWY_EXPORT(depthwise_weight_float);
HWY_EXPORT(depthwise_weight_double);

void depthwise_weight_adjoint(const ConvShape& s, float* dw, const float* g, const float* x) {
  HWY_DYNAMIC_DISPATCH(depthwise_weight_float)(s, dw, g, x);
}
void depthwise_weight_adjoint(const ConvShape& s, double* dw, const double* g, const double* x) {
  HWY_DYNAMIC_DISPATCH(depthwise_weight_double)(s, dw, g, x);
}

}  // namespace facula::cpu
#endif
