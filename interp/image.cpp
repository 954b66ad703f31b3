#include "interp/image.h"

#include "core/image.h"
#include "core/whole_file.h"
#include "interp/register.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

constexpr std::string_view kModes[] = {"unchanged", "gray", "gray_alpha", "rgb", "rgb_alpha"};

ImageWish wish_of(Call& call, const char* operation) {
  const auto mode = call.get<std::string>(1);
  const auto found = std::find(std::begin(kModes), std::end(kModes), mode);
  check(found != std::end(kModes), operation,
        ": mode is 'unchanged', 'gray', 'gray_alpha', 'rgb' or 'rgb_alpha', got '", mode, "'");
  const auto depth = call.get<int64_t>(2);
  check(depth == 8 || depth == 16, operation, ": depth is 8 or 16, got ", depth);
  return {static_cast<ImageMode>(found - kModes), depth == 16};
}

int returns_bytes(Call& call, const std::string& bytes) {
  push_string(call.L, bytes);
  return 1;
}

int read(Call& call) {
  const ImageWish wish = wish_of(call, "read_image");
  const auto path = call.get<std::string>(0);
  const std::string bytes = read_whole(path, "read_image");
  push_tensor(call.L, call.S, facula::decode_image(bytes, wish, text("read_image: '", path, "'")));
  return 1;
}

int decode(Call& call) {
  const ImageWish wish = wish_of(call, "decode_image");
  const auto bytes = call.get<std::string>(0);
  push_tensor(call.L, call.S, facula::decode_image(bytes, wish, "decode_image: the file"));
  return 1;
}

int png(Call& call) { return returns_bytes(call, encode_png(call.tensor(), static_cast<int>(call.get<int64_t>(1)))); }

int jpeg(Call& call) { return returns_bytes(call, encode_jpeg(call.tensor(), static_cast<int>(call.get<int64_t>(1)))); }

constexpr Native kNatives[] = {
    {"core.read_image(str path, str mode, int depth) -> Tensor", read},
    {"core.decode_image(str bytes, str mode, int depth) -> Tensor", decode},
    {"core.encode_png(Tensor image, int level) -> str", png},
    {"core.encode_jpeg(Tensor image, int quality) -> str", jpeg},
};

}  // namespace

void open_images(lua_State* L, State& S) { add_natives(L, S, kNatives); }

}  // namespace facula::interp
