#include "core/saved_tensor.h"

#include <utility>

namespace facula {

static thread_local SavedHooks* hooks_now = nullptr;

SavedHooksGuard::SavedHooksGuard(Ref<SavedHooks> hooks)
    : outer_(Ref<SavedHooks>::adopt(std::exchange(hooks_now, hooks.leave()))) {}

SavedHooksGuard::~SavedHooksGuard() { Ref<SavedHooks>::adopt(std::exchange(hooks_now, outer_.leave())); }

static void set_place(const Tensor& t, const Ref<Node>& node, uint32_t output) {
  AutogradMeta& meta = autograd_meta(t);
  meta.grad_fn = node;
  meta.output_nr = output;
  meta.version = t.version();
}

SavedTensor::SavedTensor(const Tensor& t, int output) : output_(output) {
  if (!t.defined()) return;
  if (!hooks_now) [[likely]] {
    tensor_ = output < 0 ? t : t.alias();
    version_ = t.version();
    return;
  }
  NoGrad guard;  // what the hooks compute is not recorded, so nothing of it is saved in turn
  const uint32_t version = t.version();
  const Ref<SavedHooks> hooks(hooks_now);
  packed_ = std::make_unique<ByHook>(ByHook{hooks->pack(t.alias()), Meta(t), output < 0 ? gradient_edge(t) : Edge{}});
  check(t.version() == version, "saved_tensors_hooks: the pack function changed the tensor in place; pack a copy");
}

Meta SavedTensor::meta() const {
  if (packed_) return packed_->meta;
  return tensor_.defined() ? Meta(tensor_) : Meta();
}

Tensor SavedTensor::unpack(const Node& node) const {
  if (!packed_ && output_ < 0) return tensor_;
  Tensor t;
  if (packed_) {
    NoGrad guard;
    t = packed_->packed->unpack().alias();
    const Meta& was = packed_->meta;
    check(t.sizes() == was.sizes() && t.dtype() == was.dtype(), "saved_tensors_hooks: a ", was.dtype(), " tensor ",
          was.sizes(), " was packed, unpack returned a ", t.dtype(), " tensor ", t.sizes());
  } else {
    t = tensor_.alias();
  }
  if (output_ >= 0)
    set_place(t, Ref<Node>(const_cast<Node*>(&node)), static_cast<uint32_t>(output_));
  else if (packed_->history.node)
    set_place(t, packed_->history.node, packed_->history.nr);
  return t;
}

}  // namespace facula
