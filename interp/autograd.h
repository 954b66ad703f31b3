// Gradients from Lua: modes, backward, hooks, nodes of the graph, and operations written in Lua.
#pragma once

#include "core/autograd.h"
#include "interp/register.h"

namespace facula::interp {

/// Callbacks go to the coroutine that called in, for as long as this lives.
class Running {
 public:
  Running(State& S, lua_State* L) : S_(S), outer_(S.running) { S.running = L; }
  ~Running() { S_.running = outer_; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  State& S_;
  lua_State* outer_;
};

/// A node as Lua sees it in `x.grad_fn`; nil for none.
void push_node(lua_State* L, State& S, const Ref<Node>& node);

/// torch.no_grad and its relatives, backward, and what tensors have of it. All expect the module on top of the stack.
void open_autograd(lua_State* L, State& S);
/// `x.grad_fn` and `x:register_hook`.
void open_graph(lua_State* L, State& S);
/// torch.autograd.Function
void open_custom_functions(lua_State* L, State& S);

}  // namespace facula::interp
