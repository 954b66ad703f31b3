// Orthogonal polynomials.
#include "core/ops.h"
#include "core/ops/families.h"
#include "core/slots.h"

namespace facula {
namespace {

struct Polynomial {
  const PointwiseSlot& slot;
  const char* doc;
};

const Polynomial kPolynomials[] = {
    {slots::chebyshev_polynomial_t, "Chebyshev's polynomial of the first kind, `cos(n acos(self))`."},
    {slots::chebyshev_polynomial_u,
     "Chebyshev's polynomial of the second kind, `sin((n + 1) t) / sin(t)` at `cos(t)`."},
    {slots::chebyshev_polynomial_v,
     "Chebyshev's polynomial of the third kind, `cos((n + 1/2) t) / cos(t / 2)` at `cos(t)`."},
    {slots::chebyshev_polynomial_w,
     "Chebyshev's polynomial of the fourth kind, `sin((n + 1/2) t) / sin(t / 2)` at `cos(t)`."},
    {slots::shifted_chebyshev_polynomial_t, "Chebyshev's polynomial of the first kind at `2 self - 1`."},
    {slots::shifted_chebyshev_polynomial_u, "Chebyshev's polynomial of the second kind at `2 self - 1`."},
    {slots::shifted_chebyshev_polynomial_v, "Chebyshev's polynomial of the third kind at `2 self - 1`."},
    {slots::shifted_chebyshev_polynomial_w, "Chebyshev's polynomial of the fourth kind at `2 self - 1`."},
    {slots::hermite_polynomial_h, "Hermite's polynomial of the physicists: 1, 2x, 4x^2 - 2 ..."},
    {slots::hermite_polynomial_he, "Hermite's polynomial of the probabilists: 1, x, x^2 - 1 ..."},
    {slots::laguerre_polynomial_l, "Laguerre's polynomial: 1, 1 - x, (x^2 - 4x + 2) / 2 ..."},
    {slots::legendre_polynomial_p, "Legendre's polynomial: 1, x, (3x^2 - 1) / 2 ..."},
};

}  // namespace

void define_polynomial(const Family& define) {
  for (const auto& [slot, doc] : kPolynomials)
    define(text("special.", slot.name(), "(Operand self, Operand n) -> Tensor"))
        .doc(text(doc, " `n` is the degree, cut to a whole number; below 0 the result is 0."))
        .example(text("torch.special.", slot.name(), "(torch.tensor{0, 0.5, 1}, 3)"))
        .pointwise(slot, kRealFloat);
}

}  // namespace facula
