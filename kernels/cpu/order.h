// Unsigned keys of the same order as the elements of any real dtype: NaN highest, -0 equal to 0.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "core/dtype.h"
#include "core/error.h"

namespace facula::cpu {

template <int kBytes>
using Unsigned =
    std::conditional_t<kBytes == 1, uint8_t,
                       std::conditional_t<kBytes == 2, uint16_t, std::conditional_t<kBytes == 4, uint32_t, uint64_t>>>;

template <class T>
using Key = Unsigned<sizeof(T)>;

template <class T>
Key<T> key_of(T value) {
  using K = Key<T>;
  constexpr K kTop = K{1} << (8 * sizeof(K) - 1);
  if constexpr (std::is_same_v<T, bool> || std::is_unsigned_v<T>) {
    return static_cast<K>(value);
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<K>(static_cast<K>(value) ^ kTop);
  } else {
    if (value != value) return static_cast<K>(~K{0});
    if (value == T(0)) return kTop;
    const K bits = std::bit_cast<K>(value);
    return static_cast<K>(bits & kTop ? ~bits : bits | kTop);
  }
}

// A key of up to 32 bits and its place, in one word.
struct Narrow {
  uint64_t word;
  Narrow() = default;
  Narrow(uint64_t key, int64_t place) : word(key << 32 | static_cast<uint64_t>(place)) {}
  uint64_t key() const { return word >> 32; }
  int64_t place() const { return static_cast<int64_t>(word & 0xffffffffu); }
  friend bool operator<(Narrow a, Narrow b) { return a.word < b.word; }
};
struct Wide {
  uint64_t key_;
  int64_t place_;
  Wide() = default;
  Wide(uint64_t key, int64_t place) : key_(key), place_(place) {}
  uint64_t key() const { return key_; }
  int64_t place() const { return place_; }
  friend bool operator<(const Wide& a, const Wide& b) {
    return a.key_ != b.key_ ? a.key_ < b.key_ : a.place_ < b.place_;
  }
};

/// Calls f.operator()<Entry>() with the smaller of the two that holds keys of T and places below `size`.
template <class T, class F>
void with_entry(int64_t size, F&& f) {
  if constexpr (sizeof(T) <= 4)
    if (size <= int64_t{1} << 32) return f.template operator()<Narrow>();
  f.template operator()<Wide>();
}

/// Calls f.operator()<T>() for real element types.
template <class F>
void with_real_type(const char* where, DType t, F&& f) {
  check(!is_complex(t), where, ": ", t, " numbers have no order");
  with_type(t, [&]<class T>() {
    if constexpr (!is_complex(dtype_of<T>)) f.template operator()<T>();
  });
}

}  // namespace facula::cpu
