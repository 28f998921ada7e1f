#include "gk/board/station.hpp"

#include <esp_random.h>
#include <esp_system.h>

#include <cstring>

namespace gk::board {

namespace {

WifiConfig configFor(const std::array<Network, Station::kNetworks>& networks) noexcept {
  WifiConfig config;
  config.networks = 0;
  for (const Network& network : networks) {
    if (network.ssid[0] == '\0') break;
    ++config.networks;
  }
  return config;
}

}  // namespace

Station::Station(const std::array<Network, kNetworks>& networks, const char* name) noexcept
    : networks_(networks), name_(name), wifi_(*this, configFor(networks)) {}

bool Station::begin() noexcept {
  events_ = xQueueCreate(kEvents, sizeof(Event));
  if (events_ == nullptr) return false;
  // The callback runs in the driver's event task: it hands over, and loop() acts.
  WiFi.onEvent([this](arduino_event_id_t id, arduino_event_info_t info) {
    happened(id, id == ARDUINO_EVENT_WIFI_STA_DISCONNECTED ? info.wifi_sta_disconnected.reason : std::uint8_t{0});
  });
  WiFi.persistent(false);        // the driver keeps no credentials of its own
  WiFi.setAutoReconnect(false);  // two that decide would abort each other's joins
  WiFi.setHostname(name_);
  return WiFi.mode(WIFI_STA);
}

void Station::happened(arduino_event_id_t id, std::uint8_t reason) noexcept {
  switch (id) {
    case ARDUINO_EVENT_WIFI_STA_START:
    case ARDUINO_EVENT_WIFI_STA_GOT_IP:
    case ARDUINO_EVENT_WIFI_STA_LOST_IP:
    case ARDUINO_EVENT_WIFI_STA_DISCONNECTED:
      break;
    default:
      return;
  }
  const Event event{id, reason};
  if (xQueueSend(events_, &event, 0) != pdTRUE) overrun_.store(true);
}

void Station::tick(Millis now) noexcept {
  Event event{};
  while (xQueueReceive(events_, &event, 0) == pdTRUE) take(event, now);
  // Events were lost, so nothing is known of the link: begin anew.
  if (overrun_.exchange(false)) {
    leave();
    wifi_.disconnected(0, now);
  }
  wifi_.tick(now);
  if (!wifi_.up()) address_.clear();
}

void Station::take(const Event& event, Millis now) noexcept {
  switch (event.id) {
    case ARDUINO_EVENT_WIFI_STA_START:
      // Both are refused before the station has started. setSleep() says false for "as it was", which is no failure.
      WiFi.setTxPower(WIFI_POWER_19_5dBm);
      WiFi.setSleep(false);
      wifi_.start(now);
      break;
    case ARDUINO_EVENT_WIFI_STA_GOT_IP:
      wifi_.address(now);
      address_.clear();
      for (int i = 0; i < 4; ++i) (i == 0 ? address_ : address_ << ".").number(WiFi.localIP()[i]);
      break;
    case ARDUINO_EVENT_WIFI_STA_LOST_IP:
      wifi_.addressLost(now);
      break;
    default:
      wifi_.disconnected(event.reason, now);
  }
}

std::int32_t Station::rssi() const noexcept { return wifi_.up() ? WiFi.RSSI() : 0; }

void Station::join(std::size_t network) noexcept {
  WiFi.disconnect();
  const Network& chosen = networks_[network];
  WiFi.begin(chosen.ssid.data(), chosen.password[0] == '\0' ? nullptr : chosen.password.data());
}

void Station::leave() noexcept { WiFi.disconnect(); }

void Station::reboot() noexcept { esp_restart(); }

std::uint32_t Station::luck() noexcept { return esp_random(); }

std::array<Network, Station::kNetworks> networksOf(const Store& store) noexcept {
  std::array<Network, Station::kNetworks> networks{};
  std::size_t found = 0;
  const auto add = [&](Stored ssid, Stored password) {
    if (!store.has(ssid)) return;
    Network& network = networks[found++];
    std::strncpy(network.ssid.data(), store.of(ssid), network.ssid.size() - 1);
    std::strncpy(network.password.data(), store.of(password), network.password.size() - 1);
  };
  add(Stored::kSsid, Stored::kPassword);
  add(Stored::kSsid2, Stored::kPassword2);
  return networks;
}

}  // namespace gk::board
