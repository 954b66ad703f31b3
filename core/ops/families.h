// The families of operators, each declared in the file of its name.
#pragma once

#include "core/define.h"

namespace facula {

void define_creation(const Family& define);
void define_copy(const Family& define);
void define_view(const Family& define);
void define_join(const Family& define);
void define_arithmetic(const Family& define);
void define_math(const Family& define);
void define_compare(const Family& define);
void define_reduce(const Family& define);
void define_softmax(const Family& define);
void define_linalg(const Family& define);
void define_index(const Family& define);
void define_order(const Family& define);
void define_random(const Family& define);
void define_conv(const Family& define);
void define_pool(const Family& define);
void define_conv_transpose(const Family& define);
void define_avg_pool(const Family& define);
void define_adaptive_max_pool(const Family& define);
void define_max_unpool(const Family& define);
void define_interpolate(const Family& define);
void define_grid_sample(const Family& define);
void define_pad(const Family& define);
void define_fold(const Family& define);
void define_shuffle(const Family& define);
void define_loss(const Family& define);

inline void define_all(const Family& define) {
  for (const auto family : {define_creation, define_copy, define_view, define_join, define_arithmetic, define_math,
                            define_compare, define_reduce, define_softmax, define_linalg, define_index, define_order,
                            define_random, define_conv, define_pool, define_loss})
    family(define);
  for (const auto family : {define_conv_transpose, define_avg_pool, define_adaptive_max_pool, define_max_unpool,
                            define_interpolate, define_grid_sample, define_pad, define_fold, define_shuffle})
    family(define);
}

}  // namespace facula
