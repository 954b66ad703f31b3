// The primitives that a device implements. Operators call them; nothing else knows kernels.
//
// Rules for all of them:
// * Outputs come first. Sizes and dtypes are right when a kernel is called: it checks nothing but positions in index tensors.
// * Tensors have any strides unless said otherwise; inputs may be expanded (stride 0). Outputs never overlap themselves.
// * Any tensor may have no elements; any may have no dimensions.
// * Index tensors are int64 and hold positions from 1. A position outside 1..n is an Error that names it, its range and `where`
//   when said so ("checked").
// * float16 and bfloat16 compute and accumulate in float32.
#pragma once

#include <string>

#include "core/generator.h"
#include "core/sampling.h"
#include "core/slot.h"

namespace facula::slots {

// ---- memory -------------------------------------------------------------------------------------------------------------
/// out[...] = value
inline Slot<const Tensor&, const Scalar&> fill{"fill"};
/// out = x converted to out's dtype, on one device. Float to integer is cut towards zero, NaN gives 0, out of range wraps as
/// int64 does; to bool: not zero; complex to real: the real part.
inline Slot<const Tensor&, const Tensor&> copy{"copy"};

// ---- pointwise ----------------------------------------------------------------------------------------------------------
// Inputs are expanded to out's sizes and share one dtype, the compute dtype; out has it too unless said otherwise. out may be
// exactly one of the inputs. Unary ones take every dtype unless said: [F] floating and complex only (integers were converted),
// [R] not complex, [f] floating only, [I] integers and bool only, [->bool] out is bool.
// clang-format off: a table, not code
#define FACULA_UNARY_SLOTS(_)                                                                          \
  _(neg)                                                                                               \
  _(abs) /* complex: out has the real dtype */ _(sgn) /* sign; complex x/|x|, 0 at 0 */ _(square)      \
      _(reciprocal)                                                             /* F */                \
      _(exp) _(exp2) _(expm1) _(log) _(log2) _(log10) _(log1p) _(sqrt) _(rsqrt) /* F */                \
      _(sin) _(cos) _(tan) _(asin) _(acos) _(atan) _(sinh) _(cosh) _(tanh) _(asinh) _(acosh) _(atanh)  \
          _(sigmoid)                                                                           /* F */ \
      _(erf) _(erfc) _(erfinv) _(lgamma) _(digamma)                                            /* f */ \
      _(ceil) _(floor) _(round) /* half to even */ _(trunc) _(relu)                            /* R */ \
      _(isnan) _(isinf) _(isfinite) _(signbit) _(logical_not) /* ->bool */ _(bitwise_not)      /* I */ \
      _(conj) _(real) _(imag) /* complex in; real and imag: out has the real dtype */ _(angle) /* real in: 0 or pi */
#define FACULA_BINARY_SLOTS(_)                                                                                         \
  _(add)                                                                                                               \
  _(sub) /* params[0] is alpha: x + alpha * y; bool: or (sub is refused before) */ _(mul) /* bool: and */              \
      _(div) /* F */ _(floor_divide)                                                                                   \
          _(remainder) /* sign of the divisor, as Lua's % */ _(fmod) /* R; integer by zero: Error */                   \
      _(pow) /* integers: wraps, and 1 / x^n is cut to an integer */ _(atan2) _(hypot) _(copysign) /* f */             \
      _(maximum) _(minimum) _(fmax) _(fmin)            /* R; maximum and minimum hand NaN on, fmax and fmin drop it */ \
      _(eq) _(ne) /* ->bool */ _(lt) _(le) _(gt) _(ge) /* R ->bool */                                                  \
      _(logical_and) _(logical_or) _(logical_xor) /* ->bool */ _(bitwise_and) _(bitwise_or) _(bitwise_xor) /* I */     \
      _(bitwise_left_shift) _(bitwise_right_shift) /* integers */ _(nextafter) _(xlogy)                    /* f */
#define FACULA_OTHER_POINTWISE_SLOTS(_)                                                                            \
  _(where)                                                                                                         \
  /* in: condition (bool), x, y */ _(clamp) /* in: x, low, high; R; NaN stays; high wins over low */               \
      _(lerp) /* in: x, end, weight; F */ _(addcmul)                                                               \
          _(addcdiv) /* in: x, a, b; params[0]: value; x + value * a * b (or a / b) */                             \
      _(gelu) /* params[0]: 1 for the tanh approximation; f */ _(gelu_backward) /* in: g, x; likewise */           \
      _(complex)                                                                /* in: re, im real; out complex */ \
      _(sigmoid_backward) /* in: g, y: g * (1 - y) * y */ _(                                                       \
          tanh_backward)    /* in: g, y: g * (1 - y * y); both F, conjugating y */                                 \
      _(threshold_backward) /* in: g, x; params[0]: t; g where x > t, else 0; R */
// clang-format on
#define FACULA_DECLARE(slot) inline PointwiseSlot slot{#slot};
FACULA_UNARY_SLOTS(FACULA_DECLARE)
FACULA_BINARY_SLOTS(FACULA_DECLARE)
FACULA_OTHER_POINTWISE_SLOTS(FACULA_DECLARE)
#undef FACULA_DECLARE

// ---- reductions: the result does not depend on the number of threads ---------------------------------------------------------
inline ReduceSlot sum{"sum"};    ///< x has out's dtype (converted before); pairwise in blocks; bool never
inline ReduceSlot prod{"prod"};  ///< likewise
inline ReduceSlot amax{"amax"};  ///< not complex; NaN wins; x's dtype; reduced dims have elements
inline ReduceSlot amin{"amin"};
inline ReduceSlot any{"any"};  ///< out bool; x any dtype; nothing: false
inline ReduceSlot all{"all"};  ///< out bool; nothing: true
/// out int64: position (from 1) of the largest along `dim`, or of the flattened x when dim is -1; the first of ties; NaN wins.
inline Slot<const Tensor&, const Tensor&, int64_t> argmax{"argmax"};
inline Slot<const Tensor&, const Tensor&, int64_t> argmin{"argmin"};
/// values, positions (both keep `dim` with size 1), x, dim: in one pass.
inline Slot<const Tensor&, const Tensor&, const Tensor&, int64_t> max_with_index{"max_with_index"};
inline Slot<const Tensor&, const Tensor&, const Tensor&, int64_t> min_with_index{"min_with_index"};
/// out, x (float or complex), dims, correction: Welford (1962); out is real; divides by max(0, n - correction).
inline Slot<const Tensor&, const Tensor&, const IntList&, double> var{"var"};
/// out (real dtype), x (float or complex), dims, p: (sum |x|^p)^(1/p); 0 counts, inf and -inf are max and min; scaled where squares overflow.
inline Slot<const Tensor&, const Tensor&, const IntList&, double> norm{"norm"};
/// Running sum and product along a dim; out and x of one dtype and size.
inline Slot<const Tensor&, const Tensor&, int64_t> cumsum{"cumsum"};
inline Slot<const Tensor&, const Tensor&, int64_t> cumprod{"cumprod"};
/// Stable softmax along dim; floating. x and out have equal sizes and dtype.
inline Slot<const Tensor&, const Tensor&, int64_t> softmax{"softmax"};
inline Slot<const Tensor&, const Tensor&, int64_t> log_softmax{"log_softmax"};
/// dx, g, y, dim: y * (g - sum(g * y)) and g - exp(y) * sum(g).
inline Slot<const Tensor&, const Tensor&, const Tensor&, int64_t> softmax_backward{"softmax_backward"};
inline Slot<const Tensor&, const Tensor&, const Tensor&, int64_t> log_softmax_backward{"log_softmax_backward"};

// ---- linear algebra -------------------------------------------------------------------------------------------------------
/// out [B, M, N] = beta * out + alpha * a [B, M, K] @ b [B, K, N]. out is dense in its last dimension or its last but one.
/// With beta = 0 nothing of out is read (NaN in it does not survive). All dtypes; bool never. K may be 0.
inline Slot<const Tensor&, const Tensor&, const Tensor&, const Scalar&, const Scalar&> bmm{"bmm"};
/// out (0-dim) = sum(a * b), 1-dim each, without conjugation.
inline Slot<const Tensor&, const Tensor&, const Tensor&> dot{"dot"};

/// u [B, M, K], s [B, K] (real), vh [B, K, N] of x [B, M, N], K = min(M, N): dense; float32, float64 and their complex partners.
inline Slot<const Tensor&, const Tensor&, const Tensor&, const Tensor&> svd{"svd"};

// ---- positions ------------------------------------------------------------------------------------------------------------
/// out[i][j] = x[index[i][j]][j] for dim 0: out and index have equal sizes. Checked.
inline Slot<const Tensor&, const Tensor&, int64_t, const Tensor&> gather{"gather"};
/// out is changed in place: out[index[i][j]][j] (=, +=, *=) src[i][j]; src has at least index's sizes. Checked.
inline Slot<const Tensor&, int64_t, const Tensor&, const Tensor&> scatter{"scatter"};
inline Slot<const Tensor&, int64_t, const Tensor&, const Tensor&> scatter_add{"scatter_add"};
inline Slot<const Tensor&, int64_t, const Tensor&, const Tensor&> scatter_multiply{"scatter_multiply"};
/// out takes the slices of x along dim at index (1-dim). Checked.
inline Slot<const Tensor&, const Tensor&, int64_t, const Tensor&> index_select{"index_select"};
/// out[index[i]] += alpha * src[i] along dim, in place; repeated positions add up, in order. Checked.
inline Slot<const Tensor&, int64_t, const Tensor&, const Tensor&, const Scalar&> index_add{"index_add"};
/// x[index 1, index 2, ...]: x is [n1, ..., nk, rest...], each index has the same sizes [m...] (expanded), out is
/// [m..., rest...]. Negative positions count from the end. Checked.
inline Slot<const Tensor&, const Tensor&, TensorSpan> index{"index"};
/// The inverse: x[index...] (= or +=) values [m..., rest...] (expanded), in order.
inline Slot<const Tensor&, TensorSpan, const Tensor&, bool> index_put{"index_put"};
/// out [count, x.dim()] int64: positions (from 1) of the elements that are not zero, in row-major order.
inline Slot<const Tensor&, const Tensor&> nonzero{"nonzero"};

// ---- order ------------------------------------------------------------------------------------------------------------------
/// values, positions (from 1), x, dim, descending. Stable; NaN is the largest. bool and integers too.
inline Slot<const Tensor&, const Tensor&, const Tensor&, int64_t, bool> sort{"sort"};
/// values, positions (both with size k along dim), x, dim, largest, sorted.
inline Slot<const Tensor&, const Tensor&, const Tensor&, int64_t, bool, bool> topk{"topk"};

// ---- sequences and random numbers -------------------------------------------------------------------------------------------------
/// out[i] = start + i * step, out 1-dim.
inline Slot<const Tensor&, const Scalar&, const Scalar&> arange{"arange"};
/// out[i] from start to end inclusive, symmetric from both ends as in PyTorch; out 1-dim.
inline Slot<const Tensor&, const Scalar&, const Scalar&> linspace{"linspace"};
// Random: out is filled in row-major order whatever its strides. One Philox block serves 4 float32-or-narrower numbers or
// 2 float64 numbers (uniform: 24 or 53 bits; normal: Box-Muller, 2 numbers of 2 words each); see kernels/cpu/random.cpp.
/// [from, to)
inline Slot<const Tensor&, double, double, Philox> uniform{"uniform"};
inline Slot<const Tensor&, double, double, Philox> normal{"normal"};  ///< mean, standard deviation
/// Integers of [low, high) in any dtype.
inline Slot<const Tensor&, int64_t, int64_t, Philox> random_integer{"random_integer"};
/// out = 1 with probability p (element by element, p a floating tensor of out's sizes), else 0.
inline Slot<const Tensor&, const Tensor&, Philox> bernoulli{"bernoulli"};
inline Slot<const Tensor&, double, Philox> exponential{"exponential"};  ///< rate
/// out: a permutation of 1..n (int64), 1-dim.
inline Slot<const Tensor&, Philox> randperm{"randperm"};

// ---- neural networks --------------------------------------------------------------------------------------------------------
// Convolution in 1 to 3 spatial dimensions: x [N, C, s...], w [O, C / groups, k...], y [N, O, s'...]; lists have one entry per
// spatial dimension. x, w and y are contiguous. The three are each other's adjoints.
/// y, x, w, stride, padding, dilation, groups
using ConvSlot =
    Slot<const Tensor&, const Tensor&, const Tensor&, const IntList&, const IntList&, const IntList&, int64_t>;
inline ConvSlot conv{"conv"};
inline ConvSlot conv_input{"conv_input"};    ///< dx, g, w, ...
inline ConvSlot conv_weight{"conv_weight"};  ///< dw, g, x, ...
/// y, positions (from 1, in the flattened plane), x [N, C, s...], kernel, stride, padding, dilation: contiguous; NaN wins.
inline Slot<const Tensor&, const Tensor&, const Tensor&, const IntList&, const IntList&, const IntList&, const IntList&>
    max_pool{"max_pool"};
/// dx [N, C, s...] (contiguous, zeroed here), g, positions: dx[plane, position] += g.
inline Slot<const Tensor&, const Tensor&, const Tensor&> max_pool_backward{"max_pool_backward"};
/// y, positions, x: the largest of each window, where y's windows share x's last `spatial` dimensions out evenly;
/// contiguous, NaN wins.
inline Slot<const Tensor&, const Tensor&, const Tensor&, int64_t> adaptive_max_pool{"adaptive_max_pool"};
/// y, positions, x [N, C, s...], samples [N, C, spatial] in [0, 1), kernel: windows of random starts (Graham 2015);
/// contiguous, NaN wins.
inline Slot<const Tensor&, const Tensor&, const Tensor&, const Tensor&, const IntList&> fractional_max_pool{
    "fractional_max_pool"};
/// y = x mapped along each of its last dimensions; contiguous, neither empty. Integers have no weights, bool only maps that
/// copy.
inline Slot<const Tensor&, const Tensor&, const std::vector<Taps>&> resample{"resample"};
/// y [N, C, o...] = x [N, C, s...] at the places in grid [N, o..., D], all contiguous float32 or float64; then dx, g, grid,
/// the adjoint; and dgrid, g, x, grid, the derivative by the places.
inline Slot<const Tensor&, const Tensor&, const Tensor&, const GridSampling&> grid_sample{"grid_sample"};
inline Slot<const Tensor&, const Tensor&, const Tensor&, const GridSampling&> grid_sample_input{"grid_sample_input"};
inline Slot<const Tensor&, const Tensor&, const Tensor&, const Tensor&, const GridSampling&> grid_sample_grid{
    "grid_sample_grid"};
/// columns [N, C * kH * kW, oH * oW], x [N, C, H, W]; and x, columns, which adds them up (never bool): contiguous.
inline Slot<const Tensor&, const Tensor&, const SlidingWindows&> im2col{"im2col"};
inline Slot<const Tensor&, const Tensor&, const SlidingWindows&> col2im{"col2im"};

}  // namespace facula::slots
