// One pass over the bytes finds fields and numbers; columns of text are gone through once more, since few files have any.
#include "core/csv.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "core/parallel.h"

namespace facula {
namespace {

constexpr size_t kMaxColumns = size_t{1} << 20;
constexpr int kPollEvery = 1 << 16;  // fields
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && is_blank(s.front())) s.remove_prefix(1);
  while (!s.empty() && is_blank(s.back())) s.remove_suffix(1);
  return s;
}

/// Goes through the fields of a file.
class Scanner {
 public:
  Scanner(std::string_view bytes, char delimiter, const std::string& name)
      : at_(bytes.data()), end_(at_ + bytes.size()), delimiter_(delimiter), runs_(delimiter == ' '), name_(name) {
    if (bytes.starts_with("\xef\xbb\xbf")) at_ += 3;  // a byte order mark
  }

  /// Moves to the next row that is not blank; false at the end of the file.
  bool next_row() {
    for (; at_ != end_; ++at_) {
      const char* const start = at_;
      if (runs_) skip_blanks();
      if (at_ == end_) return false;
      if (*at_ != '\n' && *at_ != '\r') {
        if (!runs_) at_ = start;
        row_line_ = line_;
        return true;
      }
      line_ += *at_ == '\n';
    }
    return false;
  }

  /// The next field of the row, valid until the next call; `more` tells whether another one follows.
  std::string_view field(bool& more) {
    if (++fields_ % kPollEvery == 0 && interrupt_requested()) throw Interrupted();
    const std::string_view found = at_ != end_ && *at_ == '"' ? quoted() : plain();
    if (runs_) skip_blanks();
    more = at_ != end_ && *at_ != '\n' && *at_ != '\r';
    if (more && !runs_) ++at_;
    return found;
  }

  int64_t line() const { return row_line_; }
  [[noreturn]] void wrong(const std::string& what) const { fail(name_, " line ", row_line_, ": ", what); }

 private:
  void skip_blanks() {
    while (at_ != end_ && is_blank(*at_)) ++at_;
  }
  bool ends_field(char c) const { return c == delimiter_ || c == '\n' || c == '\r' || (runs_ && c == '\t'); }

  std::string_view plain() {
    const char* const start = at_;
    while (at_ != end_ && !ends_field(*at_)) ++at_;
    return {start, at_};
  }

  // Two quotes stand for one.
  std::string_view quoted() {
    text_.clear();
    for (++at_;;) {
      const char* const start = at_;
      while (at_ != end_ && *at_ != '"') line_ += *at_++ == '\n';
      text_.append(start, at_);
      if (at_ == end_) wrong("a quoted field does not end");
      if (++at_ == end_ || *at_ != '"') break;
      text_ += *at_++;
    }
    if (at_ != end_ && !ends_field(*at_)) wrong("a quoted field goes on after its quotes");
    return text_;
  }

  const char *at_, *end_;
  char delimiter_;
  bool runs_;
  const std::string& name_;
  std::string text_;
  int64_t line_ = 1, row_line_ = 1;
  unsigned fields_ = 0;
};

// ---- columns ----

bool is_missing(std::string_view s) {
  if (s.empty()) return true;
  for (const std::string_view word : {"na", "n/a", "nan", "null"})
    if (std::equal(s.begin(), s.end(), word.begin(), word.end(),
                   [](char a, char b) { return (a | 0x20) == (b | 0x20); }))
      return true;
  return false;
}

template <class T>
bool parse(std::string_view s, T& value) {
  if (s.starts_with('+')) s.remove_prefix(1);
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  return error == std::errc() && end == s.data() + s.size();
}

// Beyond the range of float64: infinite or zero, as strtod has it.
bool parse_real(std::string_view s, double& value) {
  if (s.starts_with('+')) s.remove_prefix(1);
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (end != s.data() + s.size() || error == std::errc::invalid_argument) return false;
  if (error == std::errc::result_out_of_range) value = std::strtod(std::string(s).c_str(), nullptr);
  return true;
}

class Column {
 public:
  explicit Column(bool text) : kind_(text ? Kind::Text : Kind::Integer) {}

  void add(std::string_view field, const std::optional<double>& missing) {
    if (kind_ == Kind::Text) return;
    field = trimmed(field);
    if (is_missing(field)) return add_missing(missing);
    int64_t integer;
    if (kind_ == Kind::Integer && parse(field, integer)) return integers_.push_back(integer);
    double real;
    if (!parse_real(field, real)) return become_text();
    become_real();
    reals_.push_back(real);
  }

  Tensor tensor() {
    if (kind_ == Kind::Text) return {};
    if (kind_ == Kind::Integer && integers_.empty()) become_real();
    return kind_ == Kind::Integer ? filled(integers_, DType::Int64) : filled(reals_, DType::Float64);
  }

 private:
  enum class Kind { Integer, Real, Text };

  void add_missing(const std::optional<double>& missing) {
    const double value = missing.value_or(kNaN);
    const bool whole = value == std::floor(value) && std::fabs(value) <= 0x1p53;
    if (kind_ == Kind::Integer && whole) return integers_.push_back(static_cast<int64_t>(value));
    become_real();
    reals_.push_back(value);
  }

  void become_real() {
    if (kind_ != Kind::Integer) return;
    kind_ = Kind::Real;
    reals_.assign(integers_.begin(), integers_.end());
    integers_ = {};
  }

  void become_text() {
    kind_ = Kind::Text;
    integers_ = {};
    reals_ = {};
  }

  template <class T>
  static Tensor filled(std::vector<T>& values, DType dtype) {
    const Tensor out = empty({static_cast<int64_t>(values.size())}, dtype);
    std::copy(values.begin(), values.end(), out.data<T>());
    values = {};
    return out;
  }

  Kind kind_;
  std::vector<int64_t> integers_;
  std::vector<double> reals_;
};

std::vector<std::string> read_row(Scanner& scanner) {
  std::vector<std::string> fields;
  for (bool more = scanner.next_row(); more;) {
    fields.emplace_back(scanner.field(more));
    if (fields.size() > kMaxColumns) scanner.wrong(text("more than ", kMaxColumns, " columns"));
  }
  return fields;
}

std::vector<Column> columns_of(const std::vector<std::string>& names, size_t count, const CsvWish& wish) {
  std::vector<Column> columns;
  for (size_t i = 0; i < count; ++i) {
    const bool named = i < names.size() && std::ranges::count(wish.text, names[i]);
    columns.emplace_back(named || std::ranges::count(wish.text, std::to_string(i + 1)));
  }
  return columns;
}

}  // namespace

CsvTable read_csv(std::string_view bytes, const CsvWish& wish, const std::string& name) {
  CsvTable table;
  Scanner scanner(bytes, wish.delimiter, name);
  if (wish.header) table.names = read_row(scanner);
  size_t width = table.names.size();
  if (!wish.header) {
    Scanner first(bytes, wish.delimiter, name);
    width = read_row(first).size();
  }
  std::vector<Column> columns = columns_of(table.names, width, wish);
  for (; scanner.next_row(); ++table.rows) {
    size_t i = 0;
    for (bool more = true; more; ++i) {
      const std::string_view field = scanner.field(more);
      if (i < width) columns[i].add(field, wish.missing);
    }
    if (i != width) scanner.wrong(text(i, i == 1 ? " field" : " fields", ", expected ", width));
  }
  for (Column& column : columns) table.numbers.push_back(column.tensor());
  return table;
}

void visit_csv_text(std::string_view bytes, const CsvWish& wish, const CsvTable& table,
                    const std::function<void(size_t, int64_t, std::string_view)>& body) {
  const std::string name;
  Scanner scanner(bytes, wish.delimiter, name);
  if (wish.header) read_row(scanner);
  for (int64_t row = 0; scanner.next_row(); ++row) {
    bool more = true;
    for (size_t i = 0; more; ++i) {
      const std::string_view field = scanner.field(more);
      if (!table.numbers[i].defined()) body(i, row, field);
    }
  }
}

void append_csv_number(std::string& out, const Tensor& x, int64_t i) {
  char digits[64];
  const auto append = [&](auto value) {
    if (value != value) return;
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  };
  const int64_t at = i * x.stride(0);
  with_type(x.dtype(), [&]<class T>() {
    if constexpr (std::is_same_v<T, bool>)
      append(int{x.data<T>()[at]});
    else if constexpr (std::is_integral_v<T> || std::is_same_v<T, double>)
      append(x.data<T>()[at]);
    else if constexpr (!std::is_same_v<T, complex64> && !std::is_same_v<T, complex128>)
      append(static_cast<float>(x.data<T>()[at]));
  });
}

void append_csv_text(std::string& out, std::string_view field, char delimiter) {
  const auto special = [delimiter](char c) {
    return c == delimiter || c == '"' || c == '\n' || c == '\r' || is_blank(c);
  };
  if (!field.empty() && std::none_of(field.begin(), field.end(), special)) {
    out += field;
    return;
  }
  out += '"';
  for (const char c : field) out.append(c == '"' ? 2 : 1, c);
  out += '"';
}

}  // namespace facula
