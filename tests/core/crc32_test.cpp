// Checksums, against zlib's.
#include "core/crc32.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <vector>

namespace facula {
namespace {

TEST_CASE("crc32 is zlib's, at every length and alignment, and goes on from any checksum") {
  std::vector<unsigned char> bytes(1100);
  uint32_t seed = 1;
  for (auto& b : bytes) b = static_cast<unsigned char>((seed = seed * 1664525 + 1013904223) >> 24);
  for (size_t size = 0; size < 1000; ++size)
    for (const size_t at : {0u, 1u, 7u, 64u}) {
      const auto before = static_cast<uint32_t>(size * 2654435761u);
      REQUIRE(crc32(before, &bytes[at], size) == ::crc32_z(before, &bytes[at], size));
    }
}

}  // namespace
}  // namespace facula
