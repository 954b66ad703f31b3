#include "core/deterministic.h"

#include <atomic>

#include "core/error.h"

namespace facula {
namespace {

std::atomic<bool> must_be{false};

}  // namespace

bool must_be_deterministic() { return must_be.load(std::memory_order_relaxed); }
void set_must_be_deterministic(bool value) { must_be = value; }

void check_deterministic(const char* kernel) {
  check(!must_be_deterministic(), kernel,
        ": sums in no fixed order on cuda, and use_deterministic_algorithms(true) was called; do it on the CPU");
}

}  // namespace facula
