// What a discrete Fourier transform of a given length needs to know beforehand. Plans are made once, kept in a bounded
// cache and shared by threads.
//
// All arithmetic happens on kLanes sequences side by side, in planes re[n][kLanes] and im[n][kLanes], so that every step
// is made of whole vectors whatever the length (lanes). One long sequence becomes such a bundle by n = n1 n2: transforms
// of its columns, twiddle factors, transforms of its rows (Bailey 1990). A length with a large prime factor becomes a
// convolution of a smooth length (Bluestein 1970).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace facula::cpu {

/// Sequences side by side: one cache line of each plane.
template <class T>
inline constexpr int64_t kLanes = 64 / static_cast<int64_t>(sizeof(T));

/// Primes beyond this are not worth a pass of their own.
inline constexpr int64_t kLargestRadix = 61;

/// One of Stockham's steps: `radix` sequences of stride `groups` become one, `span` rows of lanes at a time.
struct FftPass {
  int64_t radix;
  int64_t groups;  // m in n = radix * m * span
  int64_t span;    // product of the radices before
  size_t roots;    // where its factors begin in LanePlan::roots: radix cosines and sines of multiples of 2 pi / radix
                   // (for odd radices), then [groups][radix - 1] complex twiddle factors
};

/// Transform of a bundle of lanes; the length's prime factors are at most kLargestRadix.
template <class T>
struct LanePlan {
  int64_t n;
  std::vector<FftPass> passes;
  std::vector<T> roots;

  explicit LanePlan(int64_t n);
  size_t bytes() const { return roots.size() * sizeof(T); }
};

/// Transform of one row, by one of three ways.
template <class T>
struct RowPlan {
  int64_t n;
  // a single lane, where n is short or has no two factors: `columns` alone; or n = n1 n2
  std::shared_ptr<const LanePlan<T>> columns, rows;  // of lengths n1 and n2
  std::vector<T> lane_twist;                         // [n1][kLanes] cosines, then sines, of -2 pi k l / n
  std::vector<T> block_twist;                        // [n2 / kLanes][n1] complex, at lane 0 of each block
  // Bluestein: x[j] c[j] convolved with conj(c), times c; c[j] = exp(-pi i j^2 / n)
  std::shared_ptr<const RowPlan<T>> convolution;
  std::vector<T> chirp;     // [n] complex
  std::vector<T> spectrum;  // [m] complex: transform of conj(c) around 0, divided by m

  explicit RowPlan(int64_t n);
  size_t bytes() const { return (lane_twist.size() + block_twist.size() + chirp.size() + spectrum.size()) * sizeof(T); }
};

/// exp(-2 pi i k / n) for k of 0 .. n / 4, which turn the transform of n / 2 pairs into that of n real numbers.
template <class T>
struct RealRoots {
  std::vector<T> roots;
  explicit RealRoots(int64_t n);
  size_t bytes() const { return roots.size() * sizeof(T); }
};

/// Is n a product of primes up to kLargestRadix?
bool is_smooth(int64_t n);

template <class Plan>
std::shared_ptr<const Plan> fft_plan(int64_t n);

/// Element j of lane l lies at lane[l] + j * step, its imaginary part `imag` further on.
template <class T>
struct LaneView {
  T* lane[kLanes<T>];
  int64_t lanes, step, imag;

  /// Real and imaginary parts exchanged, which turns a transform into its inverse.
  LaneView swapped() const {
    LaneView v = *this;
    for (int64_t l = 0; l < lanes; ++l) v.lane[l] += imag;
    v.imag = -imag;
    return v;
  }
};

/// Vector code on bundles; a bundle of length n has 2 * n * kLanes numbers, real parts first.
template <class T>
struct LaneKernels {
  void (*load)(T* bundle, int64_t n, const LaneView<const T>& from);
  void (*store)(const LaneView<T>& to, const T* bundle, int64_t n, T scale);
  /// Transforms the bundle at `a`; the result is there or at `b`.
  T* (*transform)(const LanePlan<T>& plan, T* a, T* b);
  /// The spectrum [h + 1] of 2 h real numbers from the transform z [h] of their pairs, and 2 z back from it; `roots` as in
  /// RealRoots.
  void (*unpack)(T* spectrum, const T* z, int64_t h, const T* roots);
  void (*pack)(T* z, const T* spectrum, int64_t h, const T* roots);
  /// Multiplies row k by lanes[k] * block[k] and puts it at plane[k * stride] and, `imag` further on, its imaginary part.
  void (*twist)(T* plane, int64_t stride, int64_t imag, const T* bundle, int64_t n, const T* lanes, const T* block);
};
template <class T>
const LaneKernels<T>& lane_kernels();

/// Transforms one row, lane 0 of `from`, to `to`, which may be the same, on several threads if it is long.
template <class T>
void transform_row(const RowPlan<T>& plan, const LaneView<const T>& from, const LaneView<T>& to, T scale);

}  // namespace facula::cpu
