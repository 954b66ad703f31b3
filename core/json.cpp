#include "core/json.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace facula {
namespace {

uint8_t byte(char c) { return static_cast<uint8_t>(c); }

void append_utf8(std::string& out, uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
    return;
  }
  const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  constexpr uint8_t kLeads[] = {0, 0xc0, 0xe0, 0xf0};
  out += static_cast<char>(kLeads[more] | code >> 6 * more);
  for (int i = more - 1; i >= 0; --i) out += static_cast<char>(0x80 | (code >> 6 * i & 0x3f));
}

class Reader {
 public:
  Reader(std::string_view text, JsonVisitor& visitor, int most_depth)
      : text_(text), visitor_(visitor), most_depth_(most_depth) {}

  void document() {
    value(0);
    space();
    if (at_ < text_.size()) expected("the end");
  }

 private:
  [[noreturn]] void expected(const std::string& what, size_t at) const {
    throw JsonError(facula::text("json: expected ", what, " at byte ", at + 1));
  }
  [[noreturn]] void expected(const std::string& what) const { expected(what, at_); }

  bool is_at(size_t at, char c) const { return at < text_.size() && text_[at] == c; }
  bool is_at(size_t at, char c, char d) const { return is_at(at, c) || is_at(at, d); }
  void space() {
    const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  void value(int depth) {
    space();
    if (is_at(at_, '{', '['))
      nested(depth);
    else if (is_at(at_, '"'))
      visitor_.string(string());
    else if (take("true"))
      visitor_.boolean(true);
    else if (take("false"))
      visitor_.boolean(false);
    else if (take("null"))
      visitor_.null();
    else
      number();
  }

  void nested(int depth) {
    if (depth >= most_depth_) expected(facula::text("no more than ", most_depth_, " levels"));
    const bool is_list = text_[at_] == '[';
    const char end = is_list ? ']' : '}';
    is_list ? visitor_.begin_list() : visitor_.begin_table();
    ++at_;
    space();
    if (!is_at(at_, end)) {
      do {
        if (!is_list) key();
        value(depth + 1);
        space();
      } while (take(","));
    }
    if (!take({&end, 1})) expected(facula::text("',' or '", end, '\''));
    visitor_.end();
  }

  void key() {
    space();
    const size_t start = at_;
    if (!is_at(at_, '"')) expected("a key");
    if (!visitor_.key(string())) expected("keys that differ", start);
    space();
    if (!take(":")) expected("':'");
  }

  // What stands between quotes; lent until the next.
  std::string_view string() {
    const size_t start = ++at_;
    size_t copied = start;  // everything before it is in `unescaped_`, unless nothing is
    unescaped_.clear();
    for (bool ascii = true;; ++at_) {
      if (at_ == text_.size()) expected("the end of a string");
      const char c = text_[at_];
      if (c == '"') {
        const std::string_view rest = text_.substr(copied, at_ - copied);
        if (copied > start) unescaped_ += rest;
        const std::string_view all = copied > start ? std::string_view(unescaped_) : rest;
        if (!ascii && !is_utf8(all)) expected("UTF-8 in the string before");
        ++at_;
        return all;
      }
      if (byte(c) < ' ') expected("an escape for a control character");
      if (byte(c) >= 0x80) ascii = false;
      if (c != '\\') continue;
      unescaped_ += text_.substr(copied, at_ - copied);
      escape();
      copied = at_ + 1;
    }
  }

  // From the backslash on; ends at the last character.
  void escape() {
    constexpr std::string_view kNames = "bfnrt\"\\/", kMeanings = "\b\f\n\r\t\"\\/";
    ++at_;
    if (is_at(at_, 'u')) return escaped_code();
    const size_t known = at_ < text_.size() ? kNames.find(text_[at_]) : std::string_view::npos;
    if (known == std::string_view::npos) expected("a character that can be escaped");
    unescaped_ += kMeanings[known];
  }

  // A character beyond U+FFFF is a pair of surrogates.
  void escaped_code() {
    const size_t start = at_ + 1;
    uint32_t code = hexadecimal(start);
    at_ += 4;
    if (code >= 0xd800 && code <= 0xdfff) {
      const bool pair = code <= 0xdbff && text_.substr(at_ + 1).starts_with("\\u");
      const uint32_t low = pair ? hexadecimal(at_ + 3) : 0;
      if (low < 0xdc00 || low > 0xdfff) expected("a pair of surrogates", start);
      code = 0x10000 + ((code - 0xd800) << 10) + low - 0xdc00;
      at_ += 6;
    }
    append_utf8(unescaped_, code);
  }

  uint32_t hexadecimal(size_t at) const {
    const std::string_view digits = text_.substr(std::min(at, text_.size()), 4);
    uint32_t code = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (digits.size() < 4 || error != std::errc() || end != digits.data() + 4) expected("4 hexadecimal digits", at);
    return code;
  }

  size_t digits(size_t at) const {
    const size_t start = at;
    while (at < text_.size() && text_[at] >= '0' && text_[at] <= '9') ++at;
    return at - start;
  }

  // -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
  void number() {
    size_t end = at_ + is_at(at_, '-');
    const size_t whole = digits(end);
    if (whole == 0) expected("a value");
    if (whole > 1 && text_[end] == '0') expected("no zero in front of a number");
    end += whole;
    if (const size_t n = is_at(end, '.') ? digits(end + 1) : 0) end += 1 + n;
    if (is_at(end, 'e', 'E')) {
      const size_t sign = is_at(end + 1, '+', '-'), n = digits(end + 1 + sign);
      if (n > 0) end += 1 + sign + n;
    }
    const std::string_view all = text_.substr(at_, end - at_);
    double value = 0;
    if (std::from_chars(all.data(), all.data() + all.size(), value).ec != std::errc())
      value = std::strtod(std::string(all).c_str(), nullptr);  // infinite, or as small as can be
    at_ = end;
    visitor_.number(value, all);
  }

  std::string_view text_;
  JsonVisitor& visitor_;
  int most_depth_;
  size_t at_ = 0;
  std::string unescaped_;
};

class Builder final : public JsonVisitor {
 public:
  explicit Builder(Json& root) : root_(root) {}

  void null() override { add(Json::Kind::Null); }
  void boolean(bool) override { add(Json::Kind::Bool); }
  void number(double, std::string_view digits) override { add(Json::Kind::Number).text = digits; }
  void string(std::string_view text) override { add(Json::Kind::String).text = text; }
  void begin_list() override { open_.push_back(&add(Json::Kind::Array)); }
  void begin_table() override { open_.push_back(&add(Json::Kind::Object)); }
  bool key(std::string_view name) override {
    open_.back()->keys.emplace_back(name);
    return true;
  }
  void end() override { open_.pop_back(); }

 private:
  Json& add(Json::Kind kind) {
    Json& item = open_.empty() ? root_ : open_.back()->items.emplace_back();
    item.kind = kind;
    return item;
  }

  Json& root_;
  std::vector<Json*> open_;  // an item has no further ones beside it while it is open
};

}  // namespace

void read_json(std::string_view text, JsonVisitor& visitor, int most_depth) {
  Reader(text, visitor, most_depth).document();
}

// The first byte says how many follow, and what the second may be.
bool is_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const uint8_t lead = byte(text[i]);
    if (lead < 0x80) continue;
    const size_t more = lead < 0xc2 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : 0;
    if (more == 0 || text.size() - i <= more) return false;
    const uint8_t first = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const uint8_t last = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (byte(text[i + 1]) < first || byte(text[i + 1]) > last) return false;
    for (size_t k = 2; k <= more; ++k)
      if ((byte(text[i + k]) & 0xc0) != 0x80) return false;
    i += more;
  }
  return true;
}

const Json* Json::field(std::string_view name) const {
  const auto found = std::find(keys.begin(), keys.end(), name);
  if (found == keys.end() || std::find(found + 1, keys.end(), name) != keys.end()) return nullptr;
  return &items[static_cast<size_t>(found - keys.begin())];
}

std::optional<int64_t> Json::integer() const {
  int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (kind != Kind::Number || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

std::optional<Json> parse_json(std::string_view text, int most_depth) {
  Json out;
  Builder builder(out);
  try {
    read_json(text, builder, most_depth);
  } catch (const JsonError&) {
    return std::nullopt;
  }
  return out;
}

}  // namespace facula
