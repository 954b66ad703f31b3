// Second derivatives of operators whose derivative is a kernel.
#pragma once

#include "core/autograd.h"

namespace facula {

/// The gradients of `tensors` where the results of `composition(tensors)`, made of operators, have the gradients `seeds`.
/// They can be differentiated again. Undefined for tensors that require none.
template <class F>
Tensors recomputed_gradients(const F& composition, const Tensors& seeds, const Tensors& tensors) {
  Tensors wanted, all;
  for (const Tensor& t : tensors)
    if (t.defined() && requires_grad(t)) wanted.push_back(t);
  const Tensors found = gradients(composition(tensors), seeds, wanted, true, true, true);
  for (size_t k = 0; const Tensor& t : tensors) all.push_back(t.defined() && requires_grad(t) ? found[k++] : Tensor());
  return all;
}

}  // namespace facula
