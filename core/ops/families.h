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
void define_loss(const Family& define);
void define_scan(const Family& define);
void define_statistics(const Family& define);
void define_quantile(const Family& define);
void define_histogram(const Family& define);
void define_unique(const Family& define);
void define_difference(const Family& define);
void define_segment(const Family& define);
void define_sampling(const Family& define);
void define_fft(const Family& define);
void define_stft(const Family& define);
void define_window(const Family& define);

inline void define_all(const Family& define) {
  for (const auto family :
       {define_creation, define_copy,      define_view,    define_join,       define_arithmetic, define_math,
        define_compare,  define_reduce,    define_softmax, define_linalg,     define_index,      define_order,
        define_random,   define_conv,      define_pool,    define_loss,       define_scan,       define_statistics,
        define_quantile, define_histogram, define_unique,  define_difference, define_segment,    define_sampling,
        define_fft,      define_stft,      define_window})
    family(define);
}

}  // namespace facula
