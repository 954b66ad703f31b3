// How images are read at other places than their own pixels: descriptions that operators write and kernels follow.
#pragma once

#include <cstdint>
#include <vector>

#include "core/int_list.h"

namespace facula {

/// A linear map along one dimension, sparse: output o is the sum over its taps t, begin[o] <= t < begin[o + 1], of
/// weight[t] * x[at[t]], divided by divisor[o]. No weights stand for ones, and so do no divisors; an output without taps
/// is zero. Pooling by averages, interpolation, padding and their adjoints are products of such maps.
struct Taps {
  int64_t in = 1;
  std::vector<int64_t> begin{0}, at;
  std::vector<double> weight, divisor;

  int64_t out() const { return std::ssize(begin) - 1; }
  int64_t count(int64_t o) const { return begin[o + 1] - begin[o]; }
  void add(int64_t position) { at.push_back(position); }
  void add(int64_t position, double w) {
    at.push_back(position);
    weight.push_back(w);
  }
  /// The next tap belongs to the next output.
  void end_output() { begin.push_back(std::ssize(at)); }
};
/// The adjoint map; divisors become weights.
Taps transposed(const Taps& taps);

/// Reading an image at places between its pixels, given from -1 to 1 in each dimension.
struct GridSampling {
  enum class Mode : uint8_t { Linear, Nearest, Cubic } mode = Mode::Linear;
  enum class Padding : uint8_t { Zeros, Border, Reflection } padding = Padding::Zeros;
  bool align_corners = false;  // -1 and 1 are the centres of the corner pixels, not their outer edges
  IntList order;               // which derivative of the interpolant is read, for each coordinate of a place (x first)
};

/// The windows of unfold, [height, width] each.
struct SlidingWindows {
  IntList kernel, dilation, padding, stride, out;
};

}  // namespace facula
