// The walk back. Nodes wait in a heap and the one recorded last goes first: everything that uses a node's outputs was
// recorded after it, so when a node is taken all its gradients have arrived. No recursion, whatever the graph's depth.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "core/autograd.h"
#include "core/ops.h"
#include "core/parallel.h"

namespace facula {
namespace {

void check_seed(const Tensor& root, const Tensor& seed) {
  if (!seed.defined()) {
    check(root.numel() == 1, "backward: without a gradient it starts from a scalar, this tensor has sizes ",
          root.sizes());
    return;
  }
  check(seed.sizes() == root.sizes(), "backward: the gradient's shape ", seed.sizes(), " differs from the tensor's ",
        root.sizes());
  check(is_complex(root.dtype()) || !is_complex(seed.dtype()),
        "backward: the gradient of a real tensor must not be complex");
}

/// Brings a gradient to the sizes and dtype of what it belongs to.
Tensor fitted(Tensor g, const Meta& to, const Node& from) {
  if (!(g.sizes() == to.sizes())) {
    bool broadcasts = g.sizes().size() >= to.sizes().size();
    for (size_t d = 0; broadcasts && d < to.sizes().size(); ++d) {
      const int64_t wanted = to.sizes()[d];
      broadcasts = wanted == 1 || wanted == g.sizes()[g.sizes().size() - to.sizes().size() + d];
    }
    check(broadcasts, "backward: ", from.name(), " returned a gradient of shape ", g.sizes(), " for an input of shape ",
          to.sizes());
    g = ops::sum_to_size(g, to.sizes());
  }
  if (g.dtype() != to.dtype()) {
    if (is_complex(g.dtype()) && !is_complex(to.dtype())) g = ops::real(g);
    if (g.dtype() != to.dtype()) g = ops::to_dtype(g, to.dtype());
  }
  if (g.device() != to.device()) g = ops::to_device(g, to.device());
  return g;
}

void check_numbers(const Node& node, const Tensors& answers) {
  NoGrad guard;
  for (size_t i = 0; i < answers.size(); ++i) {
    const Tensor& g = answers[i];
    if (!g.defined() || g.is_meta() || !is_differentiable(g.dtype())) continue;
    if (item(ops::any(ops::isnan(g))).to<bool>())
      fail("backward: ", node.name(), " returned nan in gradient ", i + static_cast<size_t>(Counting::base()),
           "; it was recorded at:", node.made_at ? *node.made_at : " (before anomaly mode was on)");
  }
}

/// A node's derivative, for the observer.
class Range {
 public:
  explicit Range(const Node& node) : observer_(current_observer()) {
    if (observer_) [[unlikely]]
      observer_->enter(node.name());
  }
  ~Range() {
    if (observer_) [[unlikely]]
      observer_->leave();
  }
  Range(const Range&) = delete;
  Range& operator=(const Range&) = delete;

 private:
  Observer* observer_;
};

class Walk {
 public:
  Walk(bool keep, bool capturing) : keep_(keep), capturing_(capturing) {}

  /// Whose gradients are wanted instead of every leaf's.
  void capture(const Edge& edge, Tensor* into) { captures_[edge.node.get()].push_back({edge.nr, into}); }

  void seed(const Edge& edge, Tensor g) {
    roots_.push_back(edge.node);
    arrive(edge, std::move(g));
  }

  void run() {
    if (capturing_) find_needed();
    while (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end(), later);
      Node* node = heap_.back();
      heap_.pop_back();
      auto found = buffers_.find(node);
      Tensors gradients = std::move(found->second);
      buffers_.erase(found);
      visit(*node, gradients);
      if (interrupt_requested()) throw Interrupted();
    }
  }

 private:
  static bool later(const Node* a, const Node* b) { return a->sequence < b->sequence; }

  void arrive(const Edge& edge, Tensor g) {
    auto [at, fresh] = buffers_.try_emplace(edge.node.get());
    if (fresh) {
      at->second.resize(edge.node->outputs.size());
      heap_.push_back(edge.node.get());
      std::push_heap(heap_.begin(), heap_.end(), later);
    }
    if (!g.defined()) return;
    Tensor& sum = at->second[edge.nr];
    sum = sum.defined() ? sum + g : std::move(g);
  }

  void visit(Node& node, Tensors& gradients) {
    const bool anything = std::any_of(gradients.begin(), gradients.end(), [](const Tensor& g) { return g.defined(); });
    if (anything) {
      for (size_t i = 0; i < node.hooks.size(); ++i) {
        const auto [nr, hook] = node.hooks[i];
        if (!gradients[nr].defined()) continue;
        if (const Tensor other = hook->call(gradients[nr]); other.defined()) gradients[nr] = other;
      }
    }
    if (capturing_) {
      if (const auto wanted = captures_.find(&node); wanted != captures_.end())
        for (const auto& [nr, into] : wanted->second) *into = gradients[nr];
      if (!needed_.contains(&node)) return;
    }
    Tensors answers;
    if (anything) {
      const Range range(node);
      answers = node.apply(gradients);
      if (anomaly_mode()) [[unlikely]]
        check_numbers(node, answers);
      gradients.clear();
      if (!keep_) node.free_saved();
    }
    for (size_t e = 0; e < node.edges.size(); ++e) {
      const Edge& edge = node.edges[e];
      if (!edge.node) continue;
      Tensor g = e < answers.size() ? std::move(answers[e]) : Tensor();
      if (g.defined()) g = fitted(std::move(g), edge.node->outputs[edge.nr], node);
      arrive(edge, std::move(g));
    }
  }

  // Nodes from which a captured one is reached: edges lead to smaller sequence numbers, so that order suffices.
  void find_needed() {
    std::vector<Node*> reached = heap_;
    std::unordered_set<Node*> seen(reached.begin(), reached.end());
    for (size_t i = 0; i < reached.size(); ++i)
      for (const Edge& edge : reached[i]->edges)
        if (edge.node && seen.insert(edge.node.get()).second) reached.push_back(edge.node.get());
    std::sort(reached.begin(), reached.end(), later);
    for (Node* node : reached)
      for (const Edge& edge : node->edges)
        if (edge.node && (needed_.contains(edge.node.get()) || captures_.contains(edge.node.get()))) {
          needed_.insert(node);
          break;
        }
  }

  struct Capture {
    uint32_t nr;
    Tensor* into;
  };
  bool keep_, capturing_;
  std::vector<Ref<Node>> roots_;  // hold every node that is reached, whatever a hook does to the tensors
  std::vector<Node*> heap_;
  std::unordered_map<Node*, Tensors> buffers_;
  std::unordered_map<Node*, std::vector<Capture>> captures_;
  std::unordered_set<Node*> needed_;
};

void seed_all(Walk& walk, const Tensors& roots, const Tensors& seeds) {
  check(seeds.empty() || seeds.size() == roots.size(), "backward: ", roots.size(), " tensors but ", seeds.size(),
        " gradients");
  for (size_t i = 0; i < roots.size(); ++i) {
    const Tensor& root = roots[i];
    const Edge edge = gradient_edge(root);
    check(static_cast<bool>(edge.node), "backward: the tensor does not require grad and has no grad_fn");
    const Tensor seed = i < seeds.size() ? seeds[i] : Tensor();
    check_seed(root, seed);
    walk.seed(edge, seed.defined() ? seed : ops::ones_like(root));
  }
}

}  // namespace

void backward(const Tensors& roots, const Tensors& seeds, bool retain_graph, bool create_graph, const Tensors& inputs) {
  if (!inputs.empty()) {
    const Tensors found = gradients(roots, seeds, inputs, retain_graph, create_graph, true);
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!found[i].defined()) continue;
      const Tensor before = grad(inputs[i]);
      GradGuard guard(create_graph);
      set_grad(inputs[i], before.defined() ? before + found[i] : ops::clone(found[i]));
    }
    return;
  }
  GradGuard guard(create_graph);
  Walk walk(retain_graph, false);
  seed_all(walk, roots, seeds);
  walk.run();
}

Tensors gradients(const Tensors& roots, const Tensors& seeds, const Tensors& inputs, bool retain_graph,
                  bool create_graph, bool allow_unused) {
  Tensors found(inputs.size());
  std::vector<Edge> held;
  {
    GradGuard guard(create_graph);
    Walk walk(retain_graph, true);
    for (size_t i = 0; i < inputs.size(); ++i) {
      held.push_back(gradient_edge(inputs[i]));
      check(static_cast<bool>(held.back().node), "grad: input ", i + static_cast<size_t>(Counting::base()),
            " does not require grad");
      walk.capture(held.back(), &found[i]);
    }
    seed_all(walk, roots, seeds);
    walk.run();
  }
  for (size_t i = 0; i < inputs.size() && !allow_unused; ++i)
    check(found[i].defined(), "grad: input ", i + static_cast<size_t>(Counting::base()),
          " appears not to have been used in the graph (unused); set allow_unused=true if that is intended");
  return found;
}

}  // namespace facula
