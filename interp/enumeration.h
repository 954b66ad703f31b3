// Enumerations that C programs filled in.
#pragma once

#include <cstring>

namespace facula::interp {

/// The number in an enumeration that a host filled in: in C it may be any, and loading it as the enumeration is then undefined.
template <class E>
int number_in(const E& e) {
  static_assert(sizeof(E) == sizeof(int));
  int n;
  std::memcpy(&n, static_cast<const void*>(&e), sizeof n);
  return n;
}

}  // namespace facula::interp
