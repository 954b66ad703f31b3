// Einstein's sums. Operands are joined from left to right; each pair is one batched product of matrices over the letters that
// both have and nobody wants later.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "core/ops/families.h"
#include "core/ops/matrix.h"

namespace facula {
namespace {

// A letter, or a dimension that an ellipsis stands for, numbered from the last one.
using Label = int;
using Labels = std::vector<Label>;
constexpr Label kEllipsis = 1000;

struct Operand {
  Tensor x;
  Labels labels;  // one for each dimension
};

bool has(const Labels& labels, Label l) { return std::find(labels.begin(), labels.end(), l) != labels.end(); }
std::string shown(Label l) { return l >= kEllipsis ? "..." : std::string(1, static_cast<char>(l)); }

// One side's term: letters, and at most one ellipsis, given as kEllipsis.
Labels term(std::string_view text, std::string_view equation) {
  Labels labels;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ' ') continue;
    if (c == '.') {
      check(text.substr(i, 3) == "...", "einsum: a dot in '", equation, "' that is not part of an ellipsis '...'");
      check(!has(labels, kEllipsis), "einsum: more than one ellipsis in a term of '", equation, "'");
      labels.push_back(kEllipsis);
      i += 2;
    } else {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      check(letter, "einsum: '", c, "' in '", equation, "' is neither a letter nor an ellipsis");
      labels.push_back(c);
    }
  }
  return labels;
}

struct Equation {
  std::vector<Labels> inputs;
  Labels output;
  bool explicit_output = false;
};

Equation parsed(const std::string& text) {
  Equation e;
  std::string_view left = text;
  if (const size_t arrow = left.find("->"); arrow != std::string_view::npos) {
    e.output = term(left.substr(arrow + 2), text);
    e.explicit_output = true;
    left = left.substr(0, arrow);
  }
  for (;;) {
    const size_t comma = left.find(',');
    e.inputs.push_back(term(left.substr(0, comma), text));
    if (comma == std::string_view::npos) return e;
    left.remove_prefix(comma + 1);
  }
}

// The ellipsis as `count` labels, the last dimension being kEllipsis.
Labels unfolded(const Labels& labels, int64_t count) {
  Labels full;
  for (const Label l : labels) {
    if (l != kEllipsis)
      full.push_back(l);
    else
      for (int64_t i = count; i-- > 0;) full.push_back(kEllipsis + static_cast<Label>(i));
  }
  return full;
}

// A repeated letter takes the diagonal, which comes last.
void take_diagonals(Operand& o, size_t number) {
  for (size_t i = 0; i < o.labels.size(); ++i) {
    const auto again = std::find(o.labels.begin() + static_cast<std::ptrdiff_t>(i) + 1, o.labels.end(), o.labels[i]);
    if (again == o.labels.end()) continue;
    const auto j = static_cast<int64_t>(again - o.labels.begin()), d = static_cast<int64_t>(i);
    const Label l = o.labels[i];
    check(o.x.size(d) == o.x.size(j), "einsum: '", shown(l), "' is repeated in operand ",
          Counting::shown(static_cast<int64_t>(number)), " for sizes ", o.x.size(d), " and ", o.x.size(j));
    o.x = ops::diagonal(o.x, 0, d, j);
    o.labels.erase(again);
    o.labels.erase(o.labels.begin() + d);
    o.labels.push_back(l);
    i = static_cast<size_t>(-1);  // positions have moved: start again
  }
}

std::vector<Operand> bound(const Equation& e, const Tensors& tensors, int64_t& ellipsis) {
  check(e.inputs.size() == tensors.size(), "einsum: the equation has ", e.inputs.size(), " operands, ", tensors.size(),
        tensors.size() == 1 ? " is given" : " are given");
  std::vector<Operand> operands;
  ellipsis = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto rank = tensors[i].dim();
    const auto letters = static_cast<int64_t>(e.inputs[i].size()) - has(e.inputs[i], kEllipsis);
    check(has(e.inputs[i], kEllipsis) ? letters <= rank : letters == rank, "einsum: operand ",
          Counting::shown(static_cast<int64_t>(i)), ' ', tensors[i].sizes(), " has ", rank, " dimensions, its term ",
          letters, " letters");
    if (has(e.inputs[i], kEllipsis)) ellipsis = std::max(ellipsis, rank - letters);
    operands.push_back({tensors[i], unfolded(e.inputs[i], rank - letters)});
    take_diagonals(operands.back(), i);
  }
  return operands;
}

// Without `->`: the ellipsis, then the letters that occur once, in alphabetical order.
Labels output_of(const Equation& e, int64_t ellipsis) {
  if (e.explicit_output) return unfolded(e.output, ellipsis);
  Labels all, once;
  for (const Labels& labels : e.inputs)
    for (const Label l : labels)
      if (l != kEllipsis) all.push_back(l);
  for (const Label l : all)
    if (std::count(all.begin(), all.end(), l) == 1) once.push_back(l);
  std::sort(once.begin(), once.end());
  Labels labels = unfolded({kEllipsis}, ellipsis);
  labels.insert(labels.end(), once.begin(), once.end());
  return labels;
}

void check_sizes(const std::vector<Operand>& operands, const Labels& output) {
  Labels known;
  std::vector<int64_t> sizes;
  for (size_t i = 0; i < operands.size(); ++i) {
    for (size_t d = 0; d < operands[i].labels.size(); ++d) {
      const Label l = operands[i].labels[d];
      const int64_t n = operands[i].x.size(static_cast<int64_t>(d));
      const auto at = static_cast<size_t>(std::find(known.begin(), known.end(), l) - known.begin());
      if (at == known.size()) known.push_back(l), sizes.push_back(n);
      check(n == sizes[at] || n == 1 || sizes[at] == 1, "einsum: '", shown(l), "' has size ", n, " in operand ",
            Counting::shown(static_cast<int64_t>(i)), " and ", sizes[at], " before it");
      sizes[at] = sizes[at] == 1 ? n : sizes[at];
    }
  }
  for (const Label l : output) {
    check(has(known, l) || l >= kEllipsis, "einsum: '", shown(l), "' of the output is in no operand");
    check(std::count(output.begin(), output.end(), l) == 1, "einsum: '", shown(l), "' appears twice in the output");
  }
}

int64_t size_of(const Operand& o, Label l) {
  return o.x.size(std::find(o.labels.begin(), o.labels.end(), l) - o.labels.begin());
}

// Without the dimensions of size 1 that the other operand would stretch.
Operand unstretched(const Operand& o, const Operand& other) {
  Operand rest{o.x, {}};
  for (const Label l : o.labels) {
    const auto d = static_cast<int64_t>(rest.labels.size());
    if (rest.x.size(d) == 1 && has(other.labels, l) && size_of(other, l) != 1)
      rest.x = ops::select(rest.x, d, 0);
    else
      rest.labels.push_back(l);
  }
  return rest;
}

// Without the dimensions for whose labels `gone` holds: summed.
template <class Predicate>
Operand summed(const Operand& o, Predicate&& gone) {
  Operand rest;
  IntList dims;
  for (size_t d = 0; d < o.labels.size(); ++d) {
    if (gone(o.labels[d]))
      dims.push_back(static_cast<int64_t>(d));
    else
      rest.labels.push_back(o.labels[d]);
  }
  rest.x = dims.empty() ? o.x : ops::sum(o.x, dims);
  return rest;
}

// The operand with its dimensions in the order of some groups of labels, each group as one dimension.
Tensor grouped(const Operand& o, const std::array<const Labels*, 3>& groups) {
  IntList order;
  Sizes sizes;
  for (const Labels* group : groups) {
    int64_t n = 1;
    for (const Label l : *group) {
      order.push_back(std::find(o.labels.begin(), o.labels.end(), l) - o.labels.begin());
      n *= size_of(o, l);
    }
    sizes.push_back(n);
  }
  return ops::reshape(ops::permute(o.x, order), sizes);
}

Operand joined_pair(const Operand& first, const Operand& second, const Labels& wanted) {
  Operand left = unstretched(first, second), b = unstretched(second, left);
  left = summed(left, [&](Label l) { return !has(b.labels, l) && !has(wanted, l); });
  b = summed(b, [&](Label l) { return !has(left.labels, l) && !has(wanted, l); });
  Labels batch, rows, inner, columns;
  for (const Label l : left.labels) (!has(b.labels, l) ? rows : has(wanted, l) ? batch : inner).push_back(l);
  for (const Label l : b.labels)
    if (!has(left.labels, l)) columns.push_back(l);

  const DType t = promote(left.x.dtype(), b.x.dtype());  // sums of integers are int64
  const Tensor x = ops::to_dtype(grouped(left, {&batch, &rows, &inner}), t);
  const Tensor y = ops::to_dtype(grouped(b, {&batch, &inner, &columns}), t);
  const Tensor product = inner.empty() ? x * y : ops::bmm(x, y);
  Operand result;
  Sizes sizes;
  for (const auto& [o, group] : {std::pair(&left, &batch), std::pair(&left, &rows), std::pair(&b, &columns)})
    for (const Label l : *group) result.labels.push_back(l), sizes.push_back(size_of(*o, l));
  result.x = ops::reshape(product, sizes);
  return result;
}

Tensor einsum_of(const std::string& text, const Tensors& tensors) {
  check(!tensors.empty(), "einsum: expected at least one operand");
  const Equation e = parsed(text);
  int64_t ellipsis = 0;
  const std::vector<Operand> operands = bound(e, tensors, ellipsis);
  const Labels output = output_of(e, ellipsis);
  check_sizes(operands, output);
  Operand result = operands[0];
  for (size_t i = 1; i < operands.size(); ++i) {
    Labels wanted = output;
    for (size_t j = i + 1; j < operands.size(); ++j)
      wanted.insert(wanted.end(), operands[j].labels.begin(), operands[j].labels.end());
    result = joined_pair(result, operands[i], wanted);
  }
  result = summed(result, [&](Label l) { return !has(output, l); });
  IntList order;
  for (const Label l : output)
    order.push_back(std::find(result.labels.begin(), result.labels.end(), l) - result.labels.begin());
  return ops::permute(result.x, order);
}

}  // namespace

void define_einsum(const Family& define) {
  define("einsum(str equation, Tensor[]... operands) -> Tensor")
      .doc(
          "Sums of products told by letters: each operand's term names its dimensions, letters that are not in the "
          "output "
          "are summed over. A letter twice in a term takes a diagonal; '...' stands for dimensions that broadcast; "
          "without "
          "'->' the output is the ellipsis and the letters that occur once, in alphabetical order.")
      .example("torch.einsum('bij,bjk->bik', torch.ones(2, 3, 4), torch.ones(2, 4, 5))")
      .compose(einsum_of);
}

}  // namespace facula
