#include "core/parallel.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "core/error.h"

using namespace facula;

namespace {
struct Threads {
  explicit Threads(int n) : before(num_threads()) { set_num_threads(n); }
  ~Threads() { set_num_threads(before); }
  int before;
};
}  // namespace

TEST_CASE("every index is visited once, whatever the number of threads") {
  for (const int threads : {1, 2, 3, 8}) {
    const Threads guard(threads);
    for (const int64_t n : {1, 7, 1000, 100003}) {
      std::vector<std::atomic<int>> visits(static_cast<size_t>(n));
      parallel_for(n, 10, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) ++visits[static_cast<size_t>(i)];
      });
      bool once = true;
      for (const auto& v : visits) once = once && v == 1;
      CHECK(once);
    }
  }
}

TEST_CASE("exceptions reach the caller, and the pool works on") {
  const Threads guard(4);
  for (int round = 0; round < 100; ++round)
    CHECK_THROWS_AS(parallel_for(1000, 1, [](int64_t, int64_t) { fail("no"); }), Error);
  std::atomic<int64_t> sum{0};
  parallel_for(1000, 1, [&](int64_t begin, int64_t end) { sum += end - begin; });
  CHECK(sum == 1000);
}

TEST_CASE("nested calls and calls from several threads finish") {
  const Threads guard(3);
  std::atomic<int64_t> sum{0};
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t)
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round)
        parallel_for(64, 1, [&](int64_t begin, int64_t end) {
          parallel_for(end - begin, 1, [&](int64_t b, int64_t e) { sum += e - b; });
        });
    });
  for (auto& c : callers) c.join();
  CHECK(sum == 4 * 200 * 64);
}

TEST_CASE("an interrupt stops a region") {
  request_interrupt();
  CHECK_THROWS_AS(parallel_for(10, 1, [](int64_t, int64_t) {}), Interrupted);
  clear_interrupt();
  parallel_for(10, 1, [](int64_t, int64_t) {});
}

TEST_CASE("a forked child works with one thread") {
  const Threads guard(3);
  parallel_for(1000, 1, [](int64_t, int64_t) {});
  const pid_t child = fork();
  if (child == 0) {
    std::atomic<int64_t> sum{0};
    parallel_for(1000, 1, [&](int64_t begin, int64_t end) { sum += end - begin; });
    _exit(sum == 1000 && num_threads() == 1 ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
