// Hosts whose scripts load data in worker processes.
#include <future>
#include <thread>
#include <vector>

#include "tests/embed/host.h"

using namespace facula::test;

// Sanitizers of GCC 12 do not follow forks of processes whose threads are busy.
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)

TEST_CASE("states in several threads have workers at once") {
  std::vector<std::thread> threads;
  std::vector<facula_status> outcome(4, FACULA_ERROR);
  for (facula_status& status : outcome)
    threads.emplace_back([&status] {
      const Opened S;
      status = S.run(R"(
        local set = {size = function() return 40 end, get = function(_, i) return torch.full({50, 50}, i), torch.rand(1) end}
        for pass = 1, 5 do
          local sum = 0
          for x in torch.utils.data.DataLoader(set, {batch_size = 8, num_workers = 2}):iter() do
            sum = sum + x:mul(2):mean():item()
            torch.ones(300, 300):mm(torch.ones(300, 300))
          end
          assert(sum == 5 * 41, sum)
        end)");
    });
  for (std::thread& t : threads) t.join();
  for (const facula_status status : outcome) CHECK(status == FACULA_OK);
}

TEST_CASE("an interrupt ends waiting for a worker") {
  const Opened S;
  std::promise<void> begun;
  const facula_function started = [](facula_state*, const facula_value*, size_t, facula_value*, size_t*, void* user) {
    static_cast<std::promise<void>*>(user)->set_value();
    return FACULA_OK;
  };
  REQUIRE(facula_register(S, "started", started, &begun, nullptr) == FACULA_OK);
  std::thread other([&] {
    begun.get_future().wait();
    facula_interrupt(S);
  });
  const char* const code = R"(
    local set = {size = function() return 4 end, get = function(_, i) while i > 1 do end return i end}
    for x in torch.utils.data.DataLoader(set, {num_workers = 1}):iter() do started() end)";
  CHECK(S.run(code) == FACULA_INTERRUPTED);
  other.join();
}

#endif
