#include "kernels/cpu/register.h"

namespace facula::cpu {

void fill_running_slots() {}

}  // namespace facula::cpu
