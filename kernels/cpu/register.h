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
void fill_solve_slots();          // solve.cpp: solve_triangular .. pivots_to_order
void fill_orthogonal_slots();     // orthogonal.cpp: geqrf, householder_*
void fill_spectrum_slots();       // spectrum.cpp: svd, eigh, eig
void fill_least_squares_slots();  // least_squares.cpp: lstsq
void fill_cross_slots();          // cross.cpp: cross
void fill_distance_slots();       // distance.cpp: cdist
void fill_index_slots();          // index.cpp: gather .. nonzero
void fill_order_slots();          // order.cpp: sort, topk
void fill_sequence_slots();       // sequence.cpp: arange, linspace
void fill_random_slots();         // random.cpp: uniform .. randperm
void fill_conv_slots();           // conv.cpp
void fill_pool_slots();           // pool.cpp

}  // namespace facula::cpu

namespace facula {
/// All of the above; further calls do nothing.
void register_cpu_kernels();
}  // namespace facula
