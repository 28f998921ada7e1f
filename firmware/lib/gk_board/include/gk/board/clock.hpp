// The board's clock: the core is handed time, and this is where it comes from.
#pragma once
#include <esp_timer.h>

#include <cstdint>

#include "gk/time.hpp"

namespace gk::board {

// Milliseconds since boot, of 64 bits.
inline std::uint64_t uptime() noexcept { return static_cast<std::uint64_t>(esp_timer_get_time()) / 1'000; }

inline Millis now() noexcept { return static_cast<Millis>(uptime()); }

}  // namespace gk::board
