// Reading at positions. All three operators are one kernel over (out, index, x), in which x stands still along the
// dimensions that the positions choose from.
#include "kernels/cuda/index.h"

namespace facula::cuda {
namespace {

template <class W>
struct Take {
  Step step;
  __device__ void operator()(char* const (&p)[3]) const {
    *reinterpret_cast<W*>(p[0]) = *reinterpret_cast<const W*>(p[2] + step.distance(p[1]));
  }
};

// out[...] = the element of x that `index` leads to from the one at [...]. All have equal sizes.
void take(const Queue& queue, const Tensor& out, const Tensor& x, const Tensor& index, Step step) {
  with_word(out.item_size(), [&]<class W>() { each<3>(queue, {&out, &index, &x}, Take<W>{step}); });
}

}  // namespace

void gather(const Tensor& out, const Tensor& x, int64_t dim, const Tensor& index) {
  const Queue queue("gather", out);
  const Tensor from = at_least_1d(x), to = at_least_1d(out), positions = at_least_1d(index);
  check_positions(queue, positions, from, dim);
  take(queue, to, standing(from, to.sizes(), dim), positions, step_along(from, dim));
}

void index_select(const Tensor& out, const Tensor& x, int64_t dim, const Tensor& index) {
  const Queue queue("index_select", out);
  const Tensor from = at_least_1d(x), to = at_least_1d(out), positions = at_least_1d(index);
  check_positions(queue, positions, from, dim);
  take(queue, to, standing(from, to.sizes(), dim), along(positions, to.sizes(), dim), step_along(from, dim));
}

void index(const Tensor& out, const Tensor& x, TensorSpan indices) {
  const Queue queue("index", out);
  const Tensor distance = offsets(queue, x, indices);
  take(queue, out, without_leading(x, indices.size(), out.sizes()), without_trailing(distance, out.sizes()), kOffsets);
}

}  // namespace facula::cuda
