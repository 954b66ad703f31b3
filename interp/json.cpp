#include "interp/json.h"

#include "core/json.h"
#include "core/parallel.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

constexpr int kSlotsOfLevel = 2;  // a table, and the key whose value is read

// Builds the value on Lua's stack.
class Builder final : public JsonVisitor {
 public:
  // `metatable` marks lists and `null` stands for null, both by their places on the stack.
  Builder(lua_State* L, int metatable, int null) : L_(L), metatable_(metatable), null_(null) {}

  void null() override {
    lua_pushvalue(L_, null_);
    place();
  }
  void boolean(bool value) override {
    lua_pushboolean(L_, value);
    place();
  }
  void number(double value, std::string_view) override {
    lua_pushnumber(L_, value);
    place();
  }
  void string(std::string_view text) override {
    push_string(L_, text);
    place();
  }
  void begin_list() override {
    if (interrupt_requested()) throw Interrupted();
    lua_createtable(L_, kExpectedItems, 0);
    lua_pushvalue(L_, metatable_);
    lua_setmetatable(L_, -2);
    counts_.push_back(0);
  }
  void begin_table() override {
    if (interrupt_requested()) throw Interrupted();
    lua_createtable(L_, 0, kExpectedItems);
    counts_.push_back(kTable);
  }
  bool key(std::string_view name) override {
    push_string(L_, name);
    lua_pushvalue(L_, -1);
    lua_rawget(L_, -3);
    const bool fresh = lua_isnil(L_, -1);
    lua_pop(L_, 1);
    return fresh;
  }
  void end() override {
    counts_.pop_back();
    place();
  }

 private:
  static constexpr int kTable = -1, kExpectedItems = 4;

  // Puts the value on top of the stack where it belongs.
  void place() {
    if (counts_.empty()) return;
    if (counts_.back() == kTable)
      lua_rawset(L_, -3);
    else
      lua_rawseti(L_, -2, ++counts_.back());
  }

  lua_State* L_;
  int metatable_, null_;
  std::vector<int> counts_;  // of the open ones: items of a list, or kTable
};

int decode(Call& call) {
  const int source = call.source(0);
  check(source && lua_type(call.L, source) == LUA_TSTRING, "json: expected a text, got ",
        describe(call.L, call.S, source));
  const auto most_depth = static_cast<int>(call.get<int64_t>(3));
  check(lua_checkstack(call.L, kSlotsOfLevel * most_depth + LUA_MINSTACK), "json: the stack is full");
  Builder builder(call.L, call.source(1), call.source(2));
  read_json(to_string(call.L, source), builder, most_depth);
  return 1;
}

int is_utf8(Call& call) { return call.returns(facula::is_utf8(call.get<std::string>(0))); }

constexpr Native kNatives[] = {
    {"core.decode_json(any text, any list, any null, int most_depth) -> any", decode,
     "The value that a text in JSON stands for: `list` becomes the metatable of lists, `null` stands for null."},
    {"core.is_utf8(str text) -> bool", is_utf8},
};

}  // namespace

void open_json(lua_State* L, State& S) { add_natives(L, S, kNatives); }

}  // namespace facula::interp
