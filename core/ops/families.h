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

void define_activation(const Family& define);
void define_layer_norm(const Family& define);
void define_batch_norm(const Family& define);
void define_embedding(const Family& define);
void define_embedding_bag(const Family& define);
void define_dropout(const Family& define);
void define_similarity(const Family& define);
void define_attention(const Family& define);
void define_recurrent(const Family& define);
void define_regression_loss(const Family& define);
void define_margin_loss(const Family& define);
void define_ctc_loss(const Family& define);

inline void define_all(const Family& define) {
  for (const auto family : {define_creation, define_copy, define_view, define_join, define_arithmetic, define_math,
                            define_compare, define_reduce, define_softmax, define_linalg, define_index, define_order,
                            define_random, define_conv, define_pool, define_loss})
    family(define);
  for (const auto family : {define_activation, define_layer_norm, define_batch_norm, define_embedding,
                            define_embedding_bag, define_dropout, define_similarity, define_attention, define_recurrent,
                            define_regression_loss, define_margin_loss, define_ctc_loss})
    family(define);
}

}  // namespace facula
