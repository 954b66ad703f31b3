// Checksums of files, by which downloads are told to be whole.
#pragma once

#include <string>

namespace facula {

/// The digest of a file's bytes in hexadecimal digits. `algorithm`: "md5" (RFC 1321) or "sha256" (FIPS 180-4). MD5 tells
/// damage, not malice.
std::string file_digest(const std::string& path, const std::string& algorithm, const std::string& operation);

}  // namespace facula
