// The checksum of zip archives: CRC-32 with the reflected polynomial 0xedb88320.
#pragma once

#include <cstdint>

namespace facula {

/// Goes on from the checksum of what came before; of nothing it is 0.
uint32_t crc32(uint32_t checksum, const void* data, uint64_t size);

}  // namespace facula
