#include "kernels/cpu/pointwise.h"

#include "kernels/cpu/register.h"

namespace facula::cpu {

/// `t`, or the narrowest dtype above it that has a row.
static DType compute_dtype(const char* name, const Rows& rows, DType t) {
  for (DType c = t;;) {
    if (rows.of[static_cast<int>(c)]) return c;
    if (c == DType::Float16 || c == DType::BFloat16)
      c = DType::Float32;
    else if (c == DType::Float32)
      c = DType::Float64;
    else if (c == DType::Complex64)
      c = DType::Complex128;
    else
      fail(name, ": does not take ", t, " numbers");
  }
}

/// What an operand of dtype `t` is in a row for `wide`, where the row's own dtype is `narrow`: conditions stay bool,
/// real parts of complex numbers widen with them.
static DType widened(DType t, DType narrow, DType wide) {
  if (t == narrow) return wide;
  return t == real_dtype(narrow) ? real_dtype(wide) : t;
}

bool is_constant(const Tensor& x) {
  for (int64_t d = 0; d < x.dim(); ++d)
    if (x.size(d) != 1 && x.stride(d) != 0) return false;
  return x.numel() > 0;
}

namespace {

/// A row function with the packing of its operands: the body of the loop nest.
template <int N>
struct Blocks {
  Row row;
  ScalarSpan params;
  std::array<Packing, N + 1> packs;  // the result's first
  bool streams;

  void operator()(const std::array<char*, N + 1>& p, int64_t n) const {
    std::array<const char*, N> x;
    bool direct = packs[0].direct() && !streams;
    for (int k = 0; k < N; ++k) {
      x[k] = p[k + 1];
      direct = direct && packs[k + 1].direct();
    }
    if (direct) return row(p[0], x.data(), n, params);

    std::array<Block, N + 1> blocks;
    for (int k = 0; k < N; ++k)
      if (packs[k + 1].stride == 0) x[k] = packs[k + 1].load(p[k + 1], std::min(kBlock, n), blocks[k + 1]);
    for_blocks(n, streams ? p[0] : nullptr, packs[0].item, [&](int64_t first, int64_t count) {
      for (int k = 0; k < N; ++k) {
        const Packing& pack = packs[k + 1];
        if (pack.stride != 0) x[k] = pack.load(p[k + 1] + first * pack.stride, count, blocks[k + 1]);
      }
      char* y = p[0] + first * packs[0].stride;
      if (packs[0].direct() && !streams) return row(y, x.data(), count, params);
      row(blocks[0].bytes, x.data(), count, params);
      if (streams)
        stream(y, blocks[0].bytes, count * packs[0].item);
      else
        packs[0].store(y, count, blocks[0]);
    });
    if (streams) end_stream();
  }
};

}  // namespace

template <int N>
void run_blocks(const char* name, const Rows& rows, const Tensor& out, TensorSpan in, ScalarSpan params) {
  const int64_t n = out.numel();
  if (n == 0) return;
  const DType t = in[N - 1].dtype(), wide = compute_dtype(name, rows, t);
  std::array<const Tensor*, N + 1> operands{&out};
  for (int k = 0; k < N; ++k) operands[k + 1] = &in[k];

  bool in_place = false;
  for (int k = 1; k <= N; ++k) in_place = in_place || operands[k]->bytes() == out.bytes();
  Blocks<N> blocks{rows.of[static_cast<int>(wide)], params, {}, false};
  const auto pack = [&](const std::array<int64_t, N + 1>& stride) {
    for (int k = 0; k <= N; ++k) {
      const DType type = operands[k]->dtype();
      blocks.packs[k] = (k == 0 ? Packing::out : Packing::in)(type, widened(type, t, wide), stride[k]);
    }
    const Packing& y = blocks.packs[0];
    blocks.streams = y.direct() && !in_place && n * y.item >= kStreamBytes;
  };

  // One row of dense tensors and single numbers: no need of a nest.
  std::array<char*, N + 1> base;
  std::array<int64_t, N + 1> stride;
  bool flat = true;
  for (int k = 0; k <= N; ++k) {
    const Tensor& x = *operands[k];
    base[k] = x.bytes();
    stride[k] = x.is_contiguous() ? x.item_size() : 0;
    flat = flat && (x.is_contiguous() || is_constant(x));
  }
  if (flat && n <= rows.grain) {
    pack(stride);
    blocks(base, n);
  } else {
    const LoopNest<N + 1> nest(operands);
    pack(nest.stride[0]);
    nest.parallel_rows(rows.grain, blocks);
  }
}

template void run_blocks<1>(const char*, const Rows&, const Tensor&, TensorSpan, ScalarSpan);
template void run_blocks<2>(const char*, const Rows&, const Tensor&, TensorSpan, ScalarSpan);
template void run_blocks<3>(const char*, const Rows&, const Tensor&, TensorSpan, ScalarSpan);

void fill_pointwise_slots() {
  fill_activation_rows();
  fill_arithmetic_rows();
  fill_compare_rows();
  fill_complex_rows();
  fill_fused_rows();
  fill_integer_rows();
  fill_math_rows();
  fill_number_rows();
  fill_polynomial_rows();
  fill_series_rows();
  fill_special_rows();
  fill_power_rows();
}

}  // namespace facula::cpu
