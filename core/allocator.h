// Host memory for tensors: size classes with free lists, because fresh pages cost more than most operators.
#pragma once

#include <cstddef>

#include "core/device.h"

namespace facula {

/// The CPU's (and meta's) memory. Blocks are aligned to 64 bytes; from 2 MB up to 2 MB, on huge pages.
/// Freed blocks are cached for reuse up to a share of what is in use; `empty_cache` gives them back.
Runtime& cpu_runtime();
Runtime& meta_runtime();

/// The CPU's `total` and `allocated` of MemoryStats without a virtual call, for the interpreter's accounting.
/// From now on limits of contexts are looked at.
void enable_context_limits();
int64_t cpu_allocated_total();
int64_t cpu_allocated_now();

}  // namespace facula
