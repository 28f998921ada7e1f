// When the next picture is due: so many a second, evenly, and without a burst after a pause.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "gk/time.hpp"

namespace gk {

class Pacer {
 public:
  static constexpr int kLeast = 1;  // pictures a second
  static constexpr int kMost = 30;
  static constexpr Millis kMostEase = 1'000;      // what a narrow link adds to an interval at most
  static constexpr std::size_t kRemembered = 16;  // pictures over which the rate is measured
  static constexpr Millis kRecent = 5'000;        // without a picture for so long, the rate is nought

  explicit Pacer(int fps) noexcept : fps_(fps) {}

  // `fps` is kLeast to kMost.
  void aim(int fps) noexcept {
    fps_ = fps;
    remainder_ = 0;
  }
  // Whether the interval grows when a picture could not be sent, and shrinks again with those that could.
  void yielding(bool is) noexcept {
    is_yielding_ = is;
    ease_ = 0;
  }

  // Pictures may go from now on: the first is due at once.
  void restart(Millis now) noexcept;
  bool due(Millis now) const noexcept { return is_first_ || elapsed(now, slot_) >= interval(); }
  // A picture was made at its time, and went out or not.
  void sent(Millis now) noexcept;
  void dropped(Millis now) noexcept;

  // Tenths of a picture a second that went out of late.
  unsigned measured(Millis now) const noexcept;
  Millis ease() const noexcept { return ease_; }

 private:
  int carried() const noexcept { return remainder_ + 1'000 % fps_; }
  Millis interval() const noexcept { return static_cast<Millis>(1'000 / fps_ + (carried() >= fps_ ? 1 : 0)) + ease_; }
  void pass(Millis now) noexcept;

  int fps_;
  int remainder_ = 0;  // thousands over, of which each `fps_` make a millisecond: 30 a second are 33 1/3 ms
  Millis slot_ = 0;    // when the last picture was due; never after now
  Millis ease_ = 0;
  bool is_first_ = true;
  bool is_yielding_ = false;
  std::array<Millis, kRemembered> times_{};
  std::size_t count_ = 0;
  std::size_t next_ = 0;
};

}  // namespace gk
