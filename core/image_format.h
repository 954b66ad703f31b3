// What image.cpp wants of each format: elements as the libraries have them, pixel after pixel.
#pragma once

#include "core/image.h"

namespace facula {

constexpr int64_t kMaxPixels = int64_t{1} << 28;

/// Fails for pictures that are larger than any that `file` can hold: `pixels_per_byte` is what the format can do at its best.
void check_pixels(const std::string& name, int64_t width, int64_t height, int64_t file_bytes, int64_t pixels_per_byte);

/// (H, W, C), uint8 or int16 (the bits of unsigned numbers).
Tensor decode_png(std::string_view file, ImageWish wish, const std::string& name);
/// (H, W, C), uint8, without alpha.
Tensor decode_jpeg(std::string_view file, ImageWish wish, const std::string& name);

/// `pixels` are as decoded.
std::string png_of(const Tensor& pixels, int level);
std::string jpeg_of(const Tensor& pixels, int quality);

}  // namespace facula
