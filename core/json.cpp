#include "core/json.h"

#include <algorithm>
#include <charconv>

namespace facula {

const Json* Json::field(std::string_view name) const {
  const Json* found = nullptr;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i] != name) continue;
    if (found) return nullptr;
    found = &items[i];
  }
  return found;
}

std::optional<int64_t> Json::integer() const {
  int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (kind != Kind::Number || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

namespace {

// Every function takes what it reads off the front of `rest_`, and says whether it was there.
class Parser {
 public:
  Parser(std::string_view text, int most_depth) : rest_(text), depth_(most_depth) {}

  bool document(Json& out) {
    if (!value(out)) return false;
    space();
    return rest_.empty();
  }

 private:
  void space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }
  bool next(char c) {
    space();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view take(size_t n) {
    const std::string_view taken = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return taken;
  }

  bool value(Json& out) {
    space();
    if (rest_.empty() || depth_ == 0) return false;
    switch (rest_[0]) {
      case '{': return nested(out, Json::Kind::Object, '}');
      case '[': return nested(out, Json::Kind::Array, ']');
      case '"': out.kind = Json::Kind::String; return string(out.text);
      case 'n': return word(out, Json::Kind::Null, "null");
      case 't': return word(out, Json::Kind::Bool, "true");
      case 'f': return word(out, Json::Kind::Bool, "false");
      default: return number(out);
    }
  }

  bool word(Json& out, Json::Kind kind, std::string_view expected) {
    out.kind = kind;
    if (!rest_.starts_with(expected)) return false;
    out.text = take(expected.size());
    return true;
  }

  bool string(std::string_view& out) {
    if (!next('"')) return false;
    size_t n = 0;
    while (n < rest_.size() && rest_[n] != '"' && rest_[n] != '\\' && static_cast<unsigned char>(rest_[n]) >= ' ') ++n;
    if (n == rest_.size() || rest_[n] != '"') return false;
    out = take(n);
    return next('"');
  }

  size_t digits(size_t at) const {
    size_t n = 0;
    while (at + n < rest_.size() && rest_[at + n] >= '0' && rest_[at + n] <= '9') ++n;
    return n;
  }
  bool is_at(size_t at, std::string_view any) const {
    return at < rest_.size() && any.find(rest_[at]) != std::string_view::npos;
  }

  // -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
  bool number(Json& out) {
    out.kind = Json::Kind::Number;
    size_t n = is_at(0, "-");
    const size_t whole = digits(n);
    if (whole == 0 || (whole > 1 && rest_[n] == '0')) return false;
    n += whole;
    if (is_at(n, ".")) {
      const size_t fraction = digits(n + 1);
      if (fraction == 0) return false;
      n += 1 + fraction;
    }
    if (is_at(n, "eE")) {
      n += 1 + is_at(n + 1, "+-");
      const size_t exponent = digits(n);
      if (exponent == 0) return false;
      n += exponent;
    }
    out.text = take(n);
    return true;
  }

  bool nested(Json& out, Json::Kind kind, char end) {
    out.kind = kind;
    rest_.remove_prefix(1);
    if (next(end)) return true;
    --depth_;
    do {
      if (kind == Json::Kind::Object) {
        space();
        if (!string(out.keys.emplace_back()) || !next(':')) return false;
      }
      if (!value(out.items.emplace_back())) return false;
    } while (next(','));
    ++depth_;
    return next(end);
  }

  std::string_view rest_;
  int depth_;
};

}  // namespace

std::optional<Json> parse_json(std::string_view text, int most_depth) {
  Json out;
  if (!Parser(text, most_depth).document(out)) return std::nullopt;
  return out;
}

}  // namespace facula
