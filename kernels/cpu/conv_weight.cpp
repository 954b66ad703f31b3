// The derivative of convolution by its weight, a product of matrices over pixels p of all images:
//
//   dw^T [C * taps, O] = sum over p of pixel(tap, p) * g[o, p]
//
// Rows of pixels are read from framed copies of the images in place, g is packed so that the O numbers of a pixel are
// neighbours. Images are cut into chunks whose sums are added in order, so that the result does not depend on threads.
#include <complex>

#include "core/parallel.h"
#include "kernels/cpu/conv.h"
#include "kernels/cpu/tile.h"

namespace facula::cpu {
namespace {

constexpr int64_t kInner = 512;        // pixels that are summed in registers
constexpr int64_t kTasks = 16;         // wanted
constexpr int64_t kLeastRows = 64;     // of dw^T in a task, or packing g costs more than the sums
constexpr int64_t kPartial = 1 << 21;  // elements of partial sums that may be held

// A task's memory, and the sums of a task: over some images, for the taps of `channels` channels of a group.
template <class T>
class WeightSums {
 public:
  WeightSums(const ConvShape& shape, int64_t channels)
      : s(shape),
        frame(s.frame()),
        pixels(volume(s.out)),
        copy_size(channels * frame.plane()),
        images_at_once(std::max<int64_t>(1, kInner / pixels)),
        copies(empty({copy_size * images_at_once}, dtype_of<T>)),
        packed(empty({(s.O / t.cols() + 2) * kInner * t.cols()}, dtype_of<T>)) {
    for (int64_t c = 0; c < channels; ++c)
      for_box(s.kernel, [&](const Space& k) {
        row_at.push_back(c * frame.plane() +
                         frame.at({k[0] * s.dilation[0], k[1] * s.dilation[1], k[2] * s.dilation[2]}));
      });
    for_box(s.out, [&](const Space& o) { pixel_at.push_back(frame.step(o)); });
    for (int64_t p = 0; p < kInner; ++p) b_step[p] = p * t.cols();
  }

  // sums [channels * taps, pitch] of channels c0 .. over images n0 .. n1.
  void sum(T* sums, int64_t pitch, int64_t c0, int64_t channels, int64_t group, int64_t n0, int64_t n1, const T* g,
           const T* x) {
    bool add = false;
    for (; n0 < n1; n0 += images_at_once) {
      const int64_t images = std::min(images_at_once, n1 - n0);
      for (int64_t n = 0; n < images; ++n) {
        const T* image = x + (((n0 + n) * s.G + group) * s.C + c0) * volume(s.in);
        frame.fill(image, s.in, channels, copy() + n * copy_size);
      }
      for (int64_t p0 = 0; p0 < images * pixels; p0 += kInner, add = true) {
        const int64_t count = std::min(kInner, images * pixels - p0);
        pack(g, n0, group, p0, count);
        multiply(sums, pitch, channels * s.taps(), count, add);
      }
    }
  }

 private:
  T* copy() const { return reinterpret_cast<T*>(copies.bytes()); }
  T* panel(int64_t i) const { return reinterpret_cast<T*>(packed.bytes()) + i * kInner * t.cols(); }

  // Calls visit(panel, first output channel, vectors) for the tiles in a row of dw^T.
  template <class Visit>
  void for_panels(Visit&& visit) const {
    for (int64_t o = 0, i = 0; o < s.O; ++i) {
      const int vectors = t.next_vectors(s.O - o);
      visit(panel(i), o, vectors);
      o += vectors * t.lanes;
    }
  }

  // Pixels p0 .. p0 + count, counted from image n0's first one.
  void pack(const T* g, int64_t n0, int64_t group, int64_t p0, int64_t count) {
    for (int64_t done = 0; done < count;) {
      const int64_t image = (p0 + done) / pixels, pixel = (p0 + done) % pixels,
                    some = std::min(count - done, pixels - pixel);
      for (int64_t i = 0; i < some; ++i) a_step[done + i] = image * copy_size + pixel_at[pixel + i];
      const T* from = g + ((n0 + image) * s.G + group) * s.O * pixels + pixel;
      for_panels([&](T* to, int64_t o, int vectors) {
        const int64_t cols = std::min<int64_t>(s.O - o, vectors * t.lanes);
        t.pack_columns(from + o * pixels, pixels, some, cols, to + done * t.cols(), t.cols());
      });
      done += some;
    }
  }

  void multiply(T* sums, int64_t pitch, int64_t height_of_all, int64_t count, bool add) const {
    const TileSteps steps{count, a_step.data(), b_step.data()};
    for (int64_t i = 0; i < height_of_all; i += t.rows) {
      const int height = static_cast<int>(std::min<int64_t>(t.rows, height_of_all - i));
      const T* rows[kTileRows];
      for (int r = 0; r < height; ++r) rows[r] = copy() + row_at[i + r];
      for_panels([&](const T* from, int64_t o, int vectors) {
        t.sum(height, vectors * t.lanes, steps, rows, from, T(1), sums + i * pitch + o, pitch, add);
      });
    }
  }

  const Tiles<T>& t = tiles<T>();
  const ConvShape& s;
  Frame frame;
  int64_t pixels, copy_size, images_at_once;
  Tensor copies, packed;
  std::vector<int64_t> row_at, pixel_at;  // in the frame: of a tap's first pixel, and of a pixel from there
  std::array<int64_t, kInner> a_step, b_step;
};

// dw [O, rows] = the sum over n < sums of from[n * distance + i * pitch + o], transposed.
template <class T>
void transpose_sums(T* dw, T* from, int64_t O, int64_t rows, int64_t pitch, int64_t sums, int64_t distance) {
  constexpr int64_t kRows = 64;  // at a time
  const int64_t chunks = (rows + kRows - 1) / kRows;
  parallel_for(chunks, kGrain / (kRows * pitch * sums) + 1, [&](int64_t begin, int64_t end) {
    const Tensor scratch = empty({(O + 1) * kRows}, dtype_of<T>);
    T* block = reinterpret_cast<T*>(scratch.bytes());
    for (int64_t first = begin * kRows; first < std::min(rows, end * kRows); first += kRows) {
      const int64_t count = std::min(kRows, rows - first);
      T* total = from + first * pitch;
      for (int64_t n = 1; n < sums; ++n)
        for (int64_t i = 0; i < count * pitch; ++i) total[i] = static_cast<T>(total[i] + total[n * distance + i]);
      tiles<T>().pack_columns(total, pitch, O, count, block, kRows);
      for (int64_t o = 0; o < O; ++o) std::copy_n(block + o * kRows, count, dw + o * rows + first);
    }
  });
}

}  // namespace

template <class T>
void conv_weight_adjoint(const ConvShape& s, T* dw, const T* g, const T* x) {
  const int64_t rows = s.C * s.taps(), group_size = s.O * rows;
  if (s.N == 0 || volume(s.out) == 0) {
    std::fill(dw, dw + s.G * group_size, T(0));
    return;
  }
  const Tiles<T>& t = tiles<T>();
  const int64_t pitch = (s.O + t.lanes - 1) / t.lanes * t.lanes, numel = s.G * rows * pitch;
  const int64_t sums = std::clamp<int64_t>(kPartial / numel, 1, std::min(s.N, kTasks));
  const int64_t wanted = (s.C - 1) / std::clamp<int64_t>(kTasks / (s.G * sums), 1, s.C) + 1;
  const int64_t channels = std::min(s.C, std::max(wanted, (kLeastRows - 1) / s.taps() + 1));
  const int64_t chunks = (s.C + channels - 1) / channels;
  const Tensor partial = empty({sums * numel}, dtype_of<T>);
  T* to = reinterpret_cast<T*>(partial.bytes());
  parallel_for(sums * s.G * chunks, 1, [&](int64_t begin, int64_t end) {
    WeightSums<T> code(s, channels);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t sum = task / (s.G * chunks), group = task / chunks % s.G, c0 = task % chunks * channels;
      code.sum(to + sum * numel + (group * s.C + c0) * s.taps() * pitch, pitch, c0, std::min(channels, s.C - c0), group,
               s.N * sum / sums, s.N * (sum + 1) / sums, g, x);
    }
  });
  for (int64_t group = 0; group < s.G; ++group)
    transpose_sums(dw + group * group_size, to + group * rows * pitch, s.O, rows, pitch, sums, numel);
}

#define FACULA_INSTANTIATE(T) template void conv_weight_adjoint<T>(const ConvShape&, T*, const T*, const T*);
FACULA_INSTANTIATE(float)
FACULA_INSTANTIATE(double)
FACULA_INSTANTIATE(complex64)
FACULA_INSTANTIATE(complex128)
FACULA_INSTANTIATE(uint8_t)
FACULA_INSTANTIATE(int8_t)
FACULA_INSTANTIATE(int16_t)
FACULA_INSTANTIATE(int32_t)
FACULA_INSTANTIATE(int64_t)
#undef FACULA_INSTANTIATE

}  // namespace facula::cpu
