/* OpenBLAS called directly: seconds for one product of two 1024 x 1024 float matrices, the least of many, at OpenBLAS's own
   number of threads or at OPENBLAS_NUM_THREADS. */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { N = 1024, ROUNDS = 30 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(void) {
  float *a = malloc(sizeof(float) * N * N), *b = malloc(sizeof(float) * N * N), *c = malloc(sizeof(float) * N * N);
  if (!a || !b || !c) return 1;
  for (int i = 0; i < N * N; ++i) a[i] = b[i] = 1.0f / (float)(1 + i % 7);
  double best = 1e9;
  for (int round = 0; round < ROUNDS; ++round) {
    const double start = now();
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, N, N, N, 1, a, N, b, N, 0, c, N);
    const double seconds = now() - start;
    if (seconds < best) best = seconds;
  }
  printf("%.9f\n", best);
  fprintf(stderr, "%s\n", openblas_get_corename());
  free(a), free(b), free(c);
  return 0;
}
