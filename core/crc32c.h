// CRC-32C (Castagnoli), the checksum of TFRecord files.
#pragma once

#include <cstddef>
#include <cstdint>

namespace facula {

/// Of `size` bytes: polynomial 0x1edc6f41, reflected, as in RFC 3720, appendix B.4.
uint32_t crc32c(const void* data, size_t size);

}  // namespace facula
