#include "interp/call.h"

#include "interp/memory.h"
#include "interp/number.h"
#include "interp/signature.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

void push_result(lua_State* L, State& S, const Value& v, const ResultType& type) {
  if (counts_positions(type.type) && v.is<Scalar>() && v.get<Scalar>().to<int64_t>() >= 0)
    push_integer(L, S, v.get<Scalar>().to<int64_t>() + 1);
  else
    push_value(L, S, v);
}

// A result that is `self` comes back as the very userdata that was given.
int push_results(lua_State* L, State& S, const Operator& op, Arguments& arguments, Results& results) {
  for (int i = 0; i < results.size(); ++i) {
    Value& v = results[i];
    if (v.is<Tensor>() && op.has_self() && arguments[0].is<Tensor>() &&
        v.get<Tensor>().is(arguments[0].get<Tensor>()) && lua_type(L, arguments.source(0)) == LUA_TUSERDATA)
      lua_pushvalue(L, arguments.source(0));
    else if (v.is<Tensor>())
      push_tensor(L, S, std::move(v.get<Tensor>()));
    else
      push_result(L, S, v, op.schema.results[static_cast<size_t>(i)]);
  }
  return results.size();
}

int call_into(lua_State* L, State& S, const Operator& op, Arguments& arguments, Results& results) {
  const int out = arguments.out();
  call_out(op, arguments.values(), to_tensors(L, S, out, op.schema.name.c_str(), "'out'"), results);
  if (!lua_istable(L, out)) {
    lua_pushvalue(L, out);
    return 1;
  }
  for (int i = 1; i <= results.size(); ++i) lua_rawgeti(L, out, i);
  return results.size();
}

int call_one(lua_State* L, Function& f, const Operator& op, Arguments& arguments) {
  State& S = *f.state;
  Results results;
  if (f.in_place) {
    check(lua_type(L, arguments.source(0)) == LUA_TUSERDATA, f.name, ": 'self' must be a tensor, got ",
          describe(L, S, arguments.source(0)));
    call_in_place(op, arguments.values(), results);
    lua_pushvalue(L, arguments.source(0));
    return 1;
  }
  if (arguments.out()) return call_into(L, S, op, arguments, results);
  call(op, arguments.values(), results);
  return push_results(L, S, op, arguments, results);
}

// ---- what to say when no overload takes the arguments ----

// A named argument that no overload knows; empty if there is none.
std::string unknown_to_all(lua_State* L, const Function& f, int top) {
  if (top == 0 || !lua_istable(L, top)) return {};
  std::vector<const Schema*> schemas;
  bool has_out = false;
  for (const Operator* op : f.overloads) {
    schemas.push_back(&op->schema);
    has_out = has_out || (op->has_out() && !f.in_place);
  }
  std::string message;
  lua_pushnil(L);
  while (lua_next(L, top) != 0) {
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING) continue;
    const std::string_view key = to_string(L, -1);
    const bool known = (has_out && key == "out") ||
                       std::any_of(schemas.begin(), schemas.end(), [&](auto* s) { return s->find(key) >= 0; });
    if (!known) message = unknown_argument(key, schemas);
  }
  return message;
}

bool has_names(lua_State* L, int index) {
  if (index == 0 || !lua_istable(L, index)) return false;
  bool found = false;
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    lua_pop(L, 1);
    found = found || lua_type(L, -1) == LUA_TSTRING;
  }
  return found;
}

// Has it as many parameters as there are arguments, and those that are named?
bool could_take(lua_State* L, const Function& f, const Operator& op, int top) {
  const bool named = has_names(L, top);
  int positions = 0;
  for (const Parameter& p : op.schema.parameters) positions += p.varargs ? top : !p.named_only;
  if (top - named > positions) return false;
  bool all = true;
  if (named) {
    lua_pushnil(L);
    while (lua_next(L, top) != 0) {
      lua_pop(L, 1);
      if (lua_type(L, -1) != LUA_TSTRING) continue;
      const std::string_view key = to_string(L, -1);
      all = all && (op.schema.find(key) >= 0 || (key == "out" && op.has_out() && !f.in_place));
    }
  }
  return all;
}

[[noreturn]] void explain(lua_State* L, const Function& f, int top) {
  std::vector<const Operator*> likely;
  for (const Operator* op : f.overloads)
    if (f.overloads.size() == 1 || could_take(L, f, *op, top)) likely.push_back(op);
  if (likely.size() == 1) {
    const Operator& op = *likely[0];
    Arguments arguments(L, *f.state, f.name, op.schema, {.explain = true, .takes_out = !f.in_place && op.has_out()});
    arguments.read(top);
  }
  lua_settop(L, top);
  std::string message = unknown_to_all(L, f, top);
  if (message.empty()) {
    message = "no form of it takes (";
    for (int i = 1; i <= top; ++i) message += text(i > 1 ? ", " : "", describe(L, *f.state, i));
    message += ')';
  }
  const char* word = "\n  expected ";
  for (const Operator* op : f.overloads) message += std::exchange(word, "\n        or ") + signature_text(op->schema);
  fail(f.name, ": ", message);
}

// Calls the first overload that takes the arguments up to `top`. Returns how many results there are, -1 if none does.
int call_fitting(lua_State* L, Function& f, int top) {
  for (const Operator* op : f.overloads) {
    Arguments arguments(L, *f.state, f.name, op->schema, {.takes_out = !f.in_place && op->has_out()});
    if (arguments.read(top)) return call_one(L, f, *op, arguments);
    lua_settop(L, top);
  }
  return -1;
}

// A last `{}` is a list of nothing where an overload takes one there, and else no options.
int call_operator(lua_State* L, Function& f) {
  const int top = lua_gettop(L);
  int results = call_fitting(L, f, top);
  if (results < 0 && is_empty_table(L, top)) {
    lua_settop(L, top - 1);
    results = call_fitting(L, f, top - 1);
    if (results < 0) lua_newtable(L);  // as good as the one that was there
  }
  if (results < 0) explain(L, f, top);
  collect_if_due(L, *f.state);
  return results;
}

// ---- where operators are found ----

template <class Predicate>
Overloads those(const Overloads& all, Predicate wanted) {
  Overloads some;
  std::copy_if(all.begin(), all.end(), std::back_inserter(some), [&](const Operator* op) { return (op->*wanted)(); });
  return some;
}

// No operator `Tensor.name` takes the place of the method `name`.
OperatorName named(std::string text, Overloads overloads, bool in_place) {
  const bool has_method = text.find('.') == std::string::npos && !registry().names().contains("Tensor." + text);
  Overloads methods = has_method ? those(overloads, &Operator::has_self) : Overloads();
  return {std::move(text), std::move(overloads), std::move(methods), in_place};
}

std::vector<OperatorName> all_names() {
  std::vector<OperatorName> all;
  const auto& names = registry().names();
  for (const auto& [text, overloads] : names) {
    if (text.starts_with('_')) continue;  // for other operators only
    all.push_back(named(text, overloads, false));
    if (text.back() == '_' || names.contains(text + '_')) continue;
    if (Overloads changing = those(overloads, &Operator::has_in_place); !changing.empty())
      all.push_back(named(text + '_', std::move(changing), true));
  }
  return all;
}

// Puts a closure for the overloads into the module, the second from the top, and for the methods into those, on top.
// `name` outlives the state.
void add(lua_State* L, State& S, const OperatorName& name) {
  auto push = [&](const Overloads& chosen) {
    Function& f = push_function(L, S, name.text, door<call_operator, Retry::Yes>);
    f.overloads = chosen;
    f.in_place = name.in_place;
  };
  push(name.overloads);
  if (!name.methods.empty()) {
    if (name.methods.size() == name.overloads.size())
      lua_pushvalue(L, -1);
    else
      push(name.methods);
    lua_setfield(L, -3, name.text.c_str());
  }
  lua_pushvalue(L, -3);
  lua_insert(L, -2);
  set_path(L, name.text);
  lua_pop(L, 1);
}

}  // namespace

void open_operators(lua_State* L, State& S) {
  static const std::vector<OperatorName> names = all_names();
  lua_rawgeti(L, LUA_REGISTRYINDEX, S.methods);
  for (const OperatorName& name : names) add(L, S, name);
  lua_pop(L, 1);
}

void add_operator(lua_State* L, State& S, const Operator& op) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, S.torch);
  lua_rawgeti(L, LUA_REGISTRYINDEX, S.methods);
  add(L, S, S.operator_names.emplace_back(named(op.schema.name, {&op}, false)));
  if (op.has_in_place()) add(L, S, S.operator_names.emplace_back(named(op.schema.name + '_', {&op}, true)));
  lua_pop(L, 2);
}

}  // namespace facula::interp
