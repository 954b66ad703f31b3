// The door of facula.h: entering a state and turning what goes wrong into codes.
#include "interp/host.h"

#include "core/autograd.h"
#include "interp/limited_call.h"
#include "interp/traceback.h"

namespace facula::interp {
namespace {

thread_local std::string message_without_state;
thread_local char this_thread;  // its address tells threads apart

void keep(std::string& to, const char* message) noexcept {
  try {
    to = message;
  } catch (...) {
    to.clear();  // no memory for the text
  }
}

struct Problem {
  facula_status status = FACULA_OK;
  std::string message, traceback;
};

// The exception that is being handled.
Problem problem_of_exception() noexcept {
  Problem p;
  try {
    try {
      throw;
    } catch (const Failure& e) {
      p.status = e.status;
      p.message = e.what();
      p.traceback = e.traceback;
    } catch (const OutOfMemory& e) {
      p.status = FACULA_NO_MEMORY;
      p.message = e.what();
    } catch (const std::bad_alloc&) {
      p.status = FACULA_NO_MEMORY;
      p.message = "out of memory";
    } catch (const Interrupted& e) {
      p.status = FACULA_INTERRUPTED;
      p.message = e.what();
    } catch (const std::exception& e) {
      p.status = FACULA_ERROR;
      p.message = e.what();
    }
  } catch (...) {
    p.status = FACULA_NO_MEMORY;
  }
  return p;
}

facula_status fail_without_state(facula_status status, const char* message) {
  keep(message_without_state, message);
  return status;
}

// ---- under lua_cpcall ----

struct Work {
  Interpreter& I;
  FunctionRef<void(Interpreter&, lua_State*)> body;
  Problem problem;
};

int run(lua_State* L) {
  auto& work = *static_cast<Work*>(lua_touserdata(L, 1));
  lua_settop(L, 0);
  try {
    work.body(work.I, L);
  } catch (const std::exception&) {
    work.problem = problem_of_exception();
  }
  return 0;
}

Problem run_protected(Interpreter& I, FunctionRef<void(Interpreter&, lua_State*)> body) {
  Work work{I, body, {}};
  lua_State* const L = I.L;
  const int top = lua_gettop(L);
  const int status = lua_cpcall(L, &run, &work);
  if (status != 0) {
    const char* message = lua_tostring(L, -1);
    work.problem.status = status == LUA_ERRMEM ? FACULA_NO_MEMORY : FACULA_ERROR;
    keep(work.problem.message, message ? message : "an error without a text");
  }
  lua_settop(L, top);
  return std::move(work.problem);
}

// ---- interrupts ----

// Leaves the text of the error in the place of its value.
int explain(lua_State* L) {
  auto& I = *static_cast<Interpreter*>(lua_touserdata(L, lua_upvalueindex(1)));
  poll_interrupts(L);
  lua_settop(L, 1);
  const std::string message = error_message(L, 1);
  keep(I.traceback, traceback(L).c_str());
  lua_pushlstring(L, message.data(), message.size());
  return 1;
}

// A state's own setting of torch.set_grad_enabled, for the length of an outermost call.
class OwnGradMode {
 public:
  OwnGradMode(Interpreter& I, bool outermost) : I_(outermost ? &I : nullptr), outer_(GradMode::enabled()) {
    if (I_) GradMode::set_enabled(I_->records);
  }
  ~OwnGradMode() {
    if (!I_) return;
    I_->records = GradMode::enabled();
    GradMode::set_enabled(outer_);
  }
  OwnGradMode(const OwnGradMode&) = delete;
  OwnGradMode& operator=(const OwnGradMode&) = delete;

 private:
  Interpreter* I_;
  bool outer_;
};

// ---- one thread at a time ----

void forget_dropped(facula_state* S) {
  std::vector<LuaRef> dropped;
  const std::lock_guard lock(S->mutex);
  dropped.swap(S->dropped);
}

}  // namespace

Visit::Visit(facula_state* S, const char* frame) : S_(S) {
  const void* owner = nullptr;
  outermost_ = S->owner.compare_exchange_strong(owner, &this_thread, std::memory_order_acquire);
  if (!outermost_ && owner != &this_thread) return;
  interpreter_ = S->interpreter.get();
  if (!interpreter_) return;
  if (outermost_) {
    S->context.interrupted = false;
    forget_dropped(S);
  } else if (frame >= interpreter_->frame) {  // the stack grows down: the entry before was left
    interpreter_->broken = true;
  }
  outer_frame_ = std::exchange(interpreter_->frame, frame);
}

Visit::~Visit() {
  if (interpreter_ && S_->interpreter) interpreter_->frame = outer_frame_;
  if (outermost_) S_->owner.store(nullptr, std::memory_order_release);
}

bool is_open(const facula_state* S) { return S && S->mark.load(std::memory_order_acquire) == Mark::State; }

const char* last_message() { return message_without_state.c_str(); }

void call_protected(Interpreter& I, lua_State* L, int arguments, int results) {
  const int base = lua_gettop(L) - arguments;
  lua_pushlightuserdata(L, &I);
  lua_pushcclosure(L, explain, 1);
  lua_insert(L, base);
  const int status = lua_pcall(L, arguments, results, base);
  lua_remove(L, base);
  if (status == 0) return;
  if (status == LUA_ERRMEM && find_state(L)->max_memory) find_state(L)->memory_refused = true;
  const char* const message = lua_tostring(L, -1);
  throw Failure(limit_hit(*find_state(L)) ? FACULA_LIMIT
                : interrupt_requested()   ? FACULA_INTERRUPTED
                : status == LUA_ERRMEM    ? FACULA_NO_MEMORY
                                          : FACULA_ERROR,
                message ? message : "an error without a text", status == LUA_ERRRUN ? I.traceback : std::string());
}

facula_status enter(facula_state* S, const char* name, FunctionRef<void(Interpreter&, lua_State*)> body) {
  if (!is_open(S))
    return outside([&] { expect(false, name, S ? ": the first argument is no open state" : ": the state is NULL"); });
  const Visit visit(S, static_cast<const char*>(__builtin_frame_address(0)));
  Interpreter* const I = visit.interpreter();
  if (!I) return outside([&] { throw Failure(FACULA_BUSY, text(name, ": another thread is inside the state")); });
  if (I->broken) {
    keep(I->message, "a host function was left by longjmp: the state can only be closed");
    return FACULA_INVALID;
  }
  const ContextGuard guard(S->context);
  const OwnGradMode mode(*I, visit.is_outermost());
  const LimitedCall limited(*find_state(I->L));
  Problem problem = run_protected(*I, body);
  if (visit.is_outermost() && interrupt_requested()) {
    clear_interrupt();
    poll_interrupts(I->L);
  }
  if (problem.status == FACULA_OK) return FACULA_OK;
  I->message = std::move(problem.message);
  I->traceback = std::move(problem.traceback);
  return problem.status;
}

facula_status outside(FunctionRef<void()> body) {
  try {
    body();
    return FACULA_OK;
  } catch (const std::exception&) {
    const Problem problem = problem_of_exception();
    return fail_without_state(problem.status, problem.message.c_str());
  }
}

}  // namespace facula::interp
