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
void define_product(const Family& define);
void define_einsum(const Family& define);
void define_factor(const Family& define);
void define_solve(const Family& define);
void define_solve_factored(const Family& define);
void define_determinant(const Family& define);
void define_orthogonal(const Family& define);
void define_spectrum(const Family& define);
void define_least_squares(const Family& define);
void define_matrix_norm(const Family& define);
void define_matrix_function(const Family& define);
void define_distance(const Family& define);
void define_index(const Family& define);
void define_order(const Family& define);
void define_random(const Family& define);
void define_conv(const Family& define);
void define_pool(const Family& define);
void define_loss(const Family& define);

inline void define_all(const Family& define) {
  for (const auto family : {define_creation,        define_copy,     define_view,           define_join,
                            define_arithmetic,      define_math,     define_compare,        define_reduce,
                            define_softmax,         define_linalg,   define_product,        define_einsum,
                            define_factor,          define_solve,    define_solve_factored, define_determinant,
                            define_orthogonal,      define_spectrum, define_least_squares,  define_matrix_norm,
                            define_matrix_function, define_distance, define_index,          define_order,
                            define_random,          define_conv,     define_pool,           define_loss})
    family(define);
}

}  // namespace facula
