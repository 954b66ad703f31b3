// The rules are those of torch/_tensor_str.py: the elements that will be shown choose the format, every element gets the same
// width, and lines break after as many as fit. Three steps: gather what is shown into a small dense tensor on the CPU, write
// one cell per element, lay the cells out.
#include "core/print.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <mutex>

#include "core/autograd.h"
#include "core/context.h"
#include "core/slots.h"

namespace facula {
namespace {

std::mutex options_mutex;  // threads without an interpreter share a context

// More cells are nobody's reading, and an expanded tensor can ask for any number of them.
constexpr int64_t kMostCells = 10'000'000;

/// The part that is shown: dimensions that are cut keep `edge` elements at either end.
struct Excerpt {
  Sizes sizes;
  std::vector<bool> cut;
  int64_t edge;

  Excerpt(const Tensor& x, const PrintOptions& options) : sizes(x.sizes()), cut(sizes.size()), edge(options.edgeitems) {
    for (size_t d = 0; d < sizes.size(); ++d) {
      cut[d] = x.numel() > options.threshold && sizes[d] - edge > edge;
      if (cut[d]) sizes[d] = 2 * edge;
    }
  }
};

Tensor narrowed(const Tensor& x, size_t d, int64_t start, int64_t length) {
  Sizes sizes = x.sizes();
  sizes[d] = length;
  return x.alias(std::move(sizes), x.strides(), x.offset() + start * x.strides()[d]);
}

void copy_edges(const Tensor& y, const Tensor& x, const Excerpt& excerpt, size_t d = 0) {
  while (d < excerpt.cut.size() && !excerpt.cut[d]) ++d;
  if (d == excerpt.cut.size()) return slots::copy(y, x);
  const int64_t edge = excerpt.edge, n = x.size(static_cast<int64_t>(d));
  copy_edges(narrowed(y, d, 0, edge), narrowed(x, d, 0, edge), excerpt, d + 1);
  copy_edges(narrowed(y, d, edge, edge), narrowed(x, d, n - edge, edge), excerpt, d + 1);
}

/// What the excerpt shows of x: dense, on the CPU, as int64, float64 or complex128.
Tensor gathered(const Tensor& x, const Excerpt& excerpt) {
  const DType wide = is_complex(x.dtype()) ? DType::Complex128 : is_floating(x.dtype()) ? DType::Float64 : DType::Int64;
  const Tensor y = empty(excerpt.sizes, wide, x.device());
  copy_edges(y, x, excerpt);
  if (y.is_cpu()) return y;
  const Tensor host = empty(excerpt.sizes, wide);
  const auto bytes = static_cast<size_t>(y.numel() * y.item_size());
  runtime(y.device().type).copy(host.bytes(), {}, y.bytes(), y.device(), bytes);
  return host;
}

std::string padded(std::string s, size_t width) {
  if (s.size() < width) s.insert(0, width - s.size(), ' ');
  return s;
}

/// As C's %f and %e, whatever the locale.
std::string number(double v, std::chars_format format, int precision) {
  if (std::isnan(v)) return "nan";
  char text[512];  // 1e308 and 100 digits
  return {text, std::to_chars(text, text + sizeof text, v, format, precision).ptr};
}

/// The common format of real numbers, chosen by those that are finite and not zero: as integers (`1.`), with a fixed number of
/// digits, or scientific.
class RealFormat {
 public:
  /// Of every `step`-th number.
  RealFormat(const double* v, int64_t n, int64_t step, const PrintOptions& options) : precision_(options.precision) {
    double least = INFINITY, most = 0;
    for (int64_t i = 0; i < n; ++i) {
      const double a = std::abs(v[i * step]);
      if (!shapes(a)) continue;
      least = std::min(least, a);
      most = std::max(most, a);
      integral_ = integral_ && a == std::ceil(a);
    }
    if (most == 0) return;
    scientific_ = most / least > 1000 || most > 1e8 || (!integral_ && least < 1e-4);
    for (int64_t i = 0; i < n; ++i)
      if (shapes(v[i * step])) width_ = std::max(width_, bare(v[i * step]).size());
    scientific_ = options.sci_mode.value_or(scientific_);  // too late for the width, as in PyTorch
  }

  size_t width() const { return width_; }
  std::string operator()(double v) const { return padded(bare(v), width_); }

 private:
  static bool shapes(double v) { return std::isfinite(v) && v != 0; }
  std::string bare(double v) const {
    if (scientific_) return number(v, std::chars_format::scientific, precision_);
    if (!integral_) return number(v, std::chars_format::fixed, precision_);
    return number(v, std::chars_format::fixed, 0) + (std::isfinite(v) ? "." : "");
  }

  int precision_;
  bool integral_ = true, scientific_ = false;
  size_t width_ = 1;
};

/// One text per element, all of one width (but for infinities and NaN among integers).
struct Cells {
  std::vector<std::string> texts;
  size_t width = 1;
};

Cells integer_cells(const Tensor& x, bool boolean) {
  Cells cells;
  const int64_t* v = x.data<int64_t>();
  for (int64_t i = 0; i < x.numel(); ++i) {
    cells.texts.push_back(boolean ? (v[i] ? "True" : "False") : std::to_string(v[i]));
    cells.width = std::max(cells.width, cells.texts.back().size());
  }
  for (std::string& s : cells.texts) s = padded(std::move(s), cells.width);
  return cells;
}

Cells real_cells(const Tensor& x, const PrintOptions& options) {
  const double* v = x.data<double>();
  const RealFormat format(v, x.numel(), 1, options);
  Cells cells{{}, format.width()};
  for (int64_t i = 0; i < x.numel(); ++i) cells.texts.push_back(format(v[i]));
  return cells;
}

Cells complex_cells(const Tensor& x, const PrintOptions& options) {
  const auto* v = reinterpret_cast<const double*>(x.bytes());
  const RealFormat re(v, x.numel(), 2, options), im(v + 1, x.numel(), 2, options);
  Cells cells{{}, re.width() + im.width() + 1};
  for (int64_t i = 0; i < x.numel(); ++i) {
    std::string imaginary = im(v[2 * i + 1]) + "j";
    imaginary.erase(0, imaginary.find_first_not_of(' '));
    cells.texts.push_back(re(v[2 * i]) + (imaginary[0] == '-' ? "" : "+") + imaginary);
  }
  return cells;
}

/// Brackets, commas, line breaks and `...` around the cells.
class Layout {
 public:
  Layout(const Excerpt& excerpt, const Cells& cells, int linewidth)
      : excerpt_(excerpt),
        next_(cells.texts.begin()),
        step_(static_cast<int>(cells.width) + 2),
        linewidth_(linewidth) {}

  std::string write(int indent) {
    if (excerpt_.sizes.empty()) return *next_;
    block(0, indent);
    return std::move(out_);
  }

 private:
  void block(size_t d, int indent) {
    const bool row = d + 1 == excerpt_.sizes.size();
    const int64_t middle = excerpt_.cut[d] ? excerpt_.edge : -1;
    const int64_t items = excerpt_.sizes[d] + excerpt_.cut[d];
    const int64_t per_line = row ? std::max(1, (linewidth_ - indent) / step_) : 1;
    const std::string line_break(row ? 1 : excerpt_.sizes.size() - d - 1, '\n'),
        spaces(static_cast<size_t>(indent) + 1, ' ');
    out_ += '[';
    for (int64_t i = 0; i < items; ++i) {
      if (i) out_ += i % per_line == 0 ? "," + line_break + spaces : ", ";
      if (i == middle)
        out_ += row ? " ..." : "...";
      else if (row)
        out_ += *next_++;
      else
        block(d + 1, indent + 1);
    }
    out_ += ']';
  }

  const Excerpt& excerpt_;
  std::vector<std::string>::const_iterator next_;
  int step_, linewidth_;
  std::string out_;
};

std::string elements(const Tensor& x, int indent, const PrintOptions& options) {
  if (x.is_meta()) return "...";
  if (x.numel() == 0) return "[]";
  const Excerpt excerpt(x, options);
  if (numel_of(excerpt.sizes) > kMostCells) return "...";
  const Tensor shown = gathered(x, excerpt);
  const Cells cells = is_complex(x.dtype())    ? complex_cells(shown, options)
                      : is_floating(x.dtype()) ? real_cells(shown, options)
                                               : integer_cells(shown, x.dtype() == DType::Bool);
  return Layout(excerpt, cells, options.linewidth).write(indent);
}

/// Python's tuple.
std::string size_text(const Sizes& sizes) { return sizes.size() == 1 ? text('(', sizes[0], ",)") : text(sizes); }

/// What stands behind the elements: device and sizes where they cannot be seen, the dtype unless it is what such elements
/// would get by themselves, and how gradients flow.
std::vector<std::string> suffixes(const Tensor& x, bool elided) {
  std::vector<std::string> out;
  const DType floating = default_dtype();
  const DType t = x.dtype();
  const bool usual = t == floating || (!elided && x.numel() > 0 &&
                                       (t == DType::Int64 || t == DType::Bool || t == complex_dtype(floating)));
  if (!x.is_cpu()) out.push_back(text("device='", x.device(), "'"));
  if (elided || (x.numel() == 0 && x.dim() != 1)) out.push_back("size=" + size_text(x.sizes()));
  if (!usual) out.push_back(text("dtype=torch.", t));
  if (const Ref<Node> node = grad_fn(x))
    out.push_back("grad_fn=<" + node->name() + ">");
  else if (requires_grad(x))
    out.push_back("requires_grad=True");
  return out;
}

}  // namespace

PrintOptions print_options() {
  std::lock_guard lock(options_mutex);
  return context().print_options;
}

void set_print_options(const PrintOptions& options) {
  check(options.precision >= 0 && options.precision <= 100, "set_printoptions: precision must lie in 0..100, got ",
        options.precision);
  check(options.threshold >= 0, "set_printoptions: threshold must not be negative, got ", options.threshold);
  check(options.edgeitems >= 0, "set_printoptions: edgeitems must not be negative, got ", options.edgeitems);
  check(options.linewidth >= 1, "set_printoptions: linewidth must be at least 1, got ", options.linewidth);
  std::lock_guard lock(options_mutex);
  context().print_options = options;
}

std::string to_text(const Tensor& x) {
  const PrintOptions options = print_options();
  const std::string prefix = "tensor(";
  const int indent = static_cast<int>(prefix.size());
  const std::string contents = elements(x, indent, options);
  std::string out = prefix + contents;
  // One too many, as PyTorch counts.
  size_t column = out.size() - (out.rfind('\n') + 1) + 2;
  for (const std::string& s : suffixes(x, contents == "...")) {
    if (column + s.size() + 2 > static_cast<size_t>(options.linewidth)) {
      out += ",\n" + std::string(prefix.size(), ' ') + s;
      column = prefix.size() + s.size();
    } else {
      out += ", " + s;
      column += s.size() + 2;
    }
  }
  out += ')';
  const bool parameter = x.impl()->autograd && x.impl()->autograd->is_parameter;
  return parameter ? "Parameter containing:\n" + out : out;
}

}  // namespace facula
