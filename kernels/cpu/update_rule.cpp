// Optimizers' rules, element by element. All parameters of a call are one long range that threads share, so that many small
// tensors cost little more than their memory: Adam reads four numbers and writes three where a chain of operators moves
// twenty. The compiler makes vectors of the loops. What the numbers mean is said where they are computed, in stdlib/optim.
#include "core/update_rule.h"

#include <cmath>
#include <vector>

#include "core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/update_rule.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/cpu/register.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace {

template <class T>
T larger(T a, T b) {
  return a > b || a != a ? a : b;  // NaN stays
}

// Each rule: its name, how many tensors of state and numbers it takes, and the step of one element: parameter p, gradient
// g, state s, numbers c.

struct Sgd {
  static constexpr UpdateRule kRule{"sgd", 0, 1, nullptr};  // rate
  template <class T>
  static void step(T& p, T g, T*, const T* c) {
    p -= c[0] * g;
  }
};

template <bool nesterov>
struct Momentum {
  static constexpr UpdateRule kRule{nesterov ? "nesterov" : "momentum", 1, 3,
                                    nullptr};  // rate, momentum, 1 - dampening
  template <class T>
  static void step(T& p, T g, T* s, const T* c) {
    s[0] = c[1] * s[0] + c[2] * g;
    p -= c[0] * (nesterov ? g + c[1] * s[0] : s[0]);
  }
};

// The running means of g and g^2.
template <class T>
void moments(T g, T* s, T keep_less, T keep) {
  s[0] += keep_less * (g - s[0]);
  s[1] = keep * s[1] + (1 - keep) * g * g;
}

template <bool amsgrad>
struct Adam {
  // 1 - b1, b2, rate, factor of sqrt(v), eps, factor of p
  static constexpr UpdateRule kRule{amsgrad ? "amsgrad" : "adam", amsgrad ? 3 : 2, 6, nullptr};
  template <class T>
  static void step(T& p, T g, T* s, const T* c) {
    moments(g, s, c[0], c[1]);
    T v = s[1];
    if constexpr (amsgrad) v = s[2] = larger(s[2], v);
    p = c[5] * p - c[2] * s[0] / (c[3] * std::sqrt(v) + c[4]);
  }
};

struct Adamax {
  static constexpr UpdateRule kRule{"adamax", 2, 4, nullptr};  // 1 - b1, b2, rate, eps
  template <class T>
  static void step(T& p, T g, T* s, const T* c) {
    s[0] += c[0] * (g - s[0]);
    s[1] = larger(c[1] * s[1], std::abs(g) + c[3]);
    p -= c[2] * s[0] / s[1];
  }
};

struct NAdam {
  // 1 - b1, b2, rate of g, rate of m, factor of sqrt(v), eps
  static constexpr UpdateRule kRule{"nadam", 2, 6, nullptr};
  template <class T>
  static void step(T& p, T g, T* s, const T* c) {
    moments(g, s, c[0], c[1]);
    p -= (c[2] * g + c[3] * s[0]) / (c[4] * std::sqrt(s[1]) + c[5]);
  }
};

template <bool rectified>
struct RAdam {
  // 1 - b1, b2, rate, eps
  static constexpr UpdateRule kRule{rectified ? "radam" : "radam_warmup", 2, 4, nullptr};
  template <class T>
  static void step(T& p, T g, T* s, const T* c) {
    moments(g, s, c[0], c[1]);
    p -= rectified ? c[2] * s[0] / (std::sqrt(s[1]) + c[3]) : c[2] * s[0];
  }
};

struct Adagrad {
  static constexpr UpdateRule kRule{"adagrad", 1, 2, nullptr};  // rate, eps
  template <class T>
  static void step(T& p, T g, T* s, const T* c) {
    s[0] += g * g;
    p -= c[0] * g / (std::sqrt(s[0]) + c[1]);
  }
};

struct Adadelta {
  static constexpr UpdateRule kRule{"adadelta", 2, 3, nullptr};  // rate, rho, eps
  template <class T>
  static void step(T& p, T g, T* s, const T* c) {
    s[0] = c[1] * s[0] + (1 - c[1]) * g * g;
    const T d = std::sqrt(s[1] + c[2]) / std::sqrt(s[0] + c[2]) * g;
    s[1] = c[1] * s[1] + (1 - c[1]) * d * d;
    p -= c[0] * d;
  }
};

// State: the mean of g^2, with momentum the buffer, centered the mean of g.
template <bool momentum, bool centered>
struct RmsProp {
  static constexpr std::string_view kNames[4] = {"rmsprop", "rmsprop_centered", "rmsprop_momentum",
                                                 "rmsprop_momentum_centered"};
  // rate, alpha, eps, momentum
  static constexpr UpdateRule kRule{kNames[2 * momentum + centered], 1 + momentum + centered, 4, nullptr};
  template <class T>
  static void step(T& p, T g, T* s, const T* c) {
    s[0] = c[1] * s[0] + (1 - c[1]) * g * g;
    T v = s[0];
    if constexpr (centered) {
      T& mean = s[1 + momentum];
      mean = c[1] * mean + (1 - c[1]) * g;
      v -= mean * mean;
    }
    T d = g / (std::sqrt(v) + c[2]);
    if constexpr (momentum) d = s[1] = c[3] * s[1] + d;
    p -= c[0] * d;
  }
};

struct RProp {
  // shrinking and growing factors, smallest and largest step; state: the last gradient, the step sizes
  static constexpr UpdateRule kRule{"rprop", 2, 4, nullptr};
  template <class T>
  static void step(T& p, T g, T* s, const T* c) {
    const T turn = g * s[0];
    const T size = s[1] * (turn > 0 ? c[1] : turn < 0 ? c[0] : T(1));
    s[1] = size < c[2] ? c[2] : size > c[3] ? c[3] : size;
    s[0] = turn < 0 ? T(0) : g;
    p -= s[0] > 0 ? s[1] : s[0] < 0 ? -s[1] : T(0);
  }
};

template <bool averaging>
struct Asgd {
  // factor of p, rate, share of the average
  static constexpr UpdateRule kRule{averaging ? "asgd_average" : "asgd", 1, 3, nullptr};
  template <class T>
  static void step(T& p, T g, T* s, const T* c) {
    p = c[0] * p - c[1] * g;
    s[0] = averaging ? s[0] + c[2] * (p - s[0]) : p;
  }
};

// ---- over the tensors -------------------------------------------------------------------------------------------------

// c: the gradient's factor, the weight decay, the rule's numbers.
template <class Rule, class T>
void update_piece(T* const* x, int64_t begin, int64_t end, const T* c) {
  constexpr int kStates = Rule::kRule.states;
  T* const p = x[0];
  const T* const g = x[1];
#pragma GCC ivdep
  for (int64_t i = begin; i < end; ++i) {
    T s[kStates + 1] = {};
    for (int k = 0; k < kStates; ++k) s[k] = x[2 + k][i];
    Rule::template step<T>(p[i], c[0] * g[i] + c[1] * p[i], s, c + 2);
    for (int k = 0; k < kStates; ++k) x[2 + k][i] = s[k];
  }
}

template <class Rule, class T>
void update_rows(std::span<const Tensor> rows, std::span<const double> numbers) {
  constexpr size_t kWidth = Rule::kRule.states + 2;
  const std::vector<T> c(numbers.begin(), numbers.end());
  std::vector<int64_t> ends;  // of the parameters, in the long range
  for (size_t r = 0; r < rows.size(); r += kWidth) ends.push_back((r ? ends.back() : 0) + rows[r].numel());
  parallel_for(ends.back(), kHeavyGrain, [&](int64_t begin, int64_t end) {
    auto row = static_cast<size_t>(std::upper_bound(ends.begin(), ends.end(), begin) - ends.begin());
    for (int64_t at = begin; at < end; ++row) {
      const int64_t first = row ? ends[row - 1] : 0, last = std::min(end, ends[row]);
      T* x[kWidth];
      for (size_t k = 0; k < kWidth; ++k) x[k] = rows[row * kWidth + k].template data<T>();
      update_piece<Rule>(x, at - first, last - first, c.data());
      at = last;
    }
  });
}

template <class Rule>
void run(std::span<const Tensor> rows, std::span<const double> numbers) {
  (rows[0].dtype() == DType::Float64 ? update_rows<Rule, double> : update_rows<Rule, float>)(rows, numbers);
}

template <class... Rule>
void add_rules() {
  (add_update_rule({Rule::kRule.name, Rule::kRule.states, Rule::kRule.numbers + 2, run<Rule>}), ...);
}

void fill_update_rules() {
  add_rules<Sgd, Momentum<false>, Momentum<true>, Adam<false>, Adam<true>, Adamax, NAdam, RAdam<false>, RAdam<true>,
            Adagrad, Adadelta, RmsProp<false, false>, RmsProp<false, true>, RmsProp<true, false>, RmsProp<true, true>,
            RProp, Asgd<false>, Asgd<true>>();
}

}  // namespace
}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {
HWY_EXPORT(fill_update_rules);
void register_update_rules() { HWY_DYNAMIC_DISPATCH(fill_update_rules)(); }
}  // namespace facula::cpu
#endif
