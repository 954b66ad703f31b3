// One number of any kind, as it comes from a script.
#pragma once

#include <complex>
#include <cstdint>
#include <iosfwd>

#include "core/dtype.h"

namespace facula {

/// A bool, int64, double or complex number that remembers which it is.
class Scalar {
 public:
  Scalar() : Scalar(int64_t{0}) {}
  Scalar(bool v) : kind_(Category::Bool) { i_ = v; }
  Scalar(int64_t v) : kind_(Category::Integral) { i_ = v; }
  Scalar(int v) : Scalar(static_cast<int64_t>(v)) {}
  Scalar(double v) : kind_(Category::Floating) { d_ = v; }
  Scalar(float v) : Scalar(static_cast<double>(v)) {}
  Scalar(complex128 v) : kind_(Category::Complex) { c_[0] = v.real(), c_[1] = v.imag(); }

  Category kind() const { return kind_; }
  bool is_integral(bool with_bool = true) const {
    return kind_ == Category::Integral || (with_bool && kind_ == Category::Bool);
  }
  bool is_complex() const { return kind_ == Category::Complex; }
  /// The dtype of a tensor made of it: bool, int64, the default dtype or its complex partner.
  DType dtype() const;

  /// The number as T; doubles are cut towards zero for integers, as C does, but never undefined.
  template <class T>
  T to() const;

  /// Equal as numbers: 1 == 1.0.
  friend bool operator==(const Scalar& a, const Scalar& b) { return a.to<complex128>() == b.to<complex128>(); }

 private:
  Category kind_;
  union {
    int64_t i_;
    double d_;
    double c_[2];
  };
};

/// A double as an int64: NaN is 0, what is out of range is the nearest end.
int64_t saturated(double d);

template <class T>
T Scalar::to() const {
  if constexpr (std::is_same_v<T, complex64> || std::is_same_v<T, complex128>) {
    using R = typename T::value_type;
    if (kind_ == Category::Complex) return T(static_cast<R>(c_[0]), static_cast<R>(c_[1]));
    return T(kind_ == Category::Floating ? static_cast<R>(d_) : static_cast<R>(i_), 0);
  } else if constexpr (std::is_same_v<T, bool>) {
    return kind_ == Category::Complex ? c_[0] != 0 || c_[1] != 0 : kind_ == Category::Floating ? d_ != 0 : i_ != 0;
  } else if constexpr (std::is_integral_v<T>) {
    if (kind_ == Category::Floating || kind_ == Category::Complex)
      return static_cast<T>(saturated(kind_ == Category::Floating ? d_ : c_[0]));
    return static_cast<T>(i_);
  } else if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
    return T(static_cast<float>(to<double>()));
  } else {
    if (kind_ == Category::Complex) return static_cast<T>(c_[0]);
    return kind_ == Category::Floating ? static_cast<T>(d_) : static_cast<T>(i_);
  }
}

std::ostream& operator<<(std::ostream& out, const Scalar& s);

}  // namespace facula
