// Framed copies of images, which sliding windows read without looking where the image ends.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <type_traits>

namespace facula::cpu {

/// Sizes, steps or coordinates in three spatial dimensions, of which the leading ones may have size 1.
using Space = std::array<int64_t, 3>;

inline int64_t volume(const Space& s) { return s[0] * s[1] * s[2]; }
/// Calls visit(at) for all coordinates of a box, in row-major order.
template <class Visit>
void for_box(const Space& size, Visit&& visit) {
  Space at;
  for (at[0] = 0; at[0] < size[0]; ++at[0])
    for (at[1] = 0; at[1] < size[1]; ++at[1])
      for (at[2] = 0; at[2] < size[2]; ++at[2]) visit(at);
}

/// Copies of planes with a frame around them: position u of a copy is pixel u + origin, and zero outside the plane.
/// With a stride, positions lie sorted by their remainders, so that a step of `stride` is a step of 1 in memory in each
/// dimension.
struct Frame {
  Space origin, positions, stride, phase;  // phase: positions of one remainder

  Frame(const Space& first, const Space& count, const Space& step);
  /// What windows read: output o sees position o * stride + k * dilation at tap k.
  Frame(const Space& out, const Space& step, const Space& kernel, const Space& dilation, const Space& padding);

  int64_t plane() const { return volume(stride) * volume(phase); }
  /// Where position u lies in a copy.
  int64_t at(const Space& u) const;
  /// How far the position `steps * stride` further on is.
  int64_t step(const Space& steps) const { return (steps[0] * phase[1] + steps[1]) * phase[2] + steps[2]; }
  /// Places between the first output of a box and its last, and one.
  int64_t span(const Space& out) const { return step({out[0] - 1, out[1] - 1, out[2] - 1}) + 1; }

  /// Copies planes of the given size; the frame becomes `outside`.
  template <class T, class U>
  void fill(const U* image, const Space& size, int64_t planes, T* copy, T outside = T(0)) const;
};

template <class T, class U>
void Frame::fill(const U* image, const Space& size, int64_t planes, T* copy, T outside) const {
  std::fill(copy, copy + planes * plane(), outside);
  const int64_t by = stride[2];
  // Every by-th pixel of a row, from x on, to the neighbours at `to`.
  auto fill_row = [&](const U* row, int64_t x, int64_t count, T* to) {
    const int64_t first = x < 0 ? (by - 1 - x) / by : 0, inside = std::min(size[2] - x, count);
    const int64_t last = inside > 0 ? (inside + by - 1) / by : 0;
    auto copy_by = [&](auto step) {
      for (int64_t i = first; i < last; ++i) to[i] = static_cast<T>(row[x + i * step]);
    };
    if (by == 1)
      std::copy_n(row + x + first, std::max<int64_t>(0, last - first), to + first);
    else if (by == 2)
      copy_by(std::integral_constant<int64_t, 2>());
    else
      copy_by(by);
  };
  for (int64_t c = 0; c < planes; ++c, image += volume(size), copy += plane())
    for_box({positions[0], positions[1], 1}, [&](const Space& u) {
      const int64_t z = u[0] + origin[0], y = u[1] + origin[1];
      if (z < 0 || z >= size[0] || y < 0 || y >= size[1]) return;
      T* to = copy + at(u);
      for (int64_t x = 0; x < std::min(by, positions[2]); ++x)
        fill_row(image + (z * size[1] + y) * size[2], x + origin[2], positions[2] - x, to + x * volume(phase));
    });
}

}  // namespace facula::cpu
