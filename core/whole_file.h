// Files that are read and written in one go.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace facula {

/// The bytes of a plain file. `operation` begins every message. Errors: those of InputFile; it cannot be read, or has become
/// shorter meanwhile; an interrupt.
std::string read_whole(const std::string& path, const std::string& operation);
/// The first `most` bytes of a plain file, unpacked if it is a gzip file. Errors besides: it is damaged, or unpacks to more
/// than 256 MB and 200 times its size.
std::string read_unpacked(const std::string& path, const std::string& operation, uint64_t most = UINT64_MAX);
/// Replaces a file whole, or leaves it as it was and fails.
void write_whole(const std::string& path, std::string_view bytes, const std::string& operation);

}  // namespace facula
