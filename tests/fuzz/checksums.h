// Most damaged copies of a file with checksums are refused for these alone; made right again, they get further.
#pragma once

#include <string>

namespace facula::fuzz {

/// Puts the right checksums into a PNG file or a zip archive, as far as its parts can be made out; leaves others alone.
void correct_checksums(std::string& file);

}  // namespace facula::fuzz
