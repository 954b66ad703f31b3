// Vector code for random numbers, on pieces that stay in the first-level cache.
#pragma once

#include <cstdint>

#include "core/generator.h"

namespace facula::cpu {

/// The words of `blocks` blocks of `g` from block `first` on, four words each.
void philox_words(const Philox& g, uint64_t first, int64_t blocks, uint32_t* words);

/// Box and Muller 1958: a pair of words (a, b) gives the pair of normal numbers r cos(t), r sin(t), where r = sqrt(-2
/// ln u), u = (a / 2 + 1/2) 2^-31 and t = 2 pi b 2^-32; for double, pairs of 64-bit words, low half first, give u = (a
/// / 2^11 + 1) 2^-53 and t = 2 pi b 2^-64. `count` numbers are a multiple of 2.
void normal_numbers(const uint32_t* words, int64_t count, float* out);
void normal_numbers(const uint32_t* words, int64_t count, double* out);

/// -ln u for each word (for double, each pair), with u as above; at least 2^-25 (2^-54), so that it is never 0.
void exponential_numbers(const uint32_t* words, int64_t count, float* out);
void exponential_numbers(const uint32_t* words, int64_t count, double* out);

}  // namespace facula::cpu
