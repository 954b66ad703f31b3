#include "core/generator.h"

#include "core/context.h"

namespace facula {

void Generator::manual_seed(uint64_t seed) {
  std::lock_guard lock(mutex_);
  state_ = {seed, 0};
}

Philox Generator::take(uint64_t blocks) {
  std::lock_guard lock(mutex_);
  const Philox here = state_;
  state_.offset += blocks;
  return here;
}

Philox Generator::state() const {
  std::lock_guard lock(mutex_);
  return state_;
}

void Generator::set_state(Philox state) {
  std::lock_guard lock(mutex_);
  state_ = state;
}

const Ref<Generator>& default_generator() { return context().generator; }

}  // namespace facula
