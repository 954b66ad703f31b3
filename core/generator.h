// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
#pragma once

#include <array>
#include <cstdint>
#include <mutex>

#include "core/refcount.h"

namespace facula {

/// Where a kernel's random numbers come from: element i takes words of block(offset + i / 4) or a fixed number of blocks,
/// so that the result depends on neither the number of threads nor the device.
struct Philox {
  uint64_t seed = 0;
  uint64_t offset = 0;  ///< in blocks of four 32-bit words

  /// The i-th block; `lane` chooses among streams that have nothing in common, for elements that draw until they are content.
  constexpr std::array<uint32_t, 4> block(uint64_t i, uint32_t lane = 0) const {
    const uint64_t n = offset + i;
    uint32_t c0 = static_cast<uint32_t>(n), c1 = static_cast<uint32_t>(n >> 32), c2 = lane, c3 = 0;
    uint32_t k0 = static_cast<uint32_t>(seed), k1 = static_cast<uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round) {
      const uint64_t p0 = uint64_t{0xD2511F53} * c0, p1 = uint64_t{0xCD9E8D57} * c2;
      const uint32_t h0 = static_cast<uint32_t>(p0 >> 32), h1 = static_cast<uint32_t>(p1 >> 32);
      c0 = h1 ^ c1 ^ k0, c1 = static_cast<uint32_t>(p1);
      c2 = h0 ^ c3 ^ k1, c3 = static_cast<uint32_t>(p0);
      k0 += 0x9E3779B9, k1 += 0xBB67AE85;
    }
    return {c0, c1, c2, c3};
  }
};

/// A stream of random numbers with a seed; safe to use from several threads.
class Generator : public RefCounted {
 public:
  explicit Generator(uint64_t seed) : state_{seed, 0} {}
  uint64_t initial_seed() const { return state_.seed; }
  void manual_seed(uint64_t seed);
  /// The stream's present place; the next call continues `blocks` further on.
  Philox take(uint64_t blocks);
  Philox state() const;
  void set_state(Philox state);

  static void destroy(Generator* g) { delete g; }

 private:
  mutable std::mutex mutex_;
  Philox state_;
};

/// The generator used where none is given, one per interpreter; seeded from the system until torch.manual_seed.
const Ref<Generator>& default_generator();

}  // namespace facula
