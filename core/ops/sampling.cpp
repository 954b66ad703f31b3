// Random choices, and numbers from distributions. All take their numbers from a generator as in random.cpp, so that the
// same seed gives the same result whatever the number of threads.
#include <cmath>
#include <numbers>

#include "core/ops.h"
#include "core/ops/families.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

using Gen = Ref<Generator>;

Philox numbers_for(const Tensor& x, const Gen& generator, uint64_t per_element = 1) {
  return generator->take(static_cast<uint64_t>(x.numel()) * per_element + 1);
}

// Uniform numbers within (0, 1) in float64.
Tensor uniform_like(const Tensor& x, const Gen& generator) {
  const Tensor u = empty(x.sizes(), DType::Float64, x.device());
  slots::uniform(u, 0x1p-54, 1.0, numbers_for(u, generator));
  return u;
}
Tensor written(const Tensor& self, const Tensor& values) {
  slots::copy(self, values);
  return self;
}
void check_floating(const char* name, const Tensor& x) {
  check(is_floating(x.dtype()), name, ": expected a floating dtype, got ", x.dtype());
}

// ---- in place, by the inverse of the distribution function ----

Tensor cauchy_forward(const Tensor& self, double median, double sigma, const Gen& generator) {
  check_floating("cauchy_", self);
  check(sigma > 0, "cauchy_: sigma must be positive, got ", sigma);
  return written(self, ops::tan((uniform_like(self, generator) - 0.5) * std::numbers::pi) * sigma + median);
}
Tensor log_normal_forward(const Tensor& self, double mean, double std, const Gen& generator) {
  check_floating("log_normal_", self);
  check(std > 0, "log_normal_: the standard deviation must be positive, got ", std);
  const Tensor x = empty(self.sizes(), DType::Float64, self.device());
  slots::normal(x, mean, std, numbers_for(x, generator));
  return written(self, ops::exp(x));
}
// The number of trials up to the first success.
Tensor geometric_forward(const Tensor& self, double p, const Gen& generator) {
  check(!is_complex(self.dtype()) && self.dtype() != DType::Bool, "geometric_: ", self.dtype(), " is not supported");
  check(p > 0 && p < 1, "geometric_: p must be within 0..1, both excluded, got ", p);
  const Tensor trials = ops::log(uniform_like(self, generator)) / std::log1p(-p);
  slots::ceil(trials, TensorSpan(&trials, 1), ScalarSpan());
  return written(self, trials);
}

// ---- by rejection ----

void check_lowest(const char* name, const char* what, const Tensor& x) {
  if (x.is_meta() || x.numel() == 0) return;
  const double low = item(ops::amin(x)).to<double>();
  check(low >= 0, name, ": ", what, " must not be negative, got ", low);
}

Tensor poisson_forward(Out& out, const Tensor& rate, const Gen& generator) {
  check_floating("poisson", rate);
  NoGrad guard;
  check_lowest("poisson", "rates", rate);
  const Tensor y = out.make(rate.sizes(), rate.dtype()), target = dense(y);
  slots::poisson(target, dense(rate), numbers_for(y, generator));
  return target.is(y) ? y : written(y, target);
}

Tensor binomial_forward(Out& out, const Tensor& count, const Tensor& prob, const Gen& generator) {
  check_floating("binomial", count);
  check(prob.dtype() == count.dtype(), "binomial: dtypes differ, 'count' is ", count.dtype(), ", 'prob' ",
        prob.dtype());
  NoGrad guard;
  check_lowest("binomial", "counts", count);
  const Sizes sizes = broadcast(count.sizes(), prob.sizes(), "binomial");
  const Tensor y = out.make(sizes, count.dtype()), target = dense(y);
  slots::binomial(target, dense(count.expanded(sizes)), dense(prob.expanded(sizes)), numbers_for(y, generator));
  return target.is(y) ? y : written(y, target);
}

Tensor gamma_forward(Out& out, const Tensor& shape, const Gen& generator) {
  check_floating("standard_gamma", shape);
  NoGrad guard;
  check_lowest("standard_gamma", "shapes", shape);
  const Tensor y = out.make(shape.sizes(), shape.dtype()), target = dense(y);
  slots::standard_gamma(target, dense(shape), numbers_for(y, generator));
  return target.is(y) ? y : written(y, target);
}

Tensor dirichlet_forward(Out& out, const Tensor& shape, const Gen& generator) {
  check_floating("sample_dirichlet", shape);
  check(shape.dim() > 0, "sample_dirichlet: expected at least one dimension");
  NoGrad guard;
  check_lowest("sample_dirichlet", "concentrations", shape);
  const Tensor y = out.make(shape.sizes(), shape.dtype());
  const Tensor gamma = empty(shape.sizes(), DType::Float64, shape.device());
  slots::standard_gamma(gamma, dense(converted(shape, DType::Float64)), numbers_for(y, generator));
  return written(y, gamma / ops::sum(gamma, IntList{-1}, true));
}

// ---- multinomial ----

// totals: the sums of the rows of weights
void check_weights(const Tensor& p, const Tensor& totals) {
  const double low = item(ops::amin(p)).to<double>();
  check(low >= 0, "multinomial: weights must be finite and not negative, got ", low);
  const double high = item(ops::amax(totals)).to<double>();
  check(high < INFINITY, "multinomial: weights must be finite and have a finite sum, got ", high);
  check(item(ops::amin(totals)).to<double>() > 0, "multinomial: the weights of a row add up to zero");
}

// The first place where the running sum exceeds a uniform share of the whole.
Tensor drawn_with_replacement(const Tensor& weights, int64_t count, const Gen& generator) {
  Sizes sizes = weights.sizes();
  sizes.back() = count;
  const Tensor u = uniform_like(empty(sizes, DType::Float64, weights.device()), generator);
  if (slots::multinomial.filled(weights.device().type)) {
    sizes.back() = 1;
    const Tensor y = empty(u.sizes(), DType::Int64, u.device()), totals = empty(sizes, DType::Float64, u.device());
    slots::multinomial(y, totals, dense(weights), u);
    const double low = item(ops::amin(totals)).to<double>(), high = item(ops::amax(totals)).to<double>();
    if (!(low > 0 && high < INFINITY)) check_weights(weights, totals);
    return y;
  }
  const Tensor p = converted(weights, DType::Float64), sums = ops::cumsum(p, -1);
  const Tensor totals = ops::narrow(sums, -1, p.size(-1) - 1, 1);
  check_weights(p, totals);
  // A share of a subnormal total can round up to all of it.
  const Tensor below = ops::zeros_like(totals), ends[] = {totals, below};
  slots::nextafter(below, ends, ScalarSpan());
  return ops::searchsorted(sums, ops::minimum(u * totals, below), false, true);
}
// The largest weight over exponential number: Efraimidis and Spirakis 2006.
Tensor drawn_once(const Tensor& weights, int64_t count, const Gen& generator) {
  const Tensor p = converted(weights, DType::Float64);
  check_weights(p, ops::sum(p, IntList{-1}));
  const Tensor e = empty(p.sizes(), DType::Float64, p.device());
  slots::exponential(e, 1.0, numbers_for(e, generator));
  return ops::topk.all({p / e, count, -1}).tensor(1);
}

Tensor multinomial_forward(Out& out, const Tensor& given, int64_t count, bool replacement, const Gen& generator) {
  check(given.dim() == 1 || given.dim() == 2, "multinomial: expected weights [n] or [rows, n], got ", given.sizes());
  check_floating("multinomial", given);
  const int64_t n = given.size(-1);
  check(count > 0, "multinomial: num_samples must be positive, got ", count);
  check(replacement || count <= n, "multinomial: ", count, " samples of ", n, " without replacement");
  check(n > 0, "multinomial: no weights in ", given.sizes());
  NoGrad guard;
  Sizes sizes = given.sizes();
  sizes.back() = count;
  const Tensor y = out.make(sizes, DType::Int64);
  if (y.is_meta() || y.numel() == 0) return y;
  return written(y, (replacement ? drawn_with_replacement : drawn_once)(given, count, generator));
}

Tensor no_gradient(Tensor g) { return ops::zeros_like(g); }

}  // namespace

void define_sampling(const Family& define) {
  const std::string generator = "*, Generator? generator=None) -> Tensor";
  define(text("cauchy_(Tensor self, float median=0, float sigma=1, ", generator))
      .doc("Overwrites `self` with random numbers from the Cauchy distribution.")
      .example("torch.empty(3):cauchy_()")
      .forward(cauchy_forward)
      .grad("self", no_gradient);
  define(text("log_normal_(Tensor self, float mean=1, float std=2, ", generator))
      .doc("Overwrites `self` with random numbers whose logarithms are normal with this mean and standard deviation.")
      .example("torch.empty(3):log_normal_()")
      .forward(log_normal_forward)
      .grad("self", no_gradient);
  define(text("geometric_(Tensor self, float p, ", generator))
      .doc("Overwrites `self` with the numbers of trials up to a first success of probability `p`.")
      .example("torch.empty(3):geometric_(0.5)")
      .forward(geometric_forward)
      .grad("self", no_gradient);

  define("poisson(Tensor self, Generator? generator=None) -> Tensor")
      .doc("Random counts of events from the Poisson distributions whose rates stand in `self`.")
      .example("torch.poisson(torch.tensor{1, 10, 100})")
      .forward(poisson_forward)
      .grad("self", no_gradient);
  define("binomial(Tensor count, Tensor prob, Generator? generator=None) -> Tensor")
      .doc("Random numbers of successes among `count` trials of probability `prob`.")
      .example("torch.binomial(torch.tensor{10, 100}, torch.tensor{0.5, 0.1})")
      .forward(binomial_forward)
      .grad("prob", [](Tensor, Meta, Meta p) { return p.zeros(); });
  define("standard_gamma(Tensor self, Generator? generator=None) -> Tensor")
      .doc("Random numbers from the gamma distributions whose shapes stand in `self`, with rate 1.")
      .example("torch.standard_gamma(torch.tensor{1, 10})")
      .forward(gamma_forward);
  define("sample_dirichlet(Tensor self, Generator? generator=None) -> Tensor")
      .doc(
          "Random points of the simplex, from the Dirichlet distributions whose concentrations are the rows of `self`.")
      .example("torch.sample_dirichlet(torch.ones(2, 3))")
      .forward(dirichlet_forward);
  define("multinomial(Tensor self, int num_samples, bool replacement=False, " +
         std::string("*, Generator? generator=None) -> IndexTensor"))
      .doc(
          "Positions in a row of weights, or in each row of a matrix, chosen at random in proportion to the weights; "
          "without `replacement` each at most once.")
      .example("torch.multinomial(torch.tensor{1, 0, 3}, 2)")
      .forward(multinomial_forward);
}

}  // namespace facula
