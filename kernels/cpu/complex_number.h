// Products and quotients of complex numbers by their formulas: the operators of std::complex call the C library, which
// looks for infinities that nobody asked for, at ten times the price.
#pragma once

#include <cmath>
#include <complex>

namespace facula::cpu {

template <class R>
constexpr std::complex<R> times(std::complex<R> x, std::complex<R> y) {
  return {x.real() * y.real() - x.imag() * y.imag(), x.real() * y.imag() + x.imag() * y.real()};
}

/// x / y, scaled by the larger part of y so that squares do not overflow (Smith 1962).
template <class R>
std::complex<R> quotient(std::complex<R> x, std::complex<R> y) {
  const R a = x.real(), b = x.imag(), c = y.real(), d = y.imag();
  if (std::abs(c) >= std::abs(d)) {
    const R r = d / c, s = c + d * r;
    return {(a + b * r) / s, (b - a * r) / s};
  }
  const R r = c / d, s = c * r + d;
  return {(a * r + b) / s, (b * r - a) / s};
}

}  // namespace facula::cpu
