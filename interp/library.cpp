#include "interp/library.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <memory>

#include "core/ops.h"
#include "core/update_rule.h"
#include "core/whole_file.h"
#include "interp/number.h"
#include "interp/signature.h"
#include "interp/trace_guard.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

// ---- signatures of Lua functions ----

// Pushes a default in the words of Lua: lists as tables, numbers as the signature has them.
void push_default(lua_State* L, State& S, const Value& v) {
  push_value(L, S, v);
  if (v.is<IntList>()) {
    lua_pushnil(L);
    lua_setmetatable(L, -2);
  }
}

// Reads the arguments of a Lua function, returns them by name. What was given is handed on as it is, except that one
// number for T[n] becomes a list.
int read(lua_State* L, Function& f) {
  State& S = *f.state;
  Arguments arguments(L, S, f.name, *f.schema, {.explain = true, .counts_from_one = true});
  arguments.read(lua_gettop(L));
  check(lua_checkstack(L, 8), f.name, ": too many arguments");
  lua_createtable(L, 0, arguments.size());
  for (int i = 0; i < arguments.size(); ++i) {
    const Parameter& p = f.schema->parameters[static_cast<size_t>(i)];
    const int source = arguments.source(i);
    const bool as_given =
        source && (p.type == Type::Any || (!arguments[i].is_none() && !(p.list && !lua_istable(L, source))));
    if (as_given)
      lua_pushvalue(L, source);
    else
      push_default(L, S, arguments[i]);
    lua_setfield(L, -2, p.name.c_str());
  }
  return 1;
}

// They live as long as the state and count for no limit of memory, so there is one of their own.
constexpr size_t kLongestSignature = 4096, kMostSignatures = 65536;

int signature(Call& c) {
  const auto written = c.get<std::string>(0);
  check(written.size() <= kLongestSignature, "signature: ", written.size(), " bytes are too long, the most is ",
        kLongestSignature);
  check(c.S.schemas.size() < kMostSignatures, "signature: there are ", kMostSignatures,
        " in this state already; make functions and classes once, not in a loop");
  const Schema& schema = c.S.schemas.emplace_back(parse_schema(written));
  check(schema.parameters.size() <= static_cast<size_t>(kMaxArguments), "signature: ", schema.name, " has more than ",
        kMaxArguments, " parameters");
  Function& f = push_function(c.L, c.S, schema.name, door<read>);
  f.schema = &schema;
  lua_createtable(c.L, static_cast<int>(schema.parameters.size()), 0);
  int i = 0;
  for (const Parameter& p : schema.parameters) {
    lua_pushstring(c.L, p.name.c_str());
    lua_rawseti(c.L, -2, ++i);
  }
  return 2;
}

// ---- what there is ----

void set_string(lua_State* L, const char* field, const std::string& s) {
  push_string(L, s);
  lua_setfield(L, -2, field);
}

void push_parameters(lua_State* L, const Schema& schema) {
  lua_newtable(L);
  int i = 0;
  for (const Parameter& p : schema.parameters) {
    lua_newtable(L);
    set_string(L, "name", p.name);
    set_string(L, "type", p.type_text());
    if (!p.required) set_string(L, "default", default_text(p));
    lua_pushboolean(L, p.varargs);
    lua_setfield(L, -2, "varargs");
    lua_pushboolean(L, p.named_only);
    lua_setfield(L, -2, "named_only");
    lua_rawseti(L, -2, ++i);
  }
  lua_setfield(L, -2, "parameters");
}

void push_names(lua_State* L, const char* field, const std::vector<std::string>& names) {
  lua_newtable(L);
  int i = 0;
  for (const std::string& name : names) {
    lua_pushstring(L, name.c_str());
    lua_rawseti(L, -2, ++i);
  }
  lua_setfield(L, -2, field);
}

void push_schema(lua_State* L, const Schema& schema) {
  lua_newtable(L);
  set_string(L, "name", schema.name);
  set_string(L, "schema", signature_text(schema));
  push_parameters(L, schema);
}

void push_operator(lua_State* L, const Operator& op) {
  push_schema(L, op.schema);
  push_names(L, "aliases", op.aliases);
  set_string(L, "doc", op.doc);
  set_string(L, "example", op.example);
  const std::pair<const char*, bool> flags[] = {{"out", op.has_out()},
                                                {"in_place", op.has_in_place()},
                                                {"view", op.is_view},
                                                {"method", op.has_self()},
                                                {"differentiable", op.is_composite || !op.derivatives.empty()}};
  for (const auto& [name, value] : flags) {
    lua_pushboolean(L, value);
    lua_setfield(L, -2, name);
  }
}

// Of a function that reads its arguments itself.
void push_usage(lua_State* L, const Function& f) {
  lua_newtable(L);
  set_string(L, "name", f.name);
  set_string(L, "schema", text(f.name, '(', f.arguments, ')'));
  lua_newtable(L);
  lua_setfield(L, -2, "parameters");
  lua_pushboolean(L, true);
  lua_setfield(L, -2, "varargs");
}

int describe_operator(Call& c) {
  const auto& overloads = registry().find(c.get<std::string>(0));
  if (overloads.empty())
    lua_pushnil(c.L);
  else
    push_operator(c.L, *overloads[0]);
  return 1;
}

int operators(Call& c) {
  lua_newtable(c.L);
  int i = 0;
  for (const auto& op : registry().all()) {
    push_operator(c.L, *op);
    lua_rawseti(c.L, -2, ++i);
  }
  return 1;
}

// The signatures and texts behind a function of the binding, for help(); nil for any other value.
int describe_function(Call& c) {
  if (!lua_iscfunction(c.L, c.source(0)) || !lua_getupvalue(c.L, c.source(0), 1)) {
    lua_pushnil(c.L);
    return 1;
  }
  const void* address = lua_touserdata(c.L, -1);
  const auto known =
      std::find_if(c.S.functions.begin(), c.S.functions.end(), [&](const Function& f) { return &f == address; });
  if (known == c.S.functions.end()) {
    lua_pushnil(c.L);
    return 1;
  }
  lua_newtable(c.L);
  set_string(c.L, "name", known->name);
  int i = 0;
  for (const Operator* op : known->overloads) {
    push_operator(c.L, *op);
    lua_rawseti(c.L, -2, ++i);
  }
  if (known->overloads.empty()) {
    if (known->schema)
      push_schema(c.L, *known->schema);
    else
      push_usage(c.L, *known);
    set_string(c.L, "doc", known->doc);
    set_string(c.L, "example", known->example);
    lua_rawseti(c.L, -2, ++i);
  }
  return 1;
}

// Of the strings in a list the one that a typing mistake may have turned into `word`; nil if none is near.
int nearest_name(Call& c) {
  std::vector<std::string_view> names;  // the list keeps them alive
  const int list = c.source(1);
  check(lua_istable(c.L, list), "nearest: expected a list of names");
  for (int i = 1, n = static_cast<int>(lua_objlen(c.L, list)); i <= n; ++i) {
    lua_rawgeti(c.L, list, i);
    if (lua_type(c.L, -1) == LUA_TSTRING) names.push_back(to_string(c.L, -1));
    lua_pop(c.L, 1);
  }
  const std::string_view found = nearest(c.get<std::string>(0), names);
  if (found.empty())
    lua_pushnil(c.L);
  else
    push_string(c.L, found);
  return 1;
}

// ---- bytes ----

constexpr uint64_t kMostString = 0x7fffff00;  // of LuaJIT's strings

// The whole file, or its beginning, unpacked if it is a gzip file.
int read_file(Call& c) {
  const auto operation = c.get<std::string>(1);
  const uint64_t most = c.given(2) ? static_cast<uint64_t>(c.get<int64_t>(2)) : kMostString + 1;
  const std::string bytes = read_unpacked(c.get<std::string>(0), operation, std::min(most, kMostString + 1));
  check(bytes.size() <= kMostString, operation, ": '", c.get<std::string>(0), "' has more than 2 GB");
  push_string(c.L, bytes);
  return 1;
}

// Replaces the file whole, or leaves it as it was.
int write_file(Call& c) {
  write_whole(c.get<std::string>(0), to_string(c.L, c.source(1)), c.get<std::string>(2));
  return 0;
}

// A tensor of the numbers that begin at `offset` bytes into the string, which is not copied before.
int frombytes(Call& c) {
  check(lua_type(c.L, c.source(0)) == LUA_TSTRING, "frombytes: expected a string of bytes, got ",
        describe(c.L, c.S, c.source(0)));
  const std::string_view bytes = to_string(c.L, c.source(0));
  const auto offset = c.get<int64_t>(1);
  const auto dtype = c.get<DType>(3);
  const Sizes sizes = c.get<IntList>(2);
  const auto length = static_cast<int64_t>(bytes.size());
  const int64_t items = numel_of(sizes);
  check(dtype != DType::Bool, "frombytes: bytes are no booleans; read uint8 and use x:ne(0)");
  check(offset >= 0 && offset <= length && items <= (length - offset) / item_size(dtype), "frombytes: ", items, ' ',
        dtype, " numbers from byte ", offset, " need more than the ", length, " bytes there are");
  const Tensor t = empty(sizes, dtype);
  if (items > 0) std::memcpy(t.bytes(), bytes.data() + offset, static_cast<size_t>(items * item_size(dtype)));
  push_tensor(c.L, c.S, t);
  return 1;
}

int storage_id(Call& c) {
  lua_pushstring(c.L, text(c.tensor().storage().get()).c_str());
  return 1;
}

// ---- optimizers ----

int can_update_of(Call& c) { return c.returns(can_update(c.tensor(0), c.tensor(1))); }

int update_of(Call& c) {
  update(c.get<std::string>(0), c.get<Tensors>(2), c.get<std::vector<double>>(1));
  return 0;
}

// ---- the process ----

int monotonic(Call& c) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  lua_pushnumber(c.L, std::chrono::duration<double>(now).count());
  return 1;
}

int truncates_pointer_of(Call& c) {
  lua_pushboolean(c.L, truncates_pointer(c.arguments[0].get<std::string>(), c.get<int64_t>(1)));
  return 1;
}

int is_terminal(Call& c) {
  lua_pushboolean(c.L, isatty(static_cast<int>(c.get<int64_t>(0))));
  return 1;
}

int terminal_width(Call& c) {
  winsize size{};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  lua_pushinteger(c.L, known ? size.ws_col : 80);
  return 1;
}

constexpr Native kNatives[] = {
    {"core.signature(str text) -> any", signature},
    {"core.operator(str name) -> any", describe_operator},
    {"core.operators() -> any", operators},
    {"core.describe(any function=None) -> any", describe_function},
    {"core.nearest(str word, any names) -> any", nearest_name},
    {"core.read_file(str path, str operation='read_file', int? most=None) -> str", read_file},
    {"core.write_file(str path, str bytes, str operation='write_file')", write_file},
    {"core.frombytes(any bytes, int offset, int[] sizes, DType dtype) -> Tensor", frombytes},
    {"core.storage_id(Tensor x) -> str", storage_id},
    {"core.can_update(Tensor parameter, Tensor gradient) -> bool", can_update_of},
    {"core.update(str rule, float[] numbers, Tensor[] rows)", update_of},
    {"core.truncates_pointer(str code, int address) -> bool", truncates_pointer_of},
    {"core.isatty(int descriptor) -> bool", is_terminal},
    {"core.terminal_width() -> int", terminal_width},
    {"monotonic() -> float", monotonic, "Seconds on a clock that never goes back.", "torch.monotonic()"},
};

}  // namespace

void open_library(lua_State* L, State& S) {
  add_natives(L, S, kNatives);
  lua_pushliteral(L, FACULA_VERSION);
  lua_setfield(L, -2, "__version__");
}

}  // namespace facula::interp
