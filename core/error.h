// Errors as users see them: `operator: what was expected, what came`.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace facula {

/// Everything that a script, a file or a host can do wrong.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Memory of a device ran out, or a budget did. Callers may free memory and try again.
class OutOfMemory : public Error {
 public:
  using Error::Error;
};

/// A running operator was asked to stop: Ctrl-C, a deadline.
class Interrupted : public Error {
 public:
  Interrupted() : Error("interrupted") {}
};

template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  throw Error(text(parts...));
}

/// Fails with the parts joined to one message unless `good`.
template <class... Parts>
void check(bool good, const Parts&... parts) {
  if (!good) [[unlikely]]
    fail(parts...);
}

/// Dimensions and positions in messages count as the caller does: from 1 in Lua, from 0 in C and C++.
class Counting {
 public:
  explicit Counting(int base) : outer_(base_) { base_ = base; }
  ~Counting() { base_ = outer_; }
  Counting(const Counting&) = delete;
  Counting& operator=(const Counting&) = delete;
  static int base() { return base_; }
  /// The number that the caller wrote for `d`; negative ones count from the end everywhere.
  static long long shown(long long d) { return d < 0 ? d : d + base_; }

 private:
  static thread_local int base_;
  int outer_;
};

[[noreturn]] void assertion_failed(const char* what, const char* file, int line);

#ifdef FACULA_CHECKED
#define FACULA_ASSERT(what) ((what) ? void() : ::facula::assertion_failed(#what, __FILE__, __LINE__))
#else
#define FACULA_ASSERT(what) void()
#endif

}  // namespace facula
