// How much arithmetic the operators do that take nearly all of it.
#pragma once

#include "core/operator.h"

namespace facula {

/// Adds up what products of matrices, convolutions, attention, LSTMs and normalisations cost, by the sizes of what they are
/// given, on any device. A multiplication with an addition counts as two, as does an element that is normalised: its scale
/// and its shift. The rest counts as nothing.
class FlopCounter final : public Observer {
 public:
  /// There is one, for only one can observe. It lives forever.
  static FlopCounter& instance();
  /// Counts from 0. Errors: it counts already, or something else observes.
  void start();
  void stop();
  /// Since the start.
  double count() const { return count_; }

  void before(const Operator& op, const Value* arguments) override;
  void after(const Operator& op, const Results* results) noexcept override;
  void enter(const std::string&) override {}
  void leave() noexcept override {}

 private:
  std::atomic<double> count_{0};
};

}  // namespace facula
