// The standard library inside the binary: every file of stdlib/, in a C++ file that cmake/embed.cmake writes.
#pragma once

#include <cstddef>

namespace facula {

struct EmbeddedFile {
  const char* name;  ///< the module's: `torch`, `torch.nn.module`
  const char* text;
  size_t size;
};

/// Sorted by path, not by name.
extern const EmbeddedFile embedded_stdlib[];
extern const size_t embedded_stdlib_count;

}  // namespace facula
