#include "kernels/cpu/register.h"

#include <cblas.h>

namespace facula {

void register_cpu_kernels() {
  static const bool done = [] {
    openblas_set_num_threads(1);  // threads are facula's own: tasks of its pool call BLAS
    cpu::fill_memory_slots();
    cpu::fill_pointwise_slots();
    cpu::fill_reduce_slots();
    cpu::fill_scan_slots();
    cpu::fill_softmax_slots();
    cpu::fill_linalg_slots();
    cpu::fill_factor_slots();
    cpu::fill_solve_slots();
    cpu::fill_orthogonal_slots();
    cpu::fill_spectrum_slots();
    cpu::fill_least_squares_slots();
    cpu::fill_cross_slots();
    cpu::fill_distance_slots();
    cpu::fill_index_slots();
    cpu::fill_order_slots();
    cpu::fill_sequence_slots();
    cpu::fill_random_slots();
    cpu::fill_conv_slots();
    cpu::fill_pool_slots();
    return true;
  }();
  static_cast<void>(done);
}

}  // namespace facula
