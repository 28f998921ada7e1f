// A timer beside the main loop that lets go of the relay when the loop does not say in time that all is well (I12).
#pragma once
#include <esp_timer.h>

#include <atomic>

#include "gk/time.hpp"

namespace gk::board {

class Guard {
 public:
  // `drop` takes the relay's current away. It runs in the timer's task: it may write a GPIO, and nothing else.
  using Drop = void (*)();

  // False if there is no timer to be had: then nothing may be energised.
  bool begin(Millis limit, Drop drop) noexcept;

  // From the loop, each time round while the relay is energised: the limit runs anew.
  void hold() noexcept;

  // From the loop, when the relay is at rest.
  void release() noexcept;

  // Whether it fired since the last time it was asked: tell the core, which takes the door for open.
  bool tripped() noexcept { return tripped_.exchange(false); }

 private:
  static void expired(void* self) noexcept;

  esp_timer_handle_t timer_ = nullptr;
  std::uint64_t limit_us_ = 0;
  Drop drop_ = nullptr;
  std::atomic<bool> tripped_{false};
};

}  // namespace gk::board
