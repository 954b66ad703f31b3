#include "interp/signature.h"

#include <algorithm>
#include <numeric>
#include <sstream>

namespace facula::interp {
namespace {

void show_number(std::ostream& out, const Parameter& p, const Scalar& s) {
  const int64_t shift = counts_positions(p.type) && s.is_integral() && s.to<int64_t>() >= 0 ? 1 : 0;
  if (s.kind() == Category::Bool)
    out << (s.to<bool>() ? "True" : "False");
  else if (s.is_integral())
    out << s.to<int64_t>() + shift;
  else
    out << s.to<double>();
}

void show_default(std::ostream& out, const Parameter& p) {
  const Value& v = p.fallback;
  if (v.is<Scalar>()) {
    show_number(out, p, v.get<Scalar>());
  } else if (v.is<std::string>()) {
    out << '\'' << v.get<std::string>() << '\'';
  } else if (v.is<IntList>()) {
    const IntList& list = v.get<IntList>();
    const bool equal = p.fixed && std::all_of(list.begin(), list.end(), [&](int64_t n) { return n == list[0]; });
    if (!equal) out << '[';
    for (size_t i = 0; i < (equal ? 1 : list.size()); ++i) {
      if (i) out << ", ";
      show_number(out, p, Scalar(list[i]));
    }
    if (!equal) out << ']';
  } else {
    out << "None";
  }
}

// Levenshtein 1966, one row at a time.
size_t edits(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string default_text(const Parameter& p) {
  std::ostringstream out;
  show_default(out, p);
  return out.str();
}

std::string signature_text(const Schema& schema) {
  const auto shifted = [](const Parameter& p) { return counts_positions(p.type) && !p.fallback.is_none(); };
  if (schema.overload.empty() && std::none_of(schema.parameters.begin(), schema.parameters.end(), shifted))
    return schema.text;
  std::ostringstream out;
  out << schema.name << '(';
  const char* comma = "";
  bool named_only = false;
  for (const Parameter& p : schema.parameters) {
    out << comma;
    comma = ", ";
    if (p.named_only && !std::exchange(named_only, true)) out << "*, ";
    out << p.type_text() << ' ' << p.name;
    if (p.required) continue;
    out << '=';
    show_default(out, p);
  }
  out << ')';
  const size_t arrow = schema.text.find("->");
  if (arrow != std::string::npos) out << ' ' << schema.text.substr(arrow);
  return out.str();
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  std::string_view best;
  size_t least = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string_view c : candidates) {
    const bool extends = c.size() > 2 && word.size() > 2 && (c.starts_with(word) || word.starts_with(c));
    const size_t n = extends ? 1 : edits(word, c);
    if (n < least) {
      least = n;
      best = c;
    }
  }
  return best;
}

std::string unknown_argument(std::string_view name, const std::vector<const Schema*>& schemas) {
  std::vector<std::string_view> names;
  for (const Schema* s : schemas)
    for (const Parameter& p : s->parameters) names.push_back(p.name);
  const std::string_view near = nearest(name, names);
  std::string message = "unknown argument '" + std::string(name) + "'";
  if (!near.empty()) message += ", did you mean '" + std::string(near) + "'?";
  return message;
}

}  // namespace facula::interp
