#include "interp/limited_call.h"

#include <algorithm>
#include <chrono>

#include "core/parallel.h"

namespace facula::interp {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kPollInterval = 10000;  // instructions
constexpr double kLongest = 1e9;      // seconds, which the clock can add

void push_interruption(lua_State* L, const State& S) {
  const std::string why = interruption(S);
  lua_pushlstring(L, why.data(), why.size());
}

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
  stop_now(L);
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

void stop_now(lua_State* L) { lua_sethook(L, poll, LUA_MASKCOUNT, 1); }

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
  if (S.timeout <= 0) return;
  Context& here = context();
  const std::chrono::duration<double> seconds(std::min(S.timeout, kLongest));
  deadline_.time = Clock::now() + std::chrono::duration_cast<Clock::duration>(seconds);
  deadline_.give_up = [&S, &here] {
    S.limit_hit = true;
    here.interrupted = true;
  };
  here.deadline = &deadline_;
  watchdog_ = std::thread([this] { watch(); });
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
    context().deadline = nullptr;
  }
  S_->limited = false;
  if (!S_->limit_hit) return;
  clear_interrupt();
  poll_interrupts(S_->L);
}

void LimitedCall::watch() {
  std::unique_lock lock(mutex_);
  if (!ended_.wait_until(lock, deadline_.time, [this] { return done_; })) deadline_.give_up();
}

}  // namespace facula::interp
