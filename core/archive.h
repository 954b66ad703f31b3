// Tensors with a description of how they belong together, in one file: what torch.save writes and torch.load reads.
//
// The file is a zip archive of stored entries, which any tool can list and unpack:
//   facula/version      the number of this format
//   facula/description  text of the caller's, without meaning here
//   facula/tensors      JSON: [{"dtype": "float32", "shape": [2, 3], "bytes": 24}, ...]
//   tensors/0 ...       the elements, row-major and little-endian, aligned to 64 bytes in the file
// Reading believes nothing: what the file says is checked against its length before memory is asked for, and nothing in it
// is ever executed.
#pragma once

#include <string>
#include <string_view>

#include "core/tensor.h"

namespace facula {

struct Archive {
  std::string description;
  Tensors tensors;  // dense
};

/// Replaces `path` as a whole, or leaves it as it was and fails. Equal contents give equal files. Meta tensors are refused.
void write_archive(const std::string& path, std::string_view description, const Tensors& tensors);
/// `mapped`: tensors lie in the file, see MappedFile. Errors: not a plain file, not such an archive, cut, damaged,
/// contradicting itself.
Archive read_archive(const std::string& path, Device device = {}, bool mapped = false);

}  // namespace facula
