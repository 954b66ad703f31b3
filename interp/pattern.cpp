#include "interp/pattern.h"

#include <cctype>
#include <cmath>
#include <cstring>

#include "core/parallel.h"
#include "interp/number.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

constexpr int kMaxCaptures = 32, kMaxDepth = 200;
constexpr uint32_t kPollSteps = 1 << 14;

/// One pattern tried on one text.
class Matcher {
 public:
  Matcher(std::string_view text, std::string_view pattern)
      : begin_(text.data()), end_(begin_ + text.size()), pattern_end_(pattern.data() + pattern.size()) {}

  struct Capture {
    const char* begin;
    ptrdiff_t length;  // or kOpen, kPosition
  };
  static constexpr ptrdiff_t kOpen = -1, kPosition = -2;

  /// The end of a match that begins at `s`, null without one.
  const char* match_at(const char* s, const char* p) {
    count_ = depth_ = 0;
    return match(s, p);
  }
  int captures() const { return count_; }
  const Capture& capture(int i) const { return captures_[i]; }
  const char* begin() const { return begin_; }
  const char* end() const { return end_; }

 private:
  void step() {
    if (++steps_ % kPollSteps == 0 && interrupt_requested()) throw Interrupted();
  }
  bool at_end(const char* p) const { return p == pattern_end_; }

  static bool in_class(int c, int letter) {
    bool yes;
    switch (std::tolower(letter)) {
      case 'a': yes = std::isalpha(c); break;
      case 'c': yes = std::iscntrl(c); break;
      case 'd': yes = std::isdigit(c); break;
      case 'g': yes = std::isgraph(c); break;
      case 'l': yes = std::islower(c); break;
      case 'p': yes = std::ispunct(c); break;
      case 's': yes = std::isspace(c); break;
      case 'u': yes = std::isupper(c); break;
      case 'w': yes = std::isalnum(c); break;
      case 'x': yes = std::isxdigit(c); break;
      case 'z': yes = c == 0; break;
      default: return letter == c;
    }
    return std::isupper(letter) ? !yes : yes;
  }

  // Behind the single character, class or set at p.
  const char* item_end(const char* p) const {
    const char first = *p++;
    if (first == '%') {
      check(!at_end(p), "malformed pattern (ends with '%')");
      return p + 1;
    }
    if (first != '[') return p;
    if (!at_end(p) && *p == '^') ++p;
    do {
      check(!at_end(p), "malformed pattern (missing ']')");
      if (*p++ == '%') {
        check(!at_end(p), "malformed pattern (missing ']')");
        ++p;
      }
    } while (at_end(p) || *p != ']');
    return p + 1;
  }

  // `last` is the set's bracket.
  static bool in_set(int c, const char* p, const char* last) {
    const bool wanted = *++p != '^';
    if (!wanted) ++p;
    for (; p < last; ++p) {
      if (*p == '%' && p + 1 < last) {
        if (in_class(c, byte(*++p))) return wanted;
      } else if (p + 2 < last && p[1] == '-') {
        if (byte(*p) <= c && c <= byte(p[2])) return wanted;
        p += 2;
      } else if (byte(*p) == c) {
        return wanted;
      }
    }
    return !wanted;
  }

  static int byte(char c) { return static_cast<unsigned char>(c); }

  bool matches_item(const char* s, const char* p, const char* behind) const {
    if (s == end_) return false;
    switch (*p) {
      case '.': return true;
      case '%': return in_class(byte(*s), byte(p[1]));
      case '[': return in_set(byte(*s), p, behind - 1);
      default: return *p == *s;
    }
  }

  // %bxy
  const char* match_balance(const char* s, const char* p) {
    check(pattern_end_ - p >= 2, "malformed pattern (missing arguments to '%b')");
    if (s == end_ || *s != p[0]) return nullptr;
    int open = 1;
    for (const char* at = s + 1; at < end_; ++at) {
      step();
      if (*at == p[1]) {
        if (--open == 0) return at + 1;
      } else if (*at == p[0]) {
        ++open;
      }
    }
    return nullptr;
  }

  const char* match_many(const char* s, const char* p, const char* behind, ptrdiff_t least) {
    ptrdiff_t n = 0;
    while (matches_item(s + n, p, behind)) {
      step();
      ++n;
    }
    for (; n >= least; --n)
      if (const char* found = match(s + n, behind + 1)) return found;
    return nullptr;
  }

  const char* match_few(const char* s, const char* p, const char* behind) {
    for (;; ++s) {
      if (const char* found = match(s, behind + 1)) return found;
      if (!matches_item(s, p, behind)) return nullptr;
    }
  }

  const char* open_capture(const char* s, const char* p, ptrdiff_t kind) {
    check(count_ < kMaxCaptures, "too many captures");
    captures_[count_++] = {s, kind};
    const char* found = match(s, p);
    if (!found) --count_;
    return found;
  }

  const char* close_capture(const char* s, const char* p) {
    int i = count_ - 1;
    while (i >= 0 && captures_[i].length != kOpen) --i;
    check(i >= 0, "invalid pattern capture");
    captures_[i].length = s - captures_[i].begin;
    const char* found = match(s, p);
    if (!found) captures_[i].length = kOpen;
    return found;
  }

  // %1
  const char* match_again(const char* s, char digit) {
    const int i = digit - '1';
    check(i >= 0 && i < count_ && captures_[i].length != kOpen, "invalid capture index");
    const Capture& c = captures_[i];
    const auto length = static_cast<size_t>(std::max<ptrdiff_t>(c.length, 0));
    const bool same = static_cast<size_t>(end_ - s) >= length && std::memcmp(c.begin, s, length) == 0;
    return same ? s + length : nullptr;
  }

  // %f[set]: before s something outside the set, at s something in it; both ends of the text count as '\0'.
  bool at_frontier(const char* s, const char* set, const char* behind) const {
    const int before = s == begin_ ? 0 : byte(s[-1]), at = s == end_ ? 0 : byte(*s);
    return !in_set(before, set, behind - 1) && in_set(at, set, behind - 1);
  }

  const char* match(const char* s, const char* p) {
    check(++depth_ <= kMaxDepth, "pattern too complex");
    const char* const found = match_here(s, p);
    --depth_;
    return found;
  }

  const char* match_here(const char* s, const char* p) {
    while (!at_end(p)) {
      step();
      if (*p == '(')
        return p + 1 < pattern_end_ && p[1] == ')' ? open_capture(s, p + 2, kPosition) : open_capture(s, p + 1, kOpen);
      if (*p == ')') return close_capture(s, p + 1);
      if (*p == '$' && at_end(p + 1)) return s == end_ ? s : nullptr;
      if (*p == '%' && p + 1 < pattern_end_ && p[1] == 'b') {
        s = match_balance(s, p + 2);
        if (!s) return nullptr;
        p += 4;
        continue;
      }
      if (*p == '%' && p + 1 < pattern_end_ && p[1] == 'f') {
        p += 2;
        check(!at_end(p) && *p == '[', "missing '[' after '%f' in pattern");
        const char* const behind = item_end(p);
        if (!at_frontier(s, p, behind)) return nullptr;
        p = behind;
        continue;
      }
      if (*p == '%' && p + 1 < pattern_end_ && std::isdigit(byte(p[1]))) {
        s = match_again(s, p[1]);
        if (!s) return nullptr;
        p += 2;
        continue;
      }
      const char* const behind = item_end(p);
      const char suffix = at_end(behind) ? '\0' : *behind;
      if (suffix == '*') return match_many(s, p, behind, 0);
      if (suffix == '+') return match_many(s, p, behind, 1);
      if (suffix == '-') return match_few(s, p, behind);
      const bool here = matches_item(s, p, behind);
      if (suffix == '?') {
        if (here)
          if (const char* found = match(s + 1, behind + 1)) return found;
        p = behind + 1;
        continue;
      }
      if (!here) return nullptr;
      ++s;
      p = behind;
    }
    return s;
  }

  const char *begin_, *end_, *pattern_end_;
  int count_ = 0, depth_ = 0;
  uint32_t steps_ = 0;
  Capture captures_[kMaxCaptures];
};

// ---- values -------------------------------------------------------------------------------------------------------------

void push_capture(lua_State* L, State& S, const Matcher& m, int i, const char* s, const char* e) {
  if (i >= m.captures()) {
    check(i == 0, "invalid capture index");
    lua_pushlstring(L, s, static_cast<size_t>(e - s));
    return;
  }
  const Matcher::Capture& c = m.capture(i);
  check(c.length != Matcher::kOpen, "unfinished capture");
  if (c.length == Matcher::kPosition)
    push_integer(L, S, c.begin - m.begin() + 1);
  else
    lua_pushlstring(L, c.begin, static_cast<size_t>(c.length));
}

int push_captures(lua_State* L, State& S, const Matcher& m, const char* s, const char* e) {
  const int n = m.captures() == 0 && s ? 1 : m.captures();
  check(lua_checkstack(L, n), "too many captures");
  for (int i = 0; i < n; ++i) push_capture(L, S, m, i, s, e);
  return n;
}

// Strings and numbers, as Lua takes them.
std::string_view text_at(lua_State* L, Function& f, int i) {
  check(lua_isstring(L, i), f.name, ": argument ", i, " must be a string, got ", describe(L, *f.state, i));
  size_t n = 0;
  const char* const s = lua_tolstring(L, i, &n);
  return {s, n};
}

// Where a search begins, from 0; at most at the end.
size_t start_at(lua_State* L, Function& f, int i, size_t length) {
  if (lua_isnoneornil(L, i)) return 0;
  check(lua_isnumber(L, i), f.name, ": argument ", i, " must be a number, got ", describe(L, *f.state, i));
  const double at = lua_tonumber(L, i), n = static_cast<double>(length);
  const double first = at < 0 ? std::max(at + n, 0.0) : std::max(at - 1, 0.0);
  return first < n ? static_cast<size_t>(first) : length;
}

bool is_plain(std::string_view pattern) { return pattern.find_first_of("^$*+?.([%-") == std::string_view::npos; }

// By Knuth, Morris and Pratt: linear, where repeated comparison is quadratic.
const char* find_plain(std::string_view text, std::string_view word, const char* from) {
  if (word.empty()) return from;
  std::vector<size_t> next(word.size(), 0);
  for (size_t i = 1, k = 0; i < word.size(); ++i) {
    while (k > 0 && word[i] != word[k]) k = next[k - 1];
    if (word[i] == word[k]) ++k;
    next[i] = k;
  }
  size_t k = 0;
  for (const char* s = from; s < text.data() + text.size(); ++s) {
    if ((s - from) % kPollSteps == 0 && interrupt_requested()) throw Interrupted();
    while (k > 0 && *s != word[k]) k = next[k - 1];
    if (*s == word[k] && ++k == word.size()) return s + 1 - word.size();
  }
  return nullptr;
}

int search(lua_State* L, Function& f, bool positions) {
  const std::string_view text = text_at(L, f, 1), pattern = text_at(L, f, 2);
  const size_t start = start_at(L, f, 3, text.size());
  const auto push_range = [&](const char* s, const char* e) {
    push_integer(L, *f.state, s - text.data() + 1);
    push_integer(L, *f.state, e - text.data());
  };
  if (positions && (lua_toboolean(L, 4) || is_plain(pattern))) {
    const char* const s = find_plain(text, pattern, text.data() + start);
    if (!s)
      lua_pushnil(L);
    else
      push_range(s, s + pattern.size());
    return s ? 2 : 1;
  }
  const bool anchored = !pattern.empty() && pattern[0] == '^';
  Matcher m(text, pattern);
  for (const char* s = text.data() + start; s <= m.end(); ++s) {
    const char* const e = m.match_at(s, pattern.data() + anchored);
    if (e && !positions) return push_captures(L, *f.state, m, s, e);
    if (e) {
      push_range(s, e);
      return 2 + push_captures(L, *f.state, m, nullptr, nullptr);
    }
    if (anchored) break;
  }
  lua_pushnil(L);
  return 1;
}

int find(lua_State* L, Function& f) { return search(L, f, true); }
int match(lua_State* L, Function& f) { return search(L, f, false); }

// Upvalues: its description, the text, the pattern, where to go on.
int next_match(lua_State* L, Function& f) {
  const std::string_view text = to_string(L, lua_upvalueindex(2)), pattern = to_string(L, lua_upvalueindex(3));
  const auto start = static_cast<size_t>(lua_tonumber(L, lua_upvalueindex(4)));
  Matcher m(text, pattern);
  for (size_t at = start; at <= text.size(); ++at) {
    const char *const s = text.data() + at, *const e = m.match_at(s, pattern.data());
    if (!e) continue;
    lua_pushnumber(L, static_cast<double>(e - text.data() + (e == s)));
    lua_replace(L, lua_upvalueindex(4));
    return push_captures(L, *f.state, m, s, e);
  }
  return 0;
}

int gmatch(lua_State* L, Function& f) {
  text_at(L, f, 1);
  text_at(L, f, 2);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_pushnumber(L, 0);
  lua_pushcclosure(L, door<next_match>, 4);
  return 1;
}

void add_text(lua_State* L, State& S, const Matcher& m, std::string& out, std::string_view with, const char* s,
              const char* e) {
  for (size_t i = 0; i < with.size(); ++i) {
    if (with[i] != '%' || ++i == with.size()) {
      if (i < with.size()) out += with[i];
    } else if (!std::isdigit(static_cast<unsigned char>(with[i]))) {
      out += with[i];
    } else if (with[i] == '0') {
      out.append(s, e);
    } else {
      push_capture(L, S, m, with[i] - '1', s, e);
      size_t n = 0;
      const char* const captured = lua_tolstring(L, -1, &n);
      out.append(captured, n);
      lua_pop(L, 1);
    }
  }
}

// What stands for the match from s to e, by the string, table or function at 3.
void add_replacement(lua_State* L, Function& f, const Matcher& m, std::string& out, const char* s, const char* e) {
  State& S = *f.state;
  if (lua_isstring(L, 3)) return add_text(L, S, m, out, text_at(L, f, 3), s, e);
  const int top = lua_gettop(L);
  if (lua_istable(L, 3)) {
    push_capture(L, S, m, 0, s, e);
    lua_gettable(L, 3);
  } else {
    lua_pushvalue(L, 3);
    call_lua(L, S, push_captures(L, S, m, s, e), 1);
  }
  if (!lua_toboolean(L, -1)) {
    out.append(s, e);
  } else {
    check(lua_isstring(L, -1), f.name, ": invalid replacement value (a ", luaL_typename(L, -1), ")");
    out += text_at(L, f, -1);
  }
  lua_settop(L, top);
}

int gsub(lua_State* L, Function& f) {
  const std::string_view text = text_at(L, f, 1), pattern = text_at(L, f, 2);
  check(lua_isstring(L, 3) || lua_istable(L, 3) || lua_isfunction(L, 3), f.name,
        ": argument 3 must be a string, a table or a function, got ", describe(L, *f.state, 3));
  const double most = lua_isnoneornil(L, 4) ? HUGE_VAL : luaL_checknumber(L, 4);
  const bool anchored = !pattern.empty() && pattern[0] == '^';
  Matcher m(text, pattern);
  const size_t most_bytes = f.state->max_memory ? f.state->max_memory : SIZE_MAX;
  std::string out;
  double n = 0;
  const char* s = text.data();
  while (n < most) {
    const char* const e = m.match_at(s, pattern.data() + anchored);
    if (e) {
      ++n;
      add_replacement(L, f, m, out, s, e);
      if (out.size() > most_bytes) throw OutOfMemory("gsub: the result is longer than the memory limit");
    }
    if (e && e > s)
      s = e;
    else if (s < m.end())
      out += *s++;
    else
      break;
    if (anchored) break;
  }
  if (s < m.end()) out.append(s, m.end());
  push_string(L, out);
  lua_pushnumber(L, n);
  return 2;
}

}  // namespace

void open_patterns(lua_State* L, State& S) {
  const Variadic functions[] = {
      {"find", door<find>}, {"match", door<match>}, {"gmatch", door<gmatch>}, {"gsub", door<gsub>}};
  add_variadics(L, S, functions);
}

}  // namespace facula::interp
