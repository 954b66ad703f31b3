// Note [When to collect]
// A handle is 16 bytes to Lua's collector, whatever the tensor holds. So the binding counts: when more bytes were
// allocated since the last collection than max(64 MB, what was in use after it), it collects. Lua's heap may make that
// slow (0.25 ms per MB), so it holds back while less than 4 times the last duration has gone by, up to max(512 MB, in
// use). The peak stays within about twice what is alive, at a few per cent of the time.
#include "interp/memory.h"

#include <algorithm>

#include "interp/types.h"

namespace facula::interp {
namespace {

constexpr int64_t kMegabyte = int64_t{1} << 20;

// Bytes ever allocated, and bytes in use, on devices other than the CPU.
std::pair<int64_t, int64_t> device_memory() {
  Runtime& cuda = runtime(DeviceType::CUDA);
  int64_t total = 0, used = 0;
  for (int i = 0; i < cuda.count(); ++i) {
    const MemoryStats stats = cuda.memory_stats(i);
    total += stats.total;
    used += stats.allocated;
  }
  return {total, used};
}

}  // namespace

void collect(lua_State* L, State& S) {
  Collection& c = S.collection;
  if (c.running) return;
  c.running = true;
  const auto start = Collection::Clock::now();
  lua_gc(L, LUA_GCCOLLECT, 0);
  c.end = Collection::Clock::now();
  c.took = c.end - start;
  c.mark = cpu_allocated_total();
  c.live = cpu_allocated_now();
  if (c.devices) {
    const auto [total, used] = device_memory();
    c.device_mark = total;
    c.live += used;
  }
  c.due = std::max(64 * kMegabyte, c.live);
  c.running = false;
}

CollectorRest::CollectorRest(lua_State* L) : L_(L), was_running_(lua_gc(L, LUA_GCISRUNNING, 0) != 0) {
  lua_gc(L_, LUA_GCSTOP, 0);
}

CollectorRest::~CollectorRest() {
  if (was_running_) lua_gc(L_, LUA_GCRESTART, 0);
}

void consider_collection(lua_State* L, State& S) {
  Collection& c = S.collection;
  int64_t since = cpu_allocated_total() - c.mark;
  if (c.devices) since += device_memory().first - c.device_mark;
  if (since <= c.due) return;
  const bool soon = Collection::Clock::now() - c.end < 4 * c.took;
  if (!soon || since > std::max(512 * kMegabyte, c.live)) collect(L, S);
}

void collect_before_backward(lua_State* L, State& S) {
  const Collection& c = S.collection;
  if (cpu_allocated_total() - c.mark > 16 * kMegabyte && Collection::Clock::now() - c.end > 50 * c.took) collect(L, S);
}

void empty_caches(const State& S) {
  cpu_runtime().empty_cache();
  if (S.collection.devices) runtime(DeviceType::CUDA).empty_cache();
}

namespace {

// ---- torch.scope ----

// Takes the handles in the results, also inside tables, out of the innermost scope: they belong to the next one.
class Exemption {
 public:
  Exemption(lua_State* L, State& S) : L_(L), S_(S) {}

  void exempt(int first, int last) {
    lua_newtable(L_);  // tables still to be looked at: a list, for their nesting has no bound
    list_ = lua_gettop(L_);
    for (int i = first; i <= last; ++i) look(i);
    for (int next = 1; next <= count_; ++next) {
      lua_rawgeti(L_, list_, next);
      const int table = lua_gettop(L_);
      lua_pushnil(L_);
      while (lua_next(L_, table) != 0) {
        look(lua_gettop(L_));
        look(lua_gettop(L_) - 1);
        lua_pop(L_, 1);
      }
      lua_pop(L_, 1);
    }
    lua_pop(L_, 1);
  }

 private:
  void look(int index) {
    if (lua_istable(L_, index)) {
      if (!seen_.insert(lua_topointer(L_, index)).second) return;
      lua_pushvalue(L_, index);
      lua_rawseti(L_, list_, ++count_);
    } else if (auto* h = to_handle(L_, index)) {
      if (S_.scopes.back().erase(h) && S_.scopes.size() > 1) S_.scopes[S_.scopes.size() - 2].insert(h);
    }
  }

  lua_State* L_;
  State& S_;
  int list_ = 0, count_ = 0;
  std::unordered_set<const void*> seen_;
};

void leave_scope(lua_State* L, State& S) {
  std::string place = users_place(L, S);
  if (place.size() > 2) place.resize(place.size() - 2);
  const std::string& kept = *S.places.insert(place.empty() ? "an unknown place" : place).first;
  for (Handle* h : S.scopes.back()) {
    std::destroy_at(&h->tensor);
    h->released = reinterpret_cast<uintptr_t>(&kept) + 1;
  }
  S.scopes.pop_back();
}

int scope(lua_State* L, Function& f) {
  State& S = *f.state;
  check(lua_isfunction(L, 1), "scope: argument 'fn' must be a function, got ", describe(L, S, 1));
  check_stack_room();
  S.scopes.emplace_back();
  const int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
  const int results = lua_gettop(L);
  lua_checkstack(L, 8);
  Exemption(L, S).exempt(1, results);
  leave_scope(L, S);
  if (status != 0) throw LuaError(L, S);
  return results;
}

// ---- statistics ----

Device device_of(Call& c, int i) { return c.given(i) ? c.get<Device>(i) : Device(); }

MemoryStats stats_of(Device d) { return runtime(d.type).memory_stats(d.index); }

template <int64_t MemoryStats::*field>
int statistic(Call& c) {
  lua_pushnumber(c.L, static_cast<lua_Number>(stats_of(device_of(c, 0)).*field));
  return 1;
}

int memory_stats(Call& c) {
  const MemoryStats s = stats_of(device_of(c, 0));
  lua_createtable(c.L, 0, 4);
  const std::pair<const char*, int64_t> fields[] = {
      {"allocated", s.allocated}, {"peak", s.peak}, {"reserved", s.reserved}, {"total", s.total}};
  for (const auto& [name, value] : fields) {
    lua_pushnumber(c.L, static_cast<lua_Number>(value));
    lua_setfield(c.L, -2, name);
  }
  return 1;
}

int reset_peak(Call& c) {
  const Device d = device_of(c, 0);
  runtime(d.type).reset_peak(d.index);
  return 0;
}

int set_memory_limit(Call& c) {
  const auto bytes = c.get<int64_t>(0);
  check(bytes >= 0, "set_memory_limit: ", bytes, " bytes is negative; 0 is no limit");
  const Device d = device_of(c, 1);
  runtime(d.type).set_memory_limit(static_cast<size_t>(bytes), d.index);
  return 0;
}

int empty_cache(Call& c) {
  collect(c.L, c.S);
  empty_caches(c.S);
  return 0;
}

constexpr Native kMemory[] = {
    {"memory_stats(Device? device=None) -> any", memory_stats,
     "`{allocated, peak, reserved, total}`: bytes in use, at most in use, held, and ever handed out.",
     "torch.memory_stats().peak"},
    {"memory_allocated(Device? device=None) -> int", statistic<&MemoryStats::allocated>, "Bytes that tensors use now.",
     "torch.memory_allocated()"},
    {"max_memory_allocated(Device? device=None) -> int", statistic<&MemoryStats::peak>,
     "Bytes that tensors used at most.", "torch.max_memory_allocated()"},
    {"memory_reserved(Device? device=None) -> int", statistic<&MemoryStats::reserved>,
     "Bytes held from the system, cached ones included.", "torch.memory_reserved()"},
    {"reset_peak_memory_stats(Device? device=None)", reset_peak, "Lets the peak start from what is in use now.",
     "torch.reset_peak_memory_stats()"},
    {"set_memory_limit(int bytes, Device? device=None)", set_memory_limit,
     "Tensors that would need more than so many bytes are an error; 0 is no limit.", "torch.set_memory_limit(0)"},
    {"empty_cache()", empty_cache, "Collects garbage and gives cached blocks back to the system.",
     "torch.empty_cache()"},
};

}  // namespace

void open_memory(lua_State* L, State& S) {
  const Variadic functions[] = {{"scope", door<scope>, "fn, ...",
                                 "Returns `fn(...)`, and frees all other tensors that were made in it.",
                                 "torch.scope(function() return torch.rand(1000):sum() end)"}};
  add_variadics(L, S, functions);
  add_natives(L, S, kMemory);
}

}  // namespace facula::interp
