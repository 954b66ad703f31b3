// torch.profiler's part in C++: starting, stopping, and handing over what was measured.
#include "core/profiler.h"

#include "interp/settings.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

constexpr double kMicroseconds = 1e-3;  // in a nanosecond

void set(lua_State* L, const char* field, double number) {
  lua_pushnumber(L, number);
  lua_setfield(L, -2, field);
}
void set(lua_State* L, const char* field, const std::string& s) {
  push_string(L, s);
  lua_setfield(L, -2, field);
}

void push_event(lua_State* L, const Profiler::Event& e) {
  lua_createtable(L, 0, 6);
  set(L, "name", e.name);
  if (!e.shapes.empty()) set(L, "shapes", e.shapes);
  set(L, "category", e.is_operator ? "operator" : "range");
  set(L, "start", static_cast<double>(e.start) * kMicroseconds);
  set(L, "duration", static_cast<double>(e.duration) * kMicroseconds);
  set(L, "thread", e.thread + 1);
}

void push_summary(lua_State* L, const Profiler::Key& key, const Profiler::Summary& s) {
  lua_createtable(L, 0, 7);
  set(L, "key", key.first);
  if (!key.second.empty()) set(L, "input_shapes", key.second);
  set(L, "count", static_cast<double>(s.calls));
  set(L, "cpu_time_total", static_cast<double>(s.total) * kMicroseconds);
  set(L, "self_cpu_time_total", static_cast<double>(s.self) * kMicroseconds);
  set(L, "cpu_memory_usage", static_cast<double>(s.bytes));
  set(L, "self_cpu_memory_usage", static_cast<double>(s.self_bytes));
}

int start(Call& c) {
  c.S.profile = Profiler::instance().start({.shapes = c.get<bool>(0)});
  return 0;
}

// Events, summaries, and what there is to say of all; times in microseconds.
int stop(Call& c) {
  const Profiler::Profile profile = Profiler::instance().stop();
  lua_createtable(c.L, 0, 5);
  set(c.L, "duration", static_cast<double>(profile.duration) * kMicroseconds);
  set(c.L, "dropped", static_cast<double>(profile.dropped));
  lua_pushboolean(c.L, profile.shapes);
  lua_setfield(c.L, -2, "record_shapes");
  lua_createtable(c.L, static_cast<int>(profile.events.size()), 0);
  for (size_t i = 0; i < profile.events.size(); ++i) {
    push_event(c.L, profile.events[i]);
    lua_rawseti(c.L, -2, static_cast<int>(i) + 1);
  }
  lua_setfield(c.L, -2, "events");
  lua_createtable(c.L, static_cast<int>(profile.summaries.size()), 0);
  int i = 0;
  for (const auto& [key, summary] : profile.summaries) {
    push_summary(c.L, key, summary);
    lua_rawseti(c.L, -2, ++i);
  }
  lua_setfield(c.L, -2, "summaries");
  return 1;
}

// record_function(name, fn, ...)
int record_function(lua_State* L, Function& f) {
  check(lua_type(L, 1) == LUA_TSTRING, f.name, ": argument 'name' must be a string, got ", describe(L, *f.state, 1));
  check(lua_isfunction(L, 2), f.name, ": argument 'fn' must be a function, got ", describe(L, *f.state, 2));
  check_stack_room();
  Observer* const observer = current_observer();
  if (observer) observer->enter(std::string(to_string(L, 1)));
  const int status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0);
  if (observer) observer->leave();
  if (status != 0) throw LuaError(L, *f.state);
  return lua_gettop(L) - 1;
}

}  // namespace

void open_profiler(lua_State* L, State& S) {
  const Native natives[] = {{"core.start_profile(bool shapes=False)", start}, {"core.stop_profile() -> any", stop}};
  add_natives(L, S, natives);
  const Variadic functions[] = {{"profiler.record_function", door<record_function>, "name, fn, ...",
                                 "Returns `fn(...)`, which the profile shows by that name.",
                                 "torch.profiler.record_function('sum', torch.sum, torch.ones(3))"}};
  add_variadics(L, S, functions);
}

}  // namespace facula::interp
