// One interpreter: what the binding keeps beside a lua_State.
//
// Note [Raising and throwing]
// Lua's errors and C++ exceptions both unwind these frames. Everything below `guarded` throws facula::Error and calls
// only the part of Lua's API that does not raise (or raises when the Lua heap itself is exhausted: LuaJIT unwinds C++
// frames with their destructors then). Callbacks into Lua run under lua_pcall; what they raise travels on as LuaError.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <lua.hpp>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/operator.h"

namespace facula::interp {

struct State;
struct Call;
struct Handle;

using Overloads = std::vector<const Operator*>;

/// Operators under the name by which Lua calls them: `add`, `add_`, `nn.functional.relu`.
struct OperatorName {
  std::string text;
  Overloads overloads, methods;  // methods: those with a self; empty where the name is not a method's
  bool in_place;
};

/// A C function of the binding: all overloads of one name, or a native with a signature of its own. What it points to
/// belongs to the process or to the state.
struct Function {
  State* state;
  std::string name;               // as called: `add_`, `nn.functional.relu`
  const char* arguments = "...";  // in words, of what has neither of the following
  const char* doc = "";
  const char* example = "";
  bool in_place = false;
  std::span<const Operator* const> overloads;
  const Schema* schema = nullptr;  // of a native
  int (*body)(Call&) = nullptr;    // of a native
};

/// A metatable of the binding. Userdata is ours if its metatable has this address, whatever a script calls it.
struct Metatable {
  const void* address = nullptr;
  int ref = LUA_NOREF;  // in the registry

  void push(lua_State* L) const { lua_rawgeti(L, LUA_REGISTRYINDEX, ref); }
};

/// Handles made while a torch.scope runs.
using ScopeHandles = std::unordered_set<Handle*>;

/// When Lua's collector last ran for memory that it cannot see. See Note [When to collect].
struct Collection {
  using Clock = std::chrono::steady_clock;
  int64_t mark = 0;                 // bytes ever allocated on the CPU, then
  int64_t device_mark = 0;          // and on other devices
  int64_t due = int64_t{64} << 20;  // bytes to allocate before the next run
  int64_t live = 0;                 // bytes in use after the run
  Clock::time_point end{};
  Clock::duration took{};
  bool running = false;
  bool devices = false;  // are there tensors on other devices than the CPU?
};

/// Is the state still open? Shared with what may outlive it: Lua functions in graphs that a host holds.
struct Life {
  lua_State* L;
};

/// Takes what a script writes.
using Writer = std::function<void(std::string_view)>;

struct State {
  explicit State(lua_State* main) : L(main), running(main), life(std::make_shared<Life>(Life{main})) {}
  ~State() { life->L = nullptr; }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  lua_State* L;        // the main thread
  lua_State* running;  // the coroutine that called in last: callbacks go there
  Metatable tensor, dtype, device, generator, storage, size, symbol, node, hook, context, capsule, host_function, file,
      zip, worker, hdf5;
  // In the registry:
  int torch = LUA_NOREF;        // the module
  int methods = LUA_NOREF;      // methods of tensors, by name
  int dtypes = LUA_NOREF;       // dtype objects, from 1
  int cdata = LUA_NOREF;        // what looks into LuaJIT's cdata, see number.cpp
  int environment = LUA_NOREF;  // of the library's modules in a sandbox, see sandbox.h
  std::deque<Function> functions;
  std::deque<Schema> schemas;                              // of Lua functions with signatures
  std::vector<std::shared_ptr<const Operator>> operators;  // of torch.library
  std::deque<OperatorName> operator_names;                 // theirs
  std::vector<ScopeHandles> scopes;                        // the innermost is the last
  std::set<std::string> places;                            // where scopes ended, for handles that are used after that
  Collection collection;
  // See limited_call.h. What is 0 is not limited.
  double timeout = 0;  // seconds for one outermost call
  uint64_t max_instructions = 0, instructions = 0;
  size_t max_memory = 0;
  bool limited = false;  // within such a call
  bool memory_refused = false;
  std::atomic<bool> limit_hit{false};    // of time or instructions
  std::optional<Device> default_device;  // where calls from Lua make tensors, unless they name a device
  uint64_t profile = 0;                  // number of the last profile that was begun here
  std::shared_ptr<Life> life;
  std::vector<std::string> library;  // how the standard library's chunks are named: `@torch/`
  Writer output, error;              // in place of the process's streams
};

/// The state behind any lua_State in which torch was opened, null without one.
State* find_state(lua_State* L);

/// The function whose closure is running: its first upvalue.
inline Function& running_function(lua_State* L) {
  return *static_cast<Function*>(lua_touserdata(L, lua_upvalueindex(1)));
}

/// What a Lua state of ours is allowed, and where it writes.
struct StateOptions {
  bool sandbox = false;              ///< no files but those in `folders`, no way out
  std::vector<std::string> folders;  ///< that a sandbox may read and write
  size_t max_memory = 0;             ///< bytes for Lua's heap and tensors; 0: no limit
  double timeout = 0;                ///< seconds for one outermost call; 0: no limit
  uint64_t max_instructions = 0;     ///< of Lua code, for one outermost call; 0: no limit
  bool interruptible = false;        ///< loops are not compiled, so that hooks see every one
  Writer output, error;              ///< in place of the process's streams
};

/// A fresh Lua state with Lua's libraries and the global `torch`. Errors: the standard library cannot be loaded.
lua_State* open_lua_state(const StateOptions& options = {});
/// Closes it; tensors, and graphs with Lua functions in them, may live on in C++.
void close_lua_state(lua_State* L);

}  // namespace facula::interp

/// `require "torch"`, from a stock luajit too. Leaves the module on the stack.
extern "C" int luaopen_torch(lua_State* L);
