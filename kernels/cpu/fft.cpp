#include "kernels/cpu/register.h"

namespace facula::cpu {

void fill_fft_slots() {}

}  // namespace facula::cpu
