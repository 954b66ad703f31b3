// Fills core's slots with the CPU's kernels: one plain function per file, called once by register_cpu_kernels().
#pragma once

namespace facula::cpu {

void fill_memory_slots();         // memory.cpp: fill, copy
void fill_pointwise_slots();      // pointwise*.cpp
void fill_reduce_slots();         // reduce.cpp: sum .. norm, arg*, *_with_index
void fill_scan_slots();           // scan.cpp: cumsum, cumprod
void fill_softmax_slots();        // softmax.cpp
void fill_linalg_slots();         // linalg.cpp: bmm, dot
void fill_factor_slots();         // factor.cpp: lu, cholesky, ldl
void fill_index_slots();          // index.cpp: gather .. nonzero
void fill_arrange_slots();        // arrange.cpp: triangle, join, masked_*, repeat_positions
void fill_order_slots();          // order.cpp: sort, topk
void fill_sequence_slots();       // sequence.cpp: arange, linspace
void fill_random_slots();         // random.cpp: uniform .. randperm
void fill_conv_slots();           // conv.cpp
void fill_pool_slots();           // pool.cpp
void fill_running_slots();        // running.cpp: cummax, cummin, logcumsumexp
void fill_segment_slots();        // segment.cpp
void fill_selection_slots();      // selection.cpp: kthvalue, median, mode, sort_rows
void fill_histogram_slots();      // histogram.cpp: searchsorted, histc, histogram
void fill_multinomial_slots();    // multinomial.cpp
void fill_sampling_slots();       // sampling.cpp: poisson, binomial, standard_gamma
void fill_fft_slots();            // fft.cpp: fft, rfft, irfft
void fill_solve_slots();          // solve.cpp: solve_triangular .. pivots_to_order
void fill_orthogonal_slots();     // orthogonal.cpp: geqrf, householder_*
void fill_spectrum_slots();       // spectrum.cpp: svd, eigh, eig
void fill_least_squares_slots();  // least_squares.cpp: lstsq
void fill_cross_slots();          // cross.cpp: cross
void fill_distance_slots();       // distance.cpp: cdist
void fill_box_pool_slots();       // box_pool.cpp: adaptive_max_pool, fractional_max_pool
void fill_resample_slots();       // resample.cpp
void fill_grid_slots();           // grid_sample.cpp
void fill_fold_slots();           // fold.cpp: im2col, col2im

void fill_layer_norm_slots();     // layer_norm.cpp: norm_rows, norm_rows_backward
void fill_batch_norm_slots();     // batch_norm.cpp: channel_*
void fill_embedding_bag_slots();  // embedding_bag.cpp
void fill_ctc_loss_slots();       // ctc_loss.cpp
void fill_recurrent_slots();      // recurrent.cpp: lstm_step, lstm_step_backward
void fill_attention_slots();      // attention.cpp: attention, attention_backward
void register_update_rules();     // update_rule.cpp: what optimizers do

}  // namespace facula::cpu

namespace facula {
/// All of the above; further calls do nothing.
void register_cpu_kernels();
}  // namespace facula
