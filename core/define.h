// The language in which operators are declared:
//
//   define(ops::exp, "exp(Tensor self) -> Tensor")
//       .doc("e to the power of each element.")
//       .pointwise(slots::exp, kFloat)
//       .grad("self", [](Tensor g, Result y) { return g * y; });
//
// Note [What derivatives are given]: first one gradient for each differentiable result (Tensors for a list of results), then
// the results that appear as `Result`, then the arguments in the schema's order. A `Tensor` argument is saved, a `Meta` keeps
// sizes and dtype only; arguments at the end may be left off. Templates here are only the thin glue between typed functions and
// the untyped call: one trampoline for each distinct signature.
#pragma once

#include <tuple>

#include "core/node.h"
#include "core/operator.h"

namespace facula {

namespace glue {

// ---- forwards ----

template <class T>
void store(Results& results, T&& value) {
  using U = std::remove_cvref_t<T>;
  if constexpr (std::is_same_v<U, Results>)
    results = std::forward<T>(value);
  else if constexpr (requires { std::tuple_size<U>::value; })
    std::apply([&](auto&&... v) { (results.push(Value(std::move(v))), ...); }, value);
  else
    results.push(Value(std::forward<T>(value)));
}

template <class R, class... P, size_t... I>
void invoke_typed(R (*fn)(P...), const Value* arguments, Results& results, std::index_sequence<I...>) {
  store(results, fn(FromValue<std::remove_cvref_t<P>>::get(arguments[I])...));
}
template <class R, class... P, size_t... I>
void invoke_typed_out(R (*fn)(Out&, P...), Out& out, const Value* arguments, Results& results,
                      std::index_sequence<I...>) {
  store(results, fn(out, FromValue<std::remove_cvref_t<P>>::get(arguments[I])...));
}
template <class R, class... P>
struct Forward {
  static void invoke(const Operator& op, Out&, const Value* arguments, Results& results) {
    invoke_typed(reinterpret_cast<R (*)(P...)>(op.fn), arguments, results, std::index_sequence_for<P...>());
  }
};
template <class R, class... P>
struct Forward<R, Out&, P...> {
  static void invoke(const Operator& op, Out& out, const Value* arguments, Results& results) {
    invoke_typed_out(reinterpret_cast<R (*)(Out&, P...)>(op.fn), out, arguments, results,
                     std::index_sequence_for<P...>());
  }
};

// ---- derivatives ----

struct Cursor {
  const GradCall& call;
  int gradient = 0, result = 0, argument = 0;

  template <class P>
  P next() {
    if constexpr (std::is_same_v<P, Result>) {
      return Result{call.node.saved_result(result++)};
    } else {
      if (gradient < call.node.op().differentiable_results) return take_gradient<P>();
      const int i = argument++;
      if constexpr (std::is_same_v<P, Tensor>)
        return call.node.saved_tensor(i);
      else if constexpr (std::is_same_v<P, Tensors>)
        return call.node.saved_tensors(i);
      else if constexpr (std::is_same_v<P, Meta>)
        return call.node.saved_meta(i);
      else if constexpr (std::is_same_v<P, Metas>)
        return call.node.saved_metas(i);
      else
        return FromValue<P>::get(call.node.saved_value(i));
    }
  }

  template <class P>
  P take_gradient() {
    if constexpr (std::is_same_v<P, Tensor>) {
      return call.gradients[gradient++];
    } else if constexpr (std::is_same_v<P, Tensors>) {
      gradient = call.node.op().differentiable_results;
      return call.gradients;
    } else {
      assertion_failed("the first parameters of a derivative are gradients", call.node.op().schema.text.c_str(), 0);
    }
  }
};

inline Tensors as_list(Tensor t) { return {std::move(t)}; }
inline Tensors as_list(Tensors t) { return t; }

template <class R, class... P>
Tensors call_derivative(void (*fn)(), const GradCall& call) {
  Cursor cursor{call};
  std::tuple<P...> arguments{cursor.next<P>()...};  // braces: evaluated from left to right
  return as_list(std::apply(reinterpret_cast<R (*)(P...)>(fn), std::move(arguments)));
}

template <class P>
constexpr Save save_of = std::is_same_v<P, Meta> || std::is_same_v<P, Metas> ? Save::Meta : Save::Value;

}  // namespace glue

class Definition {
 public:
  explicit Definition(Operator& op) : op_(op) {}

  Definition& doc(std::string text) {
    op_.doc = std::move(text);
    return *this;
  }
  Definition& example(std::string lua) {
    op_.example = std::move(lua);
    return *this;
  }
  /// Another name for the same operator: `.alias("nn.functional.relu")`.
  Definition& alias(std::string name) {
    op_.aliases.push_back(std::move(name));
    return *this;
  }
  /// PyTorch's name of the node, where it is not the operator's in capitals.
  Definition& node(std::string name) {
    op_.node_name = std::move(name);
    return *this;
  }

  /// A function of the schema's parameters, with `Out&` first if it makes its result.
  template <class R, class... P>
  Definition& forward(R (*fn)(P...)) {
    constexpr size_t out = [] {
      if constexpr (sizeof...(P) > 0) return std::is_same_v<std::tuple_element_t<0, std::tuple<P...>>, Out&> ? 1 : 0;
      return 0;
    }();
    check_arity(sizeof...(P) - out);
    op_.fn = reinterpret_cast<void (*)()>(fn);
    op_.invoke = &glue::Forward<R, P...>::invoke;
    return *this;
  }
  /// A forward made of other operators, differentiated through them.
  template <class F>
  Definition& compose(F fn) {
    op_.is_composite = true;
    return forward(+fn);
  }
  /// A forward whose results share the first argument's storage.
  template <class F>
  Definition& view(F fn) {
    op_.is_view = true;
    return forward(+fn);
  }
  /// A forward that writes each element of its result after reading it, or that starts from a copy of `self` and changes
  /// some: in place it works on `self` directly.
  template <class F>
  Definition& elementwise(F fn) {
    op_.is_pointwise = true;
    return forward(+fn);
  }
  /// Tensors may be on different devices.
  Definition& any_device() {
    op_.any_device = true;
    return *this;
  }
  /// Broadcasts and promotes the tensor parameters; the others are handed on as numbers.
  Definition& pointwise(const PointwiseSlot& slot, Promotion promotion = kArithmetic);

  template <class L>
  Definition& grad(const char* input, L derivative) {
    return add_grad(input, +derivative);
  }

 private:
  template <class R, class... P>
  Definition& add_grad(const char* input, R (*fn)(P...)) {
    Derivative d;
    d.call = &glue::call_derivative<R, P...>;
    d.fn = reinterpret_cast<void (*)()>(fn);
    int gradients = op_.differentiable_results;
    (note_parameter<P>(d, gradients), ...);
    add_derivative(input, std::move(d));
    return *this;
  }
  template <class P>
  void note_parameter(Derivative& d, int& gradients) {
    if (std::is_same_v<P, Result>)
      ++d.results;
    else if (gradients > 0)
      gradients = std::is_same_v<P, Tensors> ? 0 : gradients - 1;
    else
      d.arguments.push_back(glue::save_of<P>);
  }
  void add_derivative(const char* input, Derivative d);
  void check_arity(size_t n) const;

  Operator& op_;
};

/// The registry while it is being built. Each family has one function that declares its operators.
class Family {
 public:
  explicit Family(Registry& registry) : registry_(registry) {}
  /// Declares an operator; `handle` makes it callable from C++ as `ops::name`.
  Definition operator()(Op& handle, std::string_view schema) const {
    Operator& op = registry_.add(schema);
    handle.op = &op;
    return Definition(op);
  }
  Definition operator()(std::string_view schema) const { return Definition(registry_.add(schema)); }

 private:
  Registry& registry_;
};

}  // namespace facula
