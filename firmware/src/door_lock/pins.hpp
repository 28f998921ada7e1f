// The lock's board, an ESP32 DevKit: the pins of the seed.
#pragma once
#include <driver/gpio.h>

namespace gk {

constexpr gpio_num_t kRelayPin = GPIO_NUM_32;  // to a relay that is energised to unlock (fail-secure), pulled down
constexpr bool kRelayActiveHigh = true;
constexpr gpio_num_t kLedPin = GPIO_NUM_2;  // the board's LED: on while the relay is energised

}  // namespace gk
