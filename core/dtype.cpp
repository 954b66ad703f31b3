#include "core/dtype.h"

#include <ostream>

#include "core/context.h"
#include "core/error.h"
#include "core/scalar.h"

namespace facula {

const char* name(DType t) {
  constexpr const char* names[kDTypes] = {"bool",    "uint8",    "int8",    "int16",   "int32",     "int64",
                                          "float16", "bfloat16", "float32", "float64", "complex64", "complex128"};
  return names[static_cast<int>(t)];
}

std::ostream& operator<<(std::ostream& out, DType t) { return out << name(t); }

OptDType dtype_of_name(std::string_view wanted) {
  for (int i = 0; i < kDTypes; ++i)
    if (wanted == name(static_cast<DType>(i))) return static_cast<DType>(i);
  constexpr std::pair<std::string_view, DType> aliases[] = {
      {"half", DType::Float16},     {"float", DType::Float32},     {"double", DType::Float64},
      {"short", DType::Int16},      {"int", DType::Int32},         {"long", DType::Int64},
      {"cfloat", DType::Complex64}, {"cdouble", DType::Complex128}};
  for (auto [alias, t] : aliases)
    if (wanted == alias) return t;
  return std::nullopt;
}

DType promote(DType a, DType b) {
  if (a == b) return a;
  if (a > b) std::swap(a, b);  // b is of the higher category, or wider
  if (is_complex(b)) return a == DType::Float64 ? DType::Complex128 : b;
  if (is_floating(b)) return a == DType::Float16 && b == DType::BFloat16 ? DType::Float32 : b;
  // Integers: uint8 with a signed type needs the next wider signed one.
  if (a == DType::UInt8 && b == DType::Int8) return DType::Int16;
  return b;
}

bool can_cast(DType from, DType to) { return category(from) <= category(to); }

DType default_dtype() { return context().default_dtype.load(std::memory_order_relaxed); }

void set_default_dtype(DType t) {
  check(is_floating(t), "set_default_dtype: expected a floating dtype, got ", t);
  context().default_dtype = t;
}

DType Scalar::dtype() const {
  switch (kind_) {
    case Category::Bool: return DType::Bool;
    case Category::Integral: return DType::Int64;
    case Category::Floating: return default_dtype();
    case Category::Complex: return complex_dtype(default_dtype());
  }
  __builtin_unreachable();
}

int64_t saturated(double d) {
  if (d != d) return 0;
  if (d >= 0x1p63) return INT64_MAX;
  if (d < -0x1p63) return INT64_MIN;
  return static_cast<int64_t>(d);
}

std::ostream& operator<<(std::ostream& out, const Scalar& s) {
  switch (s.kind()) {
    case Category::Bool: return out << (s.to<bool>() ? "true" : "false");
    case Category::Integral: return out << s.to<int64_t>();
    case Category::Floating: return out << s.to<double>();
    case Category::Complex: {
      const complex128 c = s.to<complex128>();
      return out << c.real() << (c.imag() < 0 || std::signbit(c.imag()) ? "-" : "+") << std::abs(c.imag()) << 'j';
    }
  }
  __builtin_unreachable();
}

}  // namespace facula
