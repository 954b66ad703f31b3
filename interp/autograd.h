// Gradients from Lua: modes, backward, hooks, nodes of the graph, and operations written in Lua.
#pragma once

#include "core/autograd.h"
#include "interp/register.h"

namespace facula::interp {

/// A node as Lua sees it in `x.grad_fn`; nil for none.
void push_node(lua_State* L, State& S, const Ref<Node>& node);

/// torch.no_grad and its relatives, backward, and what tensors have of it. All expect the module on top of the stack.
void open_autograd(lua_State* L, State& S);
/// `x.grad_fn` and `x:register_hook`.
void open_graph(lua_State* L, State& S);
/// torch.autograd.graph.saved_tensors_hooks
void open_saved_hooks(lua_State* L, State& S);
/// torch.autograd.Function
void open_custom_functions(lua_State* L, State& S);

}  // namespace facula::interp
