// Random tensors. The same seed gives the same numbers, whatever the number of threads.
#include <numbers>

#include "core/ops.h"
#include "core/ops/families.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

using Gen = Ref<Generator>;

// Half a block for each element serves every kernel.
Philox numbers_for(const Tensor& x, const Gen& generator) {
  return generator->take(static_cast<uint64_t>(x.numel() / 2 + 1));
}

DType continuous(const char* name, OptDType dtype) {
  const DType t = dtype.value_or(default_dtype());
  check(is_differentiable(t), name, ": expected a floating or complex dtype, got ", t);
  return t;
}

// A complex number is drawn as its two parts.
Tensor parts(const Tensor& y) {
  NoGrad guard;
  return is_complex(y.dtype()) ? ops::view_as_real(y) : y;
}

Tensor rand_into(const Tensor& y, const Gen& generator, double from = 0, double to = 1) {
  const Tensor x = parts(y);
  slots::uniform(x, from, to, numbers_for(x, generator));
  return y;
}
// The parts of a complex number share its variance.
Tensor randn_into(const Tensor& y, const Gen& generator, double std = 1) {
  const Tensor x = parts(y);
  slots::normal(x, 0.0, is_complex(y.dtype()) ? std * std::numbers::sqrt2 / 2 : std, numbers_for(x, generator));
  return y;
}
Tensor randint_into(const char* name, const Tensor& y, int64_t low, int64_t high, const Gen& generator) {
  check(low < high, name, ": there is no integer from ", low, " up to but not including ", high);
  slots::random_integer(y, low, high, numbers_for(y, generator));
  return y;
}

Tensor randint_forward(Out& out, int64_t low, int64_t high, const IntList& size, const Gen& g, OptDType t,
                       OptDevice d) {
  return randint_into("randint", out.make(size, t.value_or(DType::Int64), d.value_or(Device{})), low, high, g);
}

// ---- in place ----

Tensor uniform_forward(const Tensor& self, double from, double to, const Gen& generator) {
  continuous("uniform_", self.dtype());
  check(from <= to, "uniform_: from = ", from, " is larger than to = ", to);
  return rand_into(self, generator, from, to);
}
Tensor normal_forward(const Tensor& self, double mean, double std, const Gen& generator) {
  continuous("normal_", self.dtype());
  check(std >= 0, "normal_: the standard deviation must not be negative, got ", std);
  randn_into(self, generator, std);
  return mean == 0 ? self : ops::add.in_place(self, mean);
}
Tensor exponential_forward(const Tensor& self, double lambd, const Gen& generator) {
  check(is_floating(self.dtype()), "exponential_: expected a floating dtype, got ", self.dtype());
  check(lambd > 0, "exponential_: lambd must be positive, got ", lambd);
  slots::exponential(self, lambd, numbers_for(self, generator));
  return self;
}
// Without bounds: every integer that the dtype represents exactly, from 0.
Tensor random_forward(const Tensor& self, OptInt from, OptInt to, const Gen& generator) {
  int64_t high = INT64_MAX;
  switch (self.dtype()) {
    case DType::Bool: high = 2; break;
    case DType::UInt8: high = 256; break;
    case DType::Int8: high = 128; break;
    case DType::Int16: high = int64_t{1} << 15; break;
    case DType::Int32: high = int64_t{1} << 31; break;
    case DType::Float16: high = (1 << 11) + 1; break;
    case DType::BFloat16: high = (1 << 8) + 1; break;
    case DType::Float32: high = (1 << 24) + 1; break;
    case DType::Float64: high = (int64_t{1} << 53) + 1; break;
    default: break;
  }
  return randint_into("random_", self, from.value_or(0), to.value_or(high), generator);
}

void check_probabilities(const char* name, const Tensor& p) {
  if (p.is_meta() || p.numel() == 0) return;
  NoGrad guard;
  const double low = item(ops::amin(p)).to<double>(), high = item(ops::amax(p)).to<double>();
  check(low >= 0 && high <= 1, name, ": probabilities must be within 0..1, got ", low >= 0 ? high : low);
}

Tensor bernoulli_into(const Tensor& y, const Tensor& p, const Gen& generator) {
  const Tensor wide = moved(is_floating(p.dtype()) ? p : converted(p, DType::Float32), y.device());
  slots::bernoulli(y, wide.sizes() == y.sizes() ? wide : wide.expanded(y.sizes()), numbers_for(y, generator));
  return y;
}

Tensor normal_of(Out& out, const Tensor& mean, const Tensor& std, const Gen& generator) {
  const Sizes sizes = broadcast(mean.sizes(), std.sizes(), "normal");
  const DType t = is_floating(mean.dtype()) && !mean.impl()->is_number ? mean.dtype()
                  : is_floating(std.dtype())                           ? std.dtype()
                                                                       : default_dtype();
  if (!std.is_meta() && std.numel() > 0)
    check(item(ops::amin(std)).to<double>() >= 0, "normal: standard deviations must not be negative");
  const Tensor y = randn_into(out.make(sizes, t), generator);
  ops::mul.in_place(y, std);
  return ops::add.in_place(y, mean);
}

}  // namespace

#define OPTIONS "Generator? generator=None, DType? dtype=None, Device? device=None, bool requires_grad=False) -> Tensor"

void define_random(const Family& define) {
  define("rand(int[]... size, *, " OPTIONS)
      .doc("Uniform random numbers from 0 up to but not including 1.")
      .example("torch.rand(2, 3)")
      .forward(+[](Out& out, const IntList& size, const Gen& g, OptDType t, OptDevice d) {
        return rand_into(out.make(size, continuous("rand", t), d.value_or(Device{})), g);
      });
  define("randn(int[]... size, *, " OPTIONS)
      .doc("Random numbers from the standard normal distribution.")
      .example("torch.randn(2, 3)")
      .forward(+[](Out& out, const IntList& size, const Gen& g, OptDType t, OptDevice d) {
        return randn_into(out.make(size, continuous("randn", t), d.value_or(Device{})), g);
      });
  define("randint(int high, int[] size, *, " OPTIONS)
      .doc("Random integers from `low` (0) up to but not including `high`.")
      .example("torch.randint(1, 7, {5})")
      .forward(+[](Out& out, int64_t high, const IntList& size, const Gen& g, OptDType t, OptDevice d) {
        return randint_forward(out, 0, high, size, g, t, d);
      });
  define("randint:low(int low, int high, int[] size, *, " OPTIONS).forward(randint_forward);
  define("randperm(int n, *, " OPTIONS)
      .doc("The numbers 1 to n in random order.")
      .example("torch.randperm(5)")
      .forward(+[](Out& out, int64_t n, const Gen& g, OptDType t, OptDevice d) {
        check(n >= 0, "randperm: n must not be negative, got ", n);
        const Tensor order = empty({n}, DType::Int64, d.value_or(Device{}));
        slots::randperm(order, numbers_for(order, g));
        const Tensor y = out.make({n}, t.value_or(DType::Int64), order.device());
        slots::copy(y, order);
        return y;
      });
  define("rand_like(Tensor self, *, " OPTIONS)
      .doc("Uniform random numbers from [0, 1) in `self`'s sizes.")
      .example("torch.rand_like(torch.zeros(2, 3))")
      .forward(+[](Out& out, const Tensor& x, const Gen& g, OptDType t, OptDevice d) {
        return rand_into(out.make(x.sizes(), continuous("rand_like", t.value_or(x.dtype())), d.value_or(x.device())),
                         g);
      });
  define("randn_like(Tensor self, *, " OPTIONS)
      .doc("Normal random numbers in `self`'s sizes.")
      .example("torch.randn_like(torch.zeros(2, 3))")
      .forward(+[](Out& out, const Tensor& x, const Gen& g, OptDType t, OptDevice d) {
        return randn_into(out.make(x.sizes(), continuous("randn_like", t.value_or(x.dtype())), d.value_or(x.device())),
                          g);
      });
  define("randint_like(Tensor self, int high, *, " OPTIONS)
      .doc("Random integers from `low` (0) up to but not including `high`, in `self`'s sizes.")
      .example("torch.randint_like(torch.zeros(2, 3), 1, 7)")
      .forward(+[](Out& out, const Tensor& x, int64_t high, const Gen& g, OptDType t, OptDevice d) {
        return randint_into("randint_like", out.make(x.sizes(), t.value_or(x.dtype()), d.value_or(x.device())), 0, high,
                            g);
      });
  define("randint_like:low(Tensor self, int low, int high, *, " OPTIONS)
      .forward(+[](Out& out, const Tensor& x, int64_t low, int64_t high, const Gen& g, OptDType t, OptDevice d) {
        return randint_into("randint_like", out.make(x.sizes(), t.value_or(x.dtype()), d.value_or(x.device())), low,
                            high, g);
      });

  define("uniform_(Tensor self, float from=0, float to=1, *, Generator? generator=None) -> Tensor")
      .doc("Overwrites `self` with uniform random numbers from [from, to).")
      .example("torch.empty(3):uniform_(-1, 1)")
      .forward(uniform_forward)
      .grad("self", [](Tensor g) { return ops::zeros_like(g); });
  define("normal_(Tensor self, float mean=0, float std=1, *, Generator? generator=None) -> Tensor")
      .doc("Overwrites `self` with normal random numbers.")
      .example("torch.empty(3):normal_(100, 0.1)")
      .forward(normal_forward)
      .grad("self", [](Tensor g) { return ops::zeros_like(g); });
  define("exponential_(Tensor self, float lambd=1, *, Generator? generator=None) -> Tensor")
      .doc("Overwrites `self` with random numbers from the exponential distribution of rate `lambd`.")
      .example("torch.empty(3):exponential_(2)")
      .forward(exponential_forward)
      .grad("self", [](Tensor g) { return ops::zeros_like(g); });
  define("random_(Tensor self, *, Generator? generator=None) -> Tensor")
      .doc("Overwrites `self` with random integers from `from` (0) up to but not including `to`.")
      .example("torch.empty(5):random_(1, 7)")
      .forward(+[](const Tensor& self, const Gen& g) { return random_forward(self, {}, {}, g); })
      .grad("self", [](Tensor g) { return ops::zeros_like(g); });
  define("random_:to(Tensor self, int to, *, Generator? generator=None) -> Tensor")
      .forward(+[](const Tensor& self, int64_t to, const Gen& g) { return random_forward(self, {}, to, g); })
      .grad("self", [](Tensor g) { return ops::zeros_like(g); });
  define("random_:from(Tensor self, int from, int? to, *, Generator? generator=None) -> Tensor")
      .forward(random_forward)
      .grad("self", [](Tensor g) { return ops::zeros_like(g); });
  define("bernoulli_(Tensor self, Operand p=0.5, *, Generator? generator=None) -> Tensor")
      .doc("Overwrites `self` with 1 with probability `p`, 0 otherwise.")
      .example("torch.empty(5):bernoulli_(0.3)")
      .forward(+[](const Tensor& self, const Tensor& p, const Gen& g) {
        check_probabilities("bernoulli_", p);
        return bernoulli_into(self, p, g);
      })
      .grad("self", [](Tensor g) { return ops::zeros_like(g); });
  define(ops::bernoulli, "bernoulli(Tensor self, *, Generator? generator=None) -> Tensor")
      .doc("1 with the probability that stands in `self`, 0 otherwise.")
      .example("torch.bernoulli(torch.tensor{0, 0.5, 1})")
      .forward(+[](Out& out, const Tensor& p, const Gen& g) {
        check(is_floating(p.dtype()), "bernoulli: expected a floating dtype, got ", p.dtype());
        check_probabilities("bernoulli", p);
        return bernoulli_into(out.make(p.sizes(), p.dtype()), p, g);
      })
      .grad("self", [](Tensor g) { return ops::zeros_like(g); });
  define("bernoulli:p(Tensor self, float p, *, Generator? generator=None) -> Tensor")
      .forward(+[](Out& out, const Tensor& x, double p, const Gen& g) {
        check(p >= 0 && p <= 1, "bernoulli: probabilities must be within 0..1, got ", p);
        return bernoulli_into(out.make(x.sizes(), x.dtype()), scalar_tensor(p, DType::Float64), g);
      })
      .grad("self", [](Tensor g) { return ops::zeros_like(g); });
  define("normal(Operand mean, Operand std=1, *, Generator? generator=None) -> Tensor")
      .doc("Normal random numbers with the given means and standard deviations, numbers or tensors.")
      .example("torch.normal(torch.tensor{0, 100}, torch.tensor{1, 0.1})")
      .forward(normal_of);
  define("normal:size(float mean, float std, int[] size, *, " OPTIONS)
      .forward(+[](Out& out, double mean, double std, const IntList& size, const Gen& g, OptDType t, OptDevice d) {
        return normal_forward(out.make(size, continuous("normal", t), d.value_or(Device{})), mean, std, g);
      });
}

}  // namespace facula
