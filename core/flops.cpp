#include "core/flops.h"

#include <string_view>
#include <unordered_map>

#include "core/error.h"

namespace facula {
namespace {

/// What a call costs: so much for each element of its result, and so much besides.
struct Cost {
  double per_element = 0, fixed = 0;
};

double numel(const Tensor& t) { return static_cast<double>(t.numel()); }
double size(const Tensor& t, int64_t dim) { return static_cast<double>(t.size(dim)); }

// An element of a product is a sum over the last dimension of its first factor, argument `I`.
template <int I>
Cost product(const Value* arguments) {
  const Tensor& x = arguments[I].get<Tensor>();
  return {x.dim() > 0 ? 2 * size(x, x.dim() - 1) : 2};
}

// Of a convolution's weight [O, C / groups, k...] each element of the output [N, O, ...] sees what belongs to its channel.
double products(const Tensor& output, const Tensor& weight) {
  return weight.numel() > 0 ? 2 * numel(output) * numel(weight) / size(weight, 0) : 0;
}

Cost conv(const Value* arguments) {
  const Tensor& weight = arguments[1].get<Tensor>();
  return {weight.numel() > 0 ? 2 * numel(weight) / size(weight, 0) : 0};
}

Cost conv_input(const Value* arguments) {
  return {0, products(arguments[0].get<Tensor>(), arguments[1].get<Tensor>())};
}

// The result is the weight's gradient: each of its elements is a sum over the batch and the places of the output.
Cost conv_weight(const Value* arguments) {
  const Tensor& grad_output = arguments[0].get<Tensor>();
  return {grad_output.numel() > 0 ? 2 * numel(grad_output) / size(grad_output, 1) : 0};
}

// {q [..., L, E], k [..., S, E], v [..., S, V], mask}
Cost attention(const Value* arguments) {
  const Tensors& t = arguments[0].get<Tensors>();
  const double e = size(t[0], t[0].dim() - 1), s = size(t[1], t[1].dim() - 2), v = size(t[2], t[2].dim() - 1);
  return {0, e > 0 ? 2 * numel(t[0]) / e * s * (e + v) : 0};
}

// {gates [T, N, 4 H], h, c, weight [4 H, H]}: what the state contributes.
Cost lstm(const Value* arguments) {
  const Tensors& t = arguments[0].get<Tensors>();
  return {0, 2 * numel(t[0]) * size(t[3], 1)};
}

Cost norm(const Value*) { return {2}; }

using Formula = Cost (*)(const Value* arguments);

Formula formula_of(std::string_view name) {
  static const std::unordered_map<std::string_view, Formula> formulas = {
      {"mm", product<0>},
      {"bmm", product<0>},
      {"mv", product<0>},
      {"dot", product<0>},
      {"matmul", product<0>},
      {"nn.functional.linear", product<0>},
      {"addmm", product<1>},
      {"_conv", conv},
      {"_conv_input", conv_input},
      {"_conv_weight", conv_weight},
      {"_attention", attention},
      {"_lstm_steps", lstm},
      {"nn.functional.batch_norm", norm},
      {"nn.functional.layer_norm", norm},
      {"nn.functional.group_norm", norm},
      {"nn.functional.instance_norm", norm},
  };
  const auto found = formulas.find(name);
  return found == formulas.end() ? nullptr : found->second;
}

// The call that is being counted in this thread, and how many there are within it.
struct Counted {
  int depth = 0;
  Cost cost;
};
thread_local Counted counted;

}  // namespace

FlopCounter& FlopCounter::instance() {
  static auto* const counter = new FlopCounter;
  return *counter;
}

void FlopCounter::start() {
  check(current_observer() != this, "flops: they are being counted already");
  check(!current_observer(), "flops: the calls are being traced or profiled");
  count_ = 0;
  counted = {};
  set_observer(this);
}

void FlopCounter::stop() {
  check(current_observer() == this, "flops: nothing is being counted");
  set_observer(nullptr);
}

void FlopCounter::before(const Operator& op, const Value* arguments) {
  if (counted.depth > 0) {
    ++counted.depth;
  } else if (const Formula formula = formula_of(op.schema.name)) {
    counted = {1, formula(arguments)};
  }
}

void FlopCounter::after(const Operator&, const Results* results) noexcept {
  if (counted.depth == 0 || --counted.depth > 0 || !results) return;
  const Tensor& output = results->tensor();
  count_.fetch_add(counted.cost.fixed + counted.cost.per_element * numel(output));
}

}  // namespace facula
