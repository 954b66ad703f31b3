// The kernel under the pointwise slots: one function of one to three numbers for every element.
//
// A thread takes a few numbers. Where all operands are dense, or one number for all elements, these are neighbours and
// come by one or two loads of up to 16 bytes per operand; otherwise they lie a block apart, so that a warp reads
// neighbours at a time.
#pragma once

#include <utility>

#include "kernels/cuda/launch.h"

namespace facula::cuda {

/// Numbers per thread: 16 bytes, but four where the elements may be narrower than the numbers that compute.
template <class T>
inline constexpr int kMapItems = sizeof(T) >= 16              ? 1
                                 : std::is_same_v<T, int64_t> ? 4
                                                              : static_cast<int>(16 / sizeof(T));

struct MapTypes {
  DType out, in;
  bool packed;  // all operands are dense, or one number, in one dimension; and aligned for packs
};

template <class F, class Out, class T, int N>
__global__ void __launch_bounds__(kThreads) map_kernel(Walk<N + 1> walk, MapTypes types, F f) {
  constexpr int n = kMapItems<T>;
  const int64_t begin = int64_t{blockIdx.x} * (kThreads * n);
  const int64_t first = types.packed ? begin + threadIdx.x * n : begin + threadIdx.x;
  const int64_t step = types.packed ? 1 : kThreads;
  const bool whole = types.packed && first + n <= walk.numel;

  T x[N][n];
  char* out[n];
  if (whole) {
#pragma unroll
    for (int k = 0; k < N; ++k) {
      const int64_t stride = walk.stride[0][k + 1];
      const char* p = walk.base[k + 1] + first * stride;
      if (stride != 0) {
        load_pack<n>(p, types.in, x[k]);
      } else {
        const T number = load<T>(p, types.in);
#pragma unroll
        for (int i = 0; i < n; ++i) x[k][i] = number;
      }
    }
  } else {
#pragma unroll
    for (int i = 0; i < n; ++i) {
      out[i] = nullptr;
      for (int k = 0; k < N; ++k) x[k][i] = T(1);
      if (first + i * step < walk.numel) {
        char* p[N + 1];
        walk.locate(first + i * step, p);
        out[i] = p[0];
#pragma unroll
        for (int k = 0; k < N; ++k) x[k][i] = load<T>(p[k + 1], types.in);
      }
    }
  }

  Out y[n];
#pragma unroll
  for (int i = 0; i < n; ++i) {
    if constexpr (N == 1) y[i] = f(x[0][i]);
    if constexpr (N == 2) y[i] = f(x[0][i], x[1][i]);
    if constexpr (N == 3) y[i] = f(x[0][i], x[1][i], x[2][i]);
  }

  if (whole) {
    store_pack<n>(walk.base[0] + first * walk.stride[0][0], types.out, y);
  } else {
#pragma unroll
    for (int i = 0; i < n; ++i)
      if (out[i]) store<Out>(out[i], types.out, y[i]);
  }
}

template <int N>
bool is_packed(const LoopNest<N>& nest, const std::array<const Tensor*, N>& operands, int items) {
  if (nest.dims != 1) return false;
  for (int k = 0; k < N; ++k) {
    const int64_t item = operands[k]->item_size(), stride = nest.stride[0][k];
    if (k > 0 && stride == 0) continue;
    const auto alignment = static_cast<uintptr_t>(std::min<int64_t>(16, item * items));
    if (stride != item || reinterpret_cast<uintptr_t>(nest.base[k]) % alignment != 0) return false;
  }
  return true;
}

/// What F makes of as many T as there are indices; for its type only.
template <class F, class T, size_t... k>
auto result_of(std::index_sequence<k...>) -> std::invoke_result_t<const F&, decltype(static_cast<void>(k), T())...>;

template <class F, class T, int N>
void map(const Queue& queue, const std::array<const Tensor*, N + 1>& operands, const F& f) {
  using Out = decltype(result_of<F, T>(std::make_index_sequence<N>()));
  const LoopNest<N + 1> nest(operands);
  if (nest.numel == 0) return;
  constexpr int n = kMapItems<T>;
  const MapTypes types{operands[0]->dtype(), operands[1]->dtype(), is_packed<N + 1>(nest, operands, n)};
  launch(queue, map_kernel<F, Out, T, N>, blocks_for(nest.numel, kThreads * n), kThreads,
         Walk<N + 1>(nest, queue.slot()), types, f);
}

/// The kernel of a pointwise slot. M has the slot's name, the kinds of numbers that it takes and how many, and
/// M::On<T>, which is made from the slot's parameters and called with numbers of the compute type T.
template <class M>
void pointwise(const Tensor& out, TensorSpan in, ScalarSpan params) {
  if (out.numel() == 0) return;
  const Queue queue(M::slot, out);
  std::array<const Tensor*, M::arity + 1> operands{&out};
  for (int k = 0; k < M::arity; ++k) operands[k + 1] = &in[k];
  with_compute_type<M::kinds>(in[0].dtype(), M::slot, [&]<class T>() {
    using F = typename M::template On<T>;
    map<F, T, M::arity>(queue, operands, F(params));
  });
}

/// Map_name, from an expression of T; and the call that puts its kernel into the slot.
#define FACULA_MAP(name, kinds_, arity_, arguments, expression)         \
  struct Map_##name {                                                   \
    static constexpr const char* slot = #name;                          \
    static constexpr int kinds = kinds_, arity = arity_;                \
    template <class T>                                                  \
    struct On {                                                         \
      explicit On(ScalarSpan) {}                                        \
      __device__ auto operator() arguments const { return expression; } \
    };                                                                  \
  };
/// The same, where the expression knows the slot's first parameter as `value`.
#define FACULA_PARAMETER_MAP(name, kinds_, arity_, arguments, expression) \
  struct Map_##name {                                                     \
    static constexpr const char* slot = #name;                            \
    static constexpr int kinds = kinds_, arity = arity_;                  \
    template <class T>                                                    \
    struct On {                                                           \
      T value;                                                            \
      explicit On(ScalarSpan params) : value(number<T>(params[0])) {}     \
      __device__ auto operator() arguments const { return expression; }   \
    };                                                                    \
  };
#define FACULA_MAP_FILL(name, kinds, arity, arguments, expression) \
  slots::name.fill(DeviceType::CUDA, pointwise<Map_##name>);

}  // namespace facula::cuda
