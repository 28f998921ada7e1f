// A station that always finds back to its network: which network to join, how long to try, how long to wait, when to
// reboot. It opens no access point: a device that lost its network is not to be re-homed by who stands near.
//
//            start            address                 disconnected, address lost
//     idle ---------> joining -------> up ---------------------------------------> lost
//                        |  ^                                                        |
//                        |  +--------------------- pause over -----------------------+
//                        +-- disconnected, or no address in time --> lost
//
// The driver's own reconnecting must be off: two that decide abort each other's joins. Its events come from another
// task: hand them over through a queue and call these methods from one loop.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gk/backoff.hpp"
#include "gk/time.hpp"

namespace gk {

enum class WifiState : std::uint8_t { kIdle, kJoining, kUp, kLost };
enum class WifiEvent : std::uint8_t { kStart, kAddress, kAddressLost, kDisconnected, kDue };
enum class WifiAction : std::uint8_t { kNothing, kJoin, kHold, kFail, kGiveUp, kLose };

constexpr std::size_t kWifiStates = 4;
constexpr std::size_t kWifiEvents = 5;

struct WifiStep {
  WifiState next;
  WifiAction action;
};

// What an event does in a state: every pair is decided.
WifiStep wifiStep(WifiState state, WifiEvent event) noexcept;

std::string_view wifiName(WifiState state) noexcept;
std::string_view wifiName(WifiEvent event) noexcept;

struct WifiPort {
  // Begin to join the network of this place in the list; what was going on has ended.
  virtual void join(std::size_t network) noexcept = 0;
  // End an attempt, or what is left of a link.
  virtual void leave() noexcept = 0;
  // There was no link for `reboot_after`: a driver that hangs comes back no other way.
  virtual void reboot() noexcept = 0;
  // 32 random bits.
  virtual std::uint32_t luck() noexcept = 0;

 protected:
  ~WifiPort() = default;
};

struct WifiConfig {
  std::size_t networks = 1;           // how many the list has; with none it stays idle
  Millis join_timeout = 20'000;       // to associate, prove the password and get an address: slow DHCP takes 10 s
  Millis between = 500;               // from one network of the list to the next, and before the first try after a loss
  Millis held_after = 30'000;         // a link of this length was a good one: the next loss begins without a back-off
  Millis reboot_after = 15 * 60'000;  // without a link; 0 is never
  Millis backoff_first = 1'000;       // after the whole list failed
  Millis backoff_most = Backoff::kMost;
};

class Wifi {
 public:
  // The reason that the driver gives for a link that this side ended itself (IEEE 802.11 calls it "leaving the BSS").
  static constexpr std::uint8_t kOwnLeave = 8;

  Wifi(WifiPort& port, const WifiConfig& config) noexcept;

  // The radio has started.
  void start(Millis now) noexcept;
  // There is an address now, or again.
  void address(Millis now) noexcept;
  // The address is gone, the association may still stand.
  void addressLost(Millis now) noexcept;
  // The association is gone or was refused, for a reason of the driver's.
  void disconnected(std::uint8_t reason, Millis now) noexcept;
  // To be called at least every second or so.
  void tick(Millis now) noexcept;

  WifiState state() const noexcept { return state_; }
  bool up() const noexcept { return state_ == WifiState::kUp; }
  std::size_t network() const noexcept { return network_; }      // the one that is joined or was tried last
  std::uint8_t reason() const noexcept { return reason_; }       // of the last disconnection; 0 if there was none
  std::uint32_t losses() const noexcept { return losses_; }      // of links that were up
  std::uint32_t failures() const noexcept { return failures_; }  // of joins

 private:
  void happen(WifiEvent event, Millis now) noexcept;
  void pause(Millis now, Millis wait) noexcept;
  void fail(Millis now) noexcept;
  void lose(Millis now) noexcept;

  WifiPort& port_;
  WifiConfig config_;
  Backoff backoff_;
  WifiState state_ = WifiState::kIdle;
  std::size_t network_ = 0;
  std::size_t tried_ = 0;     // networks of the list that failed one after the other
  Millis began_ = 0;          // of the attempt, the pause or the link
  Millis wait_ = 0;           // how long that attempt or pause may last
  Millis without_since_ = 0;  // a link
  bool held_ = false;         // the link that is up, or was last, was a good one
  std::uint8_t reason_ = 0;
  std::uint32_t losses_ = 0;
  std::uint32_t failures_ = 0;
};

}  // namespace gk
