#include "core/image.h"

#include "core/image_format.h"
#include "core/iterator.h"
#include "core/slots.h"

namespace facula {
namespace {

constexpr std::string_view kPngStart = "\x89PNG\r\n\x1a\n", kJpegStart = "\xff\xd8\xff";
constexpr int32_t kWidest = 65535;
constexpr int64_t kLongestJpeg = 65500;  // sides that libjpeg writes and reads

Tensor planes_of(const Tensor& pixels) {
  const int64_t H = pixels.size(0), W = pixels.size(1), C = pixels.size(2);
  const Tensor view = pixels.alias({C, H, W}, {pixels.stride(2), pixels.stride(0), pixels.stride(1)}, pixels.offset());
  if (pixels.dtype() == DType::UInt8) {
    const Tensor planes = empty(view.sizes(), DType::UInt8);
    slots::copy(planes, view);
    return planes;
  }
  const Tensor planes = empty(view.sizes(), DType::Int32);
  slots::copy(planes, view);
  int32_t* const out = planes.data<int32_t>();
  for (int64_t i = 0; i < planes.numel(); ++i) out[i] &= kWidest;  // the copy took them for signed
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
  check(image.is_cpu(), operation, ": the picture is on ", image.device(), ", expected one on cpu");
  check(image.dim() == 3 && image.size(0) >= 1 && image.size(0) <= most_channels, operation,
        ": expected a picture (C, H, W) with 1 to ", most_channels, " channels, got ", image.sizes());
  check(image.numel() > 0, operation, ": a picture of ", image.sizes(), " has no pixels");
  check(image.size(1) <= kMaxPixels / image.size(2), operation, ": a picture of ", image.sizes(), " has more than ",
        kMaxPixels, " pixels");
}

/// (H, W, C), dense; 16-bit numbers as int16.
Tensor pixels_of(const Tensor& image, const char* operation) {
  const Tensor view = image.alias({image.size(1), image.size(2), image.size(0)},
                                  {image.stride(1), image.stride(2), image.stride(0)}, image.offset());
  const Tensor dense = empty(view.sizes(), image.dtype());
  slots::copy(dense, view);
  if (image.dtype() == DType::UInt8) return dense;
  const Tensor narrow = empty(view.sizes(), DType::Int16);
  const int32_t* const from = dense.data<int32_t>();
  for (int64_t i = 0; i < dense.numel(); ++i) {
    check(from[i] >= 0 && from[i] <= kWidest, operation, ": an element is ", from[i], ", 16 bits go from 0 to ",
          kWidest);
    narrow.data<int16_t>()[i] = static_cast<int16_t>(from[i]);
  }
  return narrow;
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
