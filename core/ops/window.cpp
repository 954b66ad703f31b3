#include "core/ops/families.h"

namespace facula {

void define_window(const Family&) {}

}  // namespace facula
