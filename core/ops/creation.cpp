// Tensors out of nothing but sizes and numbers.
#include <cmath>

#include "core/ops.h"
#include "core/ops/families.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

DType chosen(OptDType dtype) { return dtype.value_or(default_dtype()); }
Device chosen(OptDevice device) { return device.value_or(Device{}); }

Tensor filled(Out& out, const Sizes& sizes, const Scalar& value, DType dtype, Device device) {
  const Tensor y = out.make(sizes, dtype, device);
  slots::fill(y, value);
  return y;
}

// Any bytes are a number, but not any byte is a bool.
Tensor unset(const Tensor& y) {
  if (y.dtype() == DType::Bool) slots::fill(y, 0);
  return y;
}

Tensor strided(const char* name, const IntList& size, const IntList& stride, DType dtype, Device device) {
  check(size.size() == stride.size(), name, ": ", size, " and ", stride, " have different lengths");
  for (const int64_t s : stride) check(s >= 0, name, ": stride ", s, " is negative");
  numel_of(size);
  return unset(empty_strided(size, stride, dtype, device));
}

// Numbers that are data become the default dtype, whatever their values.
DType data_type(const Scalar& value) { return value.kind() == Category::Integral ? default_dtype() : value.dtype(); }

// How many of i, i + k, i + 2 k ... come before j. Unsigned: the distance may be beyond the largest int64.
int64_t whole_steps(int64_t i, int64_t j, int64_t k) {
  const auto from = static_cast<uint64_t>(i), to = static_cast<uint64_t>(j), step = static_cast<uint64_t>(k);
  const uint64_t distance = k > 0 ? to - from : from - to, size = k > 0 ? step : 0 - step;
  return static_cast<int64_t>(distance / size + (distance % size != 0));
}

Tensor arange_forward(Out& out, const Scalar& start, const Scalar& end, const Scalar& step, OptDType dtype,
                      OptDevice device) {
  const bool integral = start.is_integral() && end.is_integral() && step.is_integral();
  const double a = start.to<double>(), b = end.to<double>(), s = step.to<double>();
  check(std::isfinite(a) && std::isfinite(b), "arange: from ", start, " to ", end, " is no range");
  if (!integral && dtype == DType::Int64)  // counted in whole numbers
    return arange_forward(out, start.to<int64_t>(), end.to<int64_t>(), step.to<int64_t>(), dtype, device);
  check(s != 0 && !std::isnan(s), "arange: step must not be ", step);
  check(!dtype || !is_integral(*dtype) || step.to<int64_t>() != 0, "arange: step ", step, " is 0 as an integer");
  check((s > 0) ? b >= a : b <= a, "arange: from ", start, " to ", end, " does not go in steps of ", step);
  const double count = std::ceil((b - a) / s);
  check(count < 0x1p62, "arange: from ", start, " to ", end, " in steps of ", step, " has too many elements");
  const int64_t n =
      integral ? whole_steps(start.to<int64_t>(), end.to<int64_t>(), step.to<int64_t>()) : static_cast<int64_t>(count);
  const Tensor y = out.make({n}, dtype.value_or(integral ? DType::Int64 : default_dtype()), chosen(device));
  slots::arange(y, start, step);
  return y;
}

Tensor range_forward(Out& out, const Scalar& start, const Scalar& end, const Scalar& step, OptDType dtype,
                     OptDevice device) {
  const double a = start.to<double>(), b = end.to<double>(), s = step.to<double>();
  check(s != 0 && std::isfinite(a) && std::isfinite(b) && (s > 0 ? b >= a : b <= a), "range: from ", start, " to ", end,
        " does not go in steps of ", step);
  const double count = std::floor((b - a) / s) + 1;
  check(count < 0x1p62, "range: from ", start, " to ", end, " in steps of ", step, " has too many elements");
  const Tensor y = out.make({static_cast<int64_t>(count)}, chosen(dtype), chosen(device));
  slots::arange(y, start, step);
  return y;
}

Tensor linspace_forward(Out& out, const Scalar& start, const Scalar& end, int64_t steps, OptDType dtype,
                        OptDevice device) {
  check(steps >= 0, "linspace: steps must not be negative, got ", steps);
  const DType t =
      dtype.value_or(start.is_complex() || end.is_complex() ? complex_dtype(default_dtype()) : default_dtype());
  const Tensor y = out.make({steps}, t, chosen(device));
  slots::linspace(y, start, end);
  return y;
}

// In double precision, rounded once; an integer dtype cuts both ends to integers before and the powers after.
Tensor logspace_forward(Out& out, const Scalar& start, const Scalar& end, int64_t steps, double base, OptDType dtype,
                        OptDevice device) {
  check(steps >= 0, "logspace: steps must not be negative, got ", steps);
  const DType t =
      dtype.value_or(start.is_complex() || end.is_complex() ? complex_dtype(default_dtype()) : default_dtype());
  const Tensor y = out.make({steps}, t, chosen(device));
  const Tensor exponents = empty({steps}, is_complex(t) ? DType::Complex128 : DType::Float64, y.device());
  const bool whole = is_integral(t, true);
  auto end_of = [whole](const Scalar& s) { return whole ? Scalar(s.to<int64_t>()) : s; };
  slots::linspace(exponents, end_of(start), end_of(end));
  slots::copy(y, ops::pow(Scalar(base), exponents));
  return y;
}

Tensor eye_forward(Out& out, int64_t n, OptInt m, OptDType dtype, OptDevice device) {
  check(n >= 0 && m.value_or(0) >= 0, "eye: sizes must not be negative, got ", n, " and ", m.value_or(n));
  const int64_t columns = m.value_or(n);
  const Tensor y = filled(out, {n, columns}, 0, chosen(dtype), chosen(device));
  slots::fill(y.alias({std::min(n, columns)}, {y.stride(0) + y.stride(1)}, y.offset()), 1);
  return y;
}

// A tensor of the same sizes, and the same order of dimensions in memory where it is dense.
Tensor like(Out& out, const Tensor& x, OptDType dtype, OptDevice device) {
  return out.make(x.sizes(), dtype.value_or(x.dtype()), device.value_or(x.device()));
}

}  // namespace

#define OPTIONS "*, DType? dtype=None, Device? device=None, bool requires_grad=False) -> Tensor"

void define_creation(const Family& define) {
  define("empty(int[]... size, " OPTIONS)
      .doc("A tensor whose elements are not set.")
      .example("torch.empty(2, 3).shape")
      .forward(+[](Out& out, const IntList& size, OptDType t, OptDevice d) {
        return unset(out.make(size, chosen(t), chosen(d)));
      });
  define("zeros(int[]... size, " OPTIONS)
      .doc("A tensor of zeros.")
      .example("torch.zeros(2, 3)")
      .forward(+[](Out& out, const IntList& size, OptDType t, OptDevice d) {
        return filled(out, size, 0, chosen(t), chosen(d));
      });
  define("ones(int[]... size, " OPTIONS)
      .doc("A tensor of ones.")
      .example("torch.ones(2, 3)")
      .forward(+[](Out& out, const IntList& size, OptDType t, OptDevice d) {
        return filled(out, size, 1, chosen(t), chosen(d));
      });
  define("full(int[] size, Scalar fill_value, " OPTIONS)
      .doc("A tensor with one value everywhere. Without a dtype, numbers give the default dtype and booleans bool.")
      .example("torch.full({2, 3}, 7)")
      .forward(+[](Out& out, const IntList& size, const Scalar& v, OptDType t, OptDevice d) {
        return filled(out, size, v, t.value_or(data_type(v)), chosen(d));
      });
  define("empty_strided(int[] size, int[] stride, " OPTIONS)
      .doc("A tensor with the given strides whose elements are not set.")
      .example("torch.empty_strided({2, 3}, {1, 2}):stride()")
      .forward(+[](const IntList& size, const IntList& stride, OptDType t, OptDevice d) {
        return strided("empty_strided", size, stride, chosen(t), chosen(d));
      });

  define(ops::arange, "arange(Scalar end, " OPTIONS)
      .doc("0, 1, 2 ... below `end`. int64 when all numbers are integral.")
      .example("torch.arange(1, 2, 0.25)")
      .forward(
          +[](Out& out, const Scalar& end, OptDType t, OptDevice d) { return arange_forward(out, 0, end, 1, t, d); });
  define("arange:start(Scalar start, Scalar end, Scalar step=1, " OPTIONS)
      .doc("`start`, `start + step` ... short of `end`.")
      .forward(arange_forward);
  define("range(Scalar start, Scalar end, Scalar step=1, " OPTIONS)
      .doc("`start`, `start + step` ... up to and including `end`, in the default dtype.")
      .example("torch.range(1, 5)")
      .forward(range_forward);
  define("linspace(Scalar start, Scalar end, int steps, " OPTIONS)
      .doc("`steps` numbers from `start` to `end`, both included.")
      .example("torch.linspace(0, 1, 5)")
      .forward(linspace_forward);
  define("logspace(Scalar start, Scalar end, int steps, float base=10, " OPTIONS)
      .doc("`steps` numbers from `base ^ start` to `base ^ end`, evenly spaced on a logarithmic scale.")
      .example("torch.logspace(0, 3, 4)")
      .forward(logspace_forward);
  define("eye(int n, int? m=None, " OPTIONS)
      .doc("The identity matrix of `n` rows and `m` (or `n`) columns.")
      .example("torch.eye(2, 3)")
      .forward(eye_forward);

  define("empty_like(Tensor self, " OPTIONS)
      .doc("A tensor of `self`'s sizes whose elements are not set.")
      .example("torch.empty_like(torch.ones(2, 3)).shape")
      .forward(+[](Out& out, const Tensor& x, OptDType t, OptDevice d) { return unset(like(out, x, t, d)); });
  define(ops::zeros_like, "zeros_like(Tensor self, " OPTIONS)
      .doc("Zeros in `self`'s sizes.")
      .example("torch.zeros_like(torch.ones(2, 3))")
      .forward(+[](Out& out, const Tensor& x, OptDType t, OptDevice d) {
        const Tensor y = like(out, x, t, d);
        slots::fill(y, 0);
        return y;
      });
  define(ops::ones_like, "ones_like(Tensor self, " OPTIONS)
      .doc("Ones in `self`'s sizes.")
      .example("torch.ones_like(torch.zeros(2, 3))")
      .forward(+[](Out& out, const Tensor& x, OptDType t, OptDevice d) {
        const Tensor y = like(out, x, t, d);
        slots::fill(y, 1);
        return y;
      });
  define(ops::full_like, "full_like(Tensor self, Scalar fill_value, " OPTIONS)
      .doc("One value in `self`'s sizes.")
      .example("torch.full_like(torch.ones(2, 3), 7)")
      .forward(+[](Out& out, const Tensor& x, const Scalar& v, OptDType t, OptDevice d) {
        const Tensor y = like(out, x, t, d);
        slots::fill(y, v);
        return y;
      });

  define("new_empty(Tensor self, int[]... size, " OPTIONS)
      .doc("A tensor of `self`'s dtype and device whose elements are not set.")
      .example("torch.ones(2):double():new_empty(2, 3).dtype")
      .forward(+[](Out& out, const Tensor& x, const IntList& size, OptDType t, OptDevice d) {
        return unset(out.make(size, t.value_or(x.dtype()), d.value_or(x.device())));
      });
  define("new_empty_strided(Tensor self, int[] size, int[] stride, " OPTIONS)
      .doc("A tensor of `self`'s dtype and device with the given strides whose elements are not set.")
      .example("torch.ones(2):new_empty_strided({2, 3}, {1, 2}):stride()")
      .forward(+[](const Tensor& x, const IntList& size, const IntList& stride, OptDType t, OptDevice d) {
        return strided("new_empty_strided", size, stride, t.value_or(x.dtype()), d.value_or(x.device()));
      });
  define("new_zeros(Tensor self, int[]... size, " OPTIONS)
      .doc("Zeros of `self`'s dtype and device.")
      .example("torch.ones(2):double():new_zeros(2, 3)")
      .forward(+[](Out& out, const Tensor& x, const IntList& size, OptDType t, OptDevice d) {
        return filled(out, size, 0, t.value_or(x.dtype()), d.value_or(x.device()));
      });
  define("new_ones(Tensor self, int[]... size, " OPTIONS)
      .doc("Ones of `self`'s dtype and device.")
      .example("torch.ones(2):double():new_ones(2, 3)")
      .forward(+[](Out& out, const Tensor& x, const IntList& size, OptDType t, OptDevice d) {
        return filled(out, size, 1, t.value_or(x.dtype()), d.value_or(x.device()));
      });
  define("new_full(Tensor self, int[] size, Scalar fill_value, " OPTIONS)
      .doc("One value, in `self`'s dtype and on its device.")
      .example("torch.ones(2):double():new_full({2, 3}, 7)")
      .forward(+[](Out& out, const Tensor& x, const IntList& size, const Scalar& v, OptDType t, OptDevice d) {
        return filled(out, size, v, t.value_or(x.dtype()), d.value_or(x.device()));
      });
}

}  // namespace facula
