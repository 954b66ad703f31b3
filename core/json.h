// JSON as our files have it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace facula {

/// A value of a JSON text (RFC 8259), which must outlive it. Strings hold no escapes: ours need none, others are refused.
struct Json {
  enum class Kind : uint8_t { Null, Bool, Number, String, Array, Object };

  Kind kind = Kind::Null;
  std::string_view text;               // of a number, a string without its quotes, `true`, `false`
  std::vector<std::string_view> keys;  // of an object, as they came
  std::vector<Json> items;             // of an array or an object

  /// The only field of that name; null without one, or with several, or where this is no object.
  const Json* field(std::string_view name) const;
  /// The number, if it is an integer that int64 holds.
  std::optional<int64_t> integer() const;
};

/// The value that is all of the text, nested no deeper than `most_depth`; none if it is not JSON.
std::optional<Json> parse_json(std::string_view text, int most_depth = 16);

}  // namespace facula
