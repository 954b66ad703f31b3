#include "kernels/cpu/frame.h"

namespace facula::cpu {

Frame::Frame(const Space& first, const Space& count, const Space& step)
    : origin(first), positions(count), stride(step) {
  for (int d = 0; d < 3; ++d) phase[d] = (count[d] + step[d] - 1) / step[d];
}

Frame::Frame(const Space& out, const Space& step, const Space& kernel, const Space& dilation, const Space& padding)
    : stride(step) {
  for (int d = 0; d < 3; ++d) {
    origin[d] = -padding[d];
    positions[d] = (out[d] - 1) * step[d] + (kernel[d] - 1) * dilation[d] + 1;
    phase[d] = (positions[d] + step[d] - 1) / step[d];
  }
}

int64_t Frame::at(const Space& u) const {
  if (volume(stride) == 1) return step(u);
  const int64_t remainder = (u[0] % stride[0] * stride[1] + u[1] % stride[1]) * stride[2] + u[2] % stride[2];
  return remainder * volume(phase) + step({u[0] / stride[0], u[1] / stride[1], u[2] / stride[2]});
}

}  // namespace facula::cpu
