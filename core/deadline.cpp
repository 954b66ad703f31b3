#include "core/deadline.h"

#include "core/context.h"
#include "core/error.h"

namespace facula {
namespace {

constexpr double kTelling = 1e8;  // fewer operations say little about the speed of many

using Seconds = std::chrono::duration<double>;

}  // namespace

Piece::Piece(double operations, Speed& speed) : operations_(operations), speed_(speed) {
  if (operations < kTelling) return;
  begin_ = std::chrono::steady_clock::now();
  const Deadline* const deadline = context().deadline;
  if (!deadline || Seconds(operations / speed.per_second) <= deadline->time - begin_) return;
  deadline->give_up();
  throw Interrupted();
}

Piece::~Piece() {
  if (operations_ < kTelling) return;
  const Seconds took = std::chrono::steady_clock::now() - begin_;
  speed_.per_second = operations_ / took.count();
}

}  // namespace facula
