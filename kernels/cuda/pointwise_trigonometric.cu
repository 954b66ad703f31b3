// Circular and hyperbolic functions and their inverses, of real and complex numbers.
#include "kernels/cuda/map.h"
#include "kernels/cuda/register.h"

namespace facula::cuda {
namespace {

#define FACULA_TRIGONOMETRIC_MAPS(_)      \
  _(sin, kFloating, 1, (T x), sin(x))     \
  _(cos, kFloating, 1, (T x), cos(x))     \
  _(tan, kFloating, 1, (T x), tan(x))     \
  _(asin, kFloating, 1, (T x), asin(x))   \
  _(acos, kFloating, 1, (T x), acos(x))   \
  _(atan, kFloating, 1, (T x), atan(x))   \
  _(sinh, kFloating, 1, (T x), sinh(x))   \
  _(cosh, kFloating, 1, (T x), cosh(x))   \
  _(tanh, kFloating, 1, (T x), tanh(x))   \
  _(asinh, kFloating, 1, (T x), asinh(x)) \
  _(acosh, kFloating, 1, (T x), acosh(x)) \
  _(atanh, kFloating, 1, (T x), atanh(x))

FACULA_TRIGONOMETRIC_MAPS(FACULA_MAP)

}  // namespace

void fill_trigonometric_slots() { FACULA_TRIGONOMETRIC_MAPS(FACULA_MAP_FILL) }

}  // namespace facula::cuda
