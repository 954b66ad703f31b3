// The one-line declaration of an operator: `sum(Tensor self, Dim[]? dim=None, bool keepdim=False, *, DType? dtype=None) -> Tensor`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/value.h"

namespace facula {

/// Types carry meaning. Dim and Index count from 1 in Lua and from 0 here, negative ones from the end; NewDim is a dimension
/// of the result, one more than the tensor has; IndexTensor holds positions, from 1 everywhere; an Operand is a tensor or a number,
/// which then promotes as a number does. Any is only for Lua classes.
enum class Type : uint8_t {
  Tensor,
  IndexTensor,
  Operand,
  Scalar,
  Int,
  Float,
  Bool,
  String,
  Dim,
  NewDim,
  Index,
  DType,
  Device,
  Generator,
  Any
};

struct Parameter {
  std::string name;
  Type type = Type::Any;
  bool list = false;            // T[]
  bool optional = false;        // T? or T[]?: None is allowed
  bool optional_items = false;  // T?[]: items may be None
  bool varargs = false;         // T[]...: positional numbers may stand for the list
  bool named_only = false;      // behind `*`
  bool required = true;         // no default
  int fixed = 0;                // n of T[n]: one number stands for n equal ones
  int lists = 0;                // n of T[][n]: n lists of equal length, laid end to end in the value
  Value fallback;               // the default; none for None

  bool is_tensor() const { return type == Type::Tensor || type == Type::IndexTensor || type == Type::Operand; }
  /// One tensor, not named and perhaps a number.
  bool is_operand() const { return (type == Type::Tensor || type == Type::Operand) && !list && !named_only; }
  /// As in the schema: `Dim[]? dim=None`.
  std::string type_text() const;
};

struct ResultType {
  std::string name;  // empty for a single unnamed result
  Type type = Type::Tensor;
  bool list = false;
};

struct Schema {
  std::string text;      // as written
  std::string name;      // with dots: `nn.functional.conv2d`
  std::string overload;  // behind `:` in the name, empty for most
  std::vector<Parameter> parameters;
  std::vector<ResultType> results;

  /// Index of the parameter, or -1.
  int find(std::string_view parameter) const;
  /// The last part of the name.
  std::string_view short_name() const;
};

/// Parses `name[:overload](type name[=default], ..., *, ...) [-> type | (type name, ...)]`.
/// Types: Tensor IndexTensor Operand Scalar int float bool str Dim NewDim Index DType Device Generator any,
/// each with `?`, `[]`, `[n]`, `[]?`, `?[]`, `[]...`, `[][n]` behind it. Defaults: numbers, True, False, None, 'text', [1, 2].
/// Errors name the place.
Schema parse_schema(std::string_view text);

/// Does the value fit the parameter's type? (Numbers for lists of one, integral numbers for floats and so on.)
bool accepts(const Parameter& p, const Value& v);
/// The value brought to the parameter's form: a number for T[n] becomes a list, an empty list for
/// T[n]? None. Fails with `operator: argument ...`.
void conform(const Schema& schema, const Parameter& p, Value& v);

}  // namespace facula
