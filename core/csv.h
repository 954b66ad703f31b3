// Tables in text: comma-separated values (RFC 4180) with their relatives.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace facula {

struct CsvWish {
  char delimiter = ',';  // ' ' stands for any run of spaces and tabs
  bool header = true;    // the first line names the columns
  /// What stands for a missing number. Nothing: NaN, and columns of integers become float64.
  std::optional<double> missing;
  /// Columns by name or number that stay text, whatever they look like.
  std::vector<std::string> text;
};

/// A column is int64 if all its fields are integers, float64 if all are numbers, and text otherwise. Fields without anything in
/// them, NA, N/A, NaN and null (in small or capital letters) are missing numbers.
struct CsvTable {
  std::vector<std::string> names;  // empty without a header
  Tensors numbers;                 // by column; undefined where it is text
  int64_t rows = 0;
};

/// `bytes` is the whole file, `name` its name in errors: rows of different lengths, quotes that do not end, more than 2^20
/// columns; an interrupt.
CsvTable read_csv(std::string_view bytes, const CsvWish& wish, const std::string& name);

/// Calls `body(column, row, text)` for the text columns of a table that was read from `bytes`, row by row.
void visit_csv_text(std::string_view bytes, const CsvWish& wish, const CsvTable& table,
                    const std::function<void(size_t, int64_t, std::string_view)>& body);

/// Appends the number of a tensor at a position as text that reads back as the same number; nothing for NaN.
void append_csv_number(std::string& out, const Tensor& x, int64_t i);
/// Appends a text, in quotes where it needs them.
void append_csv_text(std::string& out, std::string_view field, char delimiter);

}  // namespace facula
