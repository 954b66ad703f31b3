#include "kernels/cpu/register.h"

namespace facula::cpu {

void fill_sampling_slots() {}

}  // namespace facula::cpu
