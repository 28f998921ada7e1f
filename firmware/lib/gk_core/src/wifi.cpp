#include "gk/wifi.hpp"

#include <array>

namespace gk {

namespace {

using S = WifiState;
using A = WifiAction;
using Row = std::array<WifiStep, kWifiEvents>;

constexpr WifiStep stay(S state) noexcept { return {state, A::kNothing}; }

constexpr std::array<Row, kWifiStates> kTable = {{
    //        start                  address              address lost         disconnected         due
    /* idle */
    Row{{{S::kJoining, A::kJoin}, stay(S::kIdle), stay(S::kIdle), stay(S::kIdle), stay(S::kIdle)}},
    /* joining */
    Row{{stay(S::kJoining), {S::kUp, A::kHold}, stay(S::kJoining), {S::kLost, A::kFail}, {S::kLost, A::kGiveUp}}},
    /* up: an address that comes again was renewed */
    Row{{stay(S::kUp), stay(S::kUp), {S::kLost, A::kLose}, {S::kLost, A::kLose}, stay(S::kUp)}},
    /* lost: an address that comes late is that of a join that was given up, and is left already */
    Row{{stay(S::kLost), stay(S::kLost), stay(S::kLost), stay(S::kLost), {S::kJoining, A::kJoin}}},
}};

constexpr std::array<std::string_view, kWifiStates> kStateNames = {"idle", "joining", "up", "lost"};
constexpr std::array<std::string_view, kWifiEvents> kEventNames = {"start", "address", "address lost", "disconnected",
                                                                   "due"};

}  // namespace

WifiStep wifiStep(WifiState state, WifiEvent event) noexcept {
  return kTable[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)];
}

std::string_view wifiName(WifiState state) noexcept { return kStateNames[static_cast<std::size_t>(state)]; }
std::string_view wifiName(WifiEvent event) noexcept { return kEventNames[static_cast<std::size_t>(event)]; }

Wifi::Wifi(WifiPort& port, const WifiConfig& config) noexcept
    : port_(port), config_(config), backoff_(config.backoff_first, config.backoff_most) {}

void Wifi::start(Millis now) noexcept {
  if (config_.networks == 0) return;
  if (state_ == WifiState::kIdle) without_since_ = now;
  happen(WifiEvent::kStart, now);
}

void Wifi::address(Millis now) noexcept { happen(WifiEvent::kAddress, now); }

void Wifi::addressLost(Millis now) noexcept { happen(WifiEvent::kAddressLost, now); }

void Wifi::disconnected(std::uint8_t reason, Millis now) noexcept {
  // A join ends what was there before it, and the driver reports that end in the midst of the join.
  if (state_ == WifiState::kJoining && reason == kOwnLeave) return;
  reason_ = reason;
  happen(WifiEvent::kDisconnected, now);
}

void Wifi::tick(Millis now) noexcept {
  switch (state_) {
    case WifiState::kIdle:
      return;
    case WifiState::kUp:
      held_ = held_ || elapsed(now, began_) >= config_.held_after;
      return;
    case WifiState::kJoining:
    case WifiState::kLost:
      break;
  }
  if (config_.reboot_after != 0 && elapsed(now, without_since_) >= config_.reboot_after) {
    without_since_ = now;  // a reboot that does not happen is asked for again, but not with every tick
    port_.reboot();
    return;
  }
  if (elapsed(now, began_) >= wait_) happen(WifiEvent::kDue, now);
}

void Wifi::happen(WifiEvent event, Millis now) noexcept {
  const WifiStep step = wifiStep(state_, event);
  state_ = step.next;
  switch (step.action) {
    case WifiAction::kNothing:
      return;
    case WifiAction::kJoin:
      began_ = now;
      wait_ = config_.join_timeout;
      port_.join(network_);
      return;
    case WifiAction::kHold:
      began_ = now;
      tried_ = 0;
      held_ = false;
      return;
    case WifiAction::kGiveUp:
      port_.leave();
      fail(now);
      return;
    case WifiAction::kFail:
      fail(now);
      return;
    case WifiAction::kLose:
      port_.leave();
      lose(now);
      return;
  }
}

void Wifi::pause(Millis now, Millis wait) noexcept {
  began_ = now;
  wait_ = wait;
}

void Wifi::fail(Millis now) noexcept {
  ++failures_;
  network_ = (network_ + 1) % config_.networks;
  if (++tried_ < config_.networks) {
    pause(now, config_.between);
    return;
  }
  tried_ = 0;
  pause(now, backoff_.next(port_.luck()));
}

// The network that was joined is the first that is tried again: mostly it is back in a moment.
void Wifi::lose(Millis now) noexcept {
  ++losses_;
  without_since_ = now;
  if (held_ || elapsed(now, began_) >= config_.held_after) {
    backoff_.reset();
    pause(now, config_.between);
  } else {
    pause(now, backoff_.next(port_.luck()));  // up and gone at once: an access point that does not want it
  }
}

}  // namespace gk
