// What the push camera says of itself: once when it is connected, and every ten seconds.
//
//   {"type":"health","frames":9,"dropped":0,"heap":201344,"minHeap":180112,"psram":8257536,"rssi":-58,
//    "uptime":"1h 2m 3s","ip":"…","model":"OV3660","resolution":"XGA (1024x768)","quality":15,"reset":"POWERON",
//    "firmware":"1.0"}                                   the seed's keys, and psram, reset and firmware of our own
//   {"type":"info","resolutions":"0:QQVGA(160x120),…","mode":"Estabilidad","fps":20}
#pragma once
#include <cstdint>
#include <string_view>

#include "gk/settings.hpp"
#include "gk/text.hpp"

namespace gk {

// What the board measures; the texts live as long as the call that they are handed to.
struct Readings {
  std::uint32_t heap = 0;       // free bytes
  std::uint32_t min_heap = 0;   // the fewest since the start
  std::uint32_t psram = 0;      // free bytes of the slow memory
  int rssi = 0;                 // dBm; 0 is unknown
  std::uint64_t uptime_ms = 0;  // of esp_timer: 32 bits of milliseconds would wrap every 49.7 days
  std::string_view ip;
};

// What stays the same from boot to boot, or from reset to reset; the texts live as long as the camera.
struct Device {
  std::string_view id;        // as the server's configuration may tell cameras by; empty for none
  std::string_view model;     // of the sensor: OV3660
  std::string_view firmware;  // version
  std::string_view reset;     // why it started: POWERON, SW, PANIC, TASK_WDT, BROWNOUT …
};

struct Counts {
  std::uint32_t frames = 0;   // sent
  std::uint32_t dropped = 0;  // made, and not sent: the one before was on its way, or it was no whole JPEG
};

using HealthText = Text<640>;
using InfoText = Text<512>;
using RegisterText = Text<256>;

// Each is one JSON object, or empty if it did not fit.
HealthText healthText(const Device& device, const Readings& readings, const Counts& counts,
                      const Settings& settings) noexcept;
InfoText infoText(const Settings& settings) noexcept;
RegisterText registerText(const Device& device) noexcept;

// `1h 2m 3s`, as the seed's firmware has it; hours are not limited.
Text<32> uptimeText(std::uint64_t milliseconds) noexcept;

}  // namespace gk
