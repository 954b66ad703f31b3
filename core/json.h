// JSON (RFC 8259), strictly.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace facula {

/// What a text lacks to be JSON: `json: expected ... at byte 7`, counted from 1.
class JsonError : public Error {
 public:
  using Error::Error;
};

/// Is told what a text holds, in its order: of a table its keys, each before its value.
class JsonVisitor {
 public:
  virtual void null() = 0;
  virtual void boolean(bool value) = 0;
  virtual void number(double value, std::string_view digits) = 0;
  virtual void string(std::string_view text) = 0;  ///< UTF-8 without escapes, lent for the call
  virtual void begin_list() = 0;
  virtual void begin_table() = 0;
  virtual bool key(std::string_view name) = 0;  ///< lent for the call; false if the table has that key
  virtual void end() = 0;

 protected:
  ~JsonVisitor() = default;
};

/// Reads the value that is all of the text. Errors: JsonError for what is not JSON, has two equal keys in a table, or is
/// nested deeper than `most_depth` lists and tables; what the visitor throws.
void read_json(std::string_view text, JsonVisitor& visitor, int most_depth);

/// Is it well-formed UTF-8 (RFC 3629)?
bool is_utf8(std::string_view text);

/// A value of a JSON text.
struct Json {
  enum class Kind : uint8_t { Null, Bool, Number, String, Array, Object };

  Kind kind = Kind::Null;
  std::string text;               // of a number as it was written, of a string
  std::vector<std::string> keys;  // of an object, as they came
  std::vector<Json> items;        // of an array or an object

  /// The only field of that name; null without one, or with several, or where this is no object.
  const Json* field(std::string_view name) const;
  /// The number, if it is an integer that int64 holds.
  std::optional<int64_t> integer() const;
};

/// The value that is all of the text; none where `read_json` would fail.
std::optional<Json> parse_json(std::string_view text, int most_depth = 16);

}  // namespace facula
