// Windows of images as columns, and columns added up to images. A row of columns is one tap of the kernel seen from all
// windows: rows are copied, or added to their image in the order of the taps; images run in parallel.
#include <complex>
#include <vector>

#include "core/parallel.h"
#include "core/slots.h"
#include "kernels/cpu/pack.h"
#include "kernels/cpu/register.h"

namespace facula::cpu {
namespace {

struct Range {
  int64_t first, last;
};

// The windows along dimension d whose tap k is inside the image.
Range inside(const SlidingWindows& w, int d, int64_t k, int64_t size) {
  const int64_t at = w.padding[d] - k * w.dilation[d], stride = w.stride[d];
  const int64_t first = at <= 0 ? 0 : (at + stride - 1) / stride;
  const int64_t last = size + at <= 0 ? 0 : (size + at + stride - 1) / stride;
  return {std::min(first, w.out[d]), std::min(last, w.out[d])};
}

// Calls visit(pixels, row of columns, count) for the pieces of rows of one tap (i, j) that are inside the image; pixels
// are a stride apart. What lies outside is handed to outside(row of columns, count).
template <class Visit, class Outside>
void for_pieces(const SlidingWindows& w, int64_t height, int64_t width, int64_t i, int64_t j, Visit&& visit,
                Outside&& outside) {
  const Range rows = inside(w, 0, i, height), cols = inside(w, 1, j, width);
  const int64_t n = w.out[1];
  for (int64_t y = 0; y < w.out[0]; ++y) {
    if (y < rows.first || y >= rows.last || cols.first >= cols.last) {
      outside(y * n, n);
      continue;
    }
    outside(y * n, cols.first);
    const int64_t line = y * w.stride[0] - w.padding[0] + i * w.dilation[0];
    const int64_t column = cols.first * w.stride[1] - w.padding[1] + j * w.dilation[1];
    visit(line * width + column, y * n + cols.first, cols.last - cols.first);
    outside(y * n + cols.last, n - cols.last);
  }
}

void im2col(const Tensor& columns, const Tensor& x, const SlidingWindows& w) {
  if (columns.numel() == 0) return;
  const int64_t height = x.size(2), width = x.size(3), places = columns.size(2), taps = w.kernel[0] * w.kernel[1];
  with_item(x.item_size(), [&]<class T>(T) {
    const T* image = reinterpret_cast<const T*>(x.bytes());
    T* column = reinterpret_cast<T*>(columns.bytes());
    parallel_for(columns.numel() / places, std::max<int64_t>(1, kGrain / places), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const int64_t tap = row % taps;
        const T* from = image + row / taps * height * width;
        T* to = column + row * places;
        for_pieces(
            w, height, width, tap / w.kernel[1], tap % w.kernel[1],
            [&](int64_t pixel, int64_t place, int64_t count) {
              if (w.stride[1] == 1)
                std::copy_n(from + pixel, count, to + place);
              else
                for (int64_t k = 0; k < count; ++k) to[place + k] = from[pixel + k * w.stride[1]];
            },
            [&](int64_t place, int64_t count) { std::fill_n(to + place, count, T(0)); });
      }
    });
  });
}

template <class T>
T plus(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  else
    return a + b;
}

// Sums are kept in W.
template <class T, class W>
void add_columns(const Tensor& x, const Tensor& columns, const SlidingWindows& w) {
  const int64_t height = x.size(2), width = x.size(3), plane = height * width, places = columns.size(2),
                taps = w.kernel[0] * w.kernel[1];
  const T* from = columns.data<T>();
  T* to = x.data<T>();
  parallel_for(x.numel() / plane, std::max<int64_t>(1, kGrain / (plane + taps * places)),
               [&](int64_t begin, int64_t end) {
                 std::vector<W> sums(plane);
                 for (int64_t p = begin; p < end; ++p) {
                   std::fill(sums.begin(), sums.end(), W(0));
                   for (int64_t tap = 0; tap < taps; ++tap) {
                     const T* column = from + (p * taps + tap) * places;
                     for_pieces(
                         w, height, width, tap / w.kernel[1], tap % w.kernel[1],
                         [&](int64_t pixel, int64_t place, int64_t count) {
                           for (int64_t k = 0; k < count; ++k) {
                             W& sum = sums[pixel + k * w.stride[1]];
                             sum = plus(sum, static_cast<W>(column[place + k]));
                           }
                         },
                         [](int64_t, int64_t) {});
                   }
                   for (int64_t i = 0; i < plane; ++i) to[p * plane + i] = static_cast<T>(sums[i]);
                 }
               });
}

void col2im(const Tensor& x, const Tensor& columns, const SlidingWindows& w) {
  if (x.numel() == 0) return;
  with_type(x.dtype(), [&]<class T>() {
    if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>)
      add_columns<T, float>(x, columns, w);
    else if constexpr (!std::is_same_v<T, bool>)
      add_columns<T, T>(x, columns, w);
  });
}

}  // namespace

void fill_fold_slots() {
  slots::im2col.fill(DeviceType::CPU, im2col);
  slots::col2im.fill(DeviceType::CPU, col2im);
}

}  // namespace facula::cpu
