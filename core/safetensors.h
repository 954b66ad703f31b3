// Reads safetensors (huggingface.co/docs/safetensors): eight bytes with the header's length, the header in JSON, then the
// elements of all tensors without gaps.
//
//     {"__metadata__": {"format": "pt"}, "weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/tensor.h"

namespace facula {

/// No header is longer: the format's own bound.
constexpr uint64_t kLongestSafetensorsHeader = 100'000'000;

/// What the format calls such elements; nothing if it does not have them.
std::string_view safetensors_name(DType dtype);

struct Safetensors {
  std::vector<std::string> names;  // in the order of the elements
  Tensors tensors;                 // beside them, dense
  std::vector<size_t> unsigned_;   // which of them have unsigned elements of 2, 4 or 8 bytes, here read as signed
  std::vector<std::pair<std::string, std::string>> metadata;
};

/// `mapped`: tensors lie in the file, see MappedFile. Errors, before memory is asked for: not a plain file; a header that
/// does not fit, is no JSON or longer than 100 MB; tensors that it does not describe, that overlap, leave gaps or reach
/// beyond the end.
Safetensors read_safetensors(const std::string& path, bool mapped);

}  // namespace facula
