// Several states at once, interrupts from other threads, and handles that change threads.
#include <atomic>
#include <cmath>
#include <future>
#include <thread>
#include <vector>

#include "tests/embed/host.h"

using namespace facula::test;

namespace {

// Lets a script tell the test that it has come to a certain place.
class Signal {
 public:
  explicit Signal(facula_state* S) {
    const facula_function raise = [](facula_state*, const facula_value*, size_t, facula_value*, size_t*, void* user) {
      auto* const self = static_cast<Signal*>(user);
      if (!self->raised_.exchange(true)) self->promise_.set_value();
      return FACULA_OK;
    };
    REQUIRE(facula_register(S, "started", raise, this, nullptr) == FACULA_OK);
  }
  void wait() { promise_.get_future().wait(); }

 private:
  std::atomic<bool> raised_{false};
  std::promise<void> promise_;
};

facula_options interruptible() {
  facula_options options = {};
  options.interruptible = 1;
  return options;
}

// Runs code that never ends, interrupts it once it has started, and leaves the state as it is then.
void check_interrupted(const Opened& S, const char* code) {
  Signal signal(S);
  std::thread other([&] {
    signal.wait();
    facula_interrupt(S);
  });
  CHECK(S.run(code) == FACULA_INTERRUPTED);
  other.join();
  CHECK(S.message().find("interrupted") != std::string::npos);
  S.good("local n = 0 for i = 1, 1e6 do n = n + 1 end assert(n == 1e6 and torch.ones(9):sum():item() == 9)");
}

}  // namespace

TEST_CASE("an interrupt stops loops of Lua, and no pcall holds it up") {
  const Opened S(interruptible());
  check_interrupted(S, "started() while true do end");
  check_interrupted(S, "started() local x = 0 for i = 1, math.huge do x = x + i end");
  check_interrupted(S, "started() while true do pcall(function() while true do end end) end");
  check_interrupted(S, "started() while true do coroutine.wrap(function() while true do end end)() end");
  check_interrupted(S, "started() while true do xpcall(error, function() while true do end end) end");
}

TEST_CASE("an interrupt stops operators, with compiled loops around them too") {
  const Opened S;
  check_interrupted(S, "local x = torch.ones(64, 64) started() while true do x:add_(1) end");
  check_interrupted(S, "local x = torch.ones(64, 64) started() while true do pcall(x.add_, x, 1) end");
}

TEST_CASE("an interrupt reaches no other state, and none that runs nothing") {
  const Opened a, b;
  CHECK(facula_interrupt(a) == FACULA_OK);
  a.good("x = torch.ones(300, 300):sum():item()");
  const facula_function interrupt_other = [](facula_state*, const facula_value*, size_t, facula_value*, size_t*,
                                             void* user) { return facula_interrupt(static_cast<facula_state*>(user)); };
  REQUIRE(facula_register(b, "interrupt_other", interrupt_other, static_cast<facula_state*>(a), nullptr) == FACULA_OK);
  b.good("interrupt_other() for i = 1, 100 do torch.ones(300, 300):sum() end");
}

TEST_CASE("a state is busy while another thread is inside") {
  const Opened S(interruptible());
  Signal signal(S);
  facula_reference* r = nullptr;
  REQUIRE(facula_compile(S, "", 0, "=test", &r) == FACULA_OK);
  std::thread runner([&] { CHECK(S.run("started() while true do end") == FACULA_INTERRUPTED); });
  signal.wait();
  CHECK(facula_run_string(S, "x = 1", nullptr) == FACULA_BUSY);
  CHECK(std::string(facula_message(nullptr)) == "facula_run_string: another thread is inside the state");
  facula_close(S);
  facula_reference_release(r);
  facula_interrupt(S);
  runner.join();
  S.good("x = 1");
}

TEST_CASE("tensors may be released in any thread") {
  int told = 0;
  float x[2] = {1, 2};
  facula_tensor* t = nullptr;
  {
    const Opened S;
    const int64_t n = 2;
    const facula_view view = {sizeof view, x, FACULA_FLOAT32, 1, &n, nullptr};
    REQUIRE(facula_tensor_wrap(
                S, &view, [](void* user) { ++*static_cast<int*>(user); }, &told, &t) == FACULA_OK);
  }
  std::thread([&] { facula_tensor_release(t); }).join();
  CHECK(told == 1);
}

// Each state learns the same line from the same random numbers: what others do must not show.
static const char* const kTraining = R"(
  local x = torch.randn(64, 3)
  local y = x:matmul(torch.tensor{{1}, {2}, {3}}) + 0.5
  local model = torch.nn.Sequential(torch.nn.Linear(3, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
  local optimizer = torch.optim.Adam(model:parameters(), {lr = 1e-2})
  for step = 1, steps do
    local loss = torch.nn.functional.mse_loss(model(x), y)
    optimizer:zero_grad()
    loss:backward()
    optimizer:step()
    last = loss:item()
    local wave = torch.fft.fft(torch.rand(1000)):abs():sum():item()
    sum = (sum or 0) + wave
  end
)";

TEST_CASE("24 threads with states of their own get what one alone gets") {
  constexpr int kThreads = 24, kRounds = 2;
  facula_options options = {};
  options.seeded = 1;
  options.seed = 11;
  const auto train = [&](double& loss, double& sum) {
    const Opened S(options);
    S.good("steps = 20");
    S.good(kTraining);
    loss = S.number("last");
    sum = S.number("sum");
  };
  double loss = 0, sum = 0;
  train(loss, sum);
  CHECK(std::isfinite(loss));
  std::vector<double> losses(kThreads * kRounds), sums(kThreads * kRounds);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i)
    threads.emplace_back([&, i] {
      for (size_t round = 0; round < kRounds; ++round) {
        const size_t at = i * kRounds + round;
        train(losses[at], sums[at]);
      }
    });
  for (std::thread& t : threads) t.join();
  for (const double l : losses) CHECK(l == loss);
  for (const double s : sums) CHECK(s == sum);
}
