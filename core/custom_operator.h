// Operators that are declared while the program runs, beside the registry.
#pragma once

#include <string_view>

#include "core/operator.h"

namespace facula {

/// Fills in what follows from the signature: the schema and what dispatch wants to know of it. Errors: no signature.
void declare(Operator& op, std::string_view signature);
/// Fills in what follows from the whole declaration. Errors: it has no forward.
void complete_declaration(Operator& op);

}  // namespace facula
