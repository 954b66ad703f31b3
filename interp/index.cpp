// Note [Indexing]
// A key is a list of items, one for each dimension; a number, mask or index tensor alone is a list of one. Numbers,
// ranges, newaxis and "..." make a view, one operator for each. Index tensors and masks, beside others as the positions
// where they are true, are left for the `index` operators, which follow PyTorch's rules for where the new dimensions go.
// Ranges include both ends and are cut to the tensor, as Python's are.
#include "interp/index.h"

#include <algorithm>
#include <charconv>

#include "core/ops.h"
#include "interp/data.h"
#include "interp/number.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

struct Range {
  int64_t first = 1, last = -1, step = 1;
};
struct NewAxis {};
struct Ellipsis {};
using Item = std::variant<int64_t, Range, NewAxis, Ellipsis, Tensor>;
using Items = std::vector<Item>;

// ---- from Lua ----

Range range_of(const IntList& numbers) {
  if (numbers.empty()) return {};
  check(numbers.size() <= 3, "index: a range is {first, last, step}, got ", numbers.size(), " numbers");
  Range r{numbers[0], numbers.size() > 1 ? numbers[1] : numbers[0], numbers.size() > 2 ? numbers[2] : 1};
  check(r.first != 0 && r.last != 0, "index: range {", r.first, ", ", r.last,
        "} contains 0, but positions are 1-based");
  check(r.step > 0, "index: the step of a range must be positive, got ", r.step);
  return r;
}

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

// The text up to `separator`, which is taken off `rest`.
std::string_view next_part(std::string_view& rest, char separator) {
  const size_t end = rest.find(separator);
  const std::string_view part = trimmed(rest.substr(0, end));
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return part;
}

int64_t number_in(std::string_view part, std::string_view whole) {
  int64_t n = 0;
  const auto [stop, error] = std::from_chars(part.data(), part.data() + part.size(), n);
  check(error == std::errc() && stop == part.data() + part.size(), "index: '", part, "' in '", whole,
        "' is not a whole number");
  return n;
}

// `2`, `2:4`, `:`, `::2`, `...`, `newaxis`
Item item_in(std::string_view part, std::string_view whole) {
  if (part == "...") return Ellipsis{};
  if (part == "newaxis") return NewAxis{};
  const auto colons = std::count(part.begin(), part.end(), ':');
  if (colons == 0) return number_in(part, whole);
  check(colons <= 2, "index: '", part, "' in '", whole, "' is not first:last:step");
  IntList numbers{1, -1, 1};
  for (size_t i = 0; i <= static_cast<size_t>(colons); ++i)
    if (const std::string_view n = next_part(part, ':'); !n.empty()) numbers[i] = number_in(n, whole);
  return range_of(numbers);
}

void add_text(Items& items, std::string_view whole) {
  std::string_view rest = whole;
  for (auto commas = std::count(whole.begin(), whole.end(), ','); commas >= 0; --commas)
    items.push_back(item_in(next_part(rest, ','), whole));
}

Range range_at(lua_State* L, const State& S, int index) {
  IntList numbers;
  for (int i = 1, n = static_cast<int>(std::min<size_t>(lua_objlen(L, index), 4)); i <= n; ++i) {
    lua_rawgeti(L, index, i);
    int64_t v;
    check(to_integer(L, S, -1, v), "index: item ", i, " of a range is ", describe(L, S, -1), ", not a whole number");
    numbers.push_back(v);
    lua_pop(L, 1);
  }
  return range_of(numbers);
}

void add_item(lua_State* L, const State& S, Items& items, int index) {
  int64_t i;
  if (to_integer(L, S, index, i)) {
    items.emplace_back(i);
  } else if (lua_istable(L, index)) {
    items.emplace_back(range_at(L, S, index));
  } else if (const Tensor* t = to_tensor(L, S, index)) {
    check(is_integral(t->dtype(), true), "index: an index tensor must hold integers or booleans, got ", t->dtype());
    if (t->dim() == 0 && t->dtype() != DType::Bool)
      items.emplace_back(item(*t).to<int64_t>());
    else
      items.emplace_back(*t);
  } else if (const char* symbol = to_symbol(L, S, index); symbol && std::string_view(symbol) == "torch.newaxis") {
    items.emplace_back(NewAxis{});
  } else if (lua_type(L, index) == LUA_TSTRING) {
    add_text(items, to_string(L, index));
  } else {
    fail("index: ", describe(L, S, index), " is no position, range, mask or index tensor");
  }
}

Items items_at(lua_State* L, const State& S, int index) {
  Items items;
  if (!lua_istable(L, index)) {
    add_item(L, S, items, index);
    return items;
  }
  const auto n = static_cast<int>(lua_objlen(L, index));
  for (int i = 1; i <= n; ++i) {
    lua_rawgeti(L, index, i);
    add_item(L, S, items, lua_gettop(L));
    lua_pop(L, 1);
  }
  return items;
}

// ---- what it selects ----

struct Selection {
  Tensor view;
  Tensors positions;  // one for each dimension of the view, undefined for all of it; empty for a plain view
  Tensor mask;        // if it is all there is besides whole dimensions behind it; then it stands for the positions
};

Tensor select(const Tensor& x, int64_t dim, int64_t i) {
  check(i != 0, "index: position 0 in dimension ", Counting::shown(dim),
        ", but positions are 1-based (1 is the first, -1 the last)");
  return select_row(x, dim, i > 0 ? i - 1 : i);
}

Tensor slice(const Tensor& x, int64_t dim, const Range& r) {
  if (r.first == 1 && r.last == -1 && r.step == 1) return x;
  const int64_t start = r.first > 0 ? r.first - 1 : r.first;
  const int64_t end = r.last == -1 ? x.size(dim) : r.last > 0 ? r.last : r.last + 1;
  return ops::slice(x, dim, start, end, r.step);
}

int64_t dims_of(const Item& item) {
  if (std::holds_alternative<NewAxis>(item) || std::holds_alternative<Ellipsis>(item)) return 0;
  const auto* t = std::get_if<Tensor>(&item);
  return t && t->dtype() == DType::Bool ? t->dim() : 1;
}

void check_mask(const Tensor& view, const Tensor& mask, int64_t dim) {
  for (int64_t d = 0; d < mask.dim(); ++d)
    check(view.size(dim + d) == mask.size(d), "index: the mask ", mask.sizes(), " does not fit ", view.sizes(),
          " at dimension ", Counting::shown(dim + d));
}
// The positions where the mask is true, one tensor for each of its dimensions.
void add_mask(Selection& s, const Tensor& mask, int64_t dim) {
  check_mask(s.view, mask, dim);
  const Tensor found = ops::nonzero(mask);
  for (int64_t d = 0; d < mask.dim(); ++d) s.positions[static_cast<size_t>(dim + d)] = ops::select(found, 1, d);
}

Selection selection(const Tensor& x, const Items& items) {
  int64_t named = 0;
  size_t ellipses = 0;
  for (const Item& item : items) {
    named += dims_of(item);
    ellipses += std::holds_alternative<Ellipsis>(item);
  }
  check(ellipses <= 1, "index: \"...\" stands twice in the list");
  check(named <= x.dim(), "index: ", named, " positions or ranges for a tensor with ", x.dim(),
        x.dim() == 1 ? " dimension" : " dimensions");

  Selection s{x, {}, {}};
  std::vector<std::pair<int64_t, Tensor>> tensors;
  int64_t dim = 0;
  for (const Item& item : items) {
    if (const auto* i = std::get_if<int64_t>(&item)) {
      s.view = select(s.view, dim, *i);
    } else if (const auto* r = std::get_if<Range>(&item)) {
      s.view = slice(s.view, dim++, *r);
    } else if (std::holds_alternative<NewAxis>(item)) {
      s.view = ops::unsqueeze(s.view, dim++);
    } else if (std::holds_alternative<Ellipsis>(item)) {
      dim += x.dim() - named;
    } else {
      Tensor t = std::get<Tensor>(item);
      if (t.dtype() == DType::Bool && t.dim() == 0) {  // a new dimension of size 1 or 0
        s.view = ops::unsqueeze(s.view, dim);
        t = ops::unsqueeze(t, 0);
      }
      tensors.emplace_back(dim, t);
      dim += t.dtype() == DType::Bool ? t.dim() : 1;
    }
  }
  if (tensors.empty()) return s;
  if (tensors.size() == 1 && tensors[0].first == 0 && tensors[0].second.dtype() == DType::Bool) {
    s.mask = tensors[0].second;
    check_mask(s.view, s.mask, 0);
    s.positions.push_back(s.mask);
    return s;
  }
  s.positions.resize(static_cast<size_t>(s.view.dim()));
  for (const auto& [d, t] : tensors) {
    if (t.dtype() == DType::Bool)
      add_mask(s, t, d);
    else
      s.positions[static_cast<size_t>(d)] = t;
  }
  return s;
}

}  // namespace

bool is_index_text(std::string_view key) {
  return !key.empty() &&
         (std::string_view("0123456789:,-. ").find(key[0]) != std::string_view::npos || key.starts_with("newaxis"));
}

bool push_indexed(lua_State* L, State& S, const Tensor& x, int index) {
  int64_t i;
  if (lua_type(L, index) == LUA_TNUMBER && to_integer(lua_tonumber(L, index), i)) {
    push_tensor(L, S, select(x, 0, i));
    return true;
  }
  if (lua_type(L, index) == LUA_TSTRING && !is_index_text(to_string(L, index))) return false;
  const Selection s = selection(x, items_at(L, S, index));
  push_tensor(L, S, s.positions.empty() ? s.view : ops::index(s.view, s.positions));
  return true;
}

// Dimensions of size 1 in front of a value that has more of them than the place it goes to.
static Tensor without_leading_ones(const Tensor& value, int64_t rank) {
  int64_t extra = 0;
  while (value.dim() - extra > rank && value.size(extra) == 1) ++extra;
  if (extra == 0) return value;
  return ops::reshape(value, IntList(value.sizes().begin() + extra, value.sizes().end()));
}

void assign_indexed(lua_State* L, State& S, const Tensor& x, int index, int value) {
  const Selection s = selection(x, items_at(L, S, index));
  Scalar number;
  const bool is_number = to_scalar(L, S, value, number);
  Tensor given;
  if (is_number) {
    given = number_tensor(number);
  } else if (const Tensor* t = to_tensor(L, S, value)) {
    given = *t;
  } else if (lua_istable(L, value)) {
    given = tensor_of(L, S, value, "index assignment", x.dtype(), {});
  } else {
    fail("index assignment: expected a tensor, a number or a list of numbers, got ", describe(L, S, value));
  }
  if (s.positions.empty()) {
    if (is_number)
      ops::fill_.in_place(s.view, given);
    else
      ops::copy_.in_place(s.view, without_leading_ones(given, s.view.dim()));
    return;
  }
  if (s.mask.defined() && given.dim() == 0) {
    Tensor mask = s.mask;
    while (mask.dim() < s.view.dim()) mask = ops::unsqueeze(mask, -1);
    ops::masked_fill.in_place(s.view, mask, given);
    return;
  }
  given = converted(given, s.view.dtype(), s.view.device());
  ops::index_put_.in_place(s.view, s.positions, given, false);
}

}  // namespace facula::interp
