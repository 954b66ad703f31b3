#include "interp/repl_input.h"

#include <cctype>

namespace facula::interp {
namespace {

bool starts_name(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool continues_name(char c) { return starts_name(c) || std::isdigit(static_cast<unsigned char>(c)); }

/// Lua's tokens, as coarse as is enough to tell names from strings, comments and numbers. The source compiles.
class Tokens {
 public:
  explicit Tokens(std::string_view source) : source_(source) { next(); }

  /// Empty at the end.
  std::string_view token() const { return source_.substr(begin_, end_ - begin_); }
  size_t begin() const { return begin_; }
  size_t end() const { return end_; }
  bool is_name() const { return begin_ < end_ && starts_name(source_[begin_]); }

  void next() {
    skip_blanks();
    begin_ = end_;
    if (begin_ == source_.size()) return;
    const char c = source_[begin_];
    if (c == '"' || c == '\'')
      end_ = end_of_string(begin_);
    else if (const size_t bracket = end_of_long_bracket(begin_))
      end_ = bracket;
    else if (continues_name(c))  // or a number, whose exponent is no name
      for (++end_;
           end_ < source_.size() && (continues_name(source_[end_]) || (std::isdigit(c) && source_[end_] == '.'));)
        ++end_;
    else
      ++end_;
  }

 private:
  void skip_blanks() {
    while (end_ < source_.size()) {
      if (std::isspace(static_cast<unsigned char>(source_[end_]))) {
        ++end_;
      } else if (source_.substr(end_, 2) == "--") {
        const size_t bracket = end_of_long_bracket(end_ + 2);
        end_ = bracket ? bracket : std::min(source_.find('\n', end_), source_.size());
      } else {
        return;
      }
    }
  }

  size_t end_of_string(size_t at) const {
    for (size_t i = at + 1; i < source_.size(); ++i) {
      if (source_[i] == '\\')
        ++i;
      else if (source_[i] == source_[at])
        return i + 1;
    }
    return source_.size();
  }

  /// Behind `[==[ ... ]==]`; 0 if none begins here.
  size_t end_of_long_bracket(size_t at) const {
    if (at >= source_.size() || source_[at] != '[') return 0;
    size_t second = at + 1;
    while (second < source_.size() && source_[second] == '=') ++second;
    if (second >= source_.size() || source_[second] != '[') return 0;
    const std::string closing = "]" + std::string(second - at - 1, '=') + "]";
    const size_t found = source_.find(closing, second + 1);
    return found == std::string_view::npos ? source_.size() : found + closing.size();
  }

  std::string_view source_;
  size_t begin_ = 0, end_ = 0;
};

bool is_one_of(std::string_view token, std::initializer_list<std::string_view> words) {
  for (const std::string_view w : words)
    if (token == w) return true;
  return false;
}

}  // namespace

SessionCode without_locals(std::string_view source) {
  SessionCode out;
  size_t copied = 0;
  const auto copy_until = [&](size_t end) {
    out.code += source.substr(copied, end - copied);
    copied = end;
  };
  int depth = 0;  // of blocks
  Tokens t(source);
  while (!t.token().empty()) {
    // `for` and `while` open their block with `do`, `if` keeps one open up to its `end`.
    if (is_one_of(t.token(), {"function", "do", "if", "repeat"})) ++depth;
    if (is_one_of(t.token(), {"end", "until"})) --depth;
    if (depth > 0 || t.token() != "local") {
      t.next();
      continue;
    }
    copy_until(t.begin());
    t.next();
    copied = t.begin();
    if (t.token() == "function") {
      ++depth;
      t.next();
      out.names.emplace_back(t.token());
      continue;
    }
    size_t end = copied;
    while (t.is_name()) {
      out.names.emplace_back(t.token());
      end = t.end();
      t.next();
      if (t.token() != ",") break;
      t.next();
    }
    copy_until(end);
    if (t.token() != "=") out.code += " = nil;";
  }
  copy_until(source.size());
  return out;
}

std::string_view without_prompt(std::string_view line) {
  for (const std::string_view prompt : {"..> ", "> "})
    if (line.starts_with(prompt)) return line.substr(prompt.size());
  return line;
}

std::string_view trimmed(std::string_view s) {
  const size_t first = s.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return s.substr(first, s.find_last_not_of(" \t\r\n") - first + 1);
}

}  // namespace facula::interp
