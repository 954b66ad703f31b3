// What tensors have that is no operator: their geometry, properties, and the metamethods that find all of it.
#pragma once

#include "interp/register.h"

namespace facula::interp {

/// The dtype that a tensor type (`torch.DoubleTensor`) or a dtype (`float64`) names. `where` names the caller in the error.
DType dtype_of_type_name(std::string_view name, const char* where);
/// The index of a dimension counted from 0 or from the end, as a position; an error with `where` outside the tensor's.
int64_t wrapped_dim(const Tensor& x, int64_t dim, const char* where);

/// Methods of tensors that are also functions of the module, which is on top of the stack.
void open_methods(lua_State* L, State& S);
/// x:storage()
void open_storages(lua_State* L, State& S);
void push_storage(lua_State* L, State& S, const Tensor& x);
/// Properties, indexing and arithmetic: the metamethods of tensors. Comes after the operators.
void open_metamethods(lua_State* L, State& S);

}  // namespace facula::interp
