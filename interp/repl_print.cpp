#include "interp/repl_print.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <tuple>
#include <vector>

#include "core/error.h"
#include "interp/handle.h"

namespace facula::interp {
namespace {

constexpr size_t kWidth = 80;        // of a table on one line
constexpr int kDepth = 4;            // of tables in tables
constexpr size_t kMostItems = 50;    // of one table
constexpr size_t kMostKeys = 10000;  // that are sorted
constexpr size_t kMostText = 200;    // characters of a string or a tensor within a table

bool has_tostring(lua_State* L, int index) {
  if (!luaL_getmetafield(L, index, "__tostring")) return false;
  lua_pop(L, 1);
  return true;
}

// What `tostring` says, whatever a script has made of that global.
std::string plain(lua_State* L, int index) {
  if (!luaL_callmeta(L, index, "__tostring")) {
    switch (lua_type(L, index)) {
      case LUA_TNUMBER:
      case LUA_TSTRING: lua_pushvalue(L, index); break;
      case LUA_TBOOLEAN: lua_pushstring(L, lua_toboolean(L, index) ? "true" : "false"); break;
      case LUA_TNIL: lua_pushliteral(L, "nil"); break;
      default: lua_pushfstring(L, "%s: %p", luaL_typename(L, index), lua_topointer(L, index));
    }
  }
  size_t n = 0;
  const char* const s = lua_tolstring(L, -1, &n);
  std::string out = s ? std::string(s, n) : "?";
  lua_pop(L, 1);
  return out;
}

std::string quoted(const std::string& s) {
  std::string out = "\"";
  for (const char c : s.substr(0, kMostText)) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += {'\\', c};
    else if (c == '\n')
      out += "\\n";
    else if (code < 32 || code == 127)
      out += text('\\', int{code} / 100, int{code} / 10 % 10, int{code} % 10);
    else
      out += c;
  }
  return out + (s.size() > kMostText ? "\"..." : "\"");
}

bool is_identifier(const std::string& s) {
  const auto part = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  return !s.empty() && !std::isdigit(static_cast<unsigned char>(s[0])) && std::all_of(s.begin(), s.end(), part);
}

class TablePrinter {
 public:
  explicit TablePrinter(lua_State* L) : L_(L) {}

  /// A table, which is at `index`, whose text begins in column `indent`.
  std::string table(int index, size_t indent) {
    open_.push_back(lua_topointer(L_, index));
    const std::vector<std::string> items = this->items(index, indent + 2);
    open_.pop_back();
    size_t length = indent + 2;
    bool several_lines = false;
    for (const std::string& s : items) {
      length += s.size() + 2;
      several_lines = several_lines || s.find('\n') != std::string::npos;
    }
    const bool inline_ = length <= kWidth && !several_lines;
    const std::string line = "\n" + std::string(indent + 2, ' ');
    std::string out = "{";
    for (size_t i = 0; i < items.size(); ++i) {
      if (i) out += inline_ ? ", " : ",";
      if (!inline_) out += line;
      out += items[i];
    }
    return out + (inline_ ? "}" : "\n" + std::string(indent, ' ') + "}");
  }

 private:
  struct Key {
    int type;
    double number;
    std::string name;  // as it stands in the text
    int ref;           // in the table of keys
  };

  std::vector<std::string> items(int index, size_t indent) {
    luaL_checkstack(L_, 8, "tables in tables");
    std::vector<std::string> out;
    const size_t length = lua_objlen(L_, index);
    for (size_t i = 1; i <= std::min(length, kMostItems); ++i) {
      lua_rawgeti(L_, index, static_cast<int>(i));
      out.push_back(value(lua_gettop(L_), indent));
      lua_pop(L_, 1);
    }
    lua_newtable(L_);
    const int keys_table = lua_gettop(L_);
    size_t others = 0;
    const std::vector<Key> keys = named_keys(index, length, keys_table, others);
    size_t left = length - std::min(length, kMostItems) + others;
    for (const Key& k : keys) {
      if (out.size() >= kMostItems) break;
      lua_rawgeti(L_, keys_table, k.ref);
      lua_rawget(L_, index);
      out.push_back(k.name + " = " + value(lua_gettop(L_), indent));
      lua_pop(L_, 1);
      --left;
    }
    lua_pop(L_, 1);
    if (left > 0) out.push_back(text("... ", left, " more"));
    return out;
  }

  /// The keys that are not among 1..length, numbers before strings before others, each kind in order. `count` is their number,
  /// also where they are too many to be sorted.
  std::vector<Key> named_keys(int index, size_t length, int keys_table, size_t& count) {
    std::vector<Key> keys;
    for (lua_pushnil(L_); lua_next(L_, index); lua_pop(L_, 1)) {
      const int type = lua_type(L_, -2);
      const double number = type == LUA_TNUMBER ? lua_tonumber(L_, -2) : 0;
      if (type == LUA_TNUMBER && number >= 1 && number <= static_cast<double>(length) && number == std::floor(number))
        continue;
      if (++count > kMostKeys) continue;
      lua_pushvalue(L_, -2);
      const int key = lua_gettop(L_);
      std::string name = plain(L_, key);
      if (type == LUA_TSTRING && !is_identifier(name)) name = quoted(name);
      if (type != LUA_TSTRING || name[0] == '"') name = "[" + name + "]";
      lua_rawseti(L_, keys_table, static_cast<int>(keys.size()) + 1);
      keys.push_back({type, number, std::move(name), static_cast<int>(keys.size()) + 1});
    }
    std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) {
      return std::tie(a.type, a.number, a.name) < std::tie(b.type, b.number, b.name);
    });
    return keys;
  }

  std::string value(int index, size_t indent) {
    const int type = lua_type(L_, index);
    if (type == LUA_TSTRING) return quoted(plain(L_, index));
    if (type == LUA_TTABLE && !has_tostring(L_, index)) {
      const bool cycle = std::find(open_.begin(), open_.end(), lua_topointer(L_, index)) != open_.end();
      if (cycle || open_.size() >= kDepth) return "{...}";
      return table(index, indent);
    }
    const std::string s = plain(L_, index);
    if (s.size() <= kMostText && s.find('\n') == std::string::npos) return s;
    const State* const S = find_state(L_);
    if (const Tensor* const x = S ? to_tensor(L_, *S, index) : nullptr)
      return text("tensor(..., size=", x->sizes(), ", dtype=torch.", x->dtype(), ")");
    return s.size() <= 10 * kMostText ? s : s.substr(0, 10 * kMostText) + "...";
  }

  lua_State* L_;
  std::vector<const void*> open_;  // tables that are being shown
};

}  // namespace

std::string shown(lua_State* L, int index) {
  const bool opaque = lua_type(L, index) != LUA_TTABLE || has_tostring(L, index);
  return opaque ? plain(L, index) : TablePrinter(L).table(index, 0);
}

}  // namespace facula::interp
