// What stands behind the handles of facula.h, and the door through which every call of the host comes in.
//
// Note [Calls of the host]
// `enter` is the only way in. It tells whether the handle is a state, takes the state for this thread, lets core work with
// the state's context, and runs the body under lua_cpcall, so that neither a Lua error nor a C++ exception gets out.
// Bodies throw; Failure carries a status of its own. Callbacks of the host run inside and may come in again.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/context.h"
#include "core/parallel.h"
#include "interp/enumeration.h"
#include "interp/error.h"
#include "interp/facula.h"

namespace facula::interp {

/// What a handle is, in its first word. Objects behind handles are used again but never freed (see Pool), so a handle can
/// be asked at any time.
enum class Mark : uint64_t {
  State = 0xFAC01A0057A7E000,
  Tensor = 0xFAC01A007E450000,
  Reference = 0xFAC01A004EF00000,
  None = 0
};

/// Objects with a `mark`. Those that were put back wait for the next use.
template <class T>
class Pool {
 public:
  /// Throws bad_alloc.
  T* take() {
    std::lock_guard lock(mutex_);
    if (free_.empty()) {
      all_.push_back(std::make_unique<T>());
      free_.reserve(all_.size());  // so that `put` needs no memory
      return all_.back().get();
    }
    T* object = free_.back();
    free_.pop_back();
    return object;
  }
  void put(T* object) {
    std::lock_guard lock(mutex_);
    free_.push_back(object);
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<T>> all_;
  std::vector<T*> free_;
};

/// An open interpreter of the host.
struct Interpreter {
  lua_State* L;  // where the next call runs: the main thread, or the coroutine that called a host function
  const char* frame = nullptr;  // address of the innermost entry, to tell when it was left by longjmp
  bool broken = false;          // it was
  bool records = true;          // torch.set_grad_enabled, which core keeps by thread
  std::string message, traceback;
};

/// A failure with a status of its own. `traceback` is where the script was.
class Failure : public Error {
 public:
  Failure(facula_status code, const std::string& message, std::string where = {})
      : Error(message), status(code), traceback(std::move(where)) {}
  const facula_status status;
  const std::string traceback;
};

/// An argument that the host got wrong.
template <class... Parts>
void expect(bool good, const Parts&... parts) {
  if (!good) [[unlikely]]
    throw Failure(FACULA_INVALID, text(parts...));
}

/// A thread's stay in a state: the outermost of it, or one in a callback of the host.
class Visit {
 public:
  explicit Visit(facula_state* S, const char* frame);
  ~Visit();
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

  /// Null where another thread is inside, or the state has been closed.
  Interpreter* interpreter() const { return interpreter_; }
  bool is_outermost() const { return outermost_; }

 private:
  facula_state* S_;
  Interpreter* interpreter_ = nullptr;
  const char* outer_frame_ = nullptr;
  bool outermost_;
};

/// Is it the handle of an open state?
bool is_open(const facula_state* S);

/// Runs `body` in the state; `name` is the function's of the host, for messages.
facula_status enter(facula_state* S, const char* name, FunctionRef<void(Interpreter&, lua_State*)> body);
/// Runs what needs no state; a failure's text goes where facula_message(NULL) finds it.
facula_status outside(FunctionRef<void()> body);

/// Calls the function below its `arguments` values. An error becomes a Failure with a traceback.
void call_protected(Interpreter& I, lua_State* L, int arguments, int results);

facula_tensor* new_handle(Tensor t);
/// The tensor behind a handle; `what` names the argument in the error.
const Tensor& tensor_behind(const facula_tensor* t, const char* what);

/// Takes the value from the top of the stack.
facula_reference* new_reference(facula_state* S, lua_State* L);

/// Are the strings in a value of the host copies of its own, or Lua's?
enum class Strings : bool { Lent, Copied };

/// Pushes a value of the host; `what` names it in errors.
void push_host_value(facula_state* S, lua_State* L, const facula_value& v, const char* what);
/// The Lua value at `index` for the host.
facula_value to_host_value(facula_state* S, lua_State* L, int index, Strings strings);
void release(facula_value& v, Strings strings);

/// Pushes what stands at a path of globals, or else of torch. `where` names the caller in the error.
void push_callable(Interpreter& I, lua_State* L, const char* where, const char* path);
/// Puts the value on top of the stack at a path of globals, and pops it.
void set_global(Interpreter& I, lua_State* L, const char* where, const char* path);

/// The text of the last failure without a state in this thread.
const char* last_message();

}  // namespace facula::interp

struct facula_state {
  std::atomic<facula::interp::Mark> mark{facula::interp::Mark::None};
  std::atomic<const void*> owner{nullptr};  // the thread that is inside, by the address of something of its own
  facula::Context context;                  // outlives the interpreter: other threads interrupt at any time
  std::unique_ptr<facula::interp::Interpreter> interpreter;
  std::mutex mutex;                             // of `dropped`
  std::vector<facula::interp::LuaRef> dropped;  // references released while another thread was inside
};

struct facula_tensor {
  std::atomic<facula::interp::Mark> mark{facula::interp::Mark::None};
  facula::Tensor tensor;
};

struct facula_reference {
  std::atomic<facula::interp::Mark> mark{facula::interp::Mark::None};
  facula_state* state = nullptr;
  facula::interp::LuaRef value;
};
