#include "kernels/cpu/register.h"

namespace facula::cpu {

void fill_segment_slots() {}

}  // namespace facula::cpu
