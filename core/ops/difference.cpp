#include "core/ops/families.h"

namespace facula {

void define_difference(const Family&) {}

}  // namespace facula
