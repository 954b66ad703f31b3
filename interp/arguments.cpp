#include "interp/arguments.h"

#include <algorithm>

#include "interp/number.h"
#include "interp/signature.h"
#include "interp/types.h"

namespace facula::interp {

// Note [What a Lua value can stand for]
// nil is "not given". A number is a Scalar, a float, a 0-dim tensor that promotes like a number and, if integral, an
// int; for a list it is a list of one, for T[n] n equal ones, for T[]... the numbers behind it belong to the list as
// well. A table with integer keys, or without any, is a list. `false` is None where None is allowed but not the
// default, and where a tensor may be left out. Dimensions and positions are counted from 1 in Lua and from 0 in core;
// negative ones stay as they are.

static std::string wanted(const Parameter& p) {
  return p.type == Type::Operand && !p.list ? "a Tensor or a number" : p.type_text();
}

bool Arguments::misfit(const Parameter& p, int index) const {
  if (!manner_.explain) return false;
  return misfit_because("argument '", p.name, "' must be ", wanted(p), ", got ", describe(L_, S_, index));
}

int64_t Arguments::translated(const Parameter& p, int64_t v) const {
  if (!counts_positions(p.type)) return v;
  check(v != 0, name_, ": argument '", p.name, "' is 0, but ", p.type == Type::Index ? "positions" : "dimensions",
        " are 1-based (1 is the first, -1 the last)");
  return v > 0 && !manner_.counts_from_one ? v - 1 : v;
}

bool Arguments::read_item(const Parameter& p, int index, Value& v) {
  const int type = lua_type(L_, index);
  int64_t i;
  Scalar s;
  switch (p.type) {
    case Type::Tensor:
    case Type::Operand:
      if (type == LUA_TUSERDATA) {
        const Tensor* t = to_tensor(L_, S_, index);
        if (!t) return false;
        v = *t;
        return true;
      }
      if (p.type == Type::Tensor || !to_scalar(L_, S_, index, s)) return false;
      v = number_tensor(s);
      return true;
    case Type::IndexTensor:
      if (const Tensor* t = to_tensor(L_, S_, index)) {
        v = *t;
        return true;
      }
      if (!to_integer(L_, S_, index, i)) return false;
      v = scalar_tensor(Scalar(i), DType::Int64);
      return true;
    case Type::Scalar:
      if (!to_scalar(L_, S_, index, s)) return false;
      v = s;
      return true;
    case Type::Int:
    case Type::Dim:
    case Type::NewDim:
    case Type::Index:
      if (!to_integer(L_, S_, index, i)) return false;
      v = translated(p, i);
      return true;
    case Type::Float:
      if (type == LUA_TBOOLEAN || !to_scalar(L_, S_, index, s) || s.is_complex()) return false;
      v = s;
      return true;
    case Type::Bool:
      if (type != LUA_TBOOLEAN) return false;
      v = lua_toboolean(L_, index) != 0;
      return true;
    case Type::String:
      if (type != LUA_TSTRING) return false;
      v = std::string(to_string(L_, index));
      return true;
    case Type::DType:
      if (const DType* t = to_dtype(L_, S_, index)) {
        v = *t;
        return true;
      }
      return false;
    case Type::Device:
      if (const Device* d = to_device(L_, S_, index)) {
        v = *d;
        return true;
      }
      if (type != LUA_TSTRING) return false;
      v = parse_device(to_string(L_, index));
      return true;
    case Type::Generator:
      if (const Ref<Generator>* g = to_generator(L_, S_, index)) {
        v = *g;
        return true;
      }
      return false;
    case Type::Any: return true;
  }
  __builtin_unreachable();
}

// Calls f(position in the list, stack index) for the items of the table at `table`, or for the stack from `first` to
// `last`.
template <class F>
static bool each_item(lua_State* L, int table, int first, int last, F&& f) {
  if (!table) {
    for (int i = first; i <= last; ++i)
      if (!f(i - first + 1, i)) return false;
    return true;
  }
  for (int i = 1, n = static_cast<int>(lua_objlen(L, table)); i <= n; ++i) {
    lua_rawgeti(L, table, i);
    if (!f(i, lua_gettop(L))) return false;
    lua_pop(L, 1);
  }
  return true;
}

bool Arguments::read_tensors(const Parameter& p, int table, int first, int last, Value& v) {
  Tensors list;
  list.reserve(table ? lua_objlen(L_, table) : static_cast<size_t>(last - first + 1));
  const bool good = each_item(L_, table, first, last, [&](int i, int at) {
    Value item;
    if (p.optional_items && !lua_toboolean(L_, at)) {
      list.emplace_back();
    } else if (read_item(p, at, item)) {
      list.push_back(std::move(item.get<Tensor>()));
    } else if (manner_.explain) {
      return misfit_because("argument '", p.name, "' must be ", wanted(p), ", got a list whose item ", i, " is ",
                            describe(L_, S_, at));
    } else {
      return false;
    }
    return true;
  });
  if (good) v = std::move(list);
  return good;
}

bool Arguments::read_numbers(const Parameter& p, int table, int first, int last, Value& v) {
  IntList integers;
  std::vector<double> floats;
  const bool good = each_item(L_, table, first, last, [&](int i, int at) {
    int64_t n;
    Scalar s;
    if (p.type == Type::Float && lua_type(L_, at) != LUA_TBOOLEAN && to_scalar(L_, S_, at, s) && !s.is_complex()) {
      floats.push_back(s.to<double>());
    } else if (p.type == Type::Bool && lua_isboolean(L_, at)) {
      integers.push_back(lua_toboolean(L_, at));
    } else if (p.type != Type::Float && p.type != Type::Bool && to_integer(L_, S_, at, n)) {
      integers.push_back(translated(p, n));
    } else if (manner_.explain) {
      return misfit_because("argument '", p.name, "' must be ", wanted(p), ", got a list whose item ", i, " is ",
                            describe(L_, S_, at));
    } else {
      return false;
    }
    return true;
  });
  if (!good) return false;
  const size_t n = p.type == Type::Float ? floats.size() : integers.size();
  if (p.fixed && p.optional && n == 0) return true;  // none
  if (p.fixed && n != 1 && n != static_cast<size_t>(p.fixed))
    return misfit_because("argument '", p.name, "' must be ", wanted(p), ", got a list of ", n);
  if (p.type == Type::Float) {
    if (p.fixed && n == 1) floats.assign(static_cast<size_t>(p.fixed), floats[0]);
    v = std::move(floats);
  } else {
    if (p.fixed && n == 1) integers.assign(static_cast<size_t>(p.fixed), integers[0]);
    v = std::move(integers);
  }
  return true;
}

bool Arguments::read_lists(const Parameter& p, int index, Value& v) {
  if (!lua_istable(L_, index) || static_cast<int>(lua_objlen(L_, index)) != p.lists) return misfit(p, index);
  IntList all;
  size_t length = 0;
  const bool good = each_item(L_, index, 0, 0, [&](int i, int at) {
    Value list;
    if (!lua_istable(L_, at)) return misfit(p, index);
    if (!read_numbers(p, at, 0, 0, list)) return false;
    const IntList& numbers = list.get<IntList>();
    if (i == 1) length = numbers.size();
    for (const int64_t n : numbers) all.push_back(n);
    return numbers.size() == length ||
           misfit_because("argument '", p.name, "' must be ", wanted(p), " of equal length, got ", length, " and ",
                          numbers.size(), " items");
  });
  if (good) v = std::move(all);
  return good;
}

bool Arguments::read_list(const Parameter& p, int index, Value& v) {
  if (p.lists) return read_lists(p, index, v);
  if (lua_istable(L_, index)) return p.is_tensor() ? read_tensors(p, index, 0, 0, v) : read_numbers(p, index, 0, 0, v);
  int64_t i;
  Scalar s;
  const bool one = !p.is_tensor() && (p.type == Type::Bool    ? lua_isboolean(L_, index)
                                      : p.type == Type::Float ? to_scalar(L_, S_, index, s)
                                                              : to_integer(L_, S_, index, i));
  return one ? read_numbers(p, 0, index, index, v) : misfit(p, index);
}

bool Arguments::read_one(const Parameter& p, int index, Value& v) {
  const bool is_false = lua_isboolean(L_, index) && !lua_toboolean(L_, index);
  if (is_false && p.optional && p.type != Type::Bool && p.type != Type::Any && (p.is_tensor() || !p.fallback.is_none()))
    return true;
  if (p.type == Type::Any) return true;
  if (p.list) return read_list(p, index, v);
  if (p.type == Type::IndexTensor && lua_istable(L_, index)) {
    if (!read_numbers(p, index, 0, 0, v)) return false;
    v = position_tensor(v.get<IntList>());
    return true;
  }
  return read_item(p, index, v) || misfit(p, index);
}

bool Arguments::read_varargs(const Parameter& p, int first, int last, Value& v) {
  return p.is_tensor() ? read_tensors(p, 0, first, last, v) : read_numbers(p, 0, first, last, v);
}

// Borrowed: their handles stay on the stack.
int Arguments::take_tensors(int top) {
  const Parameter* p = schema_.parameters.data();
  int i = 0;
  for (; i < top && i < count_ && p[i].is_operand(); ++i) {
    const Tensor* t = to_tensor(L_, S_, i + 1);
    if (!t) break;
    sources_[i] = static_cast<int16_t>(i + 1);
    (*this)[i].borrow(*t);
  }
  borrowed_ = i;
  return i;
}

bool is_empty_table(lua_State* L, int index) {
  if (!lua_istable(L, index)) return false;
  lua_pushnil(L);
  if (!lua_next(L, index)) return true;
  lua_pop(L, 2);
  return false;
}

// `{}` behind the arguments: no options, unless a list must or may well stand there. Where something else is expected,
// other overloads are asked first.
bool Arguments::stands_for_no_options(int i, int at) const {
  const Parameter* p = i < count_ ? &schema_.parameters[static_cast<size_t>(i)] : nullptr;
  if (!is_empty_table(L_, at)) return false;
  if (p && !p->named_only && p->list && p->optional) return true;
  if (p && !p->named_only && (p->required || p->list || p->type == Type::Any || p->type == Type::IndexTensor))
    return false;
  return manner_.explain;
}

bool Arguments::read_positional(int first, int last) {
  const auto& parameters = schema_.parameters;
  int i = first - 1;
  for (int at = first; at <= last; ++at, ++i) {
    if (lua_isnil(L_, at)) continue;
    if (at == last && stands_for_no_options(i, at)) return true;
    if (i >= count_ || parameters[static_cast<size_t>(i)].named_only) {
      const auto most =
          std::count_if(parameters.begin(), parameters.end(), [](const Parameter& p) { return !p.named_only; });
      return misfit_because("takes at most ", most, " positional argument", most == 1 ? "" : "s", ", got ", last);
    }
    const Parameter& p = parameters[static_cast<size_t>(i)];
    sources_[i] = static_cast<int16_t>(at);
    if (p.varargs && !lua_istable(L_, at)) return read_varargs(p, at, last, (*this)[i]);
    if (!read_one(p, at, (*this)[i])) return false;
  }
  return true;
}

// Values stay on the stack, below the key that lua_next goes on from.
bool Arguments::read_named(int table) {
  if (!lua_checkstack(L_, 2 * kMaxArguments)) fail(name_, ": too many arguments");
  lua_pushnil(L_);
  while (lua_next(L_, table) != 0) {
    if (lua_type(L_, -2) != LUA_TSTRING)
      return misfit_because("a table of named arguments has the key ", describe(L_, S_, -2));
    const std::string_view key = to_string(L_, -2);
    const int i = schema_.find(key);
    if (i < 0 && !(manner_.takes_out && key == "out"))
      return manner_.explain && misfit_because(unknown_argument(key, {&schema_}));
    if (i >= 0 && sources_[i]) return misfit_because("argument '", key, "' is given twice");
    lua_insert(L_, -2);
    const int at = lua_gettop(L_) - 1;
    if (i < 0) {
      out_ = at;
    } else {
      sources_[i] = static_cast<int16_t>(at);
      if (!read_one(schema_.parameters[static_cast<size_t>(i)], at, (*this)[i])) return false;
    }
  }
  return true;
}

// Those before `first` are there.
bool Arguments::fill_defaults(int first) {
  const Parameter* p = schema_.parameters.data() + first;
  for (int i = first; i < count_; ++i, ++p) {
    if (sources_[i]) continue;
    if (p->required) return misfit_because("argument '", p->name, "' is missing");
    if (!p->fallback.is<Scalar>())
      (*this)[i] = p->fallback;
    else if (p->type == Type::Operand)
      (*this)[i] = number_tensor(p->fallback.get<Scalar>());
    else
      new (&(*this)[i]) Value(p->fallback.get<Scalar>());  // it was none
  }
  if (S_.default_device) [[unlikely]]
    fill_default_device();
  return true;
}

// Of what makes a tensor from none. Operators that core calls itself stay where their caller is.
void Arguments::fill_default_device() {
  const auto is_tensor = [](const Parameter& p) { return p.is_tensor(); };
  const auto& parameters = schema_.parameters;
  if (schema_.results.size() != 1 || schema_.results[0].type != Type::Tensor) return;
  if (std::any_of(parameters.begin(), parameters.end(), is_tensor)) return;
  for (int i = 0; i < count_; ++i)
    if (!sources_[i] && parameters[static_cast<size_t>(i)].type == Type::Device) (*this)[i] = *S_.default_device;
}

// A table whose place a parameter of any type could take is named only if it names a parameter.
bool Arguments::is_named(int table, int position) const {
  if (lua_getmetatable(L_, table)) {
    lua_pop(L_, 1);
    return false;
  }
  lua_pushnil(L_);
  if (!lua_next(L_, table)) return false;
  lua_pop(L_, 1);
  bool named = lua_type(L_, -1) == LUA_TSTRING;
  if (named && position < count_ && schema_.parameters[static_cast<size_t>(position)].type == Type::Any)
    named = schema_.find(to_string(L_, -1)) >= 0;
  lua_pop(L_, 1);
  return named;
}

bool Arguments::read(int top) {
  const int taken = take_tensors(top);
  if (taken == top) return fill_defaults(taken);
  const bool named = lua_istable(L_, top) && is_named(top, top - 1);
  return read_positional(taken + 1, named ? top - 1 : top) && (!named || read_named(top)) && fill_defaults(taken);
}

std::ostream& operator<<(std::ostream& out, const Description& d) {
  const auto& [L, S, index] = d;
  switch (lua_type(L, index)) {
    case LUA_TNUMBER: return out << "the number " << lua_tonumber(L, index);
    case LUA_TSTRING: {
      const std::string_view s = to_string(L, index);
      return out << "the string '" << s.substr(0, 40) << (s.size() > 40 ? "...'" : "'");
    }
    case LUA_TBOOLEAN: return out << (lua_toboolean(L, index) ? "true" : "false");
    case LUA_TNIL: return out << "nil";
    case LUA_TNONE: return out << "nothing";
    case LUA_TUSERDATA:
      if (const Tensor* t = to_tensor(L, S, index)) return out << "a " << t->dtype() << " tensor " << t->sizes();
      if (const DType* t = to_dtype(L, S, index)) return out << "torch." << *t;
      if (const Device* t = to_device(L, S, index)) return out << "device '" << *t << '\'';
      return out << (to_generator(L, S, index) ? "a Generator" : "a userdata");
    case kCData: return out << "a cdata";
    default: return out << "a " << luaL_typename(L, index);
  }
}

}  // namespace facula::interp
