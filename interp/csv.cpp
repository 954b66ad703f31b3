#include "interp/csv.h"

#include "core/autograd.h"
#include "core/csv.h"
#include "core/ops.h"
#include "core/parallel.h"
#include "core/whole_file.h"
#include "interp/register.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

char delimiter_of(Call& call, int i, const char* operation) {
  const auto text = call.get<std::string>(i);
  check(text.size() == 1 && text[0] != '"' && text[0] != '\n' && text[0] != '\r', operation,
        ": the delimiter is one character, got '", text, "'");
  return text[0];
}

std::vector<std::string> strings_of(Call& call, int i, const char* operation, const char* what) {
  std::vector<std::string> list;
  const int index = call.source(i);
  for (int k = 1, n = index ? static_cast<int>(lua_objlen(call.L, index)) : 0; k <= n; ++k) {
    lua_rawgeti(call.L, index, k);
    check(lua_isstring(call.L, -1), operation, ": ", what, "[", k, "] is ", describe(call.L, call.S, -1),
          ", not a string");
    list.emplace_back(to_string(call.L, -1));
    lua_pop(call.L, 1);
  }
  return list;
}

// ---- reading ----

// A list with the columns, of which those of text are lists of strings.
void push_columns(Call& call, std::string_view bytes, const CsvWish& wish, const CsvTable& table) {
  lua_State* L = call.L;
  lua_createtable(L, static_cast<int>(table.numbers.size()), 0);
  const int columns = lua_gettop(L);
  bool has_text = false;
  for (size_t i = 0; i < table.numbers.size(); ++i) {
    if (table.numbers[i].defined()) {
      push_tensor(L, call.S, table.numbers[i]);
    } else {
      lua_createtable(L, static_cast<int>(table.rows), 0);
      has_text = true;
    }
    lua_rawseti(L, columns, static_cast<int>(i) + 1);
  }
  if (!has_text) return;
  visit_csv_text(bytes, wish, table, [&](size_t column, int64_t row, std::string_view field) {
    lua_rawgeti(L, columns, static_cast<int>(column) + 1);
    push_string(L, field);
    lua_rawseti(L, -2, static_cast<int>(row) + 1);
    lua_pop(L, 1);
  });
}

int read(Call& call) {
  const auto path = call.get<std::string>(0);
  CsvWish wish;
  wish.delimiter = delimiter_of(call, 1, "load_csv");
  wish.header = call.get<bool>(2);
  if (call.given(3)) wish.missing = call.get<double>(3);
  wish.text = strings_of(call, 4, "load_csv", "text");
  const std::string bytes = read_unpacked(path, "load_csv");
  const CsvTable table = read_csv(bytes, wish, text("load_csv: '", path, "'"));
  push_columns(call, bytes, wish, table);
  lua_createtable(call.L, static_cast<int>(table.names.size()), 0);
  int i = 0;
  for (const std::string& name : table.names) {
    push_string(call.L, name);
    lua_rawseti(call.L, -2, ++i);
  }
  return 2;
}

// ---- writing ----

/// A tensor of one dimension or a list of strings, which stays on the Lua stack.
struct Column {
  Tensor numbers;
  int list = 0;
  int64_t rows = 0;
};

Column column_at(Call& call, int i) {
  lua_State* L = call.L;
  Column column;
  if (const Tensor* x = to_tensor(L, call.S, -1)) {
    check(x->dim() == 1, "save_csv: column ", i, " is a tensor ", x->sizes(), ", expected one dimension");
    check(!is_complex(x->dtype()), "save_csv: column ", i, " is complex");
    check(!x->is_meta(), "save_csv: column ", i, " is a meta tensor, which has no elements");
    column.numbers = ops::to_device(detach(*x), Device());
    column.rows = x->numel();
    lua_pop(L, 1);
    return column;
  }
  check(lua_istable(L, -1), "save_csv: column ", i, " is ", describe(L, call.S, -1),
        ", expected a tensor or a list of strings");
  column.list = lua_gettop(L);
  column.rows = static_cast<int64_t>(lua_objlen(L, -1));
  return column;
}

std::vector<Column> columns_of(Call& call) {
  std::vector<Column> columns;
  const int list = call.source(1);
  const int count = static_cast<int>(lua_objlen(call.L, list));
  check(lua_checkstack(call.L, count + 8), "save_csv: ", count, " columns are too many");
  for (int i = 1; i <= count; ++i) {
    lua_rawgeti(call.L, list, i);
    columns.push_back(column_at(call, i));
    check(columns.back().rows == columns[0].rows, "save_csv: column ", i, " has ", columns.back().rows,
          " rows, column 1 has ", columns[0].rows);
  }
  return columns;
}

void append_field(Call& call, std::string& out, const Column& column, int64_t row, char delimiter, bool alone) {
  if (column.numbers.defined()) {
    const size_t before = out.size();
    append_csv_number(out, column.numbers, row);
    if (alone && out.size() == before) out += "nan";  // blank lines count for nothing
    return;
  }
  lua_rawgeti(call.L, column.list, static_cast<int>(row) + 1);
  check(lua_isstring(call.L, -1), "save_csv: a column has ", describe(call.L, call.S, -1), " in row ", row + 1,
        ", expected strings");
  append_csv_text(out, to_string(call.L, -1), delimiter);
  lua_pop(call.L, 1);
}

int write(Call& call) {
  const char delimiter = delimiter_of(call, 3, "save_csv");
  const std::vector<Column> columns = columns_of(call);
  const std::vector<std::string> names = strings_of(call, 2, "save_csv", "names");
  check(names.empty() || names.size() == columns.size(), "save_csv: ", names.size(), " names for ", columns.size(),
        " columns");
  std::string out;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i) out += delimiter;
    append_csv_text(out, names[i], delimiter);
  }
  if (!names.empty()) out += '\n';
  for (int64_t row = 0, rows = columns.empty() ? 0 : columns[0].rows; row < rows; ++row) {
    if (row % 4096 == 0 && interrupt_requested()) throw Interrupted();
    for (size_t i = 0; i < columns.size(); ++i) {
      if (i) out += delimiter;
      append_field(call, out, columns[i], row, delimiter, columns.size() == 1);
    }
    out += '\n';
  }
  write_whole(call.get<std::string>(0), out, "save_csv");
  return 0;
}

constexpr Native kNatives[] = {
    {"core.read_csv(str path, str delimiter, bool header, float? missing=None, any? text=None)", read},
    {"core.write_csv(str path, any columns, any? names=None, str delimiter=',')", write},
};

}  // namespace

void open_csv(lua_State* L, State& S) { add_natives(L, S, kNatives); }

}  // namespace facula::interp
