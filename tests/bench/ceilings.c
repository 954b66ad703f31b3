/* What the machine can do on argv[1] threads, in lines `name per_second`: bytes that a copy reads and writes (memcpy or one
   that stores past the cache, whichever is faster), and operations on floats that stay in registers, multiplications and
   additions in one; then OpenBLAS's name for the processor. */
#include <cblas.h>
#include <immintrin.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MEGABYTES = 256, ROUNDS = 15, MOST_THREADS = 64 };

struct part {
  char* to;
  const char* from;
  size_t bytes;
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void* copy(void* argument) {
  const struct part* p = argument;
  memcpy(p->to, p->from, p->bytes);
  return NULL;
}

static void* stream(void* argument) {
  const struct part* p = argument;
  const __m128i* from = (const __m128i*)p->from;
  __m128i* to = (__m128i*)p->to;
  for (size_t i = 0; i < p->bytes / sizeof *to; ++i) _mm_stream_si128(to + i, _mm_load_si128(from + i));
  _mm_sfence();
  return NULL;
}

static double copied_per_second(int threads, void* (*copy_part)(void*)) {
  const size_t bytes = (size_t)MEGABYTES << 20, share = bytes / (size_t)threads / 64 * 64;
  char *from = aligned_alloc(64, bytes), *to = aligned_alloc(64, bytes);
  if (!from || !to) exit(1);
  memset(from, 1, bytes), memset(to, 2, bytes);
  double best = 1e9;
  for (int round = 0; round < ROUNDS; ++round) {
    pthread_t others[MOST_THREADS];
    struct part parts[MOST_THREADS];
    const double start = now();
    for (int i = 0; i < threads; ++i) {
      parts[i] = (struct part){to + (size_t)i * share, from + (size_t)i * share, share};
      if (i > 0) pthread_create(&others[i], NULL, copy_part, &parts[i]);
    }
    copy_part(&parts[0]);
    for (int i = 1; i < threads; ++i) pthread_join(others[i], NULL);
    const double seconds = now() - start;
    if (seconds < best) best = seconds;
  }
  free(from), free(to);
  return 2.0 * (double)share * threads / best;
}

/* Enough sums to hide an operation's latency, few enough to stay in registers. */
enum { SUMS = 12, STEPS = 20000000 / SUMS };

/* The lanes of a vector times SUMS * STEPS multiplications and additions: each instruction set has a function of its own,
   because vectors that it has to divide would not stay in registers. */
#define MULTIPLY_ADD(name, isa, vector, set, sum_of)                          \
  __attribute__((target(isa))) static float name(void) {                      \
    const vector factor = set(0.999f), term = set(0.001f);                    \
    vector sums[SUMS], total = set(0);                                        \
    for (int k = 0; k < SUMS; ++k) sums[k] = set((float)k);                   \
    for (int i = 0; i < STEPS; ++i)                                           \
      for (int k = 0; k < SUMS; ++k) sums[k] = sum_of(sums[k], factor, term); \
    for (int k = 0; k < SUMS; ++k) total += sums[k];                          \
    return total[0];                                                          \
  }
#define SEPARATELY(x, y, z) _mm_add_ps(_mm_mul_ps(x, y), z)
MULTIPLY_ADD(multiply_add_512, "avx512f", __m512, _mm512_set1_ps, _mm512_fmadd_ps)
MULTIPLY_ADD(multiply_add_256, "avx2,fma", __m256, _mm256_set1_ps, _mm256_fmadd_ps)
MULTIPLY_ADD(multiply_add_128, "sse2", __m128, _mm_set1_ps, SEPARATELY)

static int lanes(void) { return __builtin_cpu_supports("avx512f") ? 16 : __builtin_cpu_supports("fma") ? 8 : 4; }

static void* calculate(void* result) {
  *(float*)result = lanes() == 16 ? multiply_add_512() : lanes() == 8 ? multiply_add_256() : multiply_add_128();
  return NULL;
}

static double operations_per_second(int threads) {
  float results[MOST_THREADS];
  double best = 1e9;
  for (int round = 0; round < ROUNDS; ++round) {
    pthread_t others[MOST_THREADS];
    const double start = now();
    for (int i = 1; i < threads; ++i) pthread_create(&others[i], NULL, calculate, &results[i]);
    calculate(&results[0]);
    for (int i = 1; i < threads; ++i) pthread_join(others[i], NULL);
    const double seconds = now() - start;
    if (seconds < best) best = seconds;
  }
  return 2.0 * lanes() * SUMS * STEPS * threads / best;
}

int main(int argc, char** argv) {
  const int threads = argc > 1 ? atoi(argv[1]) : 1;
  if (threads < 1 || threads > MOST_THREADS) return 2;
  const double copied = copied_per_second(threads, copy), streamed = copied_per_second(threads, stream);
  printf("copy %.6g\n", copied > streamed ? copied : streamed);
  printf("calculate %.6g\n", operations_per_second(threads));
  printf("core %s\n", openblas_get_corename());
  return 0;
}
