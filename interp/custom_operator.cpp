// torch.library: operators whose forward and backward are Lua functions.
//
//     torch.library.define("twice(Tensor self, *, Scalar by=2) -> Tensor", {
//       forward = function(x, by) return x * by end,
//     })
//     x:twice{by = 3}
//
// They go through the same dispatch as all others. One without a backward is differentiated through what it calls; one
// with a backward is a torch.autograd.Function behind its signature.
#include "core/custom_operator.h"

#include "interp/call.h"
#include "interp/number.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

struct LuaOperator final : Operator {
  State* state;
  LuaRef function, spec;  // `forward`, or `apply` and the Function that is its first argument
};

// Dimensions and positions as Lua counts them.
void push_argument(lua_State* L, State& S, const Parameter& p, const Value& v) {
  const auto counted = [](int64_t i) { return i < 0 ? i : i + 1; };
  if (!counts_positions(p.type) || v.is_none()) return push_value(L, S, v);
  if (v.is<Scalar>()) return push_integer(L, S, counted(v.get<Scalar>().to<int64_t>()));
  IntList list = v.get<IntList>();
  std::transform(list.begin(), list.end(), list.begin(), counted);
  push_sizes(L, S, list);
}

Value read_result(lua_State* L, State& S, const std::string& name, const ResultType& type, int at) {
  const bool wants_tensor = type.type == Type::Tensor || type.type == Type::IndexTensor;
  if (wants_tensor && type.list) return to_tensors(L, S, at, name.c_str(), "what forward returned");
  if (wants_tensor) {
    const Tensor* t = to_tensor(L, S, at);
    check(t, name, ": forward must return a tensor, got ", describe(L, S, at));
    return *t;
  }
  Scalar s;
  check(!type.list && to_scalar(L, S, at, s), name, ": forward must return a number or a boolean, got ",
        describe(L, S, at));
  return s;
}

void invoke_lua(const Operator& op, Out&, const Value* arguments, Results& results) {
  const auto& mine = static_cast<const LuaOperator&>(op);
  const std::string& name = op.schema.name;
  check(mine.function.is_open(), name, ": its Lua state has been closed");
  State& S = *mine.state;
  lua_State* const L = S.running;
  const int top = lua_gettop(L);
  check(lua_checkstack(L, kMaxArguments + 8), name, ": the Lua stack is full");
  mine.function.push(L);
  if (mine.spec.is_open()) mine.spec.push(L);
  for (size_t i = 0; i < op.schema.parameters.size(); ++i) push_argument(L, S, op.schema.parameters[i], arguments[i]);
  call_lua(L, S, lua_gettop(L) - top - 1, LUA_MULTRET);
  const auto& expected = op.schema.results;
  const auto got = static_cast<size_t>(lua_gettop(L) - top);
  check(got == expected.size(), name, ": its signature has ", expected.size(),
        expected.size() == 1 ? " result" : " results", ", forward returned ", got);
  for (size_t i = 0; i < expected.size(); ++i)
    results.push(read_result(L, S, name, expected[i], top + 1 + static_cast<int>(i)));
  lua_settop(L, top);
}

std::string text_field(lua_State* L, const State& S, const char* field) {
  lua_getfield(L, 2, field);
  check(lua_isnil(L, -1) || lua_type(L, -1) == LUA_TSTRING, "library.define: '", field, "' must be a string, got ",
        describe(L, S, -1));
  std::string value = lua_isnil(L, -1) ? std::string() : std::string(to_string(L, -1));
  lua_pop(L, 1);
  return value;
}

// Takes `forward` alone, or makes a Function of the table; its node bears the operator's name.
void take_functions(lua_State* L, State& S, LuaOperator& op) {
  lua_getfield(L, 2, "forward");
  check(lua_isfunction(L, -1), "library.define: 'forward' must be a function, got ", describe(L, S, -1));
  lua_getfield(L, 2, "backward");
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    op.function = LuaRef(L, S);
    return;
  }
  lua_pop(L, 2);
  lua_rawgeti(L, LUA_REGISTRYINDEX, S.torch);
  lua_getfield(L, -1, "autograd");
  lua_getfield(L, -1, "Function");
  lua_getfield(L, -1, "extend");
  lua_pushvalue(L, 2);
  call_lua(L, S, 1, 1);
  lua_pushstring(L, op.schema.name.c_str());
  lua_setfield(L, -2, "name");
  lua_getfield(L, -1, "apply");
  op.function = LuaRef(L, S);
  op.spec = LuaRef(L, S);
  lua_pop(L, 3);
}

void check_signature(const Schema& schema) {
  const std::string& name = schema.name;
  check(registry().find(name).empty(), "library.define: there is an operator '", name, "' already");
  check(!name.ends_with('_'), "library.define: '", name,
        "': in-place forms come by themselves, for `name(Tensor self)`");
  check(!schema.results.empty(), "library.define: '", name, "' has no result; end its signature with -> Tensor");
  check(schema.results.size() <= kMaxResults, "library.define: '", name, "' has more than ", kMaxResults, " results");
  for (const Parameter& p : schema.parameters)
    check(p.type != Type::Any, "library.define: '", name, "': parameter '", p.name, "' needs a type");
}

// define(signature, {forward=, backward=, doc=, example=})
int define_operator(lua_State* L, Function& f) {
  State& S = *f.state;
  check(lua_type(L, 1) == LUA_TSTRING, "library.define: expected a signature, got ", describe(L, S, 1));
  check(lua_istable(L, 2), "library.define: expected a table with 'forward', got ", describe(L, S, 2));
  lua_settop(L, 2);
  auto op = std::make_shared<LuaOperator>();
  declare(*op, to_string(L, 1));
  const Schema& schema = op->schema;
  check_signature(schema);
  op->state = &S;
  op->doc = text_field(L, S, "doc");
  op->example = text_field(L, S, "example");
  take_functions(L, S, *op);
  op->is_composite = true;
  op->is_in_place = false;
  op->invoke = invoke_lua;
  complete_declaration(*op);
  add_operator(L, S, *op);
  S.operators.push_back(std::move(op));
  return 0;
}

}  // namespace

void open_custom_operators(lua_State* L, State& S) {
  const Variadic functions[] = {
      {"library.define", door<define_operator>, "signature, {forward=, backward=, doc=, example=}",
       "Defines an operator in Lua, as a function and a method with all forms of C++'s: `forward` takes the arguments "
       "in order, `backward`, where it is not made of differentiable operators, a context and the gradients.",
       "torch.library.define('twofold(Tensor self) -> Tensor', {forward=function(x) return x * 2 end})"}};
  add_variadics(L, S, functions);
}

}  // namespace facula::interp
