#include "interp/limited_call.h"

#include <chrono>

#include "core/parallel.h"

namespace facula::interp {
namespace {

constexpr int kPollInterval = 10000;  // instructions

void push_interruption(lua_State* L, const State& S) {
  const std::string why = interruption(S);
  lua_pushlstring(L, why.data(), why.size());
}

// Once it has fired it fires at every instruction.
void poll(lua_State* L, lua_Debug*) {
  State& S = *find_state(L);
  if (S.max_instructions && !S.limit_hit) {
    S.instructions += kPollInterval;
    if (S.instructions >= S.max_instructions) {
      S.limit_hit = true;
      request_interrupt();
    }
  }
  if (!interrupt_requested()) return;
  lua_sethook(L, poll, LUA_MASKCOUNT, 1);
  luaL_where(L, 0);  // the hook has no frame of its own
  push_interruption(L, S);
  lua_concat(L, 2);
  lua_error(L);
}

}  // namespace

// Runs at the instruction after the one whose memory was refused, when the error has left what it was needed for.
static void collect_now(lua_State* L, lua_Debug*) {
  poll_interrupts(L);
  lua_gc(L, LUA_GCCOLLECT, 0);
}

void collect_soon(lua_State* L) { lua_sethook(L, collect_now, LUA_MASKCOUNT, 1); }

void poll_interrupts(lua_State* L) { lua_sethook(L, poll, LUA_MASKCOUNT, kPollInterval); }

std::string interruption(const State& S) {
  if (!S.limit_hit) return "interrupted";
  if (S.max_instructions && S.instructions >= S.max_instructions)
    return text("the limit of ", S.max_instructions, " instructions is exceeded");
  return text("the time limit of ", S.timeout, " seconds is exceeded");
}

bool limit_hit(const State& S) { return S.limit_hit || S.memory_refused; }

LimitedCall::LimitedCall(State& S) {
  if (!S.limited && S.memory_refused) {
    lua_gc(S.L, LUA_GCCOLLECT, 0);
    S.memory_refused = false;
  }
  if ((S.timeout <= 0 && !S.max_instructions) || S.limited) return;
  S_ = &S;
  S.limited = true;
  S.limit_hit = false;
  S.instructions = 0;
  poll_interrupts(S.L);
  if (S.timeout > 0) watchdog_ = std::thread([this, &here = context(), seconds = S.timeout] { watch(here, seconds); });
}

LimitedCall::~LimitedCall() {
  if (!S_) return;
  if (watchdog_.joinable()) {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    ended_.notify_one();
    watchdog_.join();
  }
  S_->limited = false;
  if (!S_->limit_hit) return;
  clear_interrupt();
  poll_interrupts(S_->L);
}

void LimitedCall::watch(Context& context, double seconds) {
  std::unique_lock lock(mutex_);
  if (ended_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return done_; })) return;
  S_->limit_hit = true;
  context.interrupted = true;
}

}  // namespace facula::interp
