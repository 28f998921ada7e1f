// The chip's task watchdog over the main loop: whoever hangs is reset, and a reset locks.
#pragma once
#include "gk/time.hpp"

namespace gk::board {

// From setup(): watch the calling task from now on. False if the watchdog did not take it.
bool watchLoop(Millis limit) noexcept;

// From loop(), each time round.
void loopLives() noexcept;

}  // namespace gk::board
