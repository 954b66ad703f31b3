// JPEG through libjpeg-turbo; see Note [Where longjmp may pass] in png.cpp.
#include "core/context.h"
#include "core/image_format.h"
#include "core/parallel.h"

#ifdef FACULA_WITH_JPEG

#include <csetjmp>
#include <cstdio>
#include <cstdlib>

#include <jpeglib.h>

namespace facula {
namespace {

// A block of 8 x 8 pixels takes at least one bit, for its mean.
constexpr int64_t kPixelsPerByte = 8 * 64;
// A progressive file may go over all its blocks again and again in a few bytes each time; real ones do some ten times.
constexpr int kMaxScans = 200;

struct Errors {
  jpeg_error_mgr base;
  std::jmp_buf aim;
  char message[JMSG_LENGTH_MAX] = "";
  bool interrupted = false;
};

[[noreturn]] void leave_with(Errors* errors, const char* message) {
  std::snprintf(errors->message, sizeof errors->message, "%s", message);
  std::longjmp(errors->aim, 1);
}

[[noreturn]] void leave(j_common_ptr info) {
  auto* errors = reinterpret_cast<Errors*>(info->err);
  info->err->format_message(info, errors->message);
  std::longjmp(errors->aim, 1);
}

void ignore(j_common_ptr, int) {}

jpeg_error_mgr* prepare(Errors& errors) {
  jpeg_std_error(&errors.base);
  errors.base.error_exit = leave;
  errors.base.emit_message = ignore;
  return &errors.base;
}

template <class C>
bool guarded(C& codec, void (*step)(C&)) {
  if (setjmp(codec.errors.aim)) return false;
  step(codec);
  return true;
}

// ---- reading ----

struct Decoder {
  jpeg_decompress_struct jpeg{};
  Errors errors{};
  jpeg_source_mgr source{};
  jpeg_progress_mgr progress{};
  ImageMode mode = ImageMode::Unchanged;
  uint8_t* pixels = nullptr;
  size_t row_bytes = 0;

  Decoder() = default;
  ~Decoder() { jpeg_destroy_decompress(&jpeg); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
};

Errors* errors_of(j_decompress_ptr jpeg) { return reinterpret_cast<Errors*>(jpeg->err); }

boolean no_more(j_decompress_ptr jpeg) { leave_with(errors_of(jpeg), "it ends too early"); }

void skip(j_decompress_ptr jpeg, long n) {
  if (n <= 0) return;
  if (static_cast<size_t>(n) > jpeg->src->bytes_in_buffer) no_more(jpeg);
  jpeg->src->next_input_byte += n;
  jpeg->src->bytes_in_buffer -= static_cast<size_t>(n);
}

void watch(j_common_ptr info) {
  auto* jpeg = reinterpret_cast<j_decompress_ptr>(info);
  if (jpeg->input_scan_number > kMaxScans) leave_with(errors_of(jpeg), "it has too many scans");
  if (interrupt_requested()) {
    errors_of(jpeg)->interrupted = true;
    leave_with(errors_of(jpeg), "interrupted");
  }
}

void read_header(Decoder& d) {
  jpeg_create_decompress(&d.jpeg);
  // Progressive pictures are kept as coefficients until their last scan.
  if (const size_t limit = context().memory_limit) d.jpeg.mem->max_memory_to_use = static_cast<long>(limit);
  d.source.init_source = [](j_decompress_ptr) {};
  d.source.fill_input_buffer = no_more;
  d.source.skip_input_data = skip;
  d.source.resync_to_restart = jpeg_resync_to_restart;
  d.source.term_source = [](j_decompress_ptr) {};
  d.jpeg.src = &d.source;
  d.progress.progress_monitor = watch;
  d.jpeg.progress = &d.progress;
  jpeg_read_header(&d.jpeg, TRUE);
}

void choose_format(Decoder& d) {
  const bool gray = d.mode == ImageMode::Gray || d.mode == ImageMode::GrayAlpha ||
                    (d.mode == ImageMode::Unchanged && d.jpeg.num_components == 1);
  const bool printed = d.jpeg.jpeg_color_space == JCS_CMYK || d.jpeg.jpeg_color_space == JCS_YCCK;
  d.jpeg.out_color_space = printed ? JCS_CMYK : gray ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_start_decompress(&d.jpeg);
}

void read_rows(Decoder& d) {
  while (d.jpeg.output_scanline < d.jpeg.output_height) {
    JSAMPROW row = d.pixels + d.jpeg.output_scanline * d.row_bytes;
    jpeg_read_scanlines(&d.jpeg, &row, 1);
  }
  jpeg_finish_decompress(&d.jpeg);
}

// Adobe's files hold what ink leaves of the light, others hold the ink.
Tensor rgb_of_cmyk(const Tensor& cmyk, bool inverted) {
  const Tensor rgb = empty({cmyk.size(0), cmyk.size(1), 3}, DType::UInt8);
  const uint8_t* in = cmyk.data<uint8_t>();
  uint8_t* out = rgb.data<uint8_t>();
  for (int64_t i = 0; i < cmyk.size(0) * cmyk.size(1); ++i, in += 4) {
    const int light = inverted ? in[3] : 255 - in[3];
    for (int c = 0; c < 3; ++c) *out++ = static_cast<uint8_t>(((inverted ? in[c] : 255 - in[c]) * light + 127) / 255);
  }
  return rgb;
}

Tensor gray_of_rgb(const Tensor& rgb) {
  const Tensor gray = empty({rgb.size(0), rgb.size(1), 1}, DType::UInt8);
  const uint8_t* in = rgb.data<uint8_t>();
  for (int64_t i = 0; i < gray.numel(); ++i, in += 3)  // BT.601
    gray.data<uint8_t>()[i] = static_cast<uint8_t>((299 * in[0] + 587 * in[1] + 114 * in[2] + 500) / 1000);
  return gray;
}

// ---- writing ----

struct Encoder {
  jpeg_compress_struct jpeg{};
  Errors errors{};
  unsigned char* out = nullptr;
  unsigned long size = 0;
  int quality = 0;
  int64_t H = 0, W = 0, C = 0;
  uint8_t* pixels = nullptr;

  Encoder() = default;
  ~Encoder() {
    jpeg_destroy_compress(&jpeg);
    std::free(out);
  }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
};

void write_all(Encoder& e) {
  jpeg_create_compress(&e.jpeg);
  jpeg_mem_dest(&e.jpeg, &e.out, &e.size);
  e.jpeg.image_height = static_cast<JDIMENSION>(e.H);
  e.jpeg.image_width = static_cast<JDIMENSION>(e.W);
  e.jpeg.input_components = static_cast<int>(e.C);
  e.jpeg.in_color_space = e.C == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&e.jpeg);
  jpeg_set_quality(&e.jpeg, e.quality, TRUE);
  jpeg_start_compress(&e.jpeg, TRUE);
  while (e.jpeg.next_scanline < e.jpeg.image_height) {
    if (e.jpeg.next_scanline % 64 == 0 && interrupt_requested()) {
      e.errors.interrupted = true;
      return;
    }
    JSAMPROW row = e.pixels + static_cast<int64_t>(e.jpeg.next_scanline) * e.W * e.C;
    jpeg_write_scanlines(&e.jpeg, &row, 1);
  }
  jpeg_finish_compress(&e.jpeg);
}

}  // namespace

Tensor decode_jpeg(std::string_view file, ImageWish wish, const std::string& name) {
  Decoder d;
  d.jpeg.err = prepare(d.errors);
  d.source.next_input_byte = reinterpret_cast<const JOCTET*>(file.data());
  d.source.bytes_in_buffer = file.size();
  d.mode = wish.mode;
  const auto step = [&](void (*body)(Decoder&)) {
    const bool good = guarded(d, body);
    if (d.errors.interrupted) throw Interrupted();
    check(good, name, " is damaged near byte ", file.size() - d.source.bytes_in_buffer, ": ", d.errors.message);
  };
  step(read_header);
  check_pixels(name, d.jpeg.image_width, d.jpeg.image_height, static_cast<int64_t>(file.size()), kPixelsPerByte);
  step(choose_format);
  const bool inverted = d.jpeg.saw_Adobe_marker;
  Tensor pixels = empty({d.jpeg.output_height, d.jpeg.output_width, d.jpeg.output_components}, DType::UInt8);
  d.pixels = pixels.data<uint8_t>();
  d.row_bytes = static_cast<size_t>(pixels.stride(0));
  step(read_rows);
  if (pixels.size(2) != 4) return pixels;
  pixels = rgb_of_cmyk(pixels, inverted);
  return wish.mode == ImageMode::Gray || wish.mode == ImageMode::GrayAlpha ? gray_of_rgb(pixels) : pixels;
}

std::string jpeg_of(const Tensor& pixels, int quality) {
  Encoder e;
  e.jpeg.err = prepare(e.errors);
  e.quality = quality;
  e.H = pixels.size(0), e.W = pixels.size(1), e.C = pixels.size(2);
  e.pixels = pixels.data<uint8_t>();
  check(guarded(e, write_all), "encode_jpeg: ", e.errors.message);
  if (e.errors.interrupted) throw Interrupted();
  return {reinterpret_cast<char*>(e.out), e.size};
}

}  // namespace facula

#else

namespace facula {

Tensor decode_jpeg(std::string_view, ImageWish, const std::string& name) {
  fail(name, " is a JPEG file, and this program was built without libjpeg");
}

std::string jpeg_of(const Tensor&, int) { fail("encode_jpeg: this program was built without libjpeg"); }

}  // namespace facula

#endif
