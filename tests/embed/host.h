// What the tests of facula.h share.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "facula.h"

namespace facula::test {

/// A state for the length of a test.
class Opened {
 public:
  explicit Opened(facula_options options = {}) {
    options.size = sizeof options;
    REQUIRE_MESSAGE(facula_open(&options, &state_) == FACULA_OK, facula_message(nullptr));
  }
  ~Opened() { facula_close(state_); }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

  operator facula_state*() const { return state_; }
  std::string message() const { return facula_message(state_); }
  std::string traceback() const { return facula_traceback(state_); }

  facula_status run(const char* code) const { return facula_run_string(state_, code, "=test"); }
  void good(const char* code) const { REQUIRE_MESSAGE(run(code) == FACULA_OK, message()); }
  /// The number that an expression gives.
  double number(const std::string& expression) const {
    good(("answer = " + expression).c_str());
    facula_value v;
    REQUIRE(facula_get(state_, "answer", &v) == FACULA_OK);
    const double n = v.type == FACULA_NUMBER ? v.as.number : -1e300;
    facula_value_release(&v);
    return n;
  }

 private:
  facula_state* state_ = nullptr;
};

inline facula_value number(double n) {
  facula_value v = {FACULA_NUMBER, {}};
  v.as.number = n;
  return v;
}
inline facula_value string(const char* s) {
  facula_value v = {FACULA_STRING, {}};
  v.as.string = {s, std::char_traits<char>::length(s)};
  return v;
}
inline facula_value tensor(facula_tensor* t) {
  facula_value v = {FACULA_TENSOR, {}};
  v.as.tensor = t;
  return v;
}

/// A dense tensor over float32 numbers.
inline facula_tensor* wrapped(facula_state* S, float* data, int64_t n) {
  const facula_view view = {sizeof(facula_view), data, FACULA_FLOAT32, 1, &n, nullptr};
  facula_tensor* t = nullptr;
  REQUIRE(facula_tensor_wrap(S, &view, nullptr, nullptr, &t) == FACULA_OK);
  return t;
}

}  // namespace facula::test
