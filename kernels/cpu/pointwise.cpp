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
      fail(name, ": not implemented for ", t);
  }
}

/// What an operand of dtype `t` is in a row for `wide`, where the row's own dtype is `narrow`: conditions stay bool, real
/// parts of complex numbers widen with them.
static DType widened(DType t, DType narrow, DType wide) {
  if (t == narrow) return wide;
  return t == real_dtype(narrow) ? real_dtype(wide) : t;
}

template <int N>
void run_blocks(const char* name, const Rows& rows, const Tensor& out, TensorSpan in, ScalarSpan params) {
  if (out.numel() == 0) return;
  const DType t = in[N - 1].dtype(), wide = compute_dtype(name, rows, t);
  const Row row = rows.of[static_cast<int>(wide)];

  std::array<const Tensor*, N + 1> operands{&out};
  for (int k = 0; k < N; ++k) operands[k + 1] = &in[k];
  const LoopNest<N + 1> nest(operands);
  std::array<Packing, N + 1> packs;
  bool direct = true, in_place = false;
  for (int k = 0; k <= N; ++k) {
    const DType type = operands[k]->dtype();
    packs[k] = (k == 0 ? Packing::out : Packing::in)(type, widened(type, t, wide), nest.stride[0][k]);
    direct = direct && packs[k].direct();
    in_place = in_place || (k > 0 && nest.base[k] == nest.base[0]);
  }
  const bool streams = packs[0].direct() && !in_place && nest.numel * packs[0].item >= kStreamBytes;

  nest.parallel_rows(rows.grain, [&](const std::array<char*, N + 1>& p, int64_t n) {
    std::array<const char*, N> x;
    if (direct && !streams) {
      for (int k = 0; k < N; ++k) x[k] = p[k + 1];
      row(p[0], x.data(), n, params);
      return;
    }
    std::array<Block, N + 1> blocks;
    for (int64_t begin = 0; begin < n; begin += kBlock) {
      const int64_t count = std::min(kBlock, n - begin);
      for (int k = 0; k < N; ++k) {
        const Packing& pack = packs[k + 1];
        if (pack.stride != 0 || begin == 0) x[k] = pack.load(p[k + 1] + begin * pack.stride, count, blocks[k + 1]);
      }
      char* y = p[0] + begin * packs[0].stride;
      if (packs[0].direct() && !streams) {
        row(y, x.data(), count, params);
        continue;
      }
      row(blocks[0].bytes, x.data(), count, params);
      if (streams)
        stream(y, blocks[0].bytes, count * packs[0].item);
      else
        packs[0].store(y, count, blocks[0]);
    }
    if (streams) end_stream();
  });
}

template void run_blocks<1>(const char*, const Rows&, const Tensor&, TensorSpan, ScalarSpan);
template void run_blocks<2>(const char*, const Rows&, const Tensor&, TensorSpan, ScalarSpan);
template void run_blocks<3>(const char*, const Rows&, const Tensor&, TensorSpan, ScalarSpan);

void fill_pointwise_slots() {
  fill_arithmetic_rows();
  fill_compare_rows();
  fill_complex_rows();
  fill_fused_rows();
  fill_integer_rows();
  fill_math_rows();
  fill_special_rows();
  fill_power_rows();
}

}  // namespace facula::cpu
