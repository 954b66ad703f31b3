// Writing at positions. Places that meet in the output are visited in row-major order by one thread: the output stands
// still along the dimensions whose positions are given, these are walked in order, and threads share the other
// dimensions. The loop over the dimension along which src is dense is the inner one.
#include <type_traits>

#include "core/iterator.h"
#include "core/slots.h"
#include "kernels/cpu/index.h"

namespace facula::cpu {

using slots::Fold;

namespace {

// x with size 1 along the dimensions outside (or inside) first .. last.
Tensor part(const Tensor& x, int64_t first, int64_t last, bool inside) {
  Sizes sizes = x.sizes();
  for (int64_t d = 0; d < x.dim(); ++d)
    if ((first <= d && d < last) != inside) sizes[d] = 1;
  return x.alias(sizes, x.strides(), x.offset());
}

// put(target, source) for all places of three tensors of equal sizes; `target` stands still along dimensions first ..
// last, and index, dense there or of one dimension, leads on from it.
template <class T, class Put>
void spread(const Tensor& target, const Tensor& index, const Tensor& src, int64_t first, int64_t last, Step step,
            Put put) {
  if (src.numel() == 0) return;
  const Tensor index_given = part(index, first, last, true), src_given = part(src, first, last, true);
  const Tensor target_rest = part(target, first, last, false), index_rest = part(index, first, last, false),
               src_rest = part(src, first, last, false);
  const LoopNest<2> given({&index_given, &src_given});
  const LoopNest<3> rest({&target_rest, &index_rest, &src_rest});

  auto distance = [&](const char* p) { return (*reinterpret_cast<const int64_t*>(p) - step.first) * step.bytes; };
  if (rest.numel == 1) {
    given.rows(0, given.numel, [&](const std::array<char*, 2>& p, int64_t count) {
      const auto [position_stride, from_stride] = given.stride[0];
      char* to = target.bytes();
      for (int64_t i = 0; i < count; ++i)
        put(*reinterpret_cast<T*>(to + distance(p[0] + i * position_stride)),
            *reinterpret_cast<const T*>(p[1] + i * from_stride));
    });
    return;
  }
  auto row = [&](char* to, const char* position, const char* from, int64_t count) {
    const auto [to_stride, position_stride, from_stride] = rest.stride[0];
    if (position_stride == 0 && to_stride == sizeof(T) && from_stride == sizeof(T)) {
      T* t = reinterpret_cast<T*>(to + distance(position));
      const T* s = reinterpret_cast<const T*>(from);
      for (int64_t i = 0; i < count; ++i) put(t[i], s[i]);
      return;
    }
    for (int64_t i = 0; i < count; ++i)
      put(*reinterpret_cast<T*>(to + i * to_stride + distance(position + i * position_stride)),
          *reinterpret_cast<const T*>(from + i * from_stride));
  };
  if (given.numel > 1 && std::abs(given.stride[0][1]) < std::abs(rest.stride[0][2])) {
    const int64_t position_stride = given.stride[0][0], from_stride = given.stride[0][1];
    auto walk = [&](char* to, int64_t d_index, int64_t d_src) {
      given.rows(0, given.numel, [&](const std::array<char*, 2>& p, int64_t count) {
        for (int64_t i = 0; i < count; ++i)
          put(*reinterpret_cast<T*>(to + distance(p[0] + d_index + i * position_stride)),
              *reinterpret_cast<const T*>(p[1] + d_src + i * from_stride));
      });
    };
    rest.parallel_rows(std::max<int64_t>(1, kGrain / given.numel), [&](const std::array<char*, 3>& p, int64_t count) {
      const auto [to, position, from] = rest.stride[0];
      for (int64_t i = 0; i < count; ++i)
        walk(p[0] + i * to, p[1] - rest.base[1] + i * position, p[2] - rest.base[2] + i * from);
    });
    return;
  }
  // Pieces keep the lines of the output that are written in the cache while the given dimensions are walked.
  constexpr int64_t kPiece = 1024;
  auto piece = [&](int64_t begin, int64_t end) {
    given.rows(0, given.numel, [&](const std::array<char*, 2>& at, int64_t count) {
      for (int64_t i = 0; i < count; ++i) {
        const int64_t d_index = at[0] - given.base[0] + i * given.stride[0][0];
        const int64_t d_src = at[1] - given.base[1] + i * given.stride[0][1];
        auto shifted = [&](const std::array<char*, 3>& p, int64_t n) { row(p[0], p[1] + d_index, p[2] + d_src, n); };
        if (rest.dims == 1) {
          auto p = rest.base;
          for (int k = 0; k < 3; ++k) p[k] += begin * rest.stride[0][k];
          shifted(p, end - begin);
        } else {
          rest.rows(begin, end, shifted);
        }
      }
    });
  };
  const int64_t grain = std::max<int64_t>(64, kGrain / given.numel);
  parallel_for(rest.numel, grain, [&](int64_t begin, int64_t end) {
    for (; begin < end; begin += kPiece) piece(begin, std::min(end, begin + kPiece));
  });
}

void spread_items(const Tensor& target, const Tensor& index, const Tensor& src, int64_t first, int64_t last,
                  Step step) {
  with_item(target.item_size(), [&]<class Item>() {
    spread<Item>(target, index, src, first, last, step, [](Item& to, const Item& from) { to = from; });
  });
}

// Integers wrap; bool adds by or and multiplies by and.
template <class T>
T plus(T a, T b) {
  if constexpr (std::is_same_v<T, bool>)
    return a || b;
  else if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  else
    return a + b;
}
template <class T>
T times(T a, T b) {
  if constexpr (std::is_same_v<T, bool>)
    return a && b;
  else if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  else
    return a * b;
}

template <class T>
void spread_sums(const Tensor& target, const Tensor& index, const Tensor& src, int64_t first, int64_t last, Step step,
                 const Scalar& alpha) {
  const T factor = alpha.to<T>();
  if (factor == T(1))
    spread<T>(target, index, src, first, last, step, [](T& to, const T& from) { to = plus(to, from); });
  else
    spread<T>(target, index, src, first, last, step,
              [factor](T& to, const T& from) { to = plus(to, times(from, factor)); });
}

Tensor in_float32(const Tensor& x) {
  const Tensor wide = empty(x.sizes(), DType::Float32);
  slots::copy(wide, x);
  return wide;
}

// Calls add(out, src) with float32 copies of both where they are float16 or bfloat16, so that sums are rounded once.
template <class Add>
void with_wide(const Tensor& out, const Tensor& src, Add add) {
  if (out.dtype() != DType::Float16 && out.dtype() != DType::BFloat16) return add(out, src);
  const Tensor wide = in_float32(out);
  add(wide, in_float32(src));
  slots::copy(out, wide);
}

void add_at(const Tensor& target, const Tensor& index, const Tensor& src, int64_t first, int64_t last, Step step,
            const Scalar& alpha) {
  with_type(target.dtype(), [&]<class T>() {
    if constexpr (!std::is_same_v<T, Half> && !std::is_same_v<T, BFloat16>)
      spread_sums<T>(target, index, src, first, last, step, alpha);
  });
}

// NaN wins.
template <class T>
T larger(T a, T b) {
  return ((b > a) | (b != b)) ? b : a;  // without a branch
}
template <class T>
T smaller(T a, T b) {
  return ((b < a) | (b != b)) ? b : a;
}

void fold_at(const Tensor& target, const Tensor& index, const Tensor& src, int64_t dim, Fold fold) {
  with_type(target.dtype(), [&]<class T>() {
    if constexpr (!std::is_same_v<T, Half> && !std::is_same_v<T, BFloat16>) {
      auto with = [&](auto combine) {
        spread<T>(standing(target, index.sizes(), dim, dim + 1), index, src, dim, dim + 1, step_along(target, dim),
                  [=](T& to, const T& from) { to = combine(to, from); });
      };
      if (fold == Fold::Sum) return with([](T a, T b) { return plus(a, b); });
      if (fold == Fold::Prod) return with([](T a, T b) { return times(a, b); });
      if constexpr (!is_complex(dtype_of<T>)) {
        if (fold == Fold::Max) return with([](T a, T b) { return larger(a, b); });
        with([](T a, T b) { return smaller(a, b); });
      }
    }
  });
}

}  // namespace

void scatter(const Tensor& out, int64_t dim, const Tensor& index, const Tensor& src) {
  const Tensor to = at_least_1d(out), positions = at_least_1d(index), from = at_least_1d(src);
  check_positions("scatter", positions, to, dim);
  const Sizes& sizes = positions.sizes();
  spread_items(standing(to, sizes, dim, dim + 1), positions, from.alias(sizes, from.strides(), from.offset()), dim,
               dim + 1, step_along(to, dim));
}

void scatter_add(const Tensor& out, int64_t dim, const Tensor& index, const Tensor& src) {
  const Tensor to_given = at_least_1d(out), positions = at_least_1d(index), src_given = at_least_1d(src);
  check_positions("scatter_add", positions, to_given, dim);
  with_wide(to_given, src_given, [&](const Tensor& to, const Tensor& from) {
    const Sizes& sizes = positions.sizes();
    add_at(standing(to, sizes, dim, dim + 1), positions, from.alias(sizes, from.strides(), from.offset()), dim, dim + 1,
           step_along(to, dim), 1);
  });
}

void scatter_reduce(const Tensor& out, int64_t dim, const Tensor& index, const Tensor& src, Fold fold,
                    const char* where) {
  const Tensor to_given = at_least_1d(out), positions = at_least_1d(index), src_given = at_least_1d(src);
  check_positions(where, positions, to_given, dim);
  with_wide(to_given, src_given, [&](const Tensor& to, const Tensor& from) {
    fold_at(to, positions, from.alias(positions.sizes(), from.strides(), from.offset()), dim, fold);
  });
}

void scatter_multiply(const Tensor& out, int64_t dim, const Tensor& index, const Tensor& src) {
  scatter_reduce(out, dim, index, src, Fold::Prod, "scatter");
}

void index_copy(const Tensor& out, int64_t dim, const Tensor& index, const Tensor& src) {
  const Tensor to = at_least_1d(out), from = at_least_1d(src), positions = at_least_1d(index);
  check_positions("index_copy", positions, to, dim);
  spread_items(standing(to, from.sizes(), dim, dim + 1), along(positions, from.sizes(), dim), from, dim, dim + 1,
               step_along(to, dim));
}

void index_add(const Tensor& out, int64_t dim, const Tensor& index, const Tensor& src, const Scalar& alpha) {
  const Tensor to_given = at_least_1d(out), src_given = at_least_1d(src), positions = at_least_1d(index);
  check_positions("index_add", positions, to_given, dim);
  with_wide(to_given, src_given, [&](const Tensor& to, const Tensor& from) {
    add_at(standing(to, from.sizes(), dim, dim + 1), along(positions, from.sizes(), dim), from, dim, dim + 1,
           step_along(to, dim), alpha);
  });
}

void index_put(const Tensor& x, std::span<const Tensor> indices, const Tensor& values, bool accumulate) {
  const int64_t chosen = static_cast<int64_t>(indices.size());
  auto put = [&](const Tensor& to, const Tensor& from) {
    const Tensor distance = offsets("index_put", to, indices);
    const Sizes& sizes = from.sizes();
    IntList distance_strides(sizes.size()), to_strides(sizes.size());
    std::copy(distance.strides().begin(), distance.strides().end(), distance_strides.begin());
    std::copy(to.strides().begin() + chosen, to.strides().end(), to_strides.begin() + distance.dim());
    const Tensor target = to.alias(sizes, to_strides, to.offset()), index = distance.alias(sizes, distance_strides, 0);
    if (accumulate)
      add_at(target, index, from, 0, distance.dim(), kOffsets, 1);
    else
      spread_items(target, index, from, 0, distance.dim(), kOffsets);
  };
  if (accumulate)
    with_wide(x, values, put);
  else
    put(x, values);
}

}  // namespace facula::cpu
