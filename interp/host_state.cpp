// facula.h: opening and closing states, and running code in them.
#include <cstring>

#include "interp/host.h"
#include "interp/limited_call.h"

using namespace facula;
using namespace facula::interp;

namespace {

Pool<facula_state>& states() {
  static auto* pool = new Pool<facula_state>;  // handles are asked after everything else is gone
  return *pool;
}

// What the host gave, with defaults for fields it does not know. Fields that this library does not know must be zero.
facula_options complete(const facula_options* given) {
  facula_options options = {};
  options.size = sizeof options;
  if (!given) return options;
  const size_t size = given->size;
  expect(size >= offsetof(facula_options, folders), "facula_open: options.size is ", size,
         ", expected sizeof(facula_options), ", sizeof options);
  for (size_t i = sizeof options; i < size; ++i)
    expect(reinterpret_cast<const char*>(given)[i] == 0, "facula_open: the options are newer than this library");
  std::memcpy(&options, given, std::min(size, sizeof options));
  expect(options.threads >= 0 && options.threads <= 1024, "facula_open: options.threads is ", options.threads,
         ", expected 1 to 1024, or 0 for as it is");
  expect(options.timeout >= 0, "facula_open: options.timeout is ", options.timeout, " seconds");
  expect(options.folders || options.folder_count == 0, "facula_open: options.folders is NULL");
  return options;
}

Writer writer(facula_writer write, void* user) {
  if (!write) return {};
  return [=](std::string_view text) {
    try {
      write(user, text.data(), text.size());
    } catch (...) {
      fail("the host's function for output threw an exception");
    }
  };
}

StateOptions state_options(const facula_options& options) {
  StateOptions s;
  s.sandbox = options.sandbox != 0;
  for (size_t i = 0; i < options.folder_count; ++i) {
    expect(options.folders[i], "facula_open: options.folders[", i, "] is NULL");
    s.folders.emplace_back(options.folders[i]);
  }
  s.max_memory = options.max_memory;
  s.timeout = options.timeout;
  s.max_instructions = options.max_instructions;
  s.interruptible = options.interruptible != 0;
  s.output = writer(options.output, options.user);
  s.error = writer(options.error, options.user);
  return s;
}

struct PutBack {
  void operator()(facula_state* S) const { states().put(S); }
};

facula_state* open(const facula_options& options) {
  const StateOptions how = state_options(options);
  if (options.threads) set_num_threads(options.threads);
  std::unique_ptr<facula_state, PutBack> S(states().take());
  S->context.reset();
  const ContextGuard guard(S->context);
  if (options.seeded) default_generator()->manual_seed(options.seed);
  auto interpreter = std::make_unique<Interpreter>();
  interpreter->L = open_lua_state(how);
  poll_interrupts(interpreter->L);
  S->interpreter = std::move(interpreter);
  S->mark.store(Mark::State, std::memory_order_release);
  return S.release();
}

// Leaves the chunk on the stack.
void compile(lua_State* L, std::string_view code, const char* chunk_name) {
  const std::string name(chunk_name ? chunk_name : code.substr(0, 60));
  const char* const mode = find_state(L)->environment != LUA_NOREF ? "t" : nullptr;  // no bytecode in a sandbox
  if (luaL_loadbufferx(L, code.data(), code.size(), name.c_str(), mode) != 0) fail(lua_tostring(L, -1));
}

}  // namespace

int facula_abi_version(void) { return FACULA_ABI_VERSION; }
const char* facula_version(void) { return FACULA_VERSION; }

facula_status facula_open(const facula_options* options, facula_state** out) {
  if (out) *out = nullptr;
  return outside([&] {
    expect(out, "facula_open: out is NULL");
    *out = open(complete(options));
  });
}

void facula_close(facula_state* S) {
  if (!is_open(S)) return;
  std::unique_ptr<Interpreter> interpreter;
  {
    const Visit visit(S, static_cast<const char*>(__builtin_frame_address(0)));
    Interpreter* const I = visit.interpreter();
    if (!I || (!visit.is_outermost() && !I->broken)) {
      outside([&] { expect(false, "facula_close: the state is running, ", I ? "here" : "in another thread"); });
      return;
    }
    const ContextGuard guard(S->context);
    S->mark = Mark::None;  // finalizers that call in are told so
    close_lua_state(find_state(I->L)->L);
    interpreter = std::move(S->interpreter);
    const std::lock_guard lock(S->mutex);
    S->dropped.clear();
  }
  S->owner = nullptr;  // also where a longjmp went over the end of a visit
  states().put(S);
}

const char* facula_message(const facula_state* S) {
  const Interpreter* const I = is_open(S) ? S->interpreter.get() : nullptr;
  return I ? I->message.c_str() : last_message();
}

const char* facula_traceback(const facula_state* S) {
  const Interpreter* const I = is_open(S) ? S->interpreter.get() : nullptr;
  return I ? I->traceback.c_str() : "";
}

facula_status facula_interrupt(facula_state* S) {
  return outside([&] {
    expect(is_open(S), "facula_interrupt: expected an open state");
    S->context.interrupted = true;
  });
}

facula_status facula_fail(facula_state* S, const char* message) {
  return enter(S, "facula_fail", [&](Interpreter&, lua_State*) { fail(message ? message : "the host failed"); });
}

facula_status facula_run_buffer(facula_state* S, const char* code, size_t length, const char* chunk_name) {
  return enter(S, "facula_run_buffer", [&](Interpreter& I, lua_State* L) {
    expect(code || length == 0, "facula_run_buffer: code is NULL");
    compile(L, {code, length}, chunk_name);
    call_protected(I, L, 0, 0);
  });
}

facula_status facula_run_string(facula_state* S, const char* code, const char* chunk_name) {
  return enter(S, "facula_run_string", [&](Interpreter& I, lua_State* L) {
    expect(code, "facula_run_string: code is NULL");
    compile(L, code, chunk_name);
    call_protected(I, L, 0, 0);
  });
}

facula_status facula_run_file(facula_state* S, const char* path) {
  return enter(S, "facula_run_file", [&](Interpreter& I, lua_State* L) {
    expect(path, "facula_run_file: path is NULL");
    if (luaL_loadfile(L, path) != 0) fail(lua_tostring(L, -1));
    call_protected(I, L, 0, 0);
  });
}

facula_status facula_compile(facula_state* S, const char* code, size_t length, const char* chunk_name,
                             facula_reference** out) {
  if (out) *out = nullptr;
  return enter(S, "facula_compile", [&](Interpreter&, lua_State* L) {
    expect(out, "facula_compile: out is NULL");
    expect(code || length == 0, "facula_compile: code is NULL");
    compile(L, {code, length}, chunk_name);
    *out = new_reference(S, L);
  });
}
