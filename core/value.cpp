#include "core/value.h"

#include <ostream>

namespace facula {

namespace {
void show(std::ostream& out, const Tensor& t) {
  if (t.defined())
    out << t.dtype() << " tensor " << t.sizes();
  else
    out << "None";
}
}  // namespace

// As in messages and traces: tensors by dtype and sizes.
std::ostream& operator<<(std::ostream& out, const Value& v) {
  if (v.is_none()) return out << "None";
  if (v.is<Tensor>()) {
    show(out, v.get<Tensor>());
  } else if (v.is<Scalar>()) {
    out << v.get<Scalar>();
  } else if (v.is<IntList>()) {
    out << v.get<IntList>();
  } else if (v.is<Tensors>()) {
    out << '[';
    const char* comma = "";
    for (const Tensor& t : v.get<Tensors>()) show(out << std::exchange(comma, ", "), t);
    out << ']';
  } else if (v.is<DType>()) {
    out << v.get<DType>();
  } else if (v.is<Device>()) {
    out << v.get<Device>();
  } else if (v.is<std::string>()) {
    out << '\'' << v.get<std::string>() << '\'';
  } else if (v.is<Ref<Generator>>()) {
    out << "Generator";
  } else {
    out << '(';
    const char* comma = "";
    for (const double d : v.get<std::vector<double>>()) out << std::exchange(comma, ", ") << d;
    out << ')';
  }
  return out;
}

}  // namespace facula
