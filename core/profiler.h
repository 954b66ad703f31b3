// Who takes the time: an observer that measures operators, nodes of the graph and named stretches of a program.
#pragma once

#include <map>
#include <mutex>

#include "core/operator.h"

namespace facula {

class Profiler final : public Observer {
 public:
  struct Options {
    bool shapes = false;  ///< keep the sizes of tensor arguments, and tell calls with different ones apart
  };

  /// One call or stretch. Times in nanoseconds, from the start of the profile.
  struct Event {
    std::string name, shapes;
    bool is_operator;
    int64_t start, duration;
    int thread;  ///< 0 for the first that was seen
  };

  /// All events of one name and, if they were kept, one list of shapes. `self` leaves out what happened in events within.
  /// Bytes of CPU memory: allocated less freed.
  struct Summary {
    int64_t calls = 0, total = 0, self = 0, bytes = 0, self_bytes = 0;
  };
  using Key = std::pair<std::string, std::string>;  // name, shapes

  struct Profile {
    std::vector<Event> events;  ///< in the order of their ends; the first million
    std::map<Key, Summary> summaries;
    int64_t duration = 0;
    int64_t dropped = 0;  ///< events that were counted, but are not in the list
    bool shapes = false;  ///< as the options had it
  };

  /// There is one, for only one can observe. It lives forever.
  static Profiler& instance();
  /// Returns the number of the profile, from 1. Errors: one is being made already, or something else observes.
  uint64_t start(Options options);
  Profile stop();
  /// Ends that profile if it still is being made.
  void abandon(uint64_t run);
  bool runs() const { return runs_; }

  void before(const Operator& op, const Value* arguments) override;
  void after(const Operator& op, const Results* results) noexcept override;
  void enter(const std::string& name) override;
  void leave() noexcept override;

 private:
  struct Open;
  struct Stack;
  static constexpr size_t kMostEvents = size_t{1} << 20;

  Stack& stack();
  void open(std::string name, std::string shapes, bool is_operator);
  void close();

  std::mutex mutex_;
  std::atomic<bool> runs_{false};
  std::atomic<uint64_t> run_{0};  // number of the profile, so that threads forget what an earlier one left open
  Options options_;
  int64_t began_ = 0;
  int threads_ = 0;
  Profile profile_;
};

}  // namespace facula
