#include "gk/uplink.hpp"

namespace gk {

void Uplink::enter(State state, Millis now) noexcept {
  state_ = state;
  since_ = now;
}

Uplink::Step Uplink::network(bool is_up, Millis now) noexcept {
  if (is_up == (state_ != State::kOff)) return Step::kNone;
  if (is_up) {
    backoff_.reset();
    wait_ = 0;
    enter(State::kWaiting, now);
    return Step::kNone;
  }
  const bool had_one = state_ != State::kWaiting;
  enter(State::kOff, now);
  return had_one ? Step::kDrop : Step::kNone;
}

bool Uplink::opened(Millis now) noexcept {
  if (state_ != State::kDialling) return false;
  enter(State::kOpen, now);
  heard(now);
  return true;
}

void Uplink::lost(Millis now, std::uint32_t luck) noexcept {
  if (state_ == State::kOff || state_ == State::kWaiting) return;
  wait_ = backoff_.next(luck);
  enter(State::kWaiting, now);
}

void Uplink::answered(Millis now) noexcept {
  if (state_ == State::kOpen) enter(State::kInUse, now);
}

void Uplink::heard(Millis now) noexcept {
  heard_ = now;
  asked_ = false;
}

Uplink::Step Uplink::tick(Millis now) noexcept {
  switch (state_) {
    case State::kOff:
      return Step::kNone;
    case State::kWaiting:
      if (elapsed(now, since_) < wait_) return Step::kNone;
      enter(State::kDialling, now);
      return Step::kConnect;
    case State::kDialling:
      return elapsed(now, since_) < kDialling ? Step::kNone : Step::kDrop;
    case State::kOpen:
      if (elapsed(now, since_) >= kAnswer) enter(State::kInUse, now);
      return listen(now);
    case State::kInUse:
      if (elapsed(now, since_) >= kHeld) backoff_.reset();
      return listen(now);
  }
  return Step::kNone;
}

Uplink::Step Uplink::listen(Millis now) noexcept {
  const Millis silence = elapsed(now, heard_);
  if (!asked_) {
    if (silence < kSilence) return Step::kNone;
    asked_ = true;  // also after a gap of any length in the ticks: what came in it was not heard yet
    heard_ = now;
    return Step::kPing;
  }
  return silence < kPatience ? Step::kNone : Step::kDrop;
}

}  // namespace gk
