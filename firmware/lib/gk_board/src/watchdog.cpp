#include "gk/board/watchdog.hpp"

#include <esp_task_wdt.h>

namespace gk::board {

bool watchLoop(Millis limit) noexcept {
  // Arduino's start has initialised the watchdog: a second esp_task_wdt_init() would be refused.
  esp_task_wdt_config_t config{};
  config.timeout_ms = limit;
  config.idle_core_mask = 1U << 0;  // as Arduino has it: the idle task of the first core
  config.trigger_panic = true;
  if (esp_task_wdt_reconfigure(&config) != ESP_OK) return false;
  return esp_task_wdt_add(nullptr) == ESP_OK;
}

void loopLives() noexcept { esp_task_wdt_reset(); }

}  // namespace gk::board
