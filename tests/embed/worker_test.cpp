// Hosts whose scripts load data in worker processes.
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "tests/embed/host.h"

using namespace facula::test;

// Sanitizers of GCC 12 do not follow forks of processes whose threads are busy.
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)

// A script whose worker writes its process id to a descriptor and then works forever.
std::string text_of_worker(int descriptor) {
  return R"(
    local pipe = io.open("/proc/self/fd/)" +
         std::to_string(descriptor) + R"(", "w")
    local set = {size = function() return 4 end, get = function(_, i)
      pipe:write(torch.core.process_id(), "\n")
      pipe:flush()
      while true do end
    end}
    for x in torch.utils.data.DataLoader(set, {num_workers = 1}):iter() do end)";
}

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

// Once such workers were killed with the thread that began the pass.
TEST_CASE("workers that are programs outlive the thread that started them") {
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "facula";
  const std::filesystem::path module =
      std::filesystem::temp_directory_path() / ("set" + std::to_string(getpid()) + ".lua");
  if (!std::filesystem::exists(program)) {
    MESSAGE("skipped: there is no program ", program);
    return;
  }
  std::ofstream(module)
      << "return function() return {size = function() return 8 end, get = function(_, i) return i end} end";
  setenv("FACULA_PROGRAM", program.c_str(), 1);
  const Opened S;
  const std::string begin = "package.path = '" + module.parent_path().string() + "/?.lua;' .. package.path\n" +
                            "local name = '" + module.stem().string() + "'\n" + R"(
    following = torch.utils.data.DataLoader(require(name)(), {num_workers = 2, start = "spawn", module = {name}}):iter()
    assert(following():item() == 1))";
  std::thread([&] { CHECK(S.run(begin.c_str()) == FACULA_OK); }).join();
  CHECK(S.run("for i = 2, 8 do assert(following():item() == i) end assert(not following())") == FACULA_OK);
  unsetenv("FACULA_PROGRAM");
  std::filesystem::remove(module);
}

// In a host's other thread: the system's own signal for that only looks after the children of the main thread.
TEST_CASE("a worker that never looks up is gone when its host is killed") {
  REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);  // so that the worker can be waited for
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t host = fork();
  REQUIRE(host >= 0);
  if (host == 0) {
    std::thread([&] {
      const Opened S;
      const std::string code = text_of_worker(ends[1]);
      S.run(code.c_str());
    }).join();
    _exit(0);
  }
  close(ends[1]);
  pid_t worker = 0;
  FILE* const from = fdopen(ends[0], "r");
  REQUIRE(std::fscanf(from, "%d", &worker) == 1);
  std::fclose(from);
  kill(host, SIGKILL);
  CHECK(waitpid(host, nullptr, 0) == host);
  pollfd end{static_cast<int>(syscall(SYS_pidfd_open, worker, 0)), POLLIN, 0};
  CHECK(poll(&end, 1, 5000) == 1);
  if (end.fd >= 0) close(end.fd);
  kill(worker, SIGKILL);
  CHECK(waitpid(worker, nullptr, 0) == worker);
  prctl(PR_SET_CHILD_SUBREAPER, 0);
}

#endif
