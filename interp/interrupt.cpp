#include "interp/interrupt.h"

#include <luajit.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>

#include "core/parallel.h"
#include "interp/held_interrupt.h"

namespace facula::interp {
namespace {

constexpr int kReminders = 20, kReminderMicroseconds = 50'000;  // together the second that deaf code is given

// What the handlers see.
pthread_t lua_thread;
lua_State* volatile running = nullptr;
volatile sig_atomic_t impatient = 0, presses = 0, reminders = 0, idle_presses = 0;

[[noreturn]] void end_program(int) {
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, "interrupted\n", 12);
  _exit(kInterruptedExit);
}

void raise_interrupted(lua_State* L, lua_Debug*) {
  Interruptible::disarm(L);
  luaL_where(L, 0);  // the hook has no frame of its own
  lua_pushliteral(L, "interrupted");
  lua_concat(L, 2);
  lua_error(L);
}

void remind_every(int microseconds) {
  const timeval interval = {0, microseconds};
  const itimerval timer = {interval, interval};
  setitimer(ITIMER_REAL, &timer, nullptr);
}

void ask(lua_State* L) {
  lua_sethook(L, raise_interrupted, LUA_MASKCOUNT, 1);
  raise(SIGPROF);
}

void on_reminder(int) {
  lua_State* const L = running;
  if (!presses || !L) return;
  reminders = reminders + 1;
  if (reminders >= kReminders && impatient) end_program(0);
  ask(L);
}

void stop(lua_State* L) {
  presses = 1;
  reminders = 0;
  request_interrupt();
  ask(L);
  remind_every(kReminderMicroseconds);
}

void on_interrupt(int) {
  const int saved = errno;
  if (!pthread_equal(pthread_self(), lua_thread)) {  // the kernel picks any thread; the hook is set by Lua's own
    pthread_kill(lua_thread, SIGINT);
  } else if (lua_State* const L = running) {
    if (presses) end_program(0);
    if (!HeldInterrupt::note()) stop(L);
  } else {
    idle_presses = 1;
  }
  errno = saved;
}

}  // namespace

void catch_interrupts(lua_State* L) {
  lua_thread = pthread_self();
  luaJIT_profile_start(
      L, "li2000000000", [](void*, lua_State*, int, int) {}, nullptr);
  struct sigaction action = {};
  action.sa_handler = on_interrupt;  // without SA_RESTART: a read at the prompt returns
  sigaction(SIGINT, &action, nullptr);
  action.sa_handler = on_reminder;
  sigaction(SIGALRM, &action, nullptr);
}

Interruptible::Interruptible(lua_State* L, IfDeaf deaf) {
  presses = 0;
  impatient = deaf == IfDeaf::EndProgram;
  running = L;
}

Interruptible::~Interruptible() {
  lua_State* const L = running;
  running = nullptr;
  disarm(L);
}

void Interruptible::disarm(lua_State* L) {
  if (!presses) return;  // a hook there may be is a script's
  remind_every(0);
  lua_sethook(L, nullptr, 0, 0);
  clear_interrupt();
}

bool Interruptible::requested() { return presses != 0; }

bool interrupted_while_idle() {
  const bool pressed = idle_presses != 0;
  idle_presses = 0;
  return pressed;
}

bool is_interrupt_pending() { return idle_presses != 0; }

}  // namespace facula::interp
