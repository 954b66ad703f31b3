// The graph that dispatch records, and the engine that walks it back.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/inline_vector.h"
#include "core/value.h"

namespace facula {

struct Operator;

/// What remains of a tensor when its elements are not needed.
struct Meta {
  Sizes shape;
  IntList strides;
  int64_t offset = 0;
  DType type = DType::Float32;
  Device where;

  Meta() = default;
  explicit Meta(const Tensor& t)
      : shape(t.sizes()), strides(t.strides()), offset(t.offset()), type(t.dtype()), where(t.device()) {}
  const Sizes& sizes() const { return shape; }
  int64_t size(int64_t d) const { return shape[d < 0 ? d + dim() : d]; }
  int64_t dim() const { return static_cast<int64_t>(shape.size()); }
  int64_t numel() const { return numel_of(shape); }
  DType dtype() const { return type; }
  Device device() const { return where; }
  Tensor zeros() const;
};
using Metas = std::vector<Meta>;

/// Called with a gradient; returns another to use in its place, or an undefined tensor to keep it.
class Hook : public RefCounted {
 public:
  virtual ~Hook() = default;
  virtual Tensor call(const Tensor& g) = 0;
  static void destroy(Hook* h) { delete h; }
};

class Node;
struct Edge {
  Ref<Node> node;   // none: nobody wants this gradient
  uint32_t nr = 0;  // which of the node's outputs
};

/// One recorded operation. `outputs` describes the tensors it made, `edges` lead to where its inputs came from.
class Node : public RefCounted {
 public:
  virtual ~Node() = default;
  /// PyTorch's name: `MulBackward0`.
  virtual std::string name() const = 0;
  /// Gradients of the outputs (undefined where nothing arrived) to gradients of the inputs, one for each edge; undefined
  /// where there is none. Derivatives of any shape that broadcasts to the input's are summed by the engine.
  virtual Tensors apply(const Tensors& gradients) = 0;
  /// Frees what was saved; a later apply fails.
  virtual void free_saved() {}

  /// Takes the next sequence number; to be called when the edges are known.
  void number();
  /// Registers an output and returns its number.
  uint32_t add_output(const Tensor& t);
  bool needs(size_t edge) const { return edge < edges.size() && edges[edge].node; }

  InlineVector<Edge, 2> edges;
  InlineVector<Meta, 1> outputs;
  std::vector<std::pair<uint32_t, Ref<Hook>>> hooks;  // run on the gradient of an output before apply
  uint64_t sequence = 0;                              // larger than that of every node on its edges
  std::unique_ptr<std::string> made_at;               // in anomaly mode

  /// Released by a worklist: a chain of a million nodes would overflow the stack.
  static void destroy(Node* n);

 protected:
  /// The last reference is gone; the object follows in a moment.
  virtual void abandoned() {}

 private:
  Node* next_waiting_ = nullptr;  // to be destroyed
};

/// A tensor's part in the graph; tensors without any share none.
struct AutogradMeta {
  static void* operator new(size_t);
  static void operator delete(void*);

  /// What few tensors have. The rest fits a cache line: every view and every recorded result has one.
  struct Extras {
    std::vector<Ref<Hook>> hooks;             // of leaves
    std::vector<Ref<Hook>> after_accumulate;  // of leaves
    const Operator* bridge = nullptr;         // the view operator that changed the dtype (view_as_real)
    std::vector<Value> bridge_arguments;
  };

  Tensor grad;
  Ref<Node> grad_fn;            // of non-leaves
  Node* accumulator = nullptr;  // of leaves: the node that adds to `grad`, while a graph holds it
  // Of a view, which an in-place operation may change: it is replayed from its base when the base was changed, by the
  // bridge or as_strided. Not itself a view of this kind, unless the dtype changed between.
  Tensor base;
  uint32_t output_nr = 0;  // which output of grad_fn
  uint32_t version = 0;    // the storage's when grad_fn was set
  bool retains_grad = false;
  bool is_parameter = false;  // torch.nn.Parameter
  std::unique_ptr<Extras> extras;

  Extras& make_extras() {
    if (!extras) extras = std::make_unique<Extras>();
    return *extras;
  }
  bool has_bridge() const { return extras && extras->bridge; }
};

/// The tensor's meta, made if it has none.
AutogradMeta& autograd_meta(const Tensor& t);

bool has_history(const Tensor& t);
inline bool requires_grad(const Tensor& t) { return t.impl()->requires_grad || (t.impl()->autograd && has_history(t)); }
bool is_leaf(const Tensor& t);
/// Marks a leaf. Errors: not a floating or complex dtype; turning it off for a non-leaf.
void set_requires_grad(const Tensor& t, bool wanted);
/// The node that made the tensor, brought up to date for views; none for leaves.
Ref<Node> grad_fn(const Tensor& t);
/// Where the tensor's gradient goes: its grad_fn, or its accumulator; none where no gradient is required.
Edge gradient_edge(const Tensor& t);
/// Makes `t` the output of `node`.
void set_history(const Tensor& t, const Ref<Node>& node);
/// After `t` was changed in place by `node`: views carry it to their base.
void rebase_history(const Tensor& t, const Ref<Node>& node);
/// The gradient, undefined if there is none; `set_grad` checks sizes, dtype and device.
Tensor grad(const Tensor& t);
void set_grad(const Tensor& t, const Tensor& g);
/// Keeps `.grad` of a non-leaf at backward.
void retain_grad(const Tensor& t);
/// A hook on the tensor's gradient. Error: no gradient is required.
void add_hook(const Tensor& t, Ref<Hook> hook);
void remove_hook(const Tensor& t, const Hook* hook);
/// Shares storage and version, has no history.
Tensor detach(const Tensor& t);

/// Is the graph recorded in this thread?
class GradMode {
 public:
  static bool enabled() { return enabled_; }
  static void set_enabled(bool on) { enabled_ = on; }

 private:
  static thread_local bool enabled_;
};
class GradGuard {
 public:
  explicit GradGuard(bool on) : outer_(GradMode::enabled()) { GradMode::set_enabled(on); }
  ~GradGuard() { GradMode::set_enabled(outer_); }
  GradGuard(const GradGuard&) = delete;
  GradGuard& operator=(const GradGuard&) = delete;

 private:
  bool outer_;
};
struct NoGrad : GradGuard {
  NoGrad() : GradGuard(false) {}
};

/// While on, nothing is recorded, and tensors that are made stay out of every graph: they cannot be saved for a derivative.
class InferenceGuard {
 public:
  explicit InferenceGuard(bool on) : grad_(on ? false : GradMode::enabled()), outer_(enabled_) { enabled_ = on; }
  ~InferenceGuard() { enabled_ = outer_; }
  InferenceGuard(const InferenceGuard&) = delete;
  InferenceGuard& operator=(const InferenceGuard&) = delete;
  static bool enabled() { return enabled_; }

 private:
  static thread_local bool enabled_;
  GradGuard grad_;
  bool outer_;
};

/// While on, nodes remember where they were made, and a backward whose derivatives give NaN fails with that place.
/// `place` says where the script is; none turns it off.
void set_anomaly_mode(std::function<std::string()> place);
bool anomaly_mode();

/// Walks the graph from `roots` with the gradients `seeds` (undefined: one, for scalars) and adds up `.grad` of the leaves.
/// retain_graph keeps what was saved for another walk; create_graph records the walk itself.
void backward(const Tensors& roots, const Tensors& seeds, bool retain_graph, bool create_graph,
              const Tensors& inputs = {});
/// The gradients of `inputs` instead, without touching any `.grad`. An input that is not reached is an error unless
/// `allow_unused`; then its gradient is undefined.
Tensors gradients(const Tensors& roots, const Tensors& seeds, const Tensors& inputs, bool retain_graph,
                  bool create_graph, bool allow_unused);

}  // namespace facula
