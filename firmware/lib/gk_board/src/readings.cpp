#include "gk/board/readings.hpp"

#include <WiFi.h>
#include <esp_heap_caps.h>
#include <esp_system.h>

#include "gk/board/clock.hpp"

namespace gk::board {

namespace {

std::string_view resetName(esp_reset_reason_t reason) noexcept {
  switch (reason) {
    case ESP_RST_POWERON:
      return "POWERON";
    case ESP_RST_EXT:
      return "EXT";
    case ESP_RST_SW:
      return "SW";
    case ESP_RST_PANIC:
      return "PANIC";
    case ESP_RST_INT_WDT:
      return "INT_WDT";
    case ESP_RST_TASK_WDT:
      return "TASK_WDT";
    case ESP_RST_WDT:
      return "WDT";
    case ESP_RST_DEEPSLEEP:
      return "DEEPSLEEP";
    case ESP_RST_BROWNOUT:
      return "BROWNOUT";
    default:
      return "UNKNOWN";
  }
}

}  // namespace

Readings readings() noexcept {
  Readings now;
  now.uptime = uptime();
  now.heap = static_cast<std::uint32_t>(heap_caps_get_free_size(MALLOC_CAP_INTERNAL));
  now.min_heap = static_cast<std::uint32_t>(heap_caps_get_minimum_free_size(MALLOC_CAP_INTERNAL));
  now.psram = static_cast<std::uint32_t>(heap_caps_get_free_size(MALLOC_CAP_SPIRAM));
  now.rssi = WiFi.RSSI();
  now.reset = resetName(esp_reset_reason());
  return now;
}

}  // namespace gk::board
