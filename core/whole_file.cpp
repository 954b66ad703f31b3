#include "core/whole_file.h"

#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "core/error.h"
#include "core/file.h"
#include "core/parallel.h"

namespace facula {
namespace {

constexpr uint64_t kSmallChunk = uint64_t{4} << 10, kChunk = uint64_t{1} << 20;  // between two looks for interrupts

constexpr uint64_t kHarmless = uint64_t{256} << 20, kMostInflation = 200;  // of texts; zeros alone have a thousand

}  // namespace

std::string read_whole(const std::string& path, const std::string& operation) {
  const InputFile file(path, operation);
  std::string bytes(static_cast<size_t>(file.size()), '\0');
  check(file.read(0, bytes.size(), bytes.data()), operation, ": '", path, "' cannot be read, or has become shorter");
  return bytes;
}

std::string read_unpacked(const std::string& path, const std::string& operation, uint64_t most) {
  const InputFile input(path, operation);
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzdopen(dup(input.descriptor()), "rb"), gzclose);
  check(file != nullptr, operation, ": cannot read '", path, "'");
  std::string bytes;
  while (bytes.size() < most) {
    if (interrupt_requested()) throw Interrupted();
    const size_t old = bytes.size();
    // as much as it may be, for small files are many
    const uint64_t likely = std::max<uint64_t>(old, static_cast<uint64_t>(input.size()) + 1);
    const auto wanted = static_cast<unsigned>(std::min(std::clamp(likely, kSmallChunk, kChunk), most - old));
    bytes.resize(old + wanted);
    const int n = gzread(file.get(), bytes.data() + old, wanted);
    int code = Z_OK;
    const char* message = gzerror(file.get(), &code);
    if (code == Z_BUF_ERROR) message = "it ends too early";
    check(n >= 0 && (code == Z_OK || code == Z_STREAM_END), operation, ": '", path,
          "' is damaged: ", code == Z_ERRNO ? std::strerror(errno) : message);
    bytes.resize(old + static_cast<size_t>(n));
    if (n == 0) break;
    check(bytes.size() <= std::max(kHarmless, kMostInflation * static_cast<uint64_t>(input.size())), operation, ": '",
          path, "' is damaged: it unpacks to more than ", kMostInflation, " times its size");
  }
  return bytes;
}

void write_whole(const std::string& path, std::string_view bytes, const std::string& operation) {
  Replacement file(path, operation);
  file.write(bytes.data(), bytes.size());
  file.commit();
}

}  // namespace facula
