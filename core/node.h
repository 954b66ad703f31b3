// The node of a recorded operator, and what it saved.
#pragma once

#include "core/operator.h"
#include "core/saved_tensor.h"

namespace facula {

class OpNode final : public Node {
 public:
  explicit OpNode(const Operator& op) : op_(op) {}

  const Operator& op() const { return op_; }
  std::string name() const override { return op_.node_name; }
  Tensors apply(const Tensors& gradients) override;
  void free_saved() override;

  /// Keeps what the derivatives of `inputs` need of the arguments; `overwritten` is about to be changed by the kernel.
  void save_arguments(const Value* arguments, const Tensor* overwritten);
  void save_results(const Results& results);

  Result saved_result(int i) const { return Result{unpack(results_[static_cast<size_t>(i)], -1)}; }
  Tensor saved_tensor(int i) const;
  Tensors saved_tensors(int i) const;
  Meta saved_meta(int i) const;
  Metas saved_metas(int i) const;
  const Value& saved_value(int i) const { return std::get<Value>(saved_[static_cast<size_t>(i)]); }

  /// First edge of each parameter's tensors; the derivative of parameter p serves edges [p's, next's).
  struct Input {
    int edge = 0, count = 1;
    const Derivative* derivative = nullptr;
  };
  InlineVector<Input, 2> inputs;

  static void* operator new(size_t);
  static void operator delete(void*);

 private:
  using Saved =
      std::variant<std::monostate, Value, SavedTensor, std::vector<SavedTensor>, std::unique_ptr<Meta>, Metas>;
  Tensor unpack(const SavedTensor& s, int parameter) const;

  const Operator& op_;
  InlineVector<Saved, 2> saved_;  // by parameter
  InlineVector<SavedTensor, 1> results_;
  bool released_ = false;
};

/// A node for a call that is about to happen. `overwritten`: the tensor that the kernel will change.
Ref<OpNode> record(const Operator& op, const Value* arguments, const Tensor* overwritten);

}  // namespace facula
