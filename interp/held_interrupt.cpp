#include "interp/held_interrupt.h"

namespace facula::interp {

volatile sig_atomic_t HeldInterrupt::holds_ = 0, HeldInterrupt::pressed_ = 0, HeldInterrupt::asked_ = 0;

HeldInterrupt::HeldInterrupt() {
  if (holds_ == 0) {
    pressed_ = 0;
    asked_ = 0;
  }
  holds_ = holds_ + 1;
}

HeldInterrupt::~HeldInterrupt() {
  holds_ = holds_ - 1;
  if (holds_ == 0 && pressed_ && !asked_) raise(SIGINT);
}

bool HeldInterrupt::ask() {
  if (pressed_) asked_ = 1;
  return pressed_ != 0;
}

bool HeldInterrupt::note() {
  if (holds_ == 0) return false;
  if (pressed_) asked_ = 1;  // the second press is obeyed now, and not once more when the hold ends
  const bool first = !pressed_;
  pressed_ = 1;
  return first;
}

}  // namespace facula::interp
