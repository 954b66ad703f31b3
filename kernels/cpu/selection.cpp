#include "kernels/cpu/register.h"

namespace facula::cpu {

void fill_selection_slots() {}

}  // namespace facula::cpu
