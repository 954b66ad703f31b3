#include "checksums.h"

#include <algorithm>
#include <cstdint>

#include "core/crc32.h"

namespace facula::fuzz {
namespace {

constexpr std::string_view kPng = "\x89PNG\r\n\x1a\n", kLocal = "PK\3\4", kCentral = "PK\1\2";
constexpr size_t kLocalSize = 30, kCentralSize = 46;

uint64_t little_endian(std::string_view bytes) {
  uint64_t n = 0;
  for (size_t i = bytes.size(); i-- > 0;) n = n << 8 | static_cast<unsigned char>(bytes[i]);
  return n;
}

uint64_t big_endian(std::string_view bytes) { return little_endian(std::string(bytes.rbegin(), bytes.rend())); }

// A chunk is the length of its data, four letters, the data, and the checksum of letters and data, all big-endian.
void correct_png(std::string& file) {
  for (size_t at = kPng.size(); file.size() - at >= 12;) {
    const uint64_t length = big_endian(std::string_view(file).substr(at, 4));
    if (length > file.size() - at - 12) return;
    const uint32_t checksum = crc32(0, file.data() + at + 4, length + 4);
    at += 8 + length;
    for (int shift = 24; shift >= 0; shift -= 8) file[at++] = static_cast<char>(checksum >> shift);
  }
}

// Stored entries only; the directory repeats the checksum of the local header that it points to.
void correct_zip(std::string& file) {
  const auto number = [&](size_t at, size_t count) { return little_endian(std::string_view(file).substr(at, count)); };
  for (size_t at = 0; (at = file.find(kLocal, at)) != std::string::npos && at + kLocalSize <= file.size();) {
    const size_t start = at + kLocalSize + number(at + 26, 2) + number(at + 28, 2), size = number(at + 18, 4);
    if (number(at + 8, 2) == 0 && start <= file.size() && size <= file.size() - start) {
      const uint32_t checksum = crc32(0, file.data() + start, size);
      for (size_t i = 0; i < 4; ++i) file[at + 14 + i] = static_cast<char>(checksum >> 8 * i);
      at = start + size;
    } else {
      ++at;
    }
  }
  for (size_t at = 0; (at = file.find(kCentral, at)) != std::string::npos && at + kCentralSize <= file.size(); ++at) {
    const size_t local = number(at + 42, 4);
    if (file.compare(local > file.size() ? file.size() : local, kLocal.size(), kLocal) == 0 &&
        local + kLocalSize <= file.size())
      std::copy_n(file.data() + local + 14, 4, file.data() + at + 16);
  }
}

}  // namespace

void correct_checksums(std::string& file) {
  if (file.starts_with(kPng)) correct_png(file);
  if (file.starts_with("PK")) correct_zip(file);
}

}  // namespace facula::fuzz
