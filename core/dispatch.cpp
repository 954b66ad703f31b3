// The one door: dims are wrapped, devices compared, the graph recorded, and results brought to where they belong.
#include <algorithm>
#include <atomic>

#include "core/file_mapping.h"
#include "core/node.h"
#include "core/ops.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {

// Note [Results and their targets]
// A forward asks `out.make` for its result. It gets the target itself (self of an in-place call, or the caller's out=) when
// writing there is safe: the sizes and the dtype are the target's, and no input shares its memory, unless the operator reads
// each element before it writes it (`is_pointwise`) and the geometry is the same. Otherwise it gets a fresh tensor, which
// `settle` copies over afterwards. So forwards know nothing of targets.

namespace {

std::atomic<Observer*> observer{nullptr};

template <class F>
void each_tensor(const Operator& op, const Value* arguments, F&& f) {
  for (const int i : op.tensors) {
    const Value& v = arguments[i];
    if (v.is<Tensor>()) {
      f(v.get<Tensor>());
    } else if (v.is<Tensors>()) {
      for (const Tensor& t : v.get<Tensors>())
        if (t.defined()) f(t);
    }
  }
}

bool same_geometry(const Tensor& a, const Tensor& b) {
  return a.offset() == b.offset() && a.sizes() == b.sizes() && a.strides() == b.strides() && a.dtype() == b.dtype();
}

bool safe_to_write(const Operator& op, const Value* arguments, const Tensor& target) {
  if (!op.is_pointwise && !target.is_contiguous()) return false;
  bool safe = true;
  each_tensor(op, arguments, [&](const Tensor& x) {
    if (safe && may_share(x, target)) safe = op.is_pointwise && same_geometry(x, target);
  });
  return safe;
}

[[noreturn]] void bad_dim(const Operator& op, int64_t d, int64_t rank) {
  const int base = Counting::base();
  fail(op.schema.name, ": dim ", Counting::shown(d), " is out of range for a tensor with ", rank,
       rank == 1 ? " dimension (" : " dimensions (", base, "..", std::max<int64_t>(rank, 1) - 1 + base, " or ",
       -std::max<int64_t>(rank, 1), "..-1)");
}

int64_t wrap_dim(const Operator& op, int64_t d, int64_t rank) {
  const int64_t n = std::max<int64_t>(rank, 1);
  if (d < -n || d >= n) bad_dim(op, d, rank);
  return d < 0 ? d + n : d;
}

int64_t rank_of_first(const Operator& op, const Value* arguments) {
  int64_t rank = -1;
  each_tensor(op, arguments, [&](const Tensor& x) {
    if (rank < 0) rank = x.dim();
  });
  return std::max<int64_t>(rank, 0);
}

void wrap_dims(const Operator& op, Value* arguments) {
  const int64_t tensor_rank = rank_of_first(op, arguments);
  for (const int i : op.dims) {
    const Parameter& p = op.schema.parameters[static_cast<size_t>(i)];
    const int64_t rank = tensor_rank + (p.type == Type::NewDim ? 1 : 0);
    Value& v = arguments[i];
    if (v.is<Scalar>()) {
      v = Value(wrap_dim(op, v.get<Scalar>().to<int64_t>(), rank));
    } else if (v.is<IntList>()) {
      IntList& dims = v.get<IntList>();
      for (size_t k = 0; k < dims.size(); ++k) {
        dims[k] = wrap_dim(op, dims[k], rank);
        if (std::find(dims.begin(), dims.begin() + k, dims[k]) != dims.begin() + k)
          fail(op.schema.name, ": dim ", Counting::shown(dims[k]), " appears twice in the list");
      }
      if (rank == 0) dims.clear();
    }
    // Of a reduction: nothing or an empty list means all.
    if (p.list && p.optional && (v.is_none() || v.get<IntList>().empty())) {
      IntList all(static_cast<size_t>(rank));
      for (int64_t d = 0; d < rank; ++d) all[static_cast<size_t>(d)] = d;
      v = std::move(all);
    } else if (p.list && p.optional) {
      std::sort(v.get<IntList>().begin(), v.get<IntList>().end());
    }
  }
}

}  // namespace

void check_devices(const Operator& op, const Value* arguments) {
  const Tensor* first = nullptr;
  const auto compare = [&](const Tensor& x) {
    if (!first) first = &x;
    if (x.device() != first->device())
      fail(op.schema.name, ": tensors are on different devices, ", first->device(), " and ", x.device());
  };
  for (const int i : op.tensors) {
    const Value& v = arguments[i];
    if (v.is<Tensors>()) {
      for (const Tensor& x : v.get<Tensors>())
        if (x.defined()) compare(x);
    } else if (v.is<Tensor>()) {
      const Tensor& x = v.get<Tensor>();
      if (!x.is_cpu() || x.dim() > 0) compare(x);  // else a number in effect; moved where it is needed
    }
  }
}

namespace {

// A target of another size gets new memory if its own is too small, as PyTorch's out= does.
void resize(const Tensor& target, const Sizes& sizes) {
  if (target.sizes() == sizes) return;
  TensorImpl& t = *target.impl();
  const auto bytes = static_cast<size_t>((t.offset + numel_of(sizes)) * target.item_size());
  if (bytes > t.storage->bytes()) {
    t.storage = make_ref<StorageImpl>(bytes, target.device());
    t.offset = 0;
  }
  t.sizes = sizes;
  t.strides = contiguous_strides(sizes);
  t.refresh();
}

void settle(const Operator& op, const Tensor& target, const Tensor& result, bool in_place) {
  if (result.is(target)) return;
  if (!can_cast(result.dtype(), target.dtype()))
    fail(op.schema.name, in_place ? "_" : "", ": the result is ", result.dtype(), ", which ",
         in_place ? "'self'" : "'out'", " of dtype ", target.dtype(), " cannot hold");
  if (in_place)
    check(result.sizes() == target.sizes(), op.schema.name, "_: the result has sizes ", result.sizes(), ", 'self' has ",
          target.sizes());
  else
    resize(target, result.sizes());
  slots::copy(target, moved(result, target.device()));
}

// t_, squeeze_ and the like: self takes the view's geometry.
void become(const Operator& op, const Tensor& self, const Tensor& view) {
  check(view.dtype() == self.dtype() && view.storage() == self.storage(), op.schema.name, "_: the result has dtype ",
        view.dtype(), ", which 'self' of dtype ", self.dtype(), " cannot take in place");
  TensorImpl& t = *self.impl();
  t.sizes = view.sizes();
  t.strides = view.strides();
  t.offset = view.offset();
  t.refresh();
}

bool any_requires_grad(const Operator& op, const Value* arguments) {
  bool any = false;
  each_tensor(op, arguments, [&](const Tensor& x) { any = any || requires_grad(x); });
  return any;
}

void check_in_place(const Operator& op, const Tensor& self, bool recording) {
  const char* mark = op.is_in_place ? "" : "_";
  if (!op.is_view)
    check(!overlaps_itself(self), op.schema.name, mark, ": 'self' ", self.sizes(),
          " has elements that share memory (it was expanded); clone it first");
  check(!self.impl()->is_inference || InferenceGuard::enabled(), op.schema.name, mark,
        ": the tensor was made in inference mode and can be changed only there; clone it first");
  if (!recording || !GradMode::enabled() || !requires_grad(self)) return;
  check(!is_leaf(self), op.schema.name, mark,
        ": a leaf tensor that requires grad cannot be changed in place; use torch.no_grad");
  const AutogradMeta* meta = self.impl()->autograd.get();
  check(!meta || !meta->base.defined() || !(is_leaf(meta->base) && requires_grad(meta->base)), op.schema.name, mark,
        ": a view of a leaf tensor that requires grad cannot be changed in place; use torch.no_grad");
}

void track_view(const Operator& op, const Value* arguments, const Tensor& view) {
  const Tensor& self = arguments[0].get<Tensor>();
  if (view.is(self) || !(view.storage() == self.storage())) return;
  if (view.dtype() == self.dtype()) return facula::track_view(self, view);
  AutogradMeta& meta = autograd_meta(view);
  meta.version = view.version();
  meta.base = self;
  AutogradMeta::Extras& extras = meta.make_extras();
  extras.bridge = &op;
  extras.bridge_arguments.assign(arguments, arguments + op.schema.parameters.size());
}

void track_views(const Operator& op, const Value* arguments, const Results& results) {
  for (int i = 0; i < results.size(); ++i) {
    if (results[i].is<Tensor>()) track_view(op, arguments, results[i].get<Tensor>());
    if (results[i].is<Tensors>())
      for (const Tensor& t : results[i].get<Tensors>()) track_view(op, arguments, t);
  }
}

void connect(const Operator& op, const Ref<OpNode>& node, const Results& results, bool in_place) {
  auto attach = [&](const Tensor& t) {
    if (!is_differentiable(t.dtype()))
      node->add_output(t);
    else if (in_place && !op.is_view)
      rebase_history(t, node);
    else
      set_history(t, node);
  };
  for (int i = 0; i < results.size(); ++i) {
    if (op.schema.results[static_cast<size_t>(i)].type != Type::Tensor) continue;
    if (results[i].is<Tensor>()) attach(results[i].get<Tensor>());
    if (results[i].is<Tensors>())
      for (const Tensor& t : results[i].get<Tensors>()) attach(t);
  }
}

/// Tells the observer, if there is one, of a call and of its end.
class Watch {
 public:
  Watch(const Operator& op, const Value* arguments, const Results& results)
      : observer_(current_observer()), op_(op), results_(results) {
    if (observer_) [[unlikely]]
      observer_->before(op, arguments);
  }
  ~Watch() {
    if (observer_) [[unlikely]]
      observer_->after(op_, good_ ? &results_ : nullptr);
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  void succeeded() { good_ = true; }

 private:
  Observer* observer_;
  const Operator& op_;
  const Results& results_;
  bool good_ = false;
};

void run(const Operator& op, Value* arguments, Results& results, Out::Mode mode, const Tensor* targets, int count) {
  if (!op.dims.empty()) wrap_dims(op, arguments);
  if (op.compares_devices) check_devices(op, arguments);
  const bool wants_grad = GradMode::enabled() && any_requires_grad(op, arguments);
  const bool in_place = mode == Out::Mode::InPlace;
  if (in_place) check_in_place(op, *targets, wants_grad);
  if (mode == Out::Mode::Given && wants_grad)
    fail(op.schema.name, ": out= cannot be differentiated, but an argument requires grad");

  Out out(op, mode, arguments, targets, count);
  if (op.is_composite || op.derivatives.empty() || !wants_grad) {
    op.invoke(op, out, arguments, results);
    if (op.is_composite && in_place && results.tensor().is(*targets))
      return;  // changed by what it called, or unchanged
    if (op.is_composite && in_place && wants_grad) {
      Results copied;
      Value copy[kMaxArguments] = {*targets, results.tensor()};
      complete(*ops::copy_.op, copy);
      run(*ops::copy_.op, copy, copied, mode, targets, count);
      results = copied;
      return;
    }
  } else {
    const Ref<OpNode> node = record(op, arguments, in_place && !op.is_view ? targets : nullptr);
    {
      NoGrad guard;
      op.invoke(op, out, arguments, results);
      if (in_place && op.is_view) {
        become(op, *targets, results.tensor());
        results[0] = *targets;
      } else if (in_place) {
        settle(op, *targets, results.tensor(), true);
        results[0] = *targets;
        targets->storage()->bump_version();
      }
    }
    node->save_results(results);
    if (op.is_view && !in_place) track_views(op, arguments, results);
    connect(op, node, results, in_place);
    return;
  }

  if (mode == Out::Mode::Fresh) {
    if (op.is_view) track_views(op, arguments, results);
    return;
  }
  if (in_place && op.is_view) {
    become(op, *targets, results.tensor());
    results[0] = *targets;
    return;
  }
  for (int i = 0; i < count; ++i) {
    check(i < results.size() && results[i].is<Tensor>(), op.schema.name, in_place ? "_" : "",
          ": called like this it does not return the ", count == 1 ? "tensor" : text(count, " tensors"), " that ",
          in_place ? "'self'" : "'out'", " is for");
    settle(op, targets[i], results.tensor(i), in_place);
    results[i] = targets[i];
    targets[i].storage()->bump_version();
  }
}

void run_watched(const Operator& op, Value* arguments, Results& results, Out::Mode mode, const Tensor* targets,
                 int count) {
  Watch watch(op, arguments, results);
  run(op, arguments, results, mode, targets, count);
  check_mappings();
  if (op.requires_grad_option >= 0 && arguments[op.requires_grad_option].is<Scalar>() &&
      arguments[op.requires_grad_option].get<Scalar>().to<bool>())
    set_requires_grad(results.tensor(), true);
  watch.succeeded();
}

}  // namespace

bool is_plain(const Tensor& x) { return !current_observer() && !(GradMode::enabled() && requires_grad(x)); }

void track_view(const Tensor& self, const Tensor& view) {
  AutogradMeta& meta = autograd_meta(view);
  const AutogradMeta* of_self = self.impl()->autograd.get();
  meta.version = view.version();
  meta.base = of_self && of_self->base.defined() && !of_self->has_bridge() ? of_self->base : self;
}

Device Out::device() const {
  Device found;
  bool any = false;
  each_tensor(op_, arguments_, [&](const Tensor& x) {
    if (any || (x.is_cpu() && x.dim() == 0)) return;
    found = x.device();
    any = true;
  });
  return found;
}

Tensor Out::make(int i, const Sizes& sizes, DType dtype, Device device) {
  if (mode_ == Mode::Fresh || i >= count_) return empty(sizes, dtype, device);
  const Tensor& target = targets_[i];
  if (mode_ == Mode::InPlace && !(target.sizes() == sizes))
    fail(op_.schema.name, "_: the result has sizes ", sizes, ", 'self' has ", target.sizes());
  if (mode_ == Mode::Given) {
    check(target.device() == device, op_.schema.name, ": 'out' is on ", target.device(), ", the result is on ", device);
    if (!can_cast(dtype, target.dtype()))
      fail(op_.schema.name, ": the result is ", dtype, ", which 'out' of dtype ", target.dtype(), " cannot hold");
  }
  if (target.dtype() != dtype || target.device() != device || !safe_to_write(op_, arguments_, target))
    return empty(sizes, dtype, device);
  if (!(target.sizes() == sizes)) resize(target, sizes);
  return target;
}

Ref<OpNode> record(const Operator& op, const Value* arguments, const Tensor* overwritten) {
  auto node = make_ref<OpNode>(op);
  for (const Derivative& d : op.derivatives) {
    const Value& v = arguments[d.input];
    OpNode::Input& input = node->inputs.add();
    input = {static_cast<int>(node->edges.size()), 1, &d};
    if (v.is<Tensors>()) {
      for (const Tensor& t : v.get<Tensors>()) node->edges.push_back(t.defined() ? gradient_edge(t) : Edge{});
      input.count = static_cast<int>(v.get<Tensors>().size());
    } else {
      Edge& edge = node->edges.add();
      if (v.is<Tensor>()) edge = gradient_edge(v.get<Tensor>());
    }
  }
  node->number();
  node->save_arguments(arguments, overwritten);
  return node;
}

static bool asks_for_in_place(const Operator& op, const Value* arguments) {
  return op.in_place_option >= 0 && arguments[op.in_place_option].get<Scalar>().to<bool>();
}

void call(const Operator& op, Value* arguments, Results& results) {
  if (op.is_in_place || asks_for_in_place(op, arguments)) return call_in_place(op, arguments, results);
  run_watched(op, arguments, results, Out::Mode::Fresh, nullptr, 0);
}

void call_in_place(const Operator& op, Value* arguments, Results& results) {
  const Tensor self = arguments[0].get<Tensor>();
  run_watched(op, arguments, results, Out::Mode::InPlace, &self, 1);
}

void call_out(const Operator& op, Value* arguments, const Tensors& targets, Results& results) {
  const size_t expected = op.schema.results.size();
  check(targets.size() == expected, op.schema.name, ": out= must have ", expected,
        expected == 1 ? " tensor" : " tensors", ", got ", targets.size());
  for (const Tensor& t : targets) check(!overlaps_itself(t), op.schema.name, ": 'out' has elements that share memory");
  run_watched(op, arguments, results, Out::Mode::Given, targets.data(), static_cast<int>(targets.size()));
}

void complete(const Operator& op, Value* arguments) {
  const auto& parameters = op.schema.parameters;
  for (size_t i = 0; i < parameters.size(); ++i) {
    Value& v = arguments[i];
    if (v.is_none() && !parameters[i].required)
      v = parameters[i].fallback;
    else if (parameters[i].is_tensor() && !parameters[i].list && v.is<Scalar>())
      v = number_tensor(v.get<Scalar>());
    else
      conform(op.schema, parameters[i], v);
  }
}

void set_observer(Observer* o) { observer = o; }
Observer* current_observer() { return observer.load(std::memory_order_relaxed); }

Tensor Op::operator()(Value a0, Value a1, Value a2, Value a3, Value a4, Value a5, Value a6, Value a7, Value a8) const {
  FACULA_ASSERT(op != nullptr);
  Value arguments[kMaxArguments] = {std::move(a0), std::move(a1), std::move(a2), std::move(a3), std::move(a4),
                                    std::move(a5), std::move(a6), std::move(a7), std::move(a8)};
  complete(*op, arguments);
  Results results;
  call(*op, arguments, results);
  return results.tensor();
}

Tensor Op::in_place(Value a0, Value a1, Value a2, Value a3, Value a4) const {
  Value arguments[kMaxArguments] = {std::move(a0), std::move(a1), std::move(a2), std::move(a3), std::move(a4)};
  complete(*op, arguments);
  Results results;
  call_in_place(*op, arguments, results);
  return results.tensor();
}

Results Op::all(std::initializer_list<Value> given) const {
  Value arguments[kMaxArguments];
  std::copy(given.begin(), given.end(), arguments);
  complete(*op, arguments);
  Results results;
  call(*op, arguments, results);
  return results;
}

}  // namespace facula
