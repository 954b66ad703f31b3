// facula.h: calls from the host into Lua, and from Lua into the host.
#include "interp/host.h"
#include "interp/register.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

// ---- into Lua ------------------------------------------------------------------------------------------------------------

void check_lists(const char* where, const void* in, size_t n_in, const void* out, size_t n_out) {
  constexpr size_t kMost = 7000;  // a little less than Lua's stack of C functions holds
  expect(in || n_in == 0, where, ": in is NULL");
  expect(out || n_out == 0, where, ": out is NULL");
  expect(n_in < kMost && n_out < kMost, where, ": more than ", kMost, " values");
}

void make_room(lua_State* L, const char* where, size_t values) {
  check(lua_checkstack(L, static_cast<int>(values) + 16), where, ": the Lua stack is full");
}

// Results on their way to the host: what has been made is released if a later one cannot be.
template <class T, void (*release_one)(T&)>
class Results {
 public:
  explicit Results(T* out) : out_(out) {}
  ~Results() {
    while (count_ > 0) release_one(out_[--count_]);
  }
  Results(const Results&) = delete;
  Results& operator=(const Results&) = delete;

  void add(T result) { out_[count_++] = result; }
  void keep() { count_ = 0; }

 private:
  T* out_;
  size_t count_ = 0;
};
void release_value(facula_value& v) { release(v, Strings::Copied); }
void release_tensor(facula_tensor*& t) { facula_tensor_release(std::exchange(t, nullptr)); }

// Calls the function on top of the stack.
void call_values(facula_state* S, Interpreter& I, lua_State* L, const char* where, const facula_value* in, size_t n_in,
                 facula_value* out, size_t n_out) {
  make_room(L, where, n_in + n_out);
  const int function = lua_gettop(L);
  for (size_t i = 0; i < n_in; ++i) push_host_value(S, L, in[i], text(where, ": in[", i, "]").c_str());
  call_protected(I, L, static_cast<int>(n_in), static_cast<int>(n_out));
  Results<facula_value, release_value> results(out);
  for (size_t i = 0; i < n_out; ++i) results.add(to_host_value(S, L, function + static_cast<int>(i), Strings::Copied));
  results.keep();
}

void call_tensors(Interpreter& I, lua_State* L, const char* name, facula_tensor* const* in, size_t n_in,
                  facula_tensor** out, size_t n_out) {
  State& S = *find_state(L);
  make_room(L, "facula_call", n_in + n_out);
  const int function = lua_gettop(L);
  for (size_t i = 0; i < n_in; ++i) push_tensor(L, S, tensor_behind(in[i], text("facula_call: in[", i, "]").c_str()));
  call_protected(I, L, static_cast<int>(n_in), static_cast<int>(n_out));
  Results<facula_tensor*, release_tensor> results(out);
  for (size_t i = 0; i < n_out; ++i) {
    const int at = function + static_cast<int>(i);
    const Tensor* t = to_tensor(L, S, at);
    check(t, "facula_call: result ", i, " of '", name, "' is a ", luaL_typename(L, at), ", expected a tensor");
    results.add(new_handle(*t));
  }
  results.keep();
}

// ---- into the host -------------------------------------------------------------------------------------------------------

struct HostFunction {
  HostFunction(facula_state* state, facula_function fn, void* with, std::string called)
      : S(state), function(fn), user(with), name(std::move(called)) {}
  ~HostFunction() {
    try {
      if (done) done(user);
    } catch (...) {  // nobody is left to be told
    }
  }
  HostFunction(const HostFunction&) = delete;
  HostFunction& operator=(const HostFunction&) = delete;

  facula_state* S;
  facula_function function;
  void* user;
  void (*done)(void*) = nullptr;  // set once it is registered
  std::string name;
};
using HostFunctionOwner = std::unique_ptr<HostFunction>;

// A call of a host function: its values, released at the end.
struct HostCall {
  std::vector<facula_value> in;
  facula_value out[FACULA_MAX_RESULTS] = {};
  size_t n_out = 0;

  HostCall() = default;
  HostCall(const HostCall&) = delete;
  HostCall& operator=(const HostCall&) = delete;
  ~HostCall() {
    for (size_t i = 0; i < n_out; ++i)
      if (!is_argument(out[i])) release(out[i], Strings::Lent);
    for (facula_value& v : in) release(v, Strings::Lent);
  }

 private:
  // A host function may hand an argument back as it came.
  bool is_argument(const facula_value& v) const {
    const int type = number_in(v.type);
    for (const facula_value& a : in)
      if (a.type == type && ((type == FACULA_TENSOR && a.as.tensor == v.as.tensor) ||
                             (type == FACULA_REFERENCE && a.as.reference == v.as.reference)))
        return true;
    return false;
  }
};

// Calls into the host go on where the script is.
class Elsewhere {
 public:
  Elsewhere(Interpreter& I, lua_State* L) : I_(I), outer_(I.L) { I.L = L; }
  ~Elsewhere() { I_.L = outer_; }
  Elsewhere(const Elsewhere&) = delete;
  Elsewhere& operator=(const Elsewhere&) = delete;

 private:
  Interpreter& I_;
  lua_State* outer_;
};

void call_function(const HostFunction& f, Interpreter& I, HostCall& call) {
  I.message.clear();
  facula_status status = FACULA_ERROR;
  bool threw = false;
  try {
    size_t n = 0;
    status = f.function(f.S, call.in.data(), call.in.size(), call.out, &n, f.user);
    call.n_out = std::min<size_t>(n, FACULA_MAX_RESULTS);
    check(n <= FACULA_MAX_RESULTS, f.name, ": the host function gave ", n, " results, more than FACULA_MAX_RESULTS");
  } catch (const std::exception& e) {
    I.message = text(f.name, ": the host function threw: ", e.what());
    threw = true;
  } catch (...) {
    I.message = f.name + ": the host function threw an exception";
    threw = true;
  }
  if (threw || status != FACULA_OK) fail(I.message.empty() ? f.name + ": the host function failed" : I.message);
}

int call_host(lua_State* L, Function&) {
  const auto& owner = *static_cast<HostFunctionOwner*>(lua_touserdata(L, lua_upvalueindex(2)));
  check(owner != nullptr, "a host function was called by a finalizer after it had been collected");
  const HostFunction& f = *owner;
  Interpreter* const I = f.S->interpreter.get();
  check(I && is_open(f.S), f.name, ": the state is being closed");
  const Elsewhere elsewhere(*I, L);
  HostCall call;
  const int top = lua_gettop(L);
  call.in.reserve(static_cast<size_t>(top));
  for (int i = 1; i <= top; ++i) call.in.push_back(to_host_value(f.S, L, i, Strings::Lent));
  call_function(f, *I, call);
  for (size_t i = 0; i < call.n_out; ++i) push_host_value(f.S, L, call.out[i], text(f.name, ": result ", i).c_str());
  return static_cast<int>(call.n_out);
}

// Pushes the function: the door's description is its first upvalue, the host's part its second.
HostFunction& push_host_function(lua_State* L, State& S, HostFunctionOwner owner) {
  HostFunction& f = *owner;
  if (!S.host_function.address) {
    new_metatable(L, S.host_function, "a function of the host");
    const Metamethod metamethods[] = {{"__gc", collect_object<HostFunctionOwner, &State::host_function>}};
    set_metamethods(L, S, metamethods);
    lua_pop(L, 1);
  }
  push_description(L, S, f.name);
  push_object(L, S.host_function, std::move(owner));
  lua_pushcclosure(L, door<call_host>, 2);
  return f;
}

}  // namespace
}  // namespace facula::interp

using namespace facula;
using namespace facula::interp;

facula_status facula_call(facula_state* S, const char* name, facula_tensor* const* in, size_t n_in, facula_tensor** out,
                          size_t n_out) {
  for (size_t i = 0; out && i < n_out; ++i) out[i] = nullptr;
  return enter(S, "facula_call", [&](Interpreter& I, lua_State* L) {
    check_lists("facula_call", in, n_in, out, n_out);
    push_callable(I, L, "facula_call", name);
    call_tensors(I, L, name, in, n_in, out, n_out);
  });
}

facula_status facula_call_values(facula_state* S, const char* name, const facula_value* in, size_t n_in,
                                 facula_value* out, size_t n_out) {
  for (size_t i = 0; out && i < n_out; ++i) out[i] = {FACULA_NIL, {}};
  return enter(S, "facula_call_values", [&](Interpreter& I, lua_State* L) {
    check_lists("facula_call_values", in, n_in, out, n_out);
    push_callable(I, L, "facula_call_values", name);
    call_values(S, I, L, "facula_call_values", in, n_in, out, n_out);
  });
}

facula_status facula_call_reference(facula_state* S, const facula_reference* function, const facula_value* in,
                                    size_t n_in, facula_value* out, size_t n_out) {
  for (size_t i = 0; out && i < n_out; ++i) out[i] = {FACULA_NIL, {}};
  return enter(S, "facula_call_reference", [&](Interpreter& I, lua_State* L) {
    check_lists("facula_call_reference", in, n_in, out, n_out);
    facula_value held = {FACULA_REFERENCE, {}};
    held.as.reference = const_cast<facula_reference*>(function);
    push_host_value(S, L, held, "facula_call_reference: the function");
    call_values(S, I, L, "facula_call_reference", in, n_in, out, n_out);
  });
}

facula_status facula_register(facula_state* S, const char* name, facula_function function, void* user,
                              void (*done)(void* user)) {
  return enter(S, "facula_register", [&](Interpreter& I, lua_State* L) {
    expect(name && *name, "facula_register: the name is ", name ? "empty" : "NULL");
    expect(function, "facula_register: the function is NULL");
    HostFunction& f = push_host_function(L, *find_state(L), std::make_unique<HostFunction>(S, function, user, name));
    lua_pushvalue(L, -1);
    set_global(I, L, "facula_register", name);
    f.done = done;
  });
}
