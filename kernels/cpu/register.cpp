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
    cpu::fill_arrange_slots();
    cpu::fill_order_slots();
    cpu::fill_sequence_slots();
    cpu::fill_random_slots();
    cpu::fill_conv_slots();
    cpu::fill_pool_slots();
    cpu::fill_running_slots();
    cpu::fill_segment_slots();
    cpu::fill_selection_slots();
    cpu::fill_histogram_slots();
    cpu::fill_multinomial_slots();
    cpu::fill_sampling_slots();
    cpu::fill_fft_slots();
    cpu::fill_box_pool_slots();
    cpu::fill_resample_slots();
    cpu::fill_grid_slots();
    cpu::fill_fold_slots();
    cpu::fill_layer_norm_slots();
    cpu::fill_batch_norm_slots();
    cpu::fill_embedding_bag_slots();
    cpu::fill_ctc_loss_slots();
    cpu::register_update_rules();
    cpu::fill_recurrent_slots();
    cpu::fill_attention_slots();
    return true;
  }();
  static_cast<void>(done);
}

}  // namespace facula
