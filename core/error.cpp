#include "core/error.h"

#include <ostream>

#include "core/int_list.h"

namespace facula {

thread_local int Counting::base_ = 0;

void assertion_failed(const char* what, const char* file, int line) {
  throw std::logic_error(text("internal error: ", what, " does not hold at ", file, ":", line));
}

std::ostream& operator<<(std::ostream& out, const IntList& list) {
  out << '(';
  for (size_t i = 0; i < list.size(); ++i) out << (i ? ", " : "") << list[i];
  return out << ')';
}

}  // namespace facula
