#include "relay.hpp"

#include <driver/gpio.h>

#include "pins.hpp"

namespace gk::relay {

// The level first, then the direction: a pin that is made an output drives what its register holds.
void begin() noexcept {
  set(false);
  gpio_set_direction(kRelayPin, GPIO_MODE_OUTPUT);
  gpio_set_direction(kLedPin, GPIO_MODE_OUTPUT);
}

void set(bool energised) noexcept {
  gpio_set_level(kRelayPin, energised == kRelayActiveHigh ? 1 : 0);
  gpio_set_level(kLedPin, energised ? 1 : 0);
}

void drop() noexcept { set(false); }

}  // namespace gk::relay
