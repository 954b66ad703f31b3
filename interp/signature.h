// Schemas as Lua's users read them, and what to say when a name is not among them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/schema.h"

namespace facula::interp {

/// Dimensions and positions: counted from 1 in Lua, from 0 in core.
inline bool counts_positions(Type t) { return t == Type::Dim || t == Type::NewDim || t == Type::Index; }

/// A parameter's default as signatures show it: `None`, `1`, `[0, 1]`, `'mean'`.
std::string default_text(const Parameter& p);
/// As declared, without the overload's name, and with default dimensions and positions counted from 1.
std::string signature_text(const Schema& schema);
/// `unknown argument 'dims', did you mean 'dim'?`
std::string unknown_argument(std::string_view name, const std::vector<const Schema*>& schemas);
/// The candidate that a typing mistake may have turned into `word`; empty if none is near.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace facula::interp
