#include "core/slot.h"

namespace facula {

void missing_kernel(const char* slot, Device device) { fail(slot, ": there is no kernel for device ", device); }

}  // namespace facula
