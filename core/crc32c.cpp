#include "core/crc32c.h"

#include <array>

namespace facula {
namespace {

// What a byte does to the remainder.
constexpr std::array<uint32_t, 256> make_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) remainder = (remainder >> 1) ^ (remainder & 1 ? 0x82f63b78U : 0);
    table[byte] = remainder;
  }
  return table;
}

constexpr auto kTable = make_table();

}  // namespace

uint32_t crc32c(const void* data, size_t size) {
  const auto* bytes = static_cast<const uint8_t*>(data);
  uint32_t remainder = ~0U;
  for (size_t i = 0; i < size; ++i) remainder = (remainder >> 8) ^ kTable[(remainder ^ bytes[i]) & 0xff];
  return ~remainder;
}

}  // namespace facula
