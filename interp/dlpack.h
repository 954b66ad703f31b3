// Tensors in DLPack's form, which array libraries exchange without a copy.
#pragma once

#include "core/tensor.h"
#include "interp/register.h"

struct DLManagedTensor;

namespace facula::interp {

/// A structure that keeps the tensor; its deleter gives both back, once, in any thread. Errors: a tensor that requires
/// grad; a meta tensor.
DLManagedTensor* to_dlpack(const Tensor& t);
/// A tensor over memory of somebody else; the deleter runs when the last user is gone. Errors, which leave the structure
/// to the caller: dtypes, devices and strides that we do not have.
Tensor from_dlpack(DLManagedTensor* managed);

/// torch.to_dlpack, torch.from_dlpack, and what torch.from_buffer stands on; expects the module on top of the stack.
void open_dlpack(lua_State* L, State& S);

}  // namespace facula::interp
