// Products of bfloat16 matrices by the processor's matrix unit (AMX): tiles of 16 x 16 sums in float32, of which two by
// two are summed at a time over 32 numbers of a's rows and b's columns per step. Rows of a are read as they lie where
// they can be; b is packed into panels of 32 columns, in which pairs of rows are interleaved as the unit wants them.
// The unit takes numbers below 2^-126 for zeros. 8 times as fast as float32.
#include <algorithm>
#include <cstring>

#include "core/tensor.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/tile.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace facula::cpu {

#if defined(__x86_64__)
namespace {

constexpr int64_t kSide = 32, kStep = 32;  // rows and columns that are summed at a time; numbers per step
constexpr int64_t kPairs = kStep / 2;
constexpr int64_t kPacked = 1 << 19;  // elements of b that are packed at a time, half of the second-level cache

#define FACULA_AMX __attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512bf16")))

// Two numbers side by side, as the matrix unit reads them; float for the tiles' packing of 32-bit items.
using Pair = float;

struct alignas(64) TileConfig {
  uint8_t palette = 1, start = 0, reserved[14] = {};
  uint16_t bytes_per_row[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

// The matrix unit's state belongs to a thread while it multiplies.
class UnitGuard {
 public:
  FACULA_AMX UnitGuard() {
    static constexpr TileConfig config;  // of a local one, GCC 12 would store the first 8 bytes only
    _tile_loadconfig(&config);
  }
  FACULA_AMX ~UnitGuard() { _tile_release(); }
  UnitGuard(const UnitGuard&) = delete;
};

// sums [down * 16, kSide] = the products of `down` * 16 rows of a, a_stride bytes apart, and of the panel b.
template <int down, int across>
FACULA_AMX void sum_block(int64_t steps, const BFloat16* a, int64_t a_stride, const Pair* b, float* sums) {
  constexpr int kRowBytes = kSide * sizeof(Pair);
  const auto* second_a = reinterpret_cast<const BFloat16*>(reinterpret_cast<const char*>(a) + 16 * a_stride);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (int64_t s = 0; s < steps; ++s) {
    const Pair* rows = b + s * kPairs * kSide;
    _tile_loadd(4, a + s * kStep, a_stride);
    _tile_loadd(6, rows, kRowBytes);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (across == 2) {
      _tile_loadd(7, rows + 16, kRowBytes);
      _tile_dpbf16ps(1, 4, 7);
    }
    if constexpr (down == 2) {
      _tile_loadd(5, second_a + s * kStep, a_stride);
      _tile_dpbf16ps(2, 5, 6);
      if constexpr (across == 2) _tile_dpbf16ps(3, 5, 7);
    }
  }
  _tile_stored(0, sums, kRowBytes);
  if constexpr (across == 2) _tile_stored(1, sums + 16, kRowBytes);
  if constexpr (down == 2) _tile_stored(2, sums + 16 * kSide, kRowBytes);
  if constexpr (down == 2 && across == 2) _tile_stored(3, sums + 16 * kSide + 16, kRowBytes);
}

// c = beta * c + alpha * sums, for at most kSide rows and columns of c.
FACULA_AMX void store_block(const Matrix<BFloat16>& c, const float* sums, float alpha, float beta) {
  const auto mask = static_cast<__mmask32>(c.cols == kSide ? ~0u : (1u << c.cols) - 1);
  const __m512 factor = _mm512_set1_ps(alpha), old_factor = _mm512_set1_ps(beta);
  for (int64_t i = 0; i < c.rows; ++i, sums += kSide) {
    BFloat16* to = c.at + i * c.row_stride;
    __m512 low = _mm512_mul_ps(factor, _mm512_loadu_ps(sums));
    __m512 high = _mm512_mul_ps(factor, _mm512_loadu_ps(sums + 16));
    if (beta != 0) {
      alignas(64) float old[kSide] = {};
      std::copy_n(to, c.cols, old);
      low = _mm512_fmadd_ps(old_factor, _mm512_load_ps(old), low);
      high = _mm512_fmadd_ps(old_factor, _mm512_load_ps(old + 16), high);
    }
    const __m512bh both = _mm512_cvtne2ps_pbh(high, low);
    __m512i bits;
    std::memcpy(&bits, &both, sizeof bits);
    _mm512_mask_storeu_epi16(to, mask, bits);
  }
}

// packed[k, j] = {x[2 k, j], x[2 k + 1, j]} for j < cols <= kSide, with zeros beyond `count` rows and `cols` columns.
FACULA_AMX void interleave(const BFloat16* x, int64_t row_stride, int64_t count, int64_t cols, int64_t pairs,
                           Pair* packed) {
  const auto mask = static_cast<__mmask32>(cols == kSide ? ~0u : (1u << cols) - 1);
  alignas(64) uint16_t order[64];  // of the low half of the columns, of the high half; 32 and more are of the odd row
  for (int i = 0; i < 64; ++i) order[i] = static_cast<uint16_t>(i / 2 + i % 2 * 32);
  const __m512i low = _mm512_load_si512(order), high = _mm512_load_si512(order + 32);
  for (int64_t k = 0; k < pairs; ++k, packed += kSide) {
    const BFloat16* row = x + 2 * k * row_stride;
    const __m512i even = 2 * k < count ? _mm512_maskz_loadu_epi16(mask, row) : _mm512_setzero_si512();
    const __m512i odd = 2 * k + 1 < count ? _mm512_maskz_loadu_epi16(mask, row + row_stride) : _mm512_setzero_si512();
    _mm512_storeu_si512(packed, _mm512_permutex2var_epi16(even, low, odd));
    _mm512_storeu_si512(packed + kSide / 2, _mm512_permutex2var_epi16(even, high, odd));
  }
}

// The same where columns lie along memory.
void pair_up(const BFloat16* x, int64_t col_stride, int64_t count, int64_t cols, int64_t pairs, Pair* packed) {
  std::fill(packed, packed + pairs * kSide, Pair(0));
  int64_t done = 0;
  if (col_stride % 2 == 0) {
    tiles<Pair>().pack_columns(reinterpret_cast<const Pair*>(x), col_stride / 2, count / 2, cols, packed, kSide);
    done = count / 2 * 2;
  }
  auto* to = reinterpret_cast<BFloat16*>(packed);
  for (int64_t k = done; k < count; ++k)
    for (int64_t j = 0; j < cols; ++j) to[(k / 2 * kSide + j) * 2 + k % 2] = x[k + j * col_stride];
}

// A product on the calling thread.
class UnitProduct {
 public:
  UnitProduct(const Matrix<BFloat16>& to, const Matrix<const BFloat16>& left, const Matrix<const BFloat16>& right)
      : c(to), a(left), b(right) {
    panels = empty({width / kSide, pairs, kSide}, DType::Float32);
    if (!a_in_place || c.rows % kSide != 0) rows = empty({kSide, pairs}, DType::Float32);
    if (!a.is_row_major()) columns = empty({pairs, kSide}, DType::Float32);
  }

  void run(float alpha, float beta) {
    const UnitGuard unit;
    for (int64_t j0 = 0; j0 < c.cols; j0 += width) {
      const int64_t j1 = std::min(c.cols, j0 + width);
      for (int64_t j = j0; j < j1; j += kSide) pack_columns(j, std::min(kSide, j1 - j), panel(j - j0));
      for (int64_t i = 0; i < c.rows; i += kSide) {
        const int64_t height = std::min(kSide, c.rows - i);
        int64_t stride = a.row_stride;
        const BFloat16* from = rows_of_a(i, height, stride);
        for (int64_t j = j0; j < j1; j += kSide)
          multiply(c.block(i, j, height, std::min(kSide, j1 - j)), from, stride, panel(j - j0), alpha, beta);
      }
    }
  }

 private:
  static Pair* memory(const Tensor& x) { return reinterpret_cast<Pair*>(x.bytes()); }
  Pair* panel(int64_t col) const { return memory(panels) + col * pairs; }

  void pack_columns(int64_t j, int64_t cols, Pair* packed) const {
    if (b.is_row_major())
      interleave(b.at + j, b.row_stride, b.rows, cols, pairs, packed);
    else
      pair_up(b.at + j * b.col_stride, b.col_stride, b.rows, cols, pairs, packed);
  }

  // Rows i .. of a, as whole steps of whole tiles: where they lie, or copied.
  const BFloat16* rows_of_a(int64_t i, int64_t height, int64_t& stride) const {
    const BFloat16* from = a.at + i * a.row_stride;
    if (a_in_place && height == kSide) return from;
    Pair* copy = memory(rows);
    stride = 2 * pairs;
    if (a.is_row_major()) {
      std::fill(copy, copy + kSide * pairs, Pair(0));
      for (int64_t r = 0; r < height; ++r)
        std::memcpy(copy + r * pairs, from + r * a.row_stride, static_cast<size_t>(a.cols) * sizeof(BFloat16));
    } else {
      interleave(from, a.col_stride, a.cols, height, pairs, memory(columns));
      tiles<Pair>().pack_columns(memory(columns), kSide, kSide, pairs, copy, pairs);
    }
    return reinterpret_cast<const BFloat16*>(copy);
  }

  void multiply(const Matrix<BFloat16>& to, const BFloat16* from, int64_t stride, const Pair* packed, float alpha,
                float beta) const {
    alignas(64) float sums[kSide * kSide];
    const int64_t steps = pairs / kPairs, bytes = stride * static_cast<int64_t>(sizeof(BFloat16));
    const bool two_down = to.rows > 16, two_across = to.cols > 16;
    auto* sum =
        two_down ? (two_across ? sum_block<2, 2> : sum_block<2, 1>) : (two_across ? sum_block<1, 2> : sum_block<1, 1>);
    sum(steps, from, bytes, packed, sums);
    store_block(to, sums, alpha, beta);
  }

  const Matrix<BFloat16> c;
  const Matrix<const BFloat16> a, b;
  // Of a row of a, with zeros up to a whole step.
  const int64_t pairs = std::max<int64_t>(1, (a.cols + kStep - 1) / kStep) * kPairs;
  const int64_t width = std::clamp(kPacked / (2 * pairs) / kSide * kSide, kSide, (c.cols + kSide - 1) / kSide * kSide);
  const bool a_in_place = a.is_row_major() && a.cols % kStep == 0;
  Tensor panels, rows, columns;
};

// What cpuid says, and whether the kernel lets this process use the unit, which it has to be asked for.
bool find_unit() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  const bool unit = (d >> 22 & 1) && (d >> 24 & 1);                                      // amx-bf16, amx-tile
  if (!unit || !__get_cpuid_count(7, 1, &a, &b, &c, &d) || !(a >> 5 & 1)) return false;  // avx512-bf16
  if (!__builtin_cpu_supports("avx512bw")) return false;
  constexpr int kRequest = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequest, kTileData) == 0;
}

}  // namespace

bool multiplies_bfloat16() {
  static const bool found = find_unit();
  return found;
}

void gemm(const Matrix<BFloat16>& c, const Matrix<const BFloat16>& a, const Matrix<const BFloat16>& b, float alpha,
          float beta) {
  // C^T = B^T A^T: columns of c become rows; and a vector's product reads b's columns, where they are dense, in place.
  if (c.cols > 1 && (c.col_stride != 1 || (c.rows == 1 && !b.is_row_major())))
    return gemm(c.transposed(), b.transposed(), a.transposed(), alpha, beta);
  UnitProduct(c, a, b).run(alpha, beta);
}
#else
bool multiplies_bfloat16() { return false; }
void gemm(const Matrix<BFloat16>&, const Matrix<const BFloat16>&, const Matrix<const BFloat16>&, float, float) {
  fail("gemm: this processor does not multiply bfloat16");
}
#endif

}  // namespace facula::cpu
