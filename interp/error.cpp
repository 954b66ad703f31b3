#include "interp/error.h"

#include <pthread.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "core/file_mapping.h"
#include "interp/limited_call.h"
#include "interp/memory.h"

namespace facula::interp {

static std::string message_of(lua_State* L) {
  if (const char* s = lua_tostring(L, -1)) return s;
  return text("error object is a ", luaL_typename(L, -1));
}

LuaError::LuaError(lua_State* L, const State& S) : Error(message_of(L)), value_(std::make_shared<LuaRef>(L, S)) {}

// The lowest address that frames of this thread may reach; an eighth of the stack is left to those who run then.
static const char* find_stack_end() {
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return nullptr;
  void* lowest = nullptr;
  size_t size = 0;
  pthread_attr_getstack(&attributes, &lowest, &size);
  pthread_attr_destroy(&attributes);
  constexpr size_t kLargest =
      size_t{8} << 20;  // of main threads, whose stacks are as large as the limit says, or endless
  const auto* highest = static_cast<const char*>(lowest) + size;
  return highest - std::min(size, kLargest) / 8 * 7;
}

void check_stack_room() {
  static thread_local const char* const end = find_stack_end();
  check(static_cast<const char*>(__builtin_frame_address(0)) > end,
        "stack overflow: too many functions call each other");
}

void call_lua(lua_State* L, State& S, int arguments, int results) {
  check_stack_room();
  if (lua_pcall(L, arguments, results, 0) != 0) throw LuaError(L, S);
}

std::string users_place(lua_State* L, const State& S) {
  lua_Debug frame;
  for (int level = 1; lua_getstack(L, level, &frame); ++level) {
    lua_getinfo(L, "Sl", &frame);
    bool ours = frame.currentline <= 0;
    for (const std::string& prefix : S.library)
      ours = ours || std::strncmp(frame.source, prefix.c_str(), prefix.size()) == 0;
    if (!ours) return text(frame.short_src, ':', frame.currentline, ": ");
  }
  return {};
}

namespace {

/// Callbacks go to the coroutine that called in, for as long as this lives.
class Running {
 public:
  Running(State& S, lua_State* L) : S_(S), outer_(std::exchange(S.running, L)) {}
  ~Running() { S_.running = outer_; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  State& S_;
  lua_State* outer_;
};

enum class Outcome { Done, Failed, OutOfMemory };

// Leaves the error value for the exception that is being handled on the stack.
[[gnu::noinline]] Outcome failure(lua_State* L, Function& f) {
  std::string message = users_place(L, *f.state);
  Outcome outcome = Outcome::Failed;
  try {
    throw;
  } catch (const LuaError& e) {
    lua_settop(L, 0);
    e.value().push(L);
    return Outcome::Failed;
  } catch (const OutOfMemory& e) {
    f.state->memory_refused = f.state->max_memory != 0;
    message += e.what();
    outcome = Outcome::OutOfMemory;
  } catch (const Interrupted&) {
    message += interruption(*f.state);
    if (f.state->limit_hit) stop_now(L);
  } catch (const std::bad_alloc&) {
    message += f.name + ": out of memory";
    outcome = Outcome::OutOfMemory;
  } catch (const std::exception& e) {
    message += e.what();
  }
  lua_checkstack(L, 1);
  lua_pushlstring(L, message.data(), message.size());
  return outcome;
}

// Leaves the results, or the error value, on the stack.
inline Outcome attempt(lua_State* L, Function& f, Body body, int& results) {
  const Counting from_one(1);
  const Running running(*f.state, L);
  try {
    results = body(L, f);
    check_mappings();
    return Outcome::Done;
  } catch (const std::exception&) {
    return failure(L, f);
  }
}

[[gnu::noinline]] Outcome attempt_again(lua_State* L, Function& f, Body body, int& results, int top) {
  lua_settop(L, top);
  collect(L, *f.state);
  collect(L, *f.state);
  empty_caches(*f.state);
  return attempt(L, f, body, results);
}

}  // namespace

int guarded(lua_State* L, Body body, Retry retry) {
  Function& f = running_function(L);
  const int top = lua_gettop(L);
  int results = 0;
  Outcome outcome = attempt(L, f, body, results);
  if (outcome == Outcome::OutOfMemory && retry == Retry::Yes) outcome = attempt_again(L, f, body, results, top);
  return outcome == Outcome::Done ? results : lua_error(L);
}

}  // namespace facula::interp
