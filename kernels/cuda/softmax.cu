// Softmax along a dimension and its derivative: a row is read twice, once for its total, once to be written.
#include "kernels/cuda/register.h"
#include "kernels/cuda/rows.h"

namespace facula::cuda {
namespace {

/// As a reduction's Op (reduce.h), but every element is written from its row's state, which every lane knows.
template <class Op>
__global__ void __launch_bounds__(kThreads) row_kernel(Rows<Op::kOperands> rows, Op op) {
  using State = typename Op::State;
  FACULA_SHARED_STATES(State, shared);
  const auto at = rows.place();
  const bool inside = at.row < rows.kept.numel;
  State state = op.start();
  char *row[Op::kOperands], *p[Op::kOperands];
  if (inside) {
    rows.locate_row(at.row, row);
#pragma unroll 4
    for (int64_t i = at.lane; i < rows.along.numel; i += rows.lanes) {
      rows.locate(row, i, p);
      op.add(state, p);
    }
  }
  state = meet(op, state, at, rows.lanes, shared);
  if (!inside) return;
#pragma unroll 4
  for (int64_t i = at.lane; i < rows.along.numel; i += rows.lanes) {
    rows.locate(row, i, p);
    op.write(state, p);
  }
}

/// The largest x and the sum of exp(x - largest), kept up to date as larger ones come: Milakov and Gimelshein 2018.
template <class T>
struct Softmax {
  struct State {
    T largest, sum;
  };
  static constexpr int kOperands = 2;
  DType type;
  bool log_wanted;

  __device__ State start() const { return {T(-INFINITY), T(0)}; }
  __device__ void add(State& s, char* const (&p)[2]) const {
    const T x = load<T>(p[1], type);
    merge(s, {x, T(1) + (x - x)});  // the infinite have no exp(x - x): NaN
  }
  __device__ void merge(State& s, const State& other) const {
    if (other.largest == T(-INFINITY)) {  // adds nothing, and has no difference to -infinity
      if (s.largest == T(-INFINITY)) s.sum += other.sum;
    } else if (s.largest >= other.largest) {
      s.sum += other.sum * exp(other.largest - s.largest);
    } else {
      s = {other.largest, other.sum + (s.sum == T(0) ? T(0) : s.sum * exp(s.largest - other.largest))};
    }
  }
  __device__ void write(const State& s, char* const (&p)[2]) const {
    const T x = load<T>(p[1], type) - s.largest;
    store<T>(p[0], type, log_wanted ? x - log(s.sum) : exp(x) / s.sum);
  }
};

/// dx = y (g - sum(g y)), or g - exp(y) sum(g) of the logarithm.
template <class T>
struct SoftmaxBackward {
  using State = T;
  static constexpr int kOperands = 3;  // dx, g, y
  DType type;
  bool log_wanted;

  __device__ T start() const { return T(0); }
  __device__ void add(T& s, char* const (&p)[3]) const {
    const T g = load<T>(p[1], type);
    s += log_wanted ? g : g * load<T>(p[2], type);
  }
  __device__ void merge(T& s, const T& other) const { s += other; }
  __device__ void write(const T& s, char* const (&p)[3]) const {
    const T g = load<T>(p[1], type), y = load<T>(p[2], type);
    store<T>(p[0], type, log_wanted ? g - exp(y) * s : y * (g - s));
  }
};

template <template <class> class Op, size_t N>
void by_rows(const char* slot, const std::array<const Tensor*, N>& operands, int64_t dim, bool log_wanted) {
  if (operands[0]->numel() == 0) return;
  const Queue queue(slot, *operands[0]);
  const IntList dims = operands[0]->dim() == 0 ? IntList{} : IntList{dim};
  const DType type = operands[0]->dtype();
  with_compute_type<kReal>(type, slot, [&]<class T>() {
    const auto rows = rows_of<N>(operands, dims, slot);
    launch(queue, row_kernel<Op<T>>, rows.blocks(), kThreads, rows, Op<T>{type, log_wanted});
  });
}

template <bool log_wanted>
void softmax(const Tensor& out, const Tensor& x, int64_t dim) {
  by_rows<Softmax, 2>(log_wanted ? "log_softmax" : "softmax", {&out, &x}, dim, log_wanted);
}

template <bool log_wanted>
void softmax_backward(const Tensor& dx, const Tensor& g, const Tensor& y, int64_t dim) {
  by_rows<SoftmaxBackward, 3>(log_wanted ? "log_softmax_backward" : "softmax_backward", {&dx, &g, &y}, dim, log_wanted);
}

}  // namespace

void fill_softmax_slots() {
  slots::softmax.fill(DeviceType::CUDA, softmax<false>);
  slots::log_softmax.fill(DeviceType::CUDA, softmax<true>);
  slots::softmax_backward.fill(DeviceType::CUDA, softmax_backward<false>);
  slots::log_softmax_backward.fill(DeviceType::CUDA, softmax_backward<true>);
}

}  // namespace facula::cuda
