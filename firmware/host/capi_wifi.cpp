// The Wi-Fi state machine for the tests in Python: events in, what it asks of the radio as a text.
#include <cstdint>
#include <cstring>
#include <string>

#include "gk/wifi.hpp"

namespace {

struct Radio final : gk::WifiPort {
  explicit Radio(const gk::WifiConfig& config) : wifi(*this, config) {}

  void join(std::size_t network) noexcept override { said += "join " + std::to_string(network) + ";"; }
  void leave() noexcept override { said += "leave;"; }
  void reboot() noexcept override { said += "reboot;"; }
  std::uint32_t luck() noexcept override { return dice; }

  std::string said;
  std::uint32_t dice = 0;
  gk::Wifi wifi;
};

Radio& of(void* radio) { return *static_cast<Radio*>(radio); }

}  // namespace

extern "C" {

void* gk_wifi_new(std::size_t networks) {
  gk::WifiConfig config;
  config.networks = networks;
  return new Radio(config);
}
void gk_wifi_delete(void* radio) { delete &of(radio); }

void gk_wifi_start(void* radio, std::uint32_t now) { of(radio).wifi.start(now); }
void gk_wifi_address(void* radio, std::uint32_t now) { of(radio).wifi.address(now); }
void gk_wifi_address_lost(void* radio, std::uint32_t now) { of(radio).wifi.addressLost(now); }
void gk_wifi_disconnected(void* radio, std::uint32_t reason, std::uint32_t now) {
  of(radio).wifi.disconnected(static_cast<std::uint8_t>(reason), now);
}
void gk_wifi_tick(void* radio, std::uint32_t now) { of(radio).wifi.tick(now); }
void gk_wifi_luck(void* radio, std::uint32_t dice) { of(radio).dice = dice; }

int gk_wifi_state(void* radio) { return static_cast<int>(of(radio).wifi.state()); }

// What was asked of the radio since the last call; 0 if there is not room enough.
std::size_t gk_wifi_said(void* radio, char* out, std::size_t room) {
  std::string& said = of(radio).said;
  if (said.size() > room) return 0;
  std::memcpy(out, said.data(), said.size());
  const std::size_t size = said.size();
  said.clear();
  return size;
}
}
