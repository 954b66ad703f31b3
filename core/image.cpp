#include "core/image.h"

#include <algorithm>

#include "core/image_format.h"
#include "core/mapped_file.h"
#include "core/parallel.h"

namespace facula {
namespace {

constexpr std::string_view kPngStart = "\x89PNG\r\n\x1a\n", kJpegStart = "\xff\xd8\xff";
constexpr int32_t kWidest = 65535;
constexpr int64_t kLongestJpeg = 65500;  // sides that libjpeg writes and reads

// Calls body(y, c) for each row of each channel. A general copy from planes to pixels takes ten times as long.
template <class Body>
void each_row(int64_t H, int64_t W, int64_t C, const Body& body) {
  parallel_for(H, std::max<int64_t>(1, kGrain / (W * C)), [&](int64_t first, int64_t last) {
    for (int64_t y = first; y < last; ++y)
      for (int64_t c = 0; c < C; ++c) body(y, c);
  });
}

template <class From, class To>
void fill_planes(const Tensor& planes, const Tensor& pixels) {
  const int64_t H = pixels.size(0), W = pixels.size(1), C = pixels.size(2);
  const auto* const from = reinterpret_cast<const From*>(pixels.bytes());
  To* const to = planes.data<To>();
  each_row(H, W, C, [=](int64_t y, int64_t c) {
    const From* const in = from + y * W * C + c;
    To* const out = to + (c * H + y) * W;
    for (int64_t x = 0; x < W; ++x) out[x] = in[x * C];
  });
}

Tensor planes_of(const Tensor& pixels) {
  const bool wide = pixels.dtype() == DType::Int16;
  const Tensor planes = empty({pixels.size(2), pixels.size(0), pixels.size(1)}, wide ? DType::Int32 : DType::UInt8);
  if (wide)
    fill_planes<uint16_t, int32_t>(planes, pixels);
  else
    fill_planes<uint8_t, uint8_t>(planes, pixels);
  return planes;
}

Tensor with_opaque_alpha(const Tensor& planes) {
  const int64_t C = planes.size(0), plane = planes.size(1) * planes.size(2);
  const Tensor out = empty({C + 1, planes.size(1), planes.size(2)}, DType::UInt8);
  std::copy_n(planes.data<uint8_t>(), C * plane, out.data<uint8_t>());
  std::fill_n(out.data<uint8_t>() + C * plane, plane, uint8_t{255});
  return out;
}

void check_image(const Tensor& image, const char* operation, int64_t most_channels) {
  check(!image.is_meta(), operation, ": a meta tensor has no elements");
  check(image.dim() == 3 && image.size(0) >= 1 && image.size(0) <= most_channels, operation,
        ": expected a picture (C, H, W) with 1 to ", most_channels, " channels, got ", image.sizes());
  check(image.numel() > 0, operation, ": a picture of ", image.sizes(), " has no pixels");
  check(image.size(1) <= kMaxPixels / image.size(2), operation, ": a picture of ", image.sizes(), " has more than ",
        kMaxPixels, " pixels");
}

template <class From, class To>
void fill_pixels(const Tensor& pixels, const Tensor& planes) {
  const int64_t H = pixels.size(0), W = pixels.size(1), C = pixels.size(2);
  const From* const from = planes.data<From>();
  auto* const to = reinterpret_cast<To*>(pixels.bytes());
  each_row(H, W, C, [=](int64_t y, int64_t c) {
    const From* const in = from + (c * H + y) * W;
    To* const out = to + y * W * C + c;
    for (int64_t x = 0; x < W; ++x) out[x * C] = static_cast<To>(in[x]);
  });
}

/// (H, W, C), dense; 16-bit numbers as int16.
Tensor pixels_of(const Tensor& image, const char* operation) {
  const Tensor planes = dense_on_host(image);
  const Sizes sizes{image.size(1), image.size(2), image.size(0)};
  if (image.dtype() == DType::UInt8) {
    const Tensor pixels = empty(sizes, DType::UInt8);
    fill_pixels<uint8_t, uint8_t>(pixels, planes);
    return pixels;
  }
  const int32_t* const first = planes.data<int32_t>();
  const int32_t* const wrong =
      std::find_if(first, first + planes.numel(), [](int32_t v) { return v < 0 || v > kWidest; });
  if (wrong != first + planes.numel()) fail(operation, ": an element is ", *wrong, ", 16 bits go from 0 to ", kWidest);
  const Tensor pixels = empty(sizes, DType::Int16);
  fill_pixels<int32_t, uint16_t>(pixels, planes);
  return pixels;
}

}  // namespace

void check_pixels(const std::string& name, int64_t width, int64_t height, int64_t file_bytes, int64_t pixels_per_byte) {
  check(width > 0 && height > 0, name, " is damaged: it has ", width, " x ", height, " pixels");
  check(height <= kMaxPixels / width, name, " has ", width, " x ", height, " pixels, more than the ", kMaxPixels,
        " that are read");
  check(width * height / pixels_per_byte <= file_bytes, name, " is damaged: its ", file_bytes, " bytes cannot hold ",
        width, " x ", height, " pixels");
}

Tensor decode_image(std::string_view file, ImageWish wish, const std::string& name) {
  if (file.starts_with(kPngStart)) return planes_of(decode_png(file, wish, name));
  check(file.starts_with(kJpegStart), name, " is neither a PNG nor a JPEG file");
  const Tensor planes = planes_of(decode_jpeg(file, wish, name));
  const bool alpha = wish.mode == ImageMode::GrayAlpha || wish.mode == ImageMode::RgbAlpha;
  return alpha ? with_opaque_alpha(planes) : planes;
}

std::string encode_png(const Tensor& image, int level) {
  check_image(image, "encode_png", 4);
  check(image.dtype() == DType::UInt8 || image.dtype() == DType::Int32, "encode_png: expected uint8, or int32 for 16 ",
        "bits, got ", image.dtype());
  check(level >= 0 && level <= 9, "encode_png: compression_level is 0 to 9, got ", level);
  return png_of(pixels_of(image, "encode_png"), level);
}

std::string encode_jpeg(const Tensor& image, int quality) {
  check_image(image, "encode_jpeg", 3);
  check(image.size(0) != 2, "encode_jpeg: expected 1 or 3 channels, got 2");
  check(image.dtype() == DType::UInt8, "encode_jpeg: expected uint8, got ", image.dtype());
  check(quality >= 1 && quality <= 100, "encode_jpeg: quality is 1 to 100, got ", quality);
  check(image.size(1) <= kLongestJpeg && image.size(2) <= kLongestJpeg, "encode_jpeg: a side has at most ",
        kLongestJpeg, " pixels, the picture is ", image.sizes());
  return jpeg_of(pixels_of(image, "encode_jpeg"), quality);
}

}  // namespace facula
