// What a board can tell of itself.
#pragma once
#include <cstdint>
#include <string_view>

namespace gk::board {

struct Readings {
  std::uint64_t uptime = 0;    // milliseconds since boot
  std::uint32_t heap = 0;      // bytes free, internal memory
  std::uint32_t min_heap = 0;  // the fewest ever
  std::uint32_t psram = 0;     // bytes free, external memory
  std::int32_t rssi = 0;       // dBm; 0 without a link
  std::string_view reset;      // why the board started last
};

Readings readings() noexcept;

}  // namespace gk::board
