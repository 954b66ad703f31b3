// How pointwise slots run: a slot has one function per dtype that works on dense rows, and one driver brings any
// tensors into that shape.
//
// Dense tensors go to the row function directly. Everything else is cut into blocks that stay in the first-level cache:
// strided, broadcast or converted inputs are packed into buffers, results are scattered or converted out of one. So an
// operator is one loop per dtype, whatever the strides. Dtypes without a row function run by a wider one's: float16 and
// bfloat16 by float32's unless the operator is a mere instruction, rare float32 functions by float64's, rare complex64
// ones by complex128's.
#pragma once

#include <array>

#include "core/iterator.h"
#include "core/slots.h"
#include "kernels/cpu/pack.h"

namespace facula::cpu {

/// out[i] = f(in[0][i], in[1][i], ...) for n dense elements; out may be one of the inputs.
using Row = void (*)(char* out, const char* const* in, int64_t n, ScalarSpan params);

/// The rows of one slot, by the dtype of its last input, and the elements below which one thread does them all.
struct Rows {
  std::array<Row, kDTypes> of{};
  int64_t grain = kGrain;
};

/// Each file adds the dtypes that it knows while the slots are filled.
template <PointwiseSlot& slot>
inline Rows rows_of;

/// The driver for tensors that are not dense, too large for one thread, or of a dtype without a row.
template <int N>
void run_blocks(const char* name, const Rows& rows, const Tensor& out, TensorSpan in, ScalarSpan params);

/// Is x one number stretched to its sizes?
bool is_constant(const Tensor& x);

/// A pointwise slot's kernel for N inputs.
template <PointwiseSlot& slot, int N>
void run_rows(const Tensor& out, TensorSpan in, ScalarSpan params) {
  const Rows& rows = rows_of<slot>;
  const Row row = rows.of[static_cast<int>(in[N - 1].dtype())];
  const int64_t n = out.numel();
  bool direct = row && n <= rows.grain && out.is_contiguous();
  std::array<const char*, N> p;
  for (int k = 0; k < N; ++k) {
    direct = direct && in[k].is_contiguous();
    p[k] = in[k].bytes();
  }
  if (direct) [[likely]]
    row(out.bytes(), p.data(), n, params);
  else
    run_blocks<N>(slot.name(), rows, out, in, params);
}

/// Enters a row, and the slot's kernel with it.
template <PointwiseSlot& slot, int N>
void add_row(DType t, Row row, int64_t grain = kGrain) {
  rows_of<slot>.of[static_cast<int>(t)] = row;
  rows_of<slot>.grain = grain;
  slot.fill(DeviceType::CPU, run_rows<slot, N>);
}

// One per file; fill_pointwise_slots() calls them all.
void fill_activation_rows();
void fill_arithmetic_rows();
void fill_compare_rows();
void fill_complex_rows();
void fill_fused_rows();
void fill_integer_rows();
void fill_math_rows();
void fill_number_rows();
void fill_polynomial_rows();
void fill_power_rows();
void fill_series_rows();
void fill_special_rows();

template <class... T>
struct Types {};
using Floats = Types<float, double>;
using AllFloats = Types<float, double, Half, BFloat16>;
using Integers = Types<uint8_t, int8_t, int16_t, int32_t, int64_t>;
using Complexes = Types<complex64, complex128>;

}  // namespace facula::cpu
