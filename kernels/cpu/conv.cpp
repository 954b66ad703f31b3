// Convolution without a matrix of columns: the products' tiles (tile.h) see a framed copy of the image, for tap k from
// where the tap's pixel lies, through panels that hold what one row of tiles needs. That is 2 to 3 times as fast as
// im2col with OpenBLAS.
//
// The derivative by the input is the same with the roles of x and y exchanged: the pixels of dx that share a remainder
// by the stride see the same taps, and each remainder is one convolution of a framed copy of g with those.
#include "kernels/cpu/conv.h"

#include "core/parallel.h"
#include "core/slots.h"
#include "kernels/cpu/register.h"
#include "kernels/cpu/tile.h"

namespace facula::cpu {

ConvShape::ConvShape(const Sizes& x, const Sizes& w, const Sizes& y, const IntList& strides, const IntList& paddings,
                     const IntList& dilations, int64_t groups)
    : N(x[0]), G(groups), C(w[1]), O(w[0] / groups) {
  const size_t space = strides.size(), lead = 3 - space;
  for (size_t d = 0; d < space; ++d) {
    in[lead + d] = x[2 + d];
    kernel[lead + d] = w[2 + d];
    out[lead + d] = y[2 + d];
    stride[lead + d] = y[2 + d] == 1 ? 1 : strides[d];  // nothing is beyond the only output
    padding[lead + d] = paddings[d];
    dilation[lead + d] = dilations[d];
  }
  // Windows read copies of the image with all that they see of its surroundings: with a dilation far beyond the image
  // these are all zeros and no memory holds them.
  double seen = 1, moved = 1;
  for (int d = 0; d < 3; ++d) {
    moved *= static_cast<double>(out[d]) * static_cast<double>(stride[d]);
    seen *= static_cast<double>((out[d] - 1) * stride[d] + (kernel[d] - 1) * dilation[d] + 1);
  }
  check(seen < 1e8 || seen < 64 * (static_cast<double>(volume(in)) + moved), "convolution: windows of kernel ", w,
        " with dilation ", dilations, " lie too far around an input of sizes ", x);
}

namespace {

constexpr int64_t kTaskFlops = 200'000, kTasks = 4;  // the least work of a task; tasks wanted of each thread

// Where a result lies, and how far the next image, the next channel and the neighbours of a place are.
template <class T>
struct Planes {
  T* at;
  int64_t image, plane;
  Space step;
};
// Framed copies of images, or images, of which the next one lies `step` further on.
template <class T>
struct Images {
  const T* at;
  int64_t count, step;
};

// The taps of all channels of a framed copy that a result is a sum over, and where they lie from the first one on.
using Taps = std::vector<int64_t>;

// Whether panels cost less than what would be computed and dropped without them. In cycles per tap of a tile's columns:
// about two to pack a run, and 3 / 2 per channel, of which the share of places between two output rows is lost.
bool pays_for_panels(const Frame& frame, const Space& out, int64_t channels, int64_t cols) {
  const double lost = 1 - static_cast<double>(volume(out)) / static_cast<double>(frame.span(out));
  return lost * 1.5 * static_cast<double>(channels) > 2.0 * static_cast<double>(cols / out[2] + 2);
}

// y at channel i < channels and place o of the box `out` = the sum over k of w[i * taps.size() + k] * the framed copy at
// taps[k] + frame.step(o), for each image. Tiles read the copy of a single image in place, where what lies between two
// output rows is computed, too, and dropped; or the places that a tile sees are packed into a panel, where a tile may have
// places of several images.
template <class T>
class Correlation {
 public:
  Correlation(const Planes<T>& to, const Space& box, int64_t channel_count, const T* weights, const Taps& steps,
              const Images<T>& from, const Frame& of, bool by_panels)
      : y(to), out(box), channels(channel_count), w(weights), taps(steps), x(from), frame(of), packed(by_panels) {}

  // One of `parts` parts of the places.
  void run(int64_t part, int64_t parts) {
    if (channels == 1 && !packed && y.step[2] == 1) return run_lines(part, parts);
    const int64_t rows = (span + pitch - 1) / pitch;
    const int64_t begin = rows * part / parts * pitch, end = std::min(span, rows * (part + 1) / parts * pitch);
    if (begin >= end) return;
    const int64_t pieces = std::max<int64_t>(1, (inner + kInner - 1) / kInner);
    const int64_t piece = std::max<int64_t>(1, (inner + pieces - 1) / pieces);
    const int64_t padded = (channels + t.rows - 1) / t.rows * t.rows;
    // As many places at a time as their panels and sums stay in the second-level cache.
    const int64_t sums_size = pieces == 1 ? t.rows * pitch : padded * pitch, panel_size = (piece + 1) * pitch;
    const int64_t most = std::max<int64_t>(1, kAtOnce / std::max(sums_size, panel_size));
    const int64_t tiles = (end - begin + pitch - 1) / pitch, rounds = (tiles + most - 1) / most;
    const int64_t at_once = (tiles + rounds - 1) / rounds;
    const Tensor memory = empty({at_once * (sums_size + (packed ? panel_size : 0))}, dtype_of<T>);
    sums_ = {reinterpret_cast<T*>(memory.bytes()), pieces == 1 ? 0 : t.rows * pitch, sums_size};
    panels_ = {sums_.at + at_once * sums_size, 0, panel_size};
    for (int64_t first = begin; first < end; first += at_once * pitch) {
      find_tiles(first, std::min(end, first + at_once * pitch));
      for (int64_t k = 0; k == 0 || k < inner; k += piece) add_up(k, std::min(piece, inner - k));
    }
  }

 private:
  // A single channel, as in depthwise convolutions, line by line: a tile of one row would cost more than its sums.
  void run_lines(int64_t part, int64_t parts) const {
    const int64_t lines = out[0] * out[1];
    for (int64_t line = lines * part / parts; line < lines * (part + 1) / parts; ++line) {
      const Space at{line / out[1], line % out[1], 0};
      t.sum_line(out[2], inner, taps.data(), w, x.at + frame.step(at), y.at + at[0] * y.step[0] + at[1] * y.step[1]);
    }
  }

  struct Tile {
    int64_t place, cols;
    size_t runs_begin, runs_end;
  };
  // Of tile `index`: at + index * tile, and for its row of sub-tiles `row` further on.
  struct Blocks {
    T* at;
    int64_t row, tile;
  };

  void find_tiles(int64_t first, int64_t last) {
    tiles_.clear();
    runs_.clear();
    while (first < last) {
      const int64_t cols = std::min<int64_t>(t.next_vectors(last - first) * t.lanes, last - first);
      const size_t before = runs_.size();
      find_runs(first, cols);
      if (runs_.size() > before) tiles_.push_back({first, cols, before, runs_.size()});
      first += cols;
    }
  }

  // The sums of all channels and tiles over taps k .., which after the last tap go to y, or are there already. That happens
  // tile by tile: the memory is written while the next sums run.
  void add_up(int64_t k, int64_t count) const {
    for (size_t j = 0; packed && j < tiles_.size(); ++j)
      t.pack_runs(runs_.data() + tiles_[j].runs_begin, static_cast<int>(tiles_[j].runs_end - tiles_[j].runs_begin),
                  taps.data() + k, count, x.at, panels_.at + static_cast<int64_t>(j) * panels_.tile, pitch);
    for (int64_t i = 0; i < channels; i += t.rows) {
      const int height = static_cast<int>(std::min<int64_t>(t.rows, channels - i));
      const T* rows[kTileRows];
      for (int r = 0; r < height; ++r) rows[r] = w + (i + r) * inner + k;
      for (size_t j = 0; j < tiles_.size(); ++j) {
        const Tile& tile = tiles_[j];
        const auto index = static_cast<int64_t>(j);
        const TileRun& first = runs_[tile.runs_begin];
        const bool in_place = y.step[2] == 1 && first.count == tile.cols;
        T* to = in_place ? y.at + i * y.plane + first.to : sums_.at + index * sums_.tile + i / t.rows * sums_.row;
        const int64_t step = in_place ? y.plane : pitch;
        if (packed)
          t.sum_evenly(height, tile.cols, {count, 1, pitch}, rows, panels_.at + index * panels_.tile, T(1), to, step,
                       k > 0);
        else
          t.sum_rows(height, tile.cols, {count, taps.data() + k}, rows, x.at + tile.place, T(1), to, step, k > 0);
        if (in_place || k + count < inner) continue;
        for (size_t run = tile.runs_begin; run < tile.runs_end; ++run) store(runs_[run], i, height, to + runs_[run].at);
      }
    }
  }

  void store(const TileRun& run, int64_t i, int height, const T* from) const {
    T* to = y.at + i * y.plane + run.to;
    if (y.step[2] == 1) return t.copy_rows(height, run.count, from, pitch, to, y.plane);
    for (int r = 0; r < height; ++r)
      for (int64_t j = 0; j < run.count; ++j) to[r * y.plane + j * y.step[2]] = from[r * pitch + j];
  }

  // The pieces of output rows in a tile.
  void find_runs(int64_t place, int64_t cols) {
    const size_t before = runs_.size();
    const int64_t length = packed ? out[2] : frame.step({0, 1, 0}), end = place + cols;
    for (int64_t line = place / length; line * length < end; ++line) {
      const int64_t image = packed ? line / (out[0] * out[1]) : 0;
      const Space at = line_at(packed ? line % (out[0] * out[1]) : line);
      const int64_t start = line * length, low = std::max(place, start), high = std::min(end, start + out[2]);
      if (low >= high || at[1] >= out[1]) continue;
      const TileRun run{low - place, image * x.step + frame.step(at) + low - start, high - low,
                        image * y.image + at[0] * y.step[0] + at[1] * y.step[1] + (low - start) * y.step[2]};
      TileRun* last = runs_.size() > before ? &runs_.back() : nullptr;
      if (last && last->at + last->count == run.at && last->from + last->count == run.from &&
          last->to + last->count * y.step[2] == run.to)
        last->count += run.count;
      else
        runs_.push_back(run);
    }
  }
  // Lines of places are those of the box, or of the copy, which has more of them in a plane.
  Space line_at(int64_t line) const {
    const int64_t lines = packed ? out[1] : frame.phase[1];
    return {line / lines, line % lines, 0};
  }

  static constexpr int64_t kInner = 640, kAtOnce = (640 << 10) / sizeof(T);
  const Tiles<T>& t = tiles<T>();
  const Planes<T> y;
  const Space out;
  const int64_t channels;
  const T* w;
  const Taps& taps;
  const Images<T> x;
  const Frame& frame;
  const int64_t pitch = t.cols();
  const bool packed;
  const int64_t inner = std::ssize(taps), span = packed ? x.count * volume(out) : frame.span(out);
  Blocks sums_{}, panels_{};
  std::vector<Tile> tiles_;
  std::vector<TileRun> runs_;
};

// How a pass is shared out: images in bundles whose tiles may mix their places, so that small ones leave no tile half empty
// and a bundle's tiles share the weights that they read. Where these are too few for the threads, the places of a bundle are
// cut into parts, or the channels of the result, where each part would have less than some tiles.
struct Shares {
  int64_t at_once = 1, bundles, parts = 1, channel_parts = 1;

  // Of N images in `groups` groups, each with so many places, results and elements to copy, by tiles of so many columns.
  Shares(int64_t N, int64_t groups, int64_t places, int64_t results, int64_t copy_size, int64_t cols, bool packed) {
    constexpr int64_t kPlaces = 512, kCopies = 1 << 20;  // the most of a bundle
    constexpr int64_t kTiles = 4, kChannels = 32;        // the least of a part
    if (packed)
      at_once = std::clamp<int64_t>(std::min(kPlaces / places, kCopies / std::max<int64_t>(1, copy_size)), 1, N);
    bundles = (N - 1) / at_once + 1;
    const int64_t threads = num_threads(), units = bundles * groups, tiles = (at_once * places - 1) / cols + 1;
    if (threads == 1) return;
    parts = (kTasks * threads - 1) / units + 1;
    if (tiles >= kTiles * parts) return;
    parts = std::max<int64_t>(1, tiles / kTiles);
    channel_parts = std::clamp<int64_t>((threads - 1) / (units * parts) + 1, 1, (results - 1) / kChannels + 1);
  }
};

// What a task computes: one of `parts` parts of the places of images image .. image + x.count of a group, for some channels.
template <class T>
struct Part {
  Images<T> x;
  bool packed;
  int64_t group, image, channel, channels, part, parts;
};

// Calls body(part) in parallel for all images of `channels` channels and all `results` channels, which have `places` places
// each. Images are read where they lie if nothing is around them and the results are not too few for panels: nothing may
// be read beyond an image.
template <class T, class Body>
void for_parts(const ConvShape& s, const T* images, const Space& size, int64_t channels, int64_t results,
               const Space& places, const Frame& frame, Body body) {
  const Tiles<T>& t = tiles<T>();
  const int64_t image_size = channels * volume(size), copy_size = channels * frame.plane();
  const bool is_image =
      results >= 16 && frame.origin == Space{0, 0, 0} && frame.positions == size && volume(frame.stride) == 1;
  const bool packed = is_image || pays_for_panels(frame, places, results, t.cols());
  const Shares shares(s.N, s.G, volume(places), results, copy_size, t.cols(), packed);
  const int64_t tasks = shares.parts * shares.channel_parts, tile_rows = (results - 1) / t.rows + 1;
  const int64_t flops = 2 * volume(s.out) * s.taps() * s.C * s.O * shares.at_once / tasks + 1;
  parallel_for(shares.bundles * s.G * tasks, (kTaskFlops + flops - 1) / flops, [&](int64_t begin, int64_t end) {
    // Tiles read a little beyond.
    const Tensor scratch = empty({is_image ? 0 : shares.at_once * copy_size + kTileCols}, dtype_of<T>);
    T* copies = reinterpret_cast<T*>(scratch.bytes());
    int64_t filled = -1;  // the unit that the copies are of
    for (int64_t task = begin; task < end; ++task) {
      const int64_t unit = task / tasks, group = unit / shares.bundles, bundle = unit % shares.bundles;
      const int64_t first = s.N * bundle / shares.bundles, count = s.N * (bundle + 1) / shares.bundles - first;
      const T* from = images + (first * s.G + group) * image_size;
      for (int64_t i = 0; !is_image && unit != filled && i < count; ++i)
        frame.fill(from + i * s.G * image_size, size, channels, copies + i * copy_size);
      filled = unit;
      const int64_t share = task % tasks / shares.parts, low = tile_rows * share / shares.channel_parts * t.rows,
                    high = std::min(results, tile_rows * (share + 1) / shares.channel_parts * t.rows);
      const Images<T> x = is_image ? Images<T>{from, count, s.G * image_size} : Images<T>{copies, count, copy_size};
      body(Part<T>{x, packed, group, first, low, high - low, task % shares.parts, shares.parts});
    }
  });
}

template <class T>
void forward(const ConvShape& s, T* y, const T* x, const T* w) {
  const Frame frame = s.frame();
  Taps taps;
  for (int64_t c = 0; c < s.C; ++c)
    for_box(s.kernel, [&](const Space& k) {
      taps.push_back(c * frame.plane() + frame.at({k[0] * s.dilation[0], k[1] * s.dilation[1], k[2] * s.dilation[2]}));
    });
  const int64_t plane = volume(s.out);
  for_parts(s, x, s.in, s.C, s.O, s.out, frame, [&](const Part<T>& p) {
    const Planes<T> to{y + ((p.image * s.G + p.group) * s.O + p.channel) * plane,
                       s.G * s.O * plane,
                       plane,
                       {s.out[1] * s.out[2], s.out[2], 1}};
    const T* weights = w + (p.group * s.O + p.channel) * std::ssize(taps);
    Correlation<T>(to, s.out, p.channels, weights, taps, p.x, frame, p.packed).run(p.part, p.parts);
  });
}

// The pixels of dx at `first`, first + stride, ..., what they see of g, and by which of a kernel's weights.
struct Remainder {
  Space first, count;
  Taps taps;
  std::vector<int64_t> weights;
};

// [G * C, r.taps.size()]: the weights of each channel of dx one after the other.
template <class T>
Tensor by_channel(const ConvShape& s, const Remainder& r, const T* w) {
  const int64_t inner = std::ssize(r.taps), seen = std::ssize(r.weights), taps = s.taps();
  constexpr int64_t kChannels = 16;  // at a time, so that a line of w is read once
  const Tensor sorted = empty({s.G * s.C, inner}, dtype_of<T>);
  T* to = sorted.data<T>();
  const int64_t chunks = (s.C + kChannels - 1) / kChannels;
  parallel_for(s.G * chunks, kGrain / std::max<int64_t>(1, inner * kChannels) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t chunk = begin; chunk < end; ++chunk) {
      const int64_t group = chunk / chunks, low = chunk % chunks * kChannels, high = std::min(s.C, low + kChannels);
      for (int64_t o = 0; o < s.O; ++o)
        for (int64_t c = low; c < high; ++c)
          for (int64_t k = 0; k < seen; ++k)
            to[(group * s.C + c) * inner + o * seen + k] = w[((group * s.O + o) * s.C + c) * taps + r.weights[k]];
    }
  });
  return sorted;
}

// Pixel i of a line takes tap k from output (i + padding - k * dilation) / stride, where that has no remainder.
bool sees(const ConvShape& s, const Space& i, const Space& k, Space& o) {
  for (int d = 0; d < 3; ++d) {
    const int64_t at = i[d] + s.padding[d] - k[d] * s.dilation[d];
    o[d] = at / s.stride[d];
    if (at % s.stride[d] != 0) return false;
  }
  return true;
}

template <class T>
void input_adjoint(const ConvShape& s, T* dx, const T* g, const T* w) {
  const int64_t plane = volume(s.in);
  Space low{0, 0, 0}, high = s.out, most{1, 1, 1};  // outputs that any pixel would see
  for_box(s.stride, [&](const Space& first) {
    for_box(s.kernel, [&](const Space& k) {
      Space o;
      if (!sees(s, first, k, o)) return;
      for (int d = 0; d < 3; ++d) {
        low[d] = std::min(low[d], o[d]);
        high[d] = std::max(high[d], o[d] + (s.in[d] - first[d] + s.stride[d] - 1) / s.stride[d]);
      }
    });
  });
  const Frame frame(low, {high[0] - low[0], high[1] - low[1], high[2] - low[2]}, most);

  std::vector<Remainder> remainders;
  std::vector<Tensor> weights;
  for_box(s.stride, [&](const Space& first) {
    Remainder r{first, {}, {}, {}};
    for (int d = 0; d < 3; ++d) r.count[d] = std::max<int64_t>(0, (s.in[d] - first[d] + s.stride[d] - 1) / s.stride[d]);
    if (volume(r.count) == 0) return;
    for (int64_t o = 0; o < s.O; ++o) {
      int64_t tap = 0;
      for_box(s.kernel, [&](const Space& k) {
        Space seen;
        if (sees(s, first, k, seen)) {
          if (o == 0) r.weights.push_back(tap);
          r.taps.push_back(o * frame.plane() + frame.at({seen[0] - low[0], seen[1] - low[1], seen[2] - low[2]}));
        }
        ++tap;
      });
    }
    weights.push_back(by_channel(s, r, w));
    remainders.push_back(std::move(r));
  });

  for_parts(s, g, s.out, s.O, s.C, remainders[0].count, frame, [&](const Part<T>& p) {
    T* first = dx + ((p.image * s.G + p.group) * s.C + p.channel) * plane;
    const Space step{s.stride[0] * s.in[1] * s.in[2], s.stride[1] * s.in[2], s.stride[2]};
    for (size_t i = 0; i < remainders.size(); ++i) {
      const Remainder& r = remainders[i];
      const Planes<T> to{first + (r.first[0] * s.in[1] + r.first[1]) * s.in[2] + r.first[2], s.G * s.C * plane, plane,
                         step};
      const T* from = reinterpret_cast<const T*>(weights[i].bytes()) + (p.group * s.C + p.channel) * std::ssize(r.taps);
      Correlation<T>(to, r.count, p.channels, from, r.taps, p.x, frame, p.packed).run(p.part, p.parts);
    }
  });
}

// Calls pass(out, a, b) with pointers to contiguous elements: for float16 and bfloat16 to float32 copies.
template <class Pass>
void run(const char* where, const Tensor& out, const Tensor& a, const Tensor& b, Pass pass) {
  if (out.numel() == 0) return;
  with_type(out.dtype(), [&]<class T>() {
    if constexpr (std::is_same_v<T, bool>) {
      fail(where, ": bool tensors have no convolution");
    } else if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
      auto wide = [](const Tensor& x) { return empty(x.sizes(), DType::Float32); };
      const Tensor wide_out = wide(out), wide_a = wide(a), wide_b = wide(b);
      slots::copy(wide_a, a);
      slots::copy(wide_b, b);
      pass(wide_out.data<float>(), wide_a.data<float>(), wide_b.data<float>());
      slots::copy(out, wide_out);
    } else {
      pass(out.data<T>(), a.data<T>(), b.data<T>());
    }
  });
}

void conv(const Tensor& y, const Tensor& x, const Tensor& w, const IntList& stride, const IntList& padding,
          const IntList& dilation, int64_t groups) {
  const ConvShape s(x.sizes(), w.sizes(), y.sizes(), stride, padding, dilation, groups);
  run("conv", y, x, w, [&]<class T>(T* to, const T* image, const T* weight) { forward(s, to, image, weight); });
}

void conv_input(const Tensor& dx, const Tensor& g, const Tensor& w, const IntList& stride, const IntList& padding,
                const IntList& dilation, int64_t groups) {
  const ConvShape s(dx.sizes(), w.sizes(), g.sizes(), stride, padding, dilation, groups);
  run("conv_input", dx, g, w,
      [&]<class T>(T* to, const T* gradient, const T* weight) { input_adjoint(s, to, gradient, weight); });
}

void conv_weight(const Tensor& dw, const Tensor& g, const Tensor& x, const IntList& stride, const IntList& padding,
                 const IntList& dilation, int64_t groups) {
  const ConvShape s(x.sizes(), dw.sizes(), g.sizes(), stride, padding, dilation, groups);
  run("conv_weight", dw, g, x, [&]<class T>(T* to, const T* gradient, const T* image) {
    if constexpr (std::is_floating_point_v<T>)
      if (s.C == 1 && s.O == 1 && volume(s.out) > 0) return depthwise_weight_adjoint(s, to, gradient, image);
    conv_weight_adjoint(s, to, gradient, image);
  });
}

}  // namespace

void fill_conv_slots() {
  slots::conv.fill(DeviceType::CPU, conv);
  slots::conv_input.fill(DeviceType::CPU, conv_input);
  slots::conv_weight.fill(DeviceType::CPU, conv_weight);
}

}  // namespace facula::cpu
