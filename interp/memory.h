// What Lua's collector must be told about tensors' memory.
#pragma once

#include "core/allocator.h"
#include "interp/register.h"

namespace facula::interp {

/// Runs a full collection and notes how much was in use afterwards.
void collect(lua_State* L, State& S);
/// Gives cached blocks of all devices in use back to the system.
void empty_caches(const State& S);

/// Counts memory that tensors use although no allocator of ours gave it.
inline void note_foreign_memory(State& S, int64_t bytes) { S.collection.mark -= bytes; }

/// Lets the collector rest: a million new objects that are all kept give it nothing but work. Begins
/// a cycle at the end, unless a script had stopped it.
class CollectorRest {
 public:
  explicit CollectorRest(lua_State* L);
  ~CollectorRest();
  CollectorRest(const CollectorRest&) = delete;
  CollectorRest& operator=(const CollectorRest&) = delete;

 private:
  lua_State* L_;
  bool was_running_;
};

void consider_collection(lua_State* L, State& S);

/// Called after every call that makes handles.
inline void collect_if_due(lua_State* L, State& S) {
  if (cpu_allocated_total() - S.collection.mark > S.collection.due || S.collection.devices) [[unlikely]]
    consider_collection(L, S);
}

/// Collects where that costs less than 2 % of the time and more than 16 MB were made since: handles that a forward left
/// behind hold activations that the walk back could free step by step.
void collect_before_backward(lua_State* L, State& S);

/// `torch.scope` and the statistics; expects the module on top of the stack.
void open_memory(lua_State* L, State& S);

}  // namespace facula::interp
