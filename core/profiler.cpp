#include "core/profiler.h"

#include <chrono>
#include <sstream>

#include "core/allocator.h"

namespace facula {

struct Profiler::Open {
  std::string name, shapes;
  bool is_operator;
  int64_t start, bytes;                // when it began, and bytes in use then
  int64_t inner = 0, inner_bytes = 0;  // of the events within
};

struct Profiler::Stack {
  uint64_t run = 0;
  int thread = 0;
  std::vector<Open> open;
};

static int64_t nanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

static std::string shapes_of(const Operator& op, const Value* arguments) {
  std::ostringstream all;
  const char* comma = "";
  const auto add = [&](const Tensor& t) {
    all << std::exchange(comma, ", ");
    if (t.defined()) all << t.sizes();
  };
  for (const int i : op.tensors) {
    if (arguments[i].is<Tensor>()) add(arguments[i].get<Tensor>());
    if (arguments[i].is<Tensors>())
      for (const Tensor& t : arguments[i].get<Tensors>()) add(t);
  }
  return all.str();
}

Profiler& Profiler::instance() {
  static auto* const profiler = new Profiler;
  return *profiler;
}

uint64_t Profiler::start(Options options) {
  const std::lock_guard lock(mutex_);
  check(!runs_, "profiler: a profile is being made already; they cannot be nested");
  check(!current_observer(), "profiler: the calls are being traced");
  options_ = options;
  profile_ = {};
  threads_ = 0;
  ++run_;
  runs_ = true;
  began_ = nanoseconds();
  set_observer(this);
  return run_;
}

Profiler::Profile Profiler::stop() {
  const std::lock_guard lock(mutex_);
  check(runs_, "profiler: no profile is being made");
  set_observer(nullptr);
  runs_ = false;
  profile_.duration = nanoseconds() - began_;
  profile_.shapes = options_.shapes;
  return std::exchange(profile_, {});
}

void Profiler::abandon(uint64_t run) {
  const std::lock_guard lock(mutex_);
  if (!runs_ || run_ != run) return;
  set_observer(nullptr);
  runs_ = false;
  profile_ = {};
}

Profiler::Stack& Profiler::stack() {
  static thread_local Stack mine;
  if (mine.run != run_) {
    const std::lock_guard lock(mutex_);
    mine = {run_, threads_++, {}};
  }
  return mine;
}

void Profiler::open(std::string name, std::string shapes, bool is_operator) {
  Stack& s = stack();
  s.open.push_back({std::move(name), std::move(shapes), is_operator, 0, cpu_allocated_now()});
  s.open.back().start = nanoseconds();
}

void Profiler::close() {
  const int64_t end = nanoseconds();
  Stack& s = stack();
  if (s.open.empty()) return;  // it began before the profile
  const Open event = std::move(s.open.back());
  s.open.pop_back();
  const int64_t duration = end - event.start, bytes = cpu_allocated_now() - event.bytes;
  if (!s.open.empty()) {
    s.open.back().inner += duration;
    s.open.back().inner_bytes += bytes;
  }
  const std::lock_guard lock(mutex_);
  if (!runs_) return;
  Summary& sum = profile_.summaries[{event.name, event.shapes}];
  ++sum.calls;
  sum.total += duration;
  sum.self += duration - event.inner;
  sum.bytes += bytes;
  sum.self_bytes += bytes - event.inner_bytes;
  if (profile_.events.size() < kMostEvents)
    profile_.events.push_back({event.name, event.shapes, event.is_operator, event.start - began_, duration, s.thread});
  else
    ++profile_.dropped;
}

void Profiler::before(const Operator& op, const Value* arguments) {
  open(op.schema.name, options_.shapes ? shapes_of(op, arguments) : std::string(), true);
}

void Profiler::enter(const std::string& name) { open(name, {}, false); }

// A profile that does not fit into memory ends the counting, not the program.
void Profiler::after(const Operator&, const Results*) noexcept { leave(); }

void Profiler::leave() noexcept {
  try {
    close();
  } catch (const std::bad_alloc&) {
  }
}

}  // namespace facula
