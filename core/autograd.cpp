#include "core/autograd.h"

#include <algorithm>
#include <atomic>

#include "core/context.h"
#include "core/node.h"
#include "core/ops.h"
#include "core/pointwise.h"
#include "core/slab.h"

namespace facula {

thread_local bool GradMode::enabled_ = true;
thread_local bool InferenceGuard::enabled_ = false;

void set_anomaly_mode(std::function<std::string()> place) { context().anomaly_place = std::move(place); }
bool anomaly_mode() { return static_cast<bool>(context().anomaly_place); }

Tensor Meta::zeros() const {
  const Tensor z = empty(shape, type, where);
  return ops::zero_(z);
}

// ---- nodes ---------------------------------------------------------------------------------------------------------------

void Node::number() {
  static std::atomic<uint64_t> next{1};
  sequence = next.fetch_add(1, std::memory_order_relaxed);
  if (anomaly_mode()) [[unlikely]]
    made_at = std::make_unique<std::string>(context().anomaly_place());
}

uint32_t Node::add_output(const Tensor& t) {
  outputs.add() = Meta(t);
  return static_cast<uint32_t>(outputs.size() - 1);
}

void Node::destroy(Node* n) {
  static thread_local Node* waiting = nullptr;
  static thread_local bool working = false;
  n->abandoned();
  n->next_waiting_ = waiting;
  waiting = n;
  if (working) return;
  working = true;
  while (waiting) delete std::exchange(waiting, waiting->next_waiting_);
  working = false;
}

namespace {

/// Does nobody else know g's memory? A base whose view g is may hold it too if g alone holds the base.
bool owns_storage(const Tensor& g) {
  const AutogradMeta* meta = g.impl()->autograd.get();
  if (!meta || !meta->base.defined()) return g.storage()->use_count() == 1;
  const Tensor& base = meta->base;
  return base.ref().get()->use_count() == 1 && base.numel() == g.numel() && g.storage()->use_count() == 2;
}

/// The end of the graph at a leaf: adds what arrives to its `.grad`.
class AccumulateGrad final : public Node {
 public:
  static void* operator new(size_t) { return Slab<AccumulateGrad>::allocate(); }
  static void operator delete(void* p) { Slab<AccumulateGrad>::release(p); }

  explicit AccumulateGrad(Tensor leaf) : leaf_(std::move(leaf)) {
    add_output(leaf_);
    number();
  }
  std::string name() const override { return "AccumulateGrad"; }

  Tensors apply(const Tensors& gradients) override {
    if (!leaf_.impl()->requires_grad) return {};  // it was detached since
    Tensor g = gradients[0];
    AutogradMeta& meta = autograd_meta(leaf_);
    for (size_t i = 0; meta.extras && i < meta.extras->hooks.size(); ++i) {
      const Ref<Hook> hook = meta.extras->hooks[i];
      if (const Tensor other = hook->call(g); other.defined()) g = other;
    }
    if (!meta.grad.defined()) {
      // Nobody else may see it change later, and optimisers like it dense.
      const bool ours = g.ref().get()->use_count() <= 2 && g.is_contiguous() && owns_storage(g);
      meta.grad = GradMode::enabled() ? g : ours ? detach(g) : detach(ops::clone(g));
    } else if (GradMode::enabled()) {
      meta.grad = meta.grad + g;
    } else {
      ops::add.in_place(meta.grad, g);
    }
    for (size_t i = 0; meta.extras && i < meta.extras->after_accumulate.size(); ++i) {
      const Ref<Hook> hook = meta.extras->after_accumulate[i];
      hook->call(leaf_);
    }
    return {};
  }

 private:
  void abandoned() override {
    AutogradMeta* meta = leaf_.impl()->autograd.get();  // none after detach_
    if (meta && meta->accumulator == this) meta->accumulator = nullptr;
  }
  Tensor leaf_;
};

Tensor as_strided_like(const Tensor& x, const Meta& geometry, int64_t shift) {
  return ops::as_strided(x, geometry.sizes(), geometry.strides, geometry.offset + shift);
}

/// The history of a base after one of its views was changed in place by `fn`: the gradient of that region goes through
/// fn, the rest passes.
class CopySlices final : public Node {
 public:
  CopySlices(const Tensor& base, const Tensor& view, Ref<Node> fn) : base_(base), view_(view), fn_(std::move(fn)) {
    if (const AutogradMeta& meta = *view.impl()->autograd; meta.has_bridge()) {
      bridge_ = meta.extras->bridge;
      bridge_arguments_ = meta.extras->bridge_arguments;
    }
    for (const Edge& e : fn_->edges) edges.push_back(e);
    edges[0] = gradient_edge(base);
    number();
  }
  std::string name() const override { return "CopySlices"; }
  void free_saved() override { fn_->free_saved(); }

  Tensors apply(const Tensors& gradients) override {
    // Dense strides may differ from the base's, so the gradient is laid out as the base first.
    Tensor g = empty_strided(base_.sizes(), base_.strides, gradients[0].dtype(), base_.device());
    g = ops::copy_(ops::zero_(g), gradients[0]);
    const Tensor region = view_of(g);
    Tensors answers = fn_->apply({ops::clone(region)});
    if (fn_->needs(0)) {
      if (answers[0].defined())
        ops::copy_(region, answers[0]);
      else
        ops::zero_(region);
    }
    answers[0] = g;
    return answers;
  }

 private:
  Tensor view_of(const Tensor& g) const {
    if (!bridge_) return as_strided_like(g, view_, -base_.offset);
    Value arguments[kMaxArguments];
    std::copy(bridge_arguments_.begin(), bridge_arguments_.end(), arguments);
    arguments[0] = g;
    Results results;
    call(*bridge_, arguments, results);
    return results.tensor();
  }

  Meta base_, view_;
  Ref<Node> fn_;
  const Operator* bridge_ = nullptr;
  std::vector<Value> bridge_arguments_;
};

/// Stores the gradient of a non-leaf that asked for it, as long as the tensor lives.
class RetainGrad final : public Hook {
 public:
  explicit RetainGrad(TensorImpl* t) : tensor(t) {}
  Tensor call(const Tensor& g) override {
    if (tensor) tensor->autograd->grad = GradMode::enabled() ? g : detach(ops::clone(g));
    return {};
  }
  TensorImpl* tensor;
};

// The view's node once more, now that its base has another history.
void replay_view(const Tensor& t, AutogradMeta& meta) {
  Value arguments[kMaxArguments];
  const Operator* op = ops::as_strided.op;
  if (meta.has_bridge()) {
    op = meta.extras->bridge;
    std::copy(meta.extras->bridge_arguments.begin(), meta.extras->bridge_arguments.end(), arguments);
  } else {
    arguments[1] = t.sizes(), arguments[2] = t.strides(), arguments[3] = t.offset();
  }
  arguments[0] = meta.base;
  const Ref<OpNode> node = record(*op, arguments, nullptr);
  meta.grad_fn = node;
  meta.output_nr = node->add_output(t);
  meta.version = t.version();
}

bool is_stale(const Tensor& t, const AutogradMeta& meta) {
  return meta.base.defined() && meta.version != t.version() && requires_grad(meta.base);
}

}  // namespace

// ---- the tensor's part ------------------------------------------------------------------------------------------------------

void* AutogradMeta::operator new(size_t) { return Slab<AutogradMeta>::allocate(); }
void AutogradMeta::operator delete(void* p) { Slab<AutogradMeta>::release(p); }

void DestroyAutograd::operator()(AutogradMeta* meta) const {
  if (meta->extras) [[unlikely]]
    for (const Ref<Hook>& hook : meta->extras->hooks)
      if (auto* retain = dynamic_cast<RetainGrad*>(hook.get())) retain->tensor = nullptr;
  delete meta;
}

AutogradMeta& autograd_meta(const Tensor& t) {
  auto& meta = t.impl()->autograd;
  if (!meta) meta.reset(new AutogradMeta);
  return *meta;
}

bool has_history(const Tensor& t) {
  const AutogradMeta& meta = *t.impl()->autograd;
  return meta.grad_fn || is_stale(t, meta);
}

bool is_leaf(const Tensor& t) { return !grad_fn(t); }

void set_requires_grad(const Tensor& t, bool wanted) {
  if (wanted == requires_grad(t)) return;
  check(!wanted || is_differentiable(t.dtype()),
        "requires_grad: only floating and complex tensors can require grad, this one is ", t.dtype());
  check(!wanted || !t.impl()->is_inference || InferenceGuard::enabled(),
        "requires_grad: the tensor was made in inference mode; clone it first");
  check(is_leaf(t), "requires_grad: only leaf tensors can be changed; use detach to get one without history");
  t.impl()->requires_grad = wanted;
  if (wanted) autograd_meta(t).base = {};  // a leaf of its own from now on, whatever memory it shares
}

Ref<Node> grad_fn(const Tensor& t) {
  AutogradMeta* meta = t.impl()->autograd.get();
  if (!meta) return nullptr;
  if (is_stale(t, *meta)) replay_view(t, *meta);
  return meta->grad_fn;
}

Edge gradient_edge(const Tensor& t) {
  if (Ref<Node> fn = grad_fn(t)) return {std::move(fn), t.impl()->autograd->output_nr};
  if (!t.impl()->requires_grad) return {};
  AutogradMeta& meta = autograd_meta(t);
  if (meta.accumulator) return {Ref<Node>(meta.accumulator), 0};
  Ref<Node> node = make_ref<AccumulateGrad>(t);
  meta.accumulator = node.get();
  return {std::move(node), 0};
}

void set_history(const Tensor& t, const Ref<Node>& node) {
  AutogradMeta& meta = autograd_meta(t);
  t.impl()->requires_grad = false;
  meta.output_nr = node->add_output(t);
  meta.grad_fn = node;
  meta.version = t.version();
}

void rebase_history(const Tensor& t, const Ref<Node>& node) {
  const AutogradMeta* meta = t.impl()->autograd.get();
  if (!meta || !meta->base.defined()) return set_history(t, node);
  node->add_output(t);
  const Tensor base = meta->base;
  rebase_history(base, make_ref<CopySlices>(base, t, node));
}

Tensor grad(const Tensor& t) { return t.impl()->autograd ? t.impl()->autograd->grad : Tensor(); }

void set_grad(const Tensor& t, const Tensor& g) {
  if (g.defined()) {
    check(g.sizes() == t.sizes(), "grad: sizes ", g.sizes(), " of the gradient differ from the tensor's ", t.sizes());
    check(g.dtype() == t.dtype(), "grad: dtype ", g.dtype(), " of the gradient differs from the tensor's ", t.dtype());
    check(g.device() == t.device(), "grad: the gradient is on ", g.device(), ", the tensor on ", t.device());
  } else if (!t.impl()->autograd) {
    return;
  }
  autograd_meta(t).grad = g;
}

void retain_grad(const Tensor& t) {
  check(requires_grad(t), "retain_grad: the tensor does not require grad");
  const Ref<Node> fn = grad_fn(t);
  AutogradMeta& meta = autograd_meta(t);
  if (!fn || meta.retains_grad) return;
  meta.retains_grad = true;
  Ref<Hook> hook = make_ref<RetainGrad>(t.impl());
  meta.make_extras().hooks.push_back(hook);
  fn->hooks.emplace_back(meta.output_nr, hook);
}

void add_hook(const Tensor& t, Ref<Hook> hook) {
  check(requires_grad(t), "register_hook: the tensor does not require grad");
  if (const Ref<Node> fn = grad_fn(t))
    fn->hooks.emplace_back(t.impl()->autograd->output_nr, std::move(hook));
  else
    autograd_meta(t).make_extras().hooks.push_back(std::move(hook));
}

void remove_hook(const Tensor& t, const Hook* hook) {
  AutogradMeta* meta = t.impl()->autograd.get();
  if (!meta) return;
  if (meta->extras) std::erase_if(meta->extras->hooks, [&](const Ref<Hook>& h) { return h.get() == hook; });
  if (const Ref<Node> fn = grad_fn(t)) std::erase_if(fn->hooks, [&](const auto& h) { return h.second.get() == hook; });
}

Tensor detach(const Tensor& t) { return t.alias(); }

}  // namespace facula
