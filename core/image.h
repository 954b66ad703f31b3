// Pictures as files: PNG and JPEG.
//
// The libraries are trusted with neither sizes nor memory: a picture's size is compared with the length of its file before
// memory is asked for, and where a library gives up by longjmp, it leaves no C++ object behind.
#pragma once

#include <string>
#include <string_view>

#include "core/tensor.h"

namespace facula {

enum class ImageMode { Unchanged, Gray, GrayAlpha, Rgb, RgbAlpha };

struct ImageWish {
  ImageMode mode = ImageMode::Unchanged;
  /// Elements of 16 bits are wanted as they are, in int32; otherwise they are scaled to 8 bits.
  bool wide = false;
};

/// The channels, rows and columns (C, H, W) of a PNG or JPEG file, told apart by their first bytes: uint8 from 0 to 255, or
/// int32 from 0 to 65535 where the file has 16 bits and `wide` is wished. Palettes become colours, transparent ones alpha; CMYK becomes RGB.
/// `name` is the file in errors: another format, cut, damaged, more than 2^28 pixels.
Tensor decode_image(std::string_view file, ImageWish wish, const std::string& name);

/// (C, H, W) with gray, gray and alpha, RGB, or RGB and alpha: uint8, or int32 from 0 to 65535 for 16 bits. `level` of
/// compression: 0 (none, fast) to 9 (small).
std::string encode_png(const Tensor& image, int level);
/// (C, H, W), gray or RGB, uint8. `quality`: 1 (small) to 100.
std::string encode_jpeg(const Tensor& image, int quality);

}  // namespace facula
