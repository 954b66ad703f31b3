#include "interp/state.h"

#include <memory>
#include <mutex>

#include "core/allocator.h"
#include "core/context.h"
#include "core/profiler.h"
#include "interp/archive.h"
#include "interp/autograd.h"
#include "interp/call.h"
#include "interp/csv.h"
#include "interp/data.h"
#include "interp/dlpack.h"
#include "interp/download.h"
#include "interp/event_log.h"
#include "interp/file.h"
#include "interp/flops.h"
#include "interp/hdf5.h"
#include "interp/heap.h"
#include "interp/image.h"
#include "interp/json.h"
#include "interp/library.h"
#include "interp/limited_call.h"
#include "interp/memory.h"
#include "interp/method.h"
#include "interp/module.h"
#include "interp/number.h"
#include "interp/output.h"
#include "interp/raster.h"
#include "interp/safetensors.h"
#include "interp/sandbox.h"
#include "interp/settings.h"
#include "interp/traceback.h"
#include "interp/types.h"
#include "interp/worker.h"
#include "kernels/cpu/register.h"

namespace facula::interp {
namespace {

// Finalizers that run while a Lua state closes may still come in here, so State goes after lua_close. Where a foreign
// host closes the state, nobody tells when that is done, and it stays.
std::mutex states_mutex;
std::vector<std::unique_ptr<State>>& states() {
  static auto* list = new std::vector<std::unique_ptr<State>>;
  return *list;
}

State& new_state(lua_State* L) {
  std::lock_guard lock(states_mutex);
  return *states().emplace_back(std::make_unique<State>(L));
}

constexpr char kStateKey = 0;

// From here on Lua functions in graphs count as gone when the state closes. Made first, so finalized last.
void push_sentinel(lua_State* L, State& S) {
  auto** life = static_cast<std::shared_ptr<Life>**>(lua_newuserdata(L, sizeof(void*)));
  *life = &S.life;
  lua_newtable(L);
  lua_pushcfunction(L, [](lua_State* closing) {
    (**static_cast<std::shared_ptr<Life>**>(lua_touserdata(closing, 1)))->L = nullptr;
    return 0;
  });
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
}

void open(lua_State* L) {
  register_cpu_kernels();
  State& S = new_state(L);
  lua_pushlightuserdata(L, const_cast<char*>(&kStateKey));
  lua_pushlightuserdata(L, &S);
  lua_rawset(L, LUA_REGISTRYINDEX);
  push_sentinel(L, S);
  luaL_ref(L, LUA_REGISTRYINDEX);

  lua_newtable(L);
  S.methods = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  S.torch = luaL_ref(L, LUA_REGISTRYINDEX);
  open_numbers(L, S);
  open_types(L, S);
  open_handles(L, S);
  open_memory(L, S);
  open_methods(L, S);
  open_storages(L, S);
  open_data(L, S);
  open_autograd(L, S);
  open_profiler(L, S);
  open_settings(L, S);
  open_random(L, S);
  open_cuda(L, S);
  open_library(L, S);
  open_dlpack(L, S);
  open_archives(L, S);
  open_files(L, S);
  open_images(L, S);
  open_csv(L, S);
  open_json(L, S);
  open_safetensors(L, S);
  open_hdf5(L, S);
  open_workers(L, S);
  open_downloads(L, S);
  open_event_logs(L, S);
  open_raster(L, S);
  open_flops(L, S);
  open_custom_operators(L, S);
  open_operators(L, S);
  open_metamethods(L, S);
  open_modules(L, S);
}

// Leaves package.loaded on the stack.
void push_loaded(lua_State* L) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "loaded");
  lua_remove(L, -2);
}

struct Opening {
  const StateOptions& options;
  std::string failure;
};

// Runs under lua_cpcall.
int prepare(lua_State* L) {
  auto& opening = *static_cast<Opening*>(lua_touserdata(L, 1));
  luaL_openlibs(L);
  const StateOptions& options = opening.options;
  const bool limited = options.sandbox || options.timeout > 0 || options.max_instructions || options.max_memory;
  if (options.interruptible || limited) luaJIT_setmode(L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
  lua_pushcfunction(L, luaopen_torch);
  lua_call(L, 0, 1);
  lua_setglobal(L, "torch");
  try {
    redirect_output(L, *find_state(L), opening.options.output, opening.options.error);
  } catch (const std::exception& e) {
    opening.failure = e.what();
  }
  lua_getglobal(L, "require");
  lua_pushliteral(L, "torch.pairs");
  lua_call(L, 1, 0);
  try {
    State& S = *find_state(L);
    S.timeout = options.timeout;
    S.max_instructions = options.max_instructions;
    S.max_memory = options.max_memory;
    if (options.sandbox) close_sandbox(L, S, options.folders);
  } catch (const std::exception& e) {
    opening.failure = e.what();
  }
  return 0;
}

}  // namespace

State* find_state(lua_State* L) {
  lua_pushlightuserdata(L, const_cast<char*>(&kStateKey));
  lua_rawget(L, LUA_REGISTRYINDEX);
  auto* S = static_cast<State*>(lua_touserdata(L, -1));
  lua_pop(L, 1);
  return S;
}

lua_State* open_lua_state(const StateOptions& options) {
  check(options.sandbox || options.folders.empty(), "facula: folders are for a sandbox");
  auto heap = std::make_unique<Heap>(options.max_memory);
  lua_State* L = lua_newstate(&Heap::allocate, heap.get());
  if (!L) throw OutOfMemory("facula: no memory for a Lua state");
  heap.release()->watch(L, collect_soon);  // close_lua_state finds it again
  if (options.max_memory) enable_context_limits();
  if (options.sandbox) context().folders = std::make_shared<const std::vector<std::string>>(options.folders);
  // Handles die young and by the thousand. Fewer, larger steps of the collector are a few per cent faster than small ones,
  // and so is a cycle after half the usual garbage: what dead handles hold, ten times their own size, stays in the cache.
  lua_gc(L, LUA_GCSETSTEPMUL, 400);
  lua_gc(L, LUA_GCSETPAUSE, 150);
  Opening opening{options, {}};
  if (lua_cpcall(L, prepare, &opening) != 0) opening.failure = error_message(L, -1);
  if (!opening.failure.empty()) {
    close_lua_state(L);
    fail(opening.failure);
  }
  return L;
}

void close_lua_state(lua_State* L) {
  State* S = find_state(L);
  if (S) Profiler::instance().abandon(S->profile);
  void* heap = nullptr;
  lua_getallocf(L, &heap);
  lua_close(L);
  delete static_cast<Heap*>(heap);
  std::lock_guard lock(states_mutex);
  std::erase_if(states(), [&](const auto& one) { return one.get() == S; });
}

}  // namespace facula::interp

extern "C" int luaopen_torch(lua_State* L) {
  using namespace facula::interp;
  std::string failure;
  try {
    if (!find_state(L)) {
      open(L);
      push_loaded(L);
      lua_pushvalue(L, -2);
      lua_setfield(L, -2, "torch.core");
      lua_pop(L, 2);
      push_library(L);
      lua_call(L, 0, 1);
    }
    push_loaded(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, find_state(L)->torch);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "torch");
    return 1;
  } catch (const std::exception& e) {
    failure = e.what();
  }
  push_string(L, failure);
  return lua_error(L);
}
