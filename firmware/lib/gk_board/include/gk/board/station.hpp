// The board's Wi-Fi under the core's rules (gk/wifi.hpp): it joins, waits and reboots as it is told there, and never
// opens an access point.
#pragma once
#include <WiFi.h>
#include <freertos/FreeRTOS.h>
#include <freertos/queue.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "gk/board/store.hpp"
#include "gk/text.hpp"
#include "gk/time.hpp"
#include "gk/wifi.hpp"

namespace gk::board {

// NUL-terminated, as the driver wants them; an empty name is no network.
struct Network {
  std::array<char, 33> ssid{};
  std::array<char, 65> password{};
};

class Station final : private WifiPort {
 public:
  static constexpr std::size_t kNetworks = 2;

  // The networks stay where they are, with the used ones in front; `name` is the host name, at most 32 letters.
  Station(const std::array<Network, kNetworks>& networks, const char* name) noexcept;

  // From setup(): returns at once, whatever the network does.
  bool begin() noexcept;

  // From loop().
  void tick(Millis now) noexcept;

  const Wifi& wifi() const noexcept { return wifi_; }
  std::int32_t rssi() const noexcept;  // dBm; 0 without a link
  // In dots and digits; empty without a link.
  std::string_view address() const noexcept { return address_.view(); }

 private:
  struct Event {
    arduino_event_id_t id;
    std::uint8_t reason;
  };
  static constexpr UBaseType_t kEvents = 16;  // a join makes three or four, and the loop comes every 10 ms

  void join(std::size_t network) noexcept override;
  void leave() noexcept override;
  void reboot() noexcept override;
  std::uint32_t luck() noexcept override;

  void happened(arduino_event_id_t id, std::uint8_t reason) noexcept;
  void take(const Event& event, Millis now) noexcept;

  const std::array<Network, kNetworks>& networks_;
  const char* name_;
  Wifi wifi_;
  Text<16> address_;
  QueueHandle_t events_ = nullptr;
  std::atomic<bool> overrun_{false};
};

// Those that are set, in front.
std::array<Network, Station::kNetworks> networksOf(const Store& store) noexcept;

}  // namespace gk::board
