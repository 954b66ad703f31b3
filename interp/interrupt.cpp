#include "interp/interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "core/parallel.h"
#include "interp/held_interrupt.h"

namespace facula::interp {
namespace {

constexpr unsigned kPatience = 1;  // seconds

// What the handlers see.
pthread_t lua_thread;
lua_State* volatile running = nullptr;
volatile sig_atomic_t impatient = 0, presses = 0, idle_presses = 0;

[[noreturn]] void end_program(int) {
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, "interrupted\n", 12);
  _exit(kInterruptedExit);
}

void raise_interrupted(lua_State* L, lua_Debug*) {
  Interruptible::disarm(L);
  luaL_error(L, "interrupted");
}

void stop(lua_State* L) {
  presses = 1;
  request_interrupt();
  lua_sethook(L, raise_interrupted, LUA_MASKCOUNT, 1);
  if (impatient) alarm(kPatience);
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

void catch_interrupts() {
  lua_thread = pthread_self();
  struct sigaction action = {};
  action.sa_handler = on_interrupt;  // without SA_RESTART: a read at the prompt returns
  sigaction(SIGINT, &action, nullptr);
  action.sa_handler = end_program;
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
  lua_sethook(L, nullptr, 0, 0);
  alarm(0);
  clear_interrupt();
}

bool Interruptible::requested() { return presses != 0; }

bool interrupted_while_idle() {
  const bool pressed = idle_presses != 0;
  idle_presses = 0;
  return pressed;
}

}  // namespace facula::interp
