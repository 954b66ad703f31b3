// Work in one piece, such as a call into LAPACK, which no interrupt can stop: under a deadline it is not begun if it would
// end behind it.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>

namespace facula {

/// When the work of an interpreter has to end.
struct Deadline {
  std::chrono::steady_clock::time_point time;
  std::function<void()> give_up;  // marks it as passed, from any thread
};

/// Operations per second of one kind of work, as the last long piece had them. The guess before that suits a core of 2020.
struct Speed {
  std::atomic<double> per_second{3e10};
};

/// One piece, while it lives.
class Piece {
 public:
  /// Errors: Interrupted, if `operations` are likely to take longer than is left.
  Piece(double operations, Speed& speed);
  ~Piece();
  Piece(const Piece&) = delete;
  Piece& operator=(const Piece&) = delete;

 private:
  double operations_;
  Speed& speed_;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace facula
