// Connectionist temporal classification: A. Graves, S. Fernandez, F. Gomez, J. Schmidhuber, "Connectionist temporal
// classification: labelling unsegmented sequence data with recurrent neural networks", ICML 2006. Probabilities are
// logarithms throughout. A target of L classes is extended by blanks to 2 L + 1 symbols; alpha[t][s] is the probability of
// the first s symbols after t steps, beta[t][s] that of the rest. Parallel over samples.
#include <cmath>
#include <limits>
#include <vector>

#include "core/parallel.h"
#include "core/slots.h"
#include "kernels/cpu/register.h"

namespace facula::cpu {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

/// log(e^a + e^b + e^c)
double log_sum(double a, double b, double c = kNever) {
  if (a < b) std::swap(a, b);
  if (a < c) std::swap(a, c);
  if (a == kNever) return kNever;
  return a + std::log(1 + std::exp(b - a) + (c == kNever ? 0 : std::exp(c - a)));
}

/// One sample's target between blanks, and its log probabilities.
template <class T>
struct Sample {
  const T* log_probs;  // of step 0
  int64_t step, classes, T_, L, blank;
  const int64_t* target;  // from 1

  Sample(const Tensor& probs, const Tensor& targets, const Tensor& input_lengths, const Tensor& target_lengths,
         int64_t n, int64_t blank_class)
      : log_probs(probs.data<T>() + n * probs.size(2)),
        step(probs.size(1) * probs.size(2)),
        classes(probs.size(2)),
        T_(input_lengths.data<int64_t>()[n]),
        L(target_lengths.data<int64_t>()[n]),
        blank(blank_class),
        target(targets.data<int64_t>() + n * targets.size(1)) {}

  int64_t symbols() const { return 2 * L + 1; }
  /// The class of symbol s, from 0.
  int64_t symbol(int64_t s) const { return s % 2 == 0 ? blank : target[s / 2] - 1; }
  double log_prob(int64_t t, int64_t s) const { return static_cast<double>(log_probs[t * step + symbol(s)]); }
  /// May the blank before symbol s be left out?
  bool skips(int64_t s) const { return s >= 2 && s % 2 == 1 && symbol(s) != symbol(s - 2); }
};

/// Fills alpha[t][s], rows `width` apart, and returns the loss.
template <class T>
double forward(const Sample<T>& x, T* alpha, int64_t width) {
  const int64_t S = x.symbols();
  if (x.T_ == 0) return x.L == 0 ? 0 : -kNever;
  for (int64_t s = 0; s < S; ++s) alpha[s] = static_cast<T>(s < 2 ? x.log_prob(0, s) : kNever);
  for (int64_t t = 1; t < x.T_; ++t) {
    const T* before = alpha + (t - 1) * width;
    for (int64_t s = 0; s < S; ++s) {
      const auto reach = [&](int64_t k) { return k >= 0 ? static_cast<double>(before[k]) : kNever; };
      const double sum = log_sum(reach(s), reach(s - 1), x.skips(s) ? reach(s - 2) : kNever);
      alpha[t * width + s] = static_cast<T>(sum + x.log_prob(t, s));
    }
  }
  const T* last = alpha + (x.T_ - 1) * width;
  return -log_sum(static_cast<double>(last[S - 1]), S > 1 ? static_cast<double>(last[S - 2]) : kNever);
}

/// g * (e^log_prob - the share of each class's symbols in the target's probability), step by step from the last. This is
/// the gradient of the scores before log_softmax: the inputs are taken for its results.
template <class T>
void backward(const Sample<T>& x, const T* alpha, int64_t width, double loss, double g, T* dx) {
  const int64_t S = x.symbols();
  std::vector<double> beta(static_cast<size_t>(S), kNever), after = beta, share(static_cast<size_t>(x.classes));
  for (int64_t t = x.T_ - 1; t >= 0; --t) {
    std::fill(share.begin(), share.end(), 0);
    for (int64_t s = 0; s < S; ++s) {
      const auto reach = [&](int64_t k) { return k < S ? after[static_cast<size_t>(k)] : kNever; };
      const bool ends = t == x.T_ - 1 && s >= S - 2;
      const double rest =
          ends ? 0 : log_sum(reach(s), reach(s + 1), s + 2 < S && x.skips(s + 2) ? reach(s + 2) : kNever);
      beta[static_cast<size_t>(s)] = rest + x.log_prob(t, s);
      share[static_cast<size_t>(x.symbol(s))] += std::exp(static_cast<double>(alpha[t * width + s]) + rest + loss);
    }
    for (int64_t c = 0; c < x.classes; ++c) {
      const double p = std::exp(static_cast<double>(x.log_probs[t * x.step + c]));
      dx[t * x.step + c] = static_cast<T>(g * (p - share[static_cast<size_t>(c)]));
    }
    beta.swap(after);
  }
}

template <class T>
void losses_of(const Tensor& losses, const Tensor& log_alpha, const Tensor& log_probs, const Tensor& targets,
               const Tensor& input_lengths, const Tensor& target_lengths, int64_t blank) {
  const int64_t width = log_alpha.size(2), steps = log_alpha.size(1);
  parallel_for(losses.numel(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const Sample<T> sample(log_probs, targets, input_lengths, target_lengths, n, blank);
      losses.data<T>()[n] = static_cast<T>(forward(sample, log_alpha.data<T>() + n * steps * width, width));
    }
  });
}

template <class T>
void gradients_of(const Tensor& dx, const Tensor& g, const Tensor& log_probs, const Tensor& targets,
                  const Tensor& input_lengths, const Tensor& target_lengths, const Tensor& losses,
                  const Tensor& log_alpha, int64_t blank, bool zero_infinity) {
  const int64_t width = log_alpha.size(2), steps = log_alpha.size(1);
  parallel_for(losses.numel(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const double loss = static_cast<double>(losses.data<T>()[n]);
      if (zero_infinity && std::isinf(loss)) continue;
      const Sample<T> sample(log_probs, targets, input_lengths, target_lengths, n, blank);
      backward(sample, log_alpha.data<T>() + n * steps * width, width, loss, static_cast<double>(g.data<T>()[n]),
               dx.data<T>() + n * dx.size(2));
    }
  });
}

void ctc_loss(const Tensor& losses, const Tensor& log_alpha, const Tensor& log_probs, const Tensor& targets,
              const Tensor& input_lengths, const Tensor& target_lengths, int64_t blank) {
  (losses.dtype() == DType::Float64 ? losses_of<double> : losses_of<float>)(losses, log_alpha, log_probs, targets,
                                                                            input_lengths, target_lengths, blank);
}

void ctc_loss_backward(const Tensor& dx, const Tensor& g, const Tensor& log_probs, const Tensor& targets,
                       const Tensor& input_lengths, const Tensor& target_lengths, const Tensor& losses,
                       const Tensor& log_alpha, int64_t blank, bool zero_infinity) {
  slots::fill(dx, 0);
  (dx.dtype() == DType::Float64 ? gradients_of<double> : gradients_of<float>)(dx, g, log_probs, targets, input_lengths,
                                                                              target_lengths, losses, log_alpha, blank,
                                                                              zero_infinity);
}

}  // namespace

void fill_ctc_loss_slots() {
  slots::ctc_loss.fill(DeviceType::CPU, ctc_loss);
  slots::ctc_loss_backward.fill(DeviceType::CPU, ctc_loss_backward);
}

}  // namespace facula::cpu
