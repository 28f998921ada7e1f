// Any events at any times: a join only when there is none, networks of the list only, no reboot while there is a link
// or shortly after, and with ticks it never rests for longer than the longest pause.
#include <cstdint>
#include <cstdlib>

#include "gk/wifi.hpp"

namespace {

struct Radio final : gk::WifiPort {
  std::size_t networks = 1;
  std::uint32_t dice = 0;
  bool joins = false;
  bool rebooted = false;

  void join(std::size_t network) noexcept override {
    if (network >= networks) std::abort();
    joins = true;
  }
  void leave() noexcept override { joins = false; }
  void reboot() noexcept override { rebooted = true; }
  std::uint32_t luck() noexcept override { return dice; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  Radio radio;
  gk::WifiConfig config;
  config.networks = radio.networks = data[0] % 4U;
  gk::Wifi wifi(radio, config);
  gk::Millis now = data[1] * 0x01010101U;
  std::uint64_t clock = 0;      // milliseconds of the test
  std::uint64_t link_seen = 0;  // when there was a link last, or the start
  std::uint64_t moved = 0;      // when the state changed last

  for (std::size_t i = 2; i + 1 < size; i += 2) {
    const std::uint8_t value = data[i + 1];
    const gk::WifiState before = wifi.state();
    radio.rebooted = false;
    switch (data[i] % 6) {
      case 0:
        wifi.start(now);
        break;
      case 1:
        wifi.address(now);
        break;
      case 2:
        wifi.addressLost(now);
        break;
      case 3:
        wifi.disconnected(value, now);
        break;
      case 4:
        radio.dice = value * 0x01010101U;
        break;
      default: {
        const gk::Millis step = value < 200 ? value : (value - 200U) * 1'000U;
        clock += step;
        now += step;
        wifi.tick(now);
        const std::uint64_t longest =
            config.join_timeout > config.backoff_most ? config.join_timeout : config.backoff_most;
        const bool waits = wifi.state() == gk::WifiState::kJoining || wifi.state() == gk::WifiState::kLost;
        if (waits && wifi.state() == before && clock - moved >= longest && !radio.rebooted) std::abort();
      }
    }
    if (wifi.state() != before) moved = clock;
    if (before == gk::WifiState::kIdle || before == gk::WifiState::kUp) link_seen = clock;
    if (radio.rebooted && clock - link_seen < config.reboot_after) std::abort();
    if (config.networks == 0 && wifi.state() != gk::WifiState::kIdle) std::abort();
    if (wifi.state() == gk::WifiState::kJoining && !radio.joins) std::abort();
  }
  return 0;
}
