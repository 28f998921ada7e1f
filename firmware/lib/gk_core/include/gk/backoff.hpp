// How long to wait before the next try: twice as long after each failure, up to a most, and never in step with others.
#pragma once
#include <cstdint>

#include "gk/time.hpp"

namespace gk {

class Backoff {
 public:
  static constexpr Millis kFirst = 1'000;
  static constexpr Millis kMost = 30'000;

  // `most` is at most half of the 32-bit clock, and `first` at most `most`.
  constexpr explicit Backoff(Millis first = kFirst, Millis most = kMost) noexcept
      : first_(first), most_(most), next_(first) {}

  // The wait after one more failure. Devices that lost the same server must not return as one: `luck`, any 32 random
  // bits, draws the wait between the half and the whole of what is due.
  constexpr Millis next(std::uint32_t luck) noexcept {
    const Millis due = next_;
    next_ = due > most_ / 2 ? most_ : due * 2;
    const Millis half = due / 2;
    return due - static_cast<Millis>((std::uint64_t{luck} * (half + 1)) >> 32);
  }

  // What was tried held: the next failure is a first one.
  constexpr void reset() noexcept { next_ = first_; }

 private:
  Millis first_;
  Millis most_;
  Millis next_;
};

}  // namespace gk
