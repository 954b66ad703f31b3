#include "core/update_rule.h"

#include <algorithm>
#include <vector>

namespace facula {

static std::vector<UpdateRule>& rules() {
  static auto* const all = new std::vector<UpdateRule>;
  return *all;
}

const UpdateRule* find_update_rule(std::string_view name) {
  const auto found = std::find_if(rules().begin(), rules().end(), [&](const UpdateRule& r) { return r.name == name; });
  return found == rules().end() ? nullptr : &*found;
}

void add_update_rule(const UpdateRule& rule) { rules().push_back(rule); }

bool can_update(const Tensor& parameter, const Tensor& gradient) {
  const DType dtype = parameter.dtype();
  return parameter.is_cpu() && gradient.is_cpu() && (dtype == DType::Float32 || dtype == DType::Float64) &&
         gradient.dtype() == dtype && parameter.is_contiguous() && gradient.is_contiguous() &&
         parameter.sizes() == gradient.sizes();
}

void update(std::string_view name, std::span<const Tensor> rows, std::span<const double> numbers) {
  const UpdateRule* rule = find_update_rule(name);
  check(rule, "update: there is no rule '", name, "'");
  check(numbers.size() == static_cast<size_t>(rule->numbers), "update: rule '", name, "' takes ", rule->numbers,
        " numbers, got ", numbers.size());
  const size_t width = static_cast<size_t>(rule->states) + 2;
  check(rows.size() % width == 0, "update: rule '", name, "' takes rows of ", width, " tensors, got ", rows.size());
  for (size_t r = 0; r < rows.size(); r += width)
    for (size_t k = 1; k < width; ++k)
      check(rows[r].dtype() == rows[0].dtype() && can_update(rows[r], rows[r + k]), "update: a parameter is ",
            rows[r].dtype(), ' ', rows[r].sizes(), ", tensor ", k, " beside it ", rows[r + k].dtype(), ' ',
            rows[r + k].sizes());
  if (rows.empty()) return;
  rule->run(rows, numbers);
  for (size_t i = 0; i < rows.size(); ++i)
    if (i % width != 1) rows[i].storage()->bump_version();
}

}  // namespace facula
