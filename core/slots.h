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
/// out [..., M, N] = x where column - row <= diagonal (upper: >=), 0 elsewhere; out may be x.
inline Slot<const Tensor&, const Tensor&, int64_t, bool> triangle{"triangle"};
/// out takes the tensors one behind the other along dim. All are contiguous and of out's dtype.
inline Slot<const Tensor&, std::span<const Tensor>, int64_t> join{"join"};
/// out = x converted to out's dtype, on one device. Float to integer is cut towards zero, NaN gives 0, out of range wraps as
/// int64 does; to bool: not zero; complex to real: the real part.
inline Slot<const Tensor&, const Tensor&> copy{"copy"};

// ---- pointwise ----------------------------------------------------------------------------------------------------------
// Inputs are expanded to out's sizes and share one dtype, the compute dtype; out has it too unless said otherwise. out may be
// exactly one of the inputs. Unary ones take every dtype unless said: [F] floating and complex only (integers were converted),
// [R] not complex, [f] floating only, [I] integers and bool only, [->bool] out is bool.
// clang-format off: a table, not code
#define FACULA_UNARY_SLOTS(_)                                                                                    \
  _(neg)                                                                                                         \
  _(abs)                                                                                                         \
  /* complex: out has the real dtype */ _(sgn) /* sign; complex x/|x|, 0 at 0 */ _(square) _(reciprocal) /* F */ \
      _(exp) _(exp2) _(expm1) _(log) _(log2) _(log10) _(log1p) _(sqrt) _(rsqrt)                          /* F */ \
      _(sin) _(cos) _(tan) _(asin) _(acos) _(atan) _(sinh) _(cosh) _(tanh) _(asinh) _(acosh) _(atanh)            \
          _(sigmoid)                                                                           /* F */           \
      _(erf) _(erfc) _(erfinv) _(lgamma) _(digamma)                                            /* f */           \
      _(ceil) _(floor) _(round) /* half to even */ _(trunc) _(relu)                            /* R */           \
      _(isnan) _(isinf) _(isfinite) _(signbit) _(logical_not) /* ->bool */ _(bitwise_not)      /* I */           \
      _(conj) _(real) _(imag) /* complex in; real and imag: out has the real dtype */ _(angle) /* real in: 0 or pi */
#define FACULA_BINARY_SLOTS(_)                                                                                         \
  _(add)                                                                                                               \
  _(sub)                                                                                                               \
  /* params[0] is alpha: x + alpha * y; bool: or (sub is refused before) */ _(mul) /* bool: and */                     \
      _(div) /* F */ _(floor_divide)                                                                                   \
          _(remainder) /* sign of the divisor, as Lua's % */ _(fmod) /* R; integer by zero: Error */                   \
      _(pow) /* integers: wraps, and 1 / x^n is cut to an integer */ _(atan2) _(hypot) _(copysign) /* f */             \
      _(maximum) _(minimum) _(fmax) _(fmin)            /* R; maximum and minimum hand NaN on, fmax and fmin drop it */ \
      _(eq) _(ne) /* ->bool */ _(lt) _(le) _(gt) _(ge) /* R ->bool */                                                  \
      _(logical_and) _(logical_or) _(logical_xor) /* ->bool */ _(bitwise_and) _(bitwise_or) _(bitwise_xor) /* I */     \
      _(bitwise_left_shift) _(bitwise_right_shift) /* integers */ _(nextafter) _(xlogy)                    /* f */
#define FACULA_OTHER_POINTWISE_SLOTS(_)                                                                               \
  _(where)                                                                                                            \
  /* in: condition (bool), x, y */ _(clamp) /* in: x, low, high; R; NaN stays; high wins over low */                  \
  _(lerp)                                                                                                             \
  /* in: x, end, weight; F */ _(addcmul) _(addcdiv) /* in: x, a, b; params[0]: value; x + value * a * b (or a / b) */ \
      _(gelu) /* params[0]: 1 for the tanh approximation; f */ _(gelu_backward) /* in: g, x; likewise */              \
      _(complex)                                                                /* in: re, im real; out complex */    \
      _(sigmoid_backward) /* in: g, y: g * (1 - y) * y */ _(                                                          \
          tanh_backward)    /* in: g, y: g * (1 - y * y); both F, conjugating y */                                    \
      _(threshold_backward) /* in: g, x; params[0]: t; g where x > t, else 0; R */
#define FACULA_SPECIAL_SLOTS(_)                                                                                      \
  _(frac)                                                                                                            \
  _(entr) _(erfcx) _(ndtr) _(log_ndtr) _(ndtri) _(airy_ai) _(spherical_bessel_j0) _(i0) _(i0e) _(i1) _(i1e) _(k0)    \
      _(k0e) _(k1) _(k1e)                                 /* modified Bessel functions; e: times e^-|x| or e^x */    \
      _(bessel_j0) _(bessel_j1) _(bessel_y0) _(bessel_y1) /* f */                                                    \
      _(sinc) /* sin(pi x) / (pi x); F */ _(logit)        /* params[0]: eps, below 0 for none; f */                  \
      _(polygamma) /* params[0]: the order, 1 or more; f */ _(round_decimals) /* params[0]: their number; f */       \
      _(nan_to_num)                                                           /* params: for NaN, inf and -inf; f */ \
      _(logaddexp) _(logaddexp2) _(xlog1py) _(igamma) _(igammac) _(zeta)      /* in: x, y; f */                      \
      _(chebyshev_polynomial_t) _(chebyshev_polynomial_u) _(chebyshev_polynomial_v) _(chebyshev_polynomial_w)        \
          _(shifted_chebyshev_polynomial_t) _(shifted_chebyshev_polynomial_u) _(shifted_chebyshev_polynomial_v)      \
              _(shifted_chebyshev_polynomial_w) _(hermite_polynomial_h) _(hermite_polynomial_he)                     \
                  _(laguerre_polynomial_l) _(legendre_polynomial_p) /* in: x, degree; f */                           \
      _(heaviside) /* in: x, value at 0; R */ _(gcd) _(lcm)         /* integers */                                   \
      _(polar)                                                      /* in: abs, angle, real; out complex */
// clang-format on
#define FACULA_DECLARE(slot) inline PointwiseSlot slot{#slot};
FACULA_UNARY_SLOTS(FACULA_DECLARE)
FACULA_BINARY_SLOTS(FACULA_DECLARE)
FACULA_OTHER_POINTWISE_SLOTS(FACULA_DECLARE)
FACULA_SPECIAL_SLOTS(FACULA_DECLARE)
#undef FACULA_DECLARE
/// mantissa (x's dtype), exponent (int32), x (floating): x = mantissa * 2^exponent with 1/2 <= |mantissa| < 1.
inline Slot<const Tensor&, const Tensor&, const Tensor&> frexp{"frexp"};

// ---- reductions: the result does not depend on the number of threads ---------------------------------------------------------
inline ReduceSlot sum{"sum"};    ///< x has out's dtype, or is bool or integer where that is int64; pairwise in blocks; never bool
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
/// values, positions (from 1), x, dim: the extreme so far and where it stands; the last of ties; NaN wins. Not complex.
inline Slot<const Tensor&, const Tensor&, const Tensor&, int64_t> cummax{"cummax"};
inline Slot<const Tensor&, const Tensor&, const Tensor&, int64_t> cummin{"cummin"};
/// out[i] = log(exp(x[0]) + ... + exp(x[i])) along a dim, without overflow; floating.
inline Slot<const Tensor&, const Tensor&, int64_t> logcumsumexp{"logcumsumexp"};
/// How elements that meet become one; `Mean` divides by their count unless there are none. NaN wins over everything in Max and
/// Min, which are real.
enum class Fold : uint8_t { Sum, Mean, Prod, Max, Min };
/// out [outer..., segments, inner...], x [outer..., n, inner...], offsets [outer..., segments + 1] (int64, ascending from 0 to at
/// most n), all dense, the fold, and what it starts from. Floating.
inline Slot<const Tensor&, const Tensor&, const Tensor&, Fold, double> segment_fold{"segment_fold"};
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

// Factorisations: matrices [B, M, N] of float32, float64, complex64 or complex128, sizes and batches may be 0. `info` [B] int32
// is LAPACK's: 0, or the number (from 1) of the pivot or minor that was 0 or not positive. Pivots are int32, from 1.
/// lu, pivots [B, K], info, x: P L U by rows, K = min(M, N).
inline Slot<const Tensor&, const Tensor&, const Tensor&, const Tensor&> lu{"lu"};
/// l, info, x, upper: only that triangle of x is read, the other one of l is 0.
inline Slot<const Tensor&, const Tensor&, const Tensor&, bool> cholesky{"cholesky"};
/// ld, pivots [B, N], info, x, hermitian: Bunch-Kaufman, of the lower triangle.
inline Slot<const Tensor&, const Tensor&, const Tensor&, const Tensor&, bool> ldl{"ldl"};
/// x, a, b, upper, unitriangular: a @ x = b.
inline Slot<const Tensor&, const Tensor&, const Tensor&, bool, bool> solve_triangular{"solve_triangular"};
/// x, lu, pivots, b, adjoint: a @ x = b, or a^H @ x = b. Pivots are checked here and in the next two.
inline Slot<const Tensor&, const Tensor&, const Tensor&, const Tensor&, bool> lu_solve{"lu_solve"};
/// x, ld, pivots, b, hermitian
inline Slot<const Tensor&, const Tensor&, const Tensor&, const Tensor&, bool> ldl_solve{"ldl_solve"};
/// order [B, M] int64, pivots [B, K]: the row (from 1) that stands at each place after the exchanges.
inline Slot<const Tensor&, const Tensor&> pivots_to_order{"pivots_to_order"};
/// a, tau [B, K], x: R above the diagonal, Householder's vectors below.
inline Slot<const Tensor&, const Tensor&, const Tensor&> geqrf{"geqrf"};
/// q [B, M, N], a [B, M, at most N], tau [B, K]: the first N columns of H_1 ... H_K.
inline Slot<const Tensor&, const Tensor&, const Tensor&> householder_product{"householder_product"};
/// out, a, tau, c, left, adjoint: Q @ c or c @ Q, for Q or Q^H, the square product of the reflectors.
inline Slot<const Tensor&, const Tensor&, const Tensor&, const Tensor&, bool, bool> householder_multiply{
    "householder_multiply"};
/// u [B, M, K or M], s [B, K] (real), vh [B, K or N, N] of x; with u and vh without elements only s.
inline Slot<const Tensor&, const Tensor&, const Tensor&, const Tensor&> svd{"svd"};
/// w [B, N] (real), v [B, N, N], x, upper; with v without elements only w.
inline Slot<const Tensor&, const Tensor&, const Tensor&, bool> eigh{"eigh"};
/// w [B, N], v [B, N, N] (both complex), x; with v without elements only w.
inline Slot<const Tensor&, const Tensor&, const Tensor&> eig{"eig"};
/// x [B, max(M, N), R], rank [B] int64, s [B, K] (real), a, b [B, M, R], rcond, driver (gels gelsy gelsd gelss): the solution
/// is in x's first N rows, in the others are the residuals; rank and s may have no elements.
inline Slot<const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&, double, const std::string&>
    lstsq{"lstsq"};
/// out [B, P, R], x1 [B, P, M], x2 [B, R, M], p: distances of rows in the p-norm; floating.
inline Slot<const Tensor&, const Tensor&, const Tensor&, double> cdist{"cdist"};
/// out, x, y (all of one dtype and size, 3 along dim; not bool), dim. Signed integers wrap, so do unsigned ones.
inline Slot<const Tensor&, const Tensor&, const Tensor&, int64_t> cross{"cross"};

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
/// out[index[i][j]][j] = fold(out[index[i][j]][j], src[i][j]) for dim 0, in place; src has index's sizes, out's dtype; no Mean. Checked,
/// in the name of `where`.
inline Slot<const Tensor&, int64_t, const Tensor&, const Tensor&, Fold, const char*> scatter_reduce{"scatter_reduce"};
/// out[index[i]] = src[i] along dim, in place; of repeated positions the last one wins. Checked.
inline Slot<const Tensor&, int64_t, const Tensor&, const Tensor&> index_copy{"index_copy"};
/// out takes the elements of src (1-dim) one after the other where the mask holds, in row-major order; an Error if there are too
/// few. out and mask have equal sizes.
inline Slot<const Tensor&, const Tensor&, const Tensor&> masked_scatter{"masked_scatter"};
/// out (1-dim) takes the elements of x where the mask holds, in row-major order; they fill it. x and mask have equal
/// sizes.
inline Slot<const Tensor&, const Tensor&, const Tensor&> masked_select{"masked_select"};
/// out (1-dim, int64): position i (from 1) counts[i] times, one behind the other; they fill out.
inline Slot<const Tensor&, const Tensor&> repeat_positions{"repeat_positions"};
/// out [count, x.dim()] int64: positions (from 1) of the elements that are not zero, in row-major order.
inline Slot<const Tensor&, const Tensor&> nonzero{"nonzero"};

// ---- order ------------------------------------------------------------------------------------------------------------------
/// values, positions (from 1), x, dim, descending. Stable; NaN is the largest. bool and integers too.
inline Slot<const Tensor&, const Tensor&, const Tensor&, int64_t, bool> sort{"sort"};
/// values, positions (both with size k along dim), x, dim, largest, sorted.
inline Slot<const Tensor&, const Tensor&, const Tensor&, int64_t, bool, bool> topk{"topk"};

/// values, positions (both keep `dim` with size 1), x, dim, k: the k-th smallest, k from 0; NaN is the largest.
inline Slot<const Tensor&, const Tensor&, const Tensor&, int64_t, int64_t> kthvalue{"kthvalue"};
/// values, positions, x, dim, skip NaN: the lower of two middle elements. NaN wins unless skipped; nothing else gives NaN.
inline Slot<const Tensor&, const Tensor&, const Tensor&, int64_t, bool> median{"median"};
/// values, positions, x, dim: the most frequent value, the smallest of equally frequent ones; where it stands last.
inline Slot<const Tensor&, const Tensor&, const Tensor&, int64_t> mode{"mode"};
/// order [n] (int64, from 0): the stable lexicographic order of the rows of x [n, m]. Any real dtype; dense.
inline Slot<const Tensor&, const Tensor&> sort_rows{"sort_rows"};
/// positions (int64, from 1) of x in ascending rows: x and out [rows..., k], sorted [rows..., n] or [n], all dense and real, x and
/// sorted of one dtype. `sorter` (int64, from 1, as sorted) says their order, undefined if they are in order. With `right`, behind
/// equal elements. Checked.
inline Slot<const Tensor&, const Tensor&, const Tensor&, const Tensor&, bool> searchsorted{"searchsorted"};
/// counts (any real dtype, 1-dim, dense): elements of x (dense) in equal bins from low to high, which is in the last one.
inline Slot<const Tensor&, const Tensor&, double, double> histc{"histc"};
/// counts [b1, ..., bd] (floating, dense), x [n, d] (dense), edges (b_i + 1 ascending numbers each, dense), weights [n] or
/// undefined; all of one dtype. Bins hold their lower edge, the last ones both.
inline Slot<const Tensor&, const Tensor&, TensorSpan, const Tensor&> histogram{"histogram"};

// ---- Fourier transforms -----------------------------------------------------------------------------------------------------
// Along one dim, times a factor; float32 and float64 and their complex partners.
/// out[k] = scale * sum_j x[j] exp(-2 pi i j k / n), with `inverse` exp(+...). out may be x.
inline Slot<const Tensor&, const Tensor&, int64_t, double, bool> fft{"fft"};
/// out (n / 2 + 1 along dim) = the first half of fft of the real x.
inline Slot<const Tensor&, const Tensor&, int64_t, double> rfft{"rfft"};
/// out (real, n along dim) = the inverse fft of the sequence whose first half is x; imaginary parts at 0 and n / 2 are ignored.
inline Slot<const Tensor&, const Tensor&, int64_t, double> irfft{"irfft"};

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
// Element i draws from block(i, 0), block(i, 1), ... as often as it must; dense, floating, parameters as out.
inline Slot<const Tensor&, const Tensor&, Philox> poisson{"poisson"};                   ///< rate
inline Slot<const Tensor&, const Tensor&, const Tensor&, Philox> binomial{"binomial"};  ///< count, probability
inline Slot<const Tensor&, const Tensor&, Philox> standard_gamma{"standard_gamma"};     ///< shape; the rate is 1
/// out [rows, k] (int64), totals [rows] (float64), weights [rows, n], shares [rows, k] (float64, within 0..1), all dense: totals
/// of the weights, NaN where one is negative or NaN, and the first positions (from 1) where the running sum exceeds that share of
/// the total; undefined unless this is positive and finite.
inline Slot<const Tensor&, const Tensor&, const Tensor&, const Tensor&> multinomial{"multinomial"};
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

// Activations, pointwise; floating dtypes only unless said. `_backward` ones take g, x and give g times the slope at x.
inline PointwiseSlot elu{"elu"}, elu_backward{"elu_backward"};  ///< params a, b, c: b x above 0, a (e^(c x) - 1) below
inline PointwiseSlot leaky_relu{"leaky_relu"}, leaky_relu_backward{"leaky_relu_backward"};  ///< params: slope below 0
inline PointwiseSlot hardtanh{"hardtanh"}, hardtanh_backward{"hardtanh_backward"};  ///< params low, high; integers too
inline PointwiseSlot hardsigmoid{"hardsigmoid"}, hardsigmoid_backward{"hardsigmoid_backward"};
inline PointwiseSlot hardswish{"hardswish"}, hardswish_backward{"hardswish_backward"};
inline PointwiseSlot silu{"silu"}, silu_backward{"silu_backward"};  ///< complex too
inline PointwiseSlot mish{"mish"}, mish_backward{"mish_backward"};
inline PointwiseSlot softplus{"softplus"}, softplus_backward{"softplus_backward"};  ///< params beta, threshold
inline PointwiseSlot log_sigmoid{"log_sigmoid"}, log_sigmoid_backward{"log_sigmoid_backward"};
inline PointwiseSlot hardshrink{"hardshrink"}, softshrink{"softshrink"},
    shrink_backward{"shrink_backward"};       ///< lambda
inline PointwiseSlot threshold{"threshold"};  ///< params t, v: v where x <= t, else x; integers too
inline PointwiseSlot prelu{"prelu"};          ///< in: x, w: x above 0, w x below
inline PointwiseSlot gated{"gated"};          ///< in: a, b: a sigmoid(b)
inline PointwiseSlot huber{
    "huber"};  ///< in: x, t; params w, c: c d^2 / 2 of differences d below w, c w (d - w / 2) beyond

// Normalisation. All tensors are contiguous and of one dtype, float32 or float64; weights may be undefined.
/// y, mean [N, G], 1 / deviation [N, G], x [N, G, D, S], weight [G, D], bias [G, D], eps: over D and S of each of N * G.
inline Slot<const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&, double> norm_rows{
    "norm_rows"};
/// dx, dweight, dbias (the latter may be undefined), g, x, mean, 1 / deviation, weight.
inline Slot<const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&,
            const Tensor&>
    norm_rows_backward{"norm_rows_backward"};
/// mean [C], variance [C] (over n, not n - 1) of x [N, C, S] over N and S: Chan, Golub and LeVeque (1979).
inline Slot<const Tensor&, const Tensor&, const Tensor&> channel_moments{"channel_moments"};
/// sums [C] of g and of g * (x - mean) over N and S; g, x [N, C, S], mean [C].
inline Slot<const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&> channel_sums{"channel_sums"};
/// y = a * (x - mean) + b, with a, b, mean [C].
inline Slot<const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&> channel_affine{"channel_affine"};
/// dx = a * g + b * (x - mean) + c, with a, b, c, mean [C].
inline Slot<const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&>
    channel_affine_backward{"channel_affine_backward"};

// Bags: sums (mode 0), means (1) or largest elements (2) of rows of `weight`. offsets [B + 1] from 1 to n + 1 not falling.
/// out [B, D], places [B, D] (mode 2: the row that gave the largest, 0 for none), weight [R, D], index [n], offsets,
/// per_sample_weights [n] (may be undefined), padding (a position that is left out, or 0), mode: dense. Checked.
inline Slot<const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&, int64_t, int64_t>
    embedding_bag{"embedding_bag"};

// Connectionist temporal classification (Graves et al. 2006), in logarithms. Contiguous; lengths are checked before.
/// losses [N], log_alpha [N, T, 2 L + 1], log_probs [T, N, C], targets [N, L], input_lengths [N], target_lengths [N], blank.
inline Slot<const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&, int64_t> ctc_loss{
    "ctc_loss"};
/// dx [T, N, C], g [N], log_probs, targets, input_lengths, target_lengths, losses, log_alpha, blank, zero_infinity.
inline Slot<const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&,
            const Tensor&, int64_t, bool>
    ctc_loss_backward{"ctc_loss_backward"};

// A step of a long short-term memory, when its products of matrices are done. All tensors are dense [N, H], gates [N, 4 H] in
// the order input i, forget f, cell g, output o, and of one dtype, float32 or float64.
/// h, next, gates, before: gates come in as sums and become i, f, o = sigmoid and g = tanh of theirs; next = f before + i g,
/// h = o tanh(next).
inline Slot<const Tensor&, const Tensor&, const Tensor&, const Tensor&> lstm_step{"lstm_step"};
/// dgates (of the sums), dbefore, dh, dnext, gates, next, before. dbefore may be dnext.
inline Slot<const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&>
    lstm_step_backward{"lstm_step_backward"};

// Attention. All tensors are of one dtype, float32 or float64, and have four dimensions: q [N, H, L, E], k [N, H, S, E],
// v [N, H, S, V]. Of q, k, v, results and gradients the rows are dense and do not overlap.
/// out [N, H, L, V], weights [N, H, L, S], q, k, v, mask [N, H, L, S] or undefined, scale, causal: weights = softmax of q k^T
/// scale + mask, without what is behind column - row = 0 where causal; out = weights v. weights is contiguous.
inline Slot<const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&, double, bool>
    attention{"attention"};
/// dq, dk, dv, g, weights, q, k, v, scale.
inline Slot<const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&,
            const Tensor&, double>
    attention_backward{"attention_backward"};

}  // namespace facula::slots
