#include "core/context.h"

#include <random>

namespace facula {

static thread_local Context* current = nullptr;

static Ref<Generator> seeded_generator() {
  std::random_device entropy;
  return make_ref<Generator>((uint64_t{entropy()} << 32) | entropy());
}

void Context::reset() {
  generator = seeded_generator();
  default_dtype = DType::Float32;
  print_options = {};
  anomaly_place = {};
  interrupted = false;
  deadline = nullptr;
  memory_limit = 0;
  folders = nullptr;
}

Context& context() {
  if (current) return *current;
  static auto* of_the_process = new Context;
  return *of_the_process;
}

ContextGuard::ContextGuard(Context& c) : outer_(current) { current = &c; }
ContextGuard::~ContextGuard() { current = outer_; }

}  // namespace facula
