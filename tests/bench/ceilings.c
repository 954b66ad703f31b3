/* What the machine can do on argv[1] threads, in lines `name per_second`: bytes that memcpy reads and writes, and operations on
   floats that stay in registers, multiplications and additions in one; then OpenBLAS's name for the processor. */
#include <cblas.h>
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

static double copied_per_second(int threads) {
  const size_t bytes = (size_t)MEGABYTES << 20, share = bytes / (size_t)threads;
  char *from = malloc(bytes), *to = malloc(bytes);
  if (!from || !to) exit(1);
  memset(from, 1, bytes), memset(to, 2, bytes);
  double best = 1e9;
  for (int round = 0; round < ROUNDS; ++round) {
    pthread_t others[MOST_THREADS];
    struct part parts[MOST_THREADS];
    const double start = now();
    for (int i = 0; i < threads; ++i) {
      parts[i] = (struct part){to + (size_t)i * share, from + (size_t)i * share, share};
      if (i > 0) pthread_create(&others[i], NULL, copy, &parts[i]);
    }
    copy(&parts[0]);
    for (int i = 1; i < threads; ++i) pthread_join(others[i], NULL);
    const double seconds = now() - start;
    if (seconds < best) best = seconds;
  }
  free(from), free(to);
  return 2.0 * (double)bytes / best;
}

typedef float lanes __attribute__((vector_size(64)));
enum { ACCUMULATORS = 12, STEPS = 20000000 / ACCUMULATORS }; /* enough to hide an operation's latency */

/* One operation multiplies and adds. */
__attribute__((target_clones("arch=skylake-avx512", "arch=haswell", "default"))) static float multiply_add(void) {
  lanes sums[ACCUMULATORS], factor, term, total;
  for (int j = 0; j < 16; ++j) factor[j] = 0.999f, term[j] = 0.001f, total[j] = 0;
  for (int k = 0; k < ACCUMULATORS; ++k) sums[k] = term * (float)k;
  for (int i = 0; i < STEPS; ++i)
    for (int k = 0; k < ACCUMULATORS; ++k) sums[k] = sums[k] * factor + term;
  for (int k = 0; k < ACCUMULATORS; ++k) total += sums[k];
  return total[0];
}

static void* calculate(void* result) {
  *(float*)result = multiply_add();
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
  return 2.0 * 16 * ACCUMULATORS * STEPS * threads / best;
}

int main(int argc, char** argv) {
  const int threads = argc > 1 ? atoi(argv[1]) : 1;
  if (threads < 1 || threads > MOST_THREADS) return 2;
  printf("copy %.6g\n", copied_per_second(threads));
  printf("calculate %.6g\n", operations_per_second(threads));
  printf("core %s\n", openblas_get_corename());
  return 0;
}
