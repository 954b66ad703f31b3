// How reductions run: an operator is a few functions on dense blocks, one driver brings any tensor into that shape.
//
// Plan: the dimensions of x are merged and parted into kept and reduced ones. If x's innermost dimension is reduced,
// each result folds rows into one number ("by rows"); if it is kept, whole rows are accumulated into a row of results
// ("by columns"). Blocks of a fixed length are combined in pairs, and pairs of pairs, so that rounding errors grow with
// log n (Higham 1993), within chunks of a fixed length that are the tasks of the threads: results do not depend on
// their number.
#pragma once

#include "core/iterator.h"
#include "core/slots.h"
#include "kernels/cpu/pack.h"
#include "kernels/cpu/walk.h"

namespace facula::cpu {

/// An operator on partial results. A partial result has `components` numbers of `item` bytes; n of them lie component
/// by component: all first ones, all second ones ...
struct Reduction {
  DType dense;   // what the blocks of x hold
  DType result;  // what finish writes
  int components;
  int64_t item;
  /// n partial results of nothing.
  void (*clear)(char* state, int64_t n);
  /// One partial result of a row of n elements.
  void (*fold)(char* state, const char* x, int64_t n, double param);
  /// Adds a row of n elements to n partial results; each then covers `count` elements.
  void (*accumulate)(char* state, const char* x, int64_t n, int64_t count, double param);
  /// Adds n partial results of b_count elements each to those of a_count.
  void (*combine)(char* a, int64_t a_count, const char* b, int64_t b_count, int64_t n);
  /// n results of partial results that cover `count` elements.
  void (*finish)(char* result, const char* state, int64_t n, int64_t count, double param);

  int64_t state_bytes() const { return components * item; }
};

/// out has size 1 where x is reduced; `param` goes to the operator's functions.
void reduce(const Reduction& r, const Tensor& out, const Tensor& x, double param = 0);

// One per file; fill_reduce_slots() calls them.
void fill_moment_slots();    // var, norm
void fill_position_slots();  // argmax, argmin, max_with_index, min_with_index

/// x's dimensions as kept and reduced ones.
struct Split {
  Walk kept, reduced;
  char *out, *x;
  Split(const Tensor& out, const Tensor& x);
};

}  // namespace facula::cpu
