#include "gk/pacer.hpp"

namespace gk {

void Pacer::restart(Millis now) noexcept {
  slot_ = now;
  remainder_ = 0;
  ease_ = 0;
  is_first_ = true;
  count_ = 0;
  next_ = 0;
}

void Pacer::sent(Millis now) noexcept {
  pass(now);
  if (ease_ > 0) ease_ -= ease_ / 8 > 0 ? ease_ / 8 : 1;
  times_[next_] = now;
  next_ = (next_ + 1) % kRemembered;
  if (count_ < kRemembered) ++count_;
}

void Pacer::dropped(Millis now) noexcept {
  pass(now);
  if (!is_yielding_) return;
  ease_ += interval();
  if (ease_ > kMostEase) ease_ = kMostEase;
}

void Pacer::pass(Millis now) noexcept {
  const Millis whole = interval();
  const Millis since = elapsed(now, slot_);
  // What was missed is missed: no burst makes up for it. And one before its time begins the rhythm anew.
  if (is_first_ || since < whole || since >= 2 * whole) {
    is_first_ = false;
    slot_ = now;
    remainder_ = 0;
    return;
  }
  slot_ += whole;
  remainder_ = carried() % fps_;
}

unsigned Pacer::measured(Millis now) const noexcept {
  if (count_ < 2) return 0;
  const Millis newest = times_[(next_ + kRemembered - 1) % kRemembered];
  const Millis oldest = times_[count_ < kRemembered ? 0 : next_];
  const Millis took = elapsed(newest, oldest);
  if (elapsed(now, newest) > kRecent || took == 0) return 0;
  return static_cast<unsigned>((count_ - 1) * 10'000U / took);
}

}  // namespace gk
