// PNG through libpng.
//
// Note [Where longjmp may pass]: libpng and libjpeg leave an error by longjmp. Between `guarded`, which sets its aim, and the
// library lies one step: a plain function over a plain struct, without objects that would need to be destroyed.
#include "core/image_format.h"
#include "core/parallel.h"

#ifdef FACULA_WITH_PNG

#include <png.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace facula {
namespace {

constexpr int64_t kInflation = 1032;             // bytes that one of deflate's can become (zlib's technical notes)
constexpr png_alloc_size_t kMaxChunk = 8 << 20;  // of text, profiles and the like
constexpr double kRedWeight = 0.299, kGreenWeight = 0.587;  // of the luma of BT.601

struct Codec {
  png_structp png = nullptr;
  png_infop info = nullptr;
  char message[160] = "";
  bool interrupted = false;
  uint8_t* pixels = nullptr;
  size_t row_bytes = 0;
  int64_t height = 0;
};

[[noreturn]] void leave(png_structp png, png_const_charp message) {
  auto* codec = static_cast<Codec*>(png_get_error_ptr(png));
  std::snprintf(codec->message, sizeof codec->message, "%s", message);
  png_longjmp(png, 1);
}

void ignore(png_structp, png_const_charp) {}

template <class C>
bool guarded(C& codec, void (*step)(C&)) {
  if (setjmp(png_jmpbuf(codec.png))) return false;
  step(codec);
  return true;
}

// ---- reading ----

struct Decoder : Codec {
  const char* at = nullptr;
  size_t left = 0;
  ImageWish wish;
  int64_t width = 0;
  int channels = 0, depth = 0, passes = 1;

  Decoder() = default;
  ~Decoder() { png_destroy_read_struct(&png, &info, nullptr); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
};

void read_bytes(png_structp png, png_bytep out, size_t n) {
  auto* decoder = static_cast<Decoder*>(png_get_io_ptr(png));
  if (n > decoder->left) png_error(png, "it ends too early");
  std::memcpy(out, decoder->at, n);
  decoder->at += n;
  decoder->left -= n;
}

void read_header(Decoder& d) {
  png_set_user_limits(d.png, kMaxPixels, kMaxPixels);
  png_set_chunk_malloc_max(d.png, kMaxChunk);
  png_set_read_fn(d.png, &d, read_bytes);
  png_read_info(d.png, d.info);
  d.width = png_get_image_width(d.png, d.info);
  d.height = png_get_image_height(d.png, d.info);
  d.row_bytes = png_get_rowbytes(d.png, d.info);
}

void choose_format(Decoder& d) {
  const ImageMode mode = d.wish.mode;
  const int type = png_get_color_type(d.png, d.info);
  const bool colour = type & PNG_COLOR_MASK_COLOR;
  const bool alpha = type & PNG_COLOR_MASK_ALPHA || png_get_valid(d.png, d.info, PNG_INFO_tRNS);
  png_set_expand(d.png);
  if (d.wish.wide)
    png_set_swap(d.png);
  else
    png_set_scale_16(d.png);
  if (colour && (mode == ImageMode::Gray || mode == ImageMode::GrayAlpha))
    png_set_rgb_to_gray(d.png, PNG_ERROR_ACTION_NONE, kRedWeight, kGreenWeight);
  if (!colour && (mode == ImageMode::Rgb || mode == ImageMode::RgbAlpha)) png_set_gray_to_rgb(d.png);
  if (alpha && (mode == ImageMode::Gray || mode == ImageMode::Rgb)) png_set_strip_alpha(d.png);
  if (!alpha && (mode == ImageMode::GrayAlpha || mode == ImageMode::RgbAlpha))
    png_set_add_alpha(d.png, 0xffff, PNG_FILLER_AFTER);
  d.passes = png_set_interlace_handling(d.png);
  png_read_update_info(d.png, d.info);
  d.channels = png_get_channels(d.png, d.info);
  d.depth = png_get_bit_depth(d.png, d.info);
  d.row_bytes = png_get_rowbytes(d.png, d.info);
}

void read_rows(Decoder& d) {
  for (int pass = 0; pass < d.passes; ++pass) {
    for (int64_t y = 0; y < d.height; ++y) {
      if (y % 64 == 0 && interrupt_requested()) {
        d.interrupted = true;
        return;
      }
      png_read_row(d.png, d.pixels + static_cast<size_t>(y) * d.row_bytes, nullptr);
    }
  }
  png_read_end(d.png, nullptr);
}

// ---- writing ----

struct Encoder : Codec {
  char* out = nullptr;
  size_t size = 0, capacity = 0;
  int64_t width = 0;
  int channels = 0, depth = 8, level = 6;

  Encoder() = default;
  ~Encoder() {
    png_destroy_write_struct(&png, &info);
    std::free(out);
  }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
};

void append(png_structp png, png_bytep bytes, size_t n) {
  auto* encoder = static_cast<Encoder*>(png_get_io_ptr(png));
  if (n > encoder->capacity - encoder->size) {
    const size_t capacity = 2 * encoder->capacity + n;
    char* grown = static_cast<char*>(std::realloc(encoder->out, capacity));
    if (!grown) png_error(png, "no memory");
    encoder->out = grown;
    encoder->capacity = capacity;
  }
  std::memcpy(encoder->out + encoder->size, bytes, n);
  encoder->size += n;
}

void write_all(Encoder& e) {
  constexpr int kTypes[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                            PNG_COLOR_TYPE_RGB_ALPHA};
  png_set_user_limits(e.png, kMaxPixels, kMaxPixels);
  png_set_write_fn(e.png, &e, append, nullptr);
  png_set_compression_level(e.png, e.level);
  png_set_IHDR(e.png, e.info, static_cast<png_uint_32>(e.width), static_cast<png_uint_32>(e.height), e.depth,
               kTypes[e.channels - 1], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(e.png, e.info);
  if (e.depth == 16) png_set_swap(e.png);
  for (int64_t y = 0; y < e.height; ++y) {
    if (y % 64 == 0 && interrupt_requested()) {
      e.interrupted = true;
      return;
    }
    png_write_row(e.png, e.pixels + static_cast<size_t>(y) * e.row_bytes);
  }
  png_write_end(e.png, e.info);
}

}  // namespace

Tensor decode_png(std::string_view file, ImageWish wish, const std::string& name) {
  Decoder d;
  d.at = file.data();
  d.left = file.size();
  d.wish = wish;
  d.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, static_cast<Codec*>(&d), leave, ignore);
  if (d.png) d.info = png_create_info_struct(d.png);
  if (!d.info) throw OutOfMemory(name + ": no memory for libpng");
  const auto step = [&](void (*body)(Decoder&)) {
    check(guarded(d, body), name, " is damaged near byte ", file.size() - d.left, ": ", d.message);
    if (d.interrupted) throw Interrupted();
  };
  step(read_header);
  check_pixels(name, d.width, d.height, static_cast<int64_t>(file.size()), 8 * kInflation);
  check(d.row_bytes * static_cast<size_t>(d.height) / kInflation <= file.size(), name, " is damaged: its ", file.size(),
        " bytes cannot hold ", d.width, " x ", d.height, " pixels");
  step(choose_format);
  const Tensor pixels = empty({d.height, d.width, d.channels}, d.depth == 16 ? DType::Int16 : DType::UInt8);
  d.pixels = reinterpret_cast<uint8_t*>(pixels.bytes());
  step(read_rows);
  return pixels;
}

std::string png_of(const Tensor& pixels, int level) {
  Encoder e;
  e.height = pixels.size(0);
  e.width = pixels.size(1);
  e.channels = static_cast<int>(pixels.size(2));
  e.depth = pixels.dtype() == DType::UInt8 ? 8 : 16;
  e.level = level;
  e.pixels = reinterpret_cast<uint8_t*>(pixels.bytes());
  e.row_bytes = static_cast<size_t>(pixels.stride(0) * pixels.item_size());
  e.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, static_cast<Codec*>(&e), leave, ignore);
  if (e.png) e.info = png_create_info_struct(e.png);
  if (!e.info) throw OutOfMemory("encode_png: no memory for libpng");
  check(guarded(e, write_all), "encode_png: ", e.message);
  if (e.interrupted) throw Interrupted();
  return {e.out, e.size};
}

}  // namespace facula

#else

namespace facula {

Tensor decode_png(std::string_view, ImageWish, const std::string& name) {
  fail(name, " is a PNG file, and this program was built without libpng");
}

std::string png_of(const Tensor&, int) { fail("encode_png: this program was built without libpng"); }

}  // namespace facula

#endif
