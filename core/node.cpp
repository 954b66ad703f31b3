#include "core/node.h"

#include "core/ops.h"
#include "core/slab.h"

namespace facula {

// Note [Saved before the kernel]
// Arguments are saved before the forward runs: versions read afterwards would already count an in-place change of the very
// tensor that the derivative needs, and `mul_` would have a silent wrong gradient. What the kernel overwrites is copied.

void* OpNode::operator new(size_t) { return Slab<OpNode>::allocate(); }
void OpNode::operator delete(void* p) { Slab<OpNode>::release(p); }

void OpNode::save_arguments(const Value* arguments, const Tensor* overwritten) {
  auto save = [&](const Tensor& t) {
    if (!t.defined()) return SavedTensor();
    check(!t.impl()->is_inference, op_.schema.name,
          ": a tensor that was made in inference mode cannot be saved for the derivative; clone it first");
    const bool kept = !overwritten || !(t.storage() == overwritten->storage());
    return SavedTensor(kept ? t : ops::clone(t));  // recorded, so that the copy has t's history
  };
  for (const Input& input : inputs) {
    bool needed = false;
    for (int e = 0; e < input.count; ++e) needed = needed || needs(static_cast<size_t>(input.edge + e));
    if (!needed) continue;
    const std::vector<Save>& wanted = input.derivative->arguments;
    while (saved_.size() < wanted.size()) saved_.add();
    for (size_t i = 0; i < wanted.size(); ++i) {
      const Value& v = arguments[i];
      if (v.is<Tensor>() && wanted[i] == Save::Meta) {
        if (std::holds_alternative<std::monostate>(saved_[i])) saved_[i] = std::make_unique<Meta>(v.get<Tensor>());
      } else if (v.is<Tensor>()) {
        if (!std::holds_alternative<SavedTensor>(saved_[i])) saved_[i] = save(v.get<Tensor>());
      } else if (v.is<Tensors>() && wanted[i] == Save::Meta) {
        Metas metas;
        for (const Tensor& t : v.get<Tensors>()) metas.push_back(t.defined() ? Meta(t) : Meta());
        saved_[i] = std::move(metas);
      } else if (v.is<Tensors>()) {
        std::vector<SavedTensor> list;
        for (const Tensor& t : v.get<Tensors>()) list.push_back(save(t));
        saved_[i] = std::move(list);
      } else if (wanted[i] == Save::Meta) {
        saved_[i] = std::make_unique<Meta>();
      } else {
        saved_[i] = v;
      }
    }
  }
}

void OpNode::save_results(const Results& results) {
  int wanted = 0;
  for (const Input& input : inputs) wanted = std::max(wanted, input.derivative->results);
  for (int i = 0, output = 0; i < wanted; ++i) {
    const Tensor& y = results.tensor(i);
    const bool differentiable = op_.schema.results[static_cast<size_t>(i)].type == Type::Tensor;
    results_.push_back(SavedTensor(y, differentiable ? output : -1));
    output += differentiable;
  }
}

Tensor OpNode::unpack(const SavedTensor& s, int parameter) const {
  if (!s.defined()) return {};
  if (s.is_stale())
    fail("backward of ", op_.schema.name, ": ", parameter < 0 ? "its result" : "'",
         parameter < 0 ? "" : op_.schema.parameters[static_cast<size_t>(parameter)].name, parameter < 0 ? "" : "'", ' ',
         s.meta().sizes(),
         " was modified by an in-place operation after it was saved; change a copy, or use the operation without '_'");
  return s.unpack(*this);
}

Tensor OpNode::saved_tensor(int i) const {
  const Saved& s = saved_[static_cast<size_t>(i)];
  return std::holds_alternative<SavedTensor>(s) ? unpack(std::get<SavedTensor>(s), i) : Tensor();
}

Tensors OpNode::saved_tensors(int i) const {
  Tensors list;
  for (const SavedTensor& s : std::get<std::vector<SavedTensor>>(saved_[static_cast<size_t>(i)]))
    list.push_back(unpack(s, i));
  return list;
}

// One derivative may want a tensor of which another wants only the sizes.
Meta OpNode::saved_meta(int i) const {
  const Saved& s = saved_[static_cast<size_t>(i)];
  if (const auto* whole = std::get_if<SavedTensor>(&s)) return whole->meta();
  return *std::get<std::unique_ptr<Meta>>(s);
}

Metas OpNode::saved_metas(int i) const {
  const Saved& s = saved_[static_cast<size_t>(i)];
  const auto* whole = std::get_if<std::vector<SavedTensor>>(&s);
  if (!whole) return std::get<Metas>(s);
  Metas metas;
  for (const SavedTensor& t : *whole) metas.push_back(t.meta());
  return metas;
}

void OpNode::free_saved() {
  for (Saved& s : saved_) {
    if (!std::holds_alternative<SavedTensor>(s) && !std::holds_alternative<std::vector<SavedTensor>>(s)) continue;
    s = {};
    released_ = true;
  }
  if (!results_.empty()) released_ = true;
  results_.clear();
}

Tensors OpNode::apply(const Tensors& arrived) {
  check(!released_, "backward of ", op_.schema.name,
        ": going through the graph a second time, but what it saved was freed; use retain_graph=true the first time");
  Tensors given = arrived;
  for (size_t i = 0; i < given.size(); ++i)
    if (!given[i].defined()) given[i] = outputs[i].zeros();
  const GradCall call{given, *this};
  Tensors answers(edges.size());
  for (const Input& input : inputs) {
    bool needed = false;
    for (int e = 0; e < input.count; ++e) needed = needed || needs(static_cast<size_t>(input.edge + e));
    if (!needed) continue;
    Tensors gradients = input.derivative->call(input.derivative->fn, call);
    for (int e = 0; e < input.count && e < static_cast<int>(gradients.size()); ++e)
      answers[static_cast<size_t>(input.edge + e)] = std::move(gradients[static_cast<size_t>(e)]);
  }
  return answers;
}

}  // namespace facula
