/*
 * A host in C: loads a model that Lua has trained and feeds it an array of its own, which is never copied.
 *
 *     cc main.c -o host $(pkg-config --cflags --libs facula)
 *     facula train.lua circle.model && ./host circle.model
 */
#include <facula.h>
#include <stdio.h>
#include <stdlib.h>

#define POINTS 4

static void fail(facula_state *S, const char *what) {
  fprintf(stderr, "%s: %s%s\n", what, facula_message(S), S ? facula_traceback(S) : "");
  facula_close(S);
  exit(1);
}

static void tell_released(void *user) { printf("%s: released\n", (const char *)user); }

/* Prints what the model says of each point; returns how many it takes to be inside. */
static int classify(facula_state *S, facula_tensor *points, const float *xy) {
  facula_tensor *inside = NULL;
  float probability[POINTS];
  int count = 0;
  if (facula_call(S, "inside", &points, 1, &inside, 1) != FACULA_OK) fail(S, "inside");
  if (facula_tensor_read(S, inside, probability, sizeof probability) != FACULA_OK) fail(S, "read");
  facula_tensor_release(inside);
  for (int i = 0; i < POINTS; ++i) {
    printf("(%5.2f, %5.2f) is %s\n", xy[2 * i], xy[2 * i + 1], probability[i] > 0.5f ? "inside" : "outside");
    count += probability[i] > 0.5f;
  }
  return count;
}

int main(int argc, char **argv) {
  static const char loader[] = "inside = require('model').load(path)";
  float xy[2 * POINTS] = {0, 0, 0.3f, -0.4f, 1.5f, 1, -1.8f, 0.2f}; /* the host's own memory */
  const int64_t sizes[2] = {POINTS, 2};
  const facula_view view = {sizeof view, xy, FACULA_FLOAT32, 2, sizes, NULL};
  facula_value path = {FACULA_STRING, {0}};
  facula_state *S = NULL;
  facula_tensor *points = NULL;
  int first, second;

  if (argc != 2) return fprintf(stderr, "usage: %s MODEL\n", argv[0]), 2;
  for (path.as.string.bytes = argv[1]; argv[1][path.as.string.length]; ++path.as.string.length) {
  }
  if (facula_open(NULL, &S) != FACULA_OK) fail(NULL, "open");
  if (facula_set(S, "path", &path) != FACULA_OK) fail(S, "set");
  if (facula_run_string(S, loader, "=loader") != FACULA_OK) fail(S, "load");
  if (facula_tensor_wrap(S, &view, tell_released, "points", &points) != FACULA_OK) fail(S, "wrap");

  first = classify(S, points, xy);
  for (int i = 0; i < POINTS; ++i) xy[2 * i] += 2; /* the tensor sees it: it is the same memory */
  second = classify(S, points, xy);

  facula_tensor_release(points);
  if (facula_run_string(S, "collectgarbage() collectgarbage()", NULL) != FACULA_OK) fail(S, "collect");
  facula_close(S);
  printf("%d inside, then %d\n", first, second);
  return first == 2 && second == 1 ? 0 : 1;
}
