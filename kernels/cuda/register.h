// Fills core's slots with CUDA's kernels: one plain function per subject, called once by facula_cuda_attach().
#pragma once

namespace facula::cuda {

void fill_memory_slots();         // memory.cu: fill, copy
void fill_pointwise_slots();      // pointwise.cu: arithmetic, comparison, logic, selection
void fill_unary_slots();          // pointwise_unary.cu: signs, rounding, predicates, parts of complex numbers
void fill_exponential_slots();    // pointwise_exponential.cu
void fill_trigonometric_slots();  // pointwise_trigonometric.cu
void fill_special_slots();        // pointwise_special.cu: error and gamma functions
void fill_reduce_slots();         // reduce.cu: sum .. all, arg*, *_with_index
void fill_moment_slots();         // reduce_moments.cu: var, norm
void fill_scan_slots();           // scan.cu: cumsum, cumprod
void fill_softmax_slots();        // softmax.cu
void fill_linalg_slots();         // linalg.cu: bmm, dot
void fill_index_slots();          // index.cu: gather .. nonzero
void fill_order_slots();          // order.cu: sort, topk
void fill_random_slots();         // random.cu: arange, linspace, uniform .. randperm
void fill_conv_slots();           // conv.cu
void fill_pool_slots();           // pool.cu

}  // namespace facula::cuda
