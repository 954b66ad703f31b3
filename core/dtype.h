// Element types, their properties and PyTorch's promotion rules.
#pragma once

#include <complex>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string_view>

#include "core/half.h"

namespace facula {

/// Ordered by kind: bool, integers, floats, complex; `Category` relies on it.
enum class DType : uint8_t {
  Bool,
  UInt8,
  Int8,
  Int16,
  Int32,
  Int64,
  Float16,
  BFloat16,
  Float32,
  Float64,
  Complex64,
  Complex128
};
inline constexpr int kDTypes = 12;
using OptDType = std::optional<DType>;
using complex64 = std::complex<float>;
using complex128 = std::complex<double>;

/// The kind of number, in the order of promotion.
enum class Category : uint8_t { Bool, Integral, Floating, Complex };

constexpr Category category(DType t) {
  if (t == DType::Bool) return Category::Bool;
  if (t <= DType::Int64) return Category::Integral;
  return t <= DType::Float64 ? Category::Floating : Category::Complex;
}
constexpr bool is_integral(DType t, bool with_bool = false) {
  return category(t) == Category::Integral || (with_bool && t == DType::Bool);
}
constexpr bool is_floating(DType t) { return category(t) == Category::Floating; }
constexpr bool is_complex(DType t) { return category(t) == Category::Complex; }
/// Only floating and complex numbers have derivatives.
constexpr bool is_differentiable(DType t) { return t >= DType::Float16; }

/// Bytes of one element.
constexpr int64_t item_size(DType t) {
  constexpr int64_t bytes[kDTypes] = {1, 1, 1, 2, 4, 8, 2, 2, 4, 8, 8, 16};
  return bytes[static_cast<int>(t)];
}
/// PyTorch's name without its prefix: `float32`.
const char* name(DType t);
/// The dtype of a name (`float32`, and PyTorch's aliases `float`, `double`, `long` ...), if there is one.
OptDType dtype_of_name(std::string_view name);
std::ostream& operator<<(std::ostream& out, DType t);

/// The smallest dtype that holds both, by PyTorch's table.
DType promote(DType a, DType b);
/// May values of `from` be stored in `to` by an in-place or `out=` result? (No fall in category.)
bool can_cast(DType from, DType to);
/// complex64 -> float32 and so on; other dtypes are their own real dtype.
constexpr DType real_dtype(DType t) {
  if (t == DType::Complex64) return DType::Float32;
  return t == DType::Complex128 ? DType::Float64 : t;
}
/// float32 -> complex64, float64 -> complex128 (float16 and bfloat16 -> complex64).
constexpr DType complex_dtype(DType t) {
  return t == DType::Float64 || t == DType::Complex128 ? DType::Complex128 : DType::Complex64;
}

/// What `torch.get_default_dtype()` returns: the dtype of fractional numbers; one per interpreter.
DType default_dtype();
void set_default_dtype(DType t);

template <class T>
struct DTypeOf;
template <DType D>
struct ElementOf;
// clang-format off: a table, not code
#define FACULA_DTYPES(_)                                                                                   \
  _(bool, Bool)                                                                                            \
  _(uint8_t, UInt8) _(int8_t, Int8) _(int16_t, Int16) _(int32_t, Int32) _(int64_t, Int64) _(Half, Float16) \
      _(BFloat16, BFloat16) _(float, Float32) _(double, Float64) _(complex64, Complex64) _(complex128, Complex128)
// clang-format on
#define FACULA_PAIR(type, tag)                 \
  template <>                                  \
  struct DTypeOf<type> {                       \
    static constexpr DType value = DType::tag; \
  };                                           \
  template <>                                  \
  struct ElementOf<DType::tag> {               \
    using type_ = type;                        \
  };
FACULA_DTYPES(FACULA_PAIR)
#undef FACULA_PAIR

template <class T>
inline constexpr DType dtype_of = DTypeOf<T>::value;
template <DType D>
using Element = typename ElementOf<D>::type_;

/// Calls `f.template operator()<T>()` with the element type of `t`.
template <class F>
decltype(auto) with_type(DType t, F&& f) {
  switch (t) {
#define FACULA_CASE(type, tag) \
  case DType::tag: return f.template operator()<type>();
    FACULA_DTYPES(FACULA_CASE)
#undef FACULA_CASE
  }
  __builtin_unreachable();
}

}  // namespace facula
