// The arguments of one call, read from the Lua stack by a schema into a fixed array.
#pragma once

#include <new>

#include "interp/handle.h"
#include "interp/signature.h"

namespace facula::interp {

/// Positional arguments stand in the schema's order; a last table with string keys holds named ones. See Note [What a
/// Lua value can stand for] in arguments.cpp.
class Arguments {
 public:
  /// How a call is checked: silently, to try the next overload, or with an error that says what does not fit. Lua's own
  /// classes want their dimensions and positions as they were written, counted from 1.
  struct Manner {
    bool explain = false;
    bool takes_out = false;
    bool counts_from_one = false;
  };

  /// `name` is the function's as called.
  Arguments(lua_State* L, State& S, const std::string& name, const Schema& schema, Manner manner)
      : L_(L),
        S_(S),
        name_(name),
        schema_(schema),
        manner_(manner),
        count_(static_cast<int>(schema.parameters.size())) {
    for (int i = 0; i < count_; ++i) new (values() + i) Value();
  }
  ~Arguments() {
    for (int i = borrowed_; i < count_; ++i) values()[i].~Value();
  }
  Arguments(const Arguments&) = delete;
  Arguments& operator=(const Arguments&) = delete;

  /// Reads stack positions 1 to `top`, the last ones. Named arguments are left behind them. False if they do not fit the schema. Errors: values that no overload would take,
  /// such as a dimension 0.
  bool read(int top);

  Value* values() { return reinterpret_cast<Value*>(room_); }
  Value& operator[](int i) { return values()[i]; }
  int size() const { return count_; }
  /// Stack position of the argument; 0 if it was not given.
  int source(int i) const { return sources_[i]; }
  /// Stack position of `out=`; 0 without one.
  int out() const { return out_; }

 private:
  int take_tensors(int top);
  bool read_positional(int first, int last);
  bool stands_for_no_options(int i, int at) const;
  bool read_named(int table);
  bool read_varargs(const Parameter& p, int first, int last, Value& v);
  bool read_one(const Parameter& p, int index, Value& v);
  bool read_item(const Parameter& p, int index, Value& v);
  bool read_list(const Parameter& p, int index, Value& v);
  bool read_lists(const Parameter& p, int index, Value& v);
  bool read_tensors(const Parameter& p, int index, int first, int last, Value& v);
  bool read_numbers(const Parameter& p, int index, int first, int last, Value& v);
  bool fill_defaults(int first);
  void fill_default_device();

  bool is_named(int table, int position) const;
  int64_t translated(const Parameter& p, int64_t v) const;
  bool misfit(const Parameter& p, int index) const;
  template <class... Parts>
  bool misfit_because(const Parts&... parts) const {
    if (manner_.explain)
      fail(name_, ": ", parts..., "\n  expected ", manner_.counts_from_one ? schema_.text : signature_text(schema_));
    return false;
  }

  lua_State* L_;
  State& S_;
  const std::string& name_;
  const Schema& schema_;
  Manner manner_;
  int count_;
  int out_ = 0;
  int borrowed_ = 0;  // so many first arguments are tensors that are not counted
  int16_t sources_[kMaxArguments] = {};
  alignas(Value) std::byte room_[sizeof(Value) * kMaxArguments];
};

/// Is the value a table with nothing in it: a list of nothing, or no options?
bool is_empty_table(lua_State* L, int index);

/// A Lua value in a message: `a float32 tensor (3, 4)`, `the number 1.5`. Written only when the message is.
struct Description {
  lua_State* L;
  const State& S;
  int index;
};
inline Description describe(lua_State* L, const State& S, int index) { return {L, S, index}; }
std::ostream& operator<<(std::ostream& out, const Description& d);

}  // namespace facula::interp
