// The door lock: what is said to whom, and whether the relay is on. The protocol is the seed firmware's over WebSocket
// texts, with safe deviations:
//
//   on connecting    Connected to Door Lock, OK:OPEN | OK:LOCKED, SIGNAL:<EXCELLENT|GOOD|WEAK>:<rssi>
//   OPEN_DOOR        OK:Door opened, ACK:OPEN_DOOR
//   LOCK_DOOR        OK:Door locked, ACK:LOCK_DOOR
//   STATUS           OK:OPEN | OK:LOCKED, ACK:STATUS
//   PING             PONG
//   anything else    ERR:UNKNOWN, or ERR:TOO_LONG above 128 bytes
//   unasked          SIGNAL:... every 5 s, TIMEOUT:AUTO_LOCKED, and OK:OPEN | OK:LOCKED when another client changed it
//
// With a key (auth.hpp) who has not proven to have it gets ERR:AUTH, and the third time ends the connection. Two things
// need no proof: STATUS, and LOCK_DOOR, which is the safe direction; neither keeps a door open.
//
// What has run out of time is dealt with before what has arrived. Time must not go back: if it does with the door open,
// the door locks. One thread; the port must not call back. No heap, no clock, no sockets.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "gk/auth.hpp"
#include "gk/connections.hpp"
#include "gk/door_states.hpp"
#include "gk/lock_clients.hpp"
#include "gk/time.hpp"

namespace gk {

inline constexpr std::size_t kMaxLockText = 128;
inline constexpr std::size_t kMaxLockMessage = 256;  // above, the board closes with kCloseTooBig and reads no further

inline constexpr std::uint8_t kMaxAuthFailures = 3;

enum class CloseCode : std::uint16_t { kPolicy = 1008, kTooBig = 1009, kTryLater = 1013 };  // RFC 6455, section 7.4

struct LockConfig {
  Millis heartbeat_timeout = 10'000;  // the seed's
  Millis max_open = 60'000;           // the relay is never on for longer, whatever is said; 0: no limit
  Millis signal_period = 5'000;       // the seed's
  std::optional<Key> key;             // without one, anybody on the network may open
};

// What the lock does to the world.
struct LockPort {
  virtual void relay(bool energised) noexcept = 0;
  virtual void send(ClientId to, std::string_view text) noexcept = 0;  // one WebSocket text message
  virtual void ping(ClientId to) noexcept = 0;
  virtual void close(ClientId id, CloseCode code) noexcept = 0;  // with WebSocket's farewell
  virtual void cut(ClientId id) noexcept = 0;                    // without one, at once

 protected:
  ~LockPort() = default;
};

class DoorLock {
 public:
  // Releases the relay before it returns.
  DoorLock(LockPort& port, Crypto& crypto, const LockConfig& config) noexcept;

  // A TCP connection has come. False: close it, there are too many.
  bool accepted(ClientId id, Millis now) noexcept;
  // The HTTP status to refuse a WebSocket with, or 0 if it may open; `has_origin`: there is an Origin header.
  int refusal(Address address, bool has_origin) const noexcept;
  // Its WebSocket is open. False: there was no room and it is being closed.
  bool connected(ClientId id, Address address, Millis now, int rssi) noexcept;
  // A ping, a pong or anything else that is no text: it lives.
  void heard(ClientId id, Millis now) noexcept;
  // One whole text message.
  void text(ClientId id, std::string_view message, Millis now) noexcept;
  // Its connection has ended, however. Also for those whose closing or cutting the lock has asked for.
  void disconnected(ClientId id) noexcept;
  // Often: each 10 ms to 100 ms.
  void tick(Millis now, int rssi) noexcept;
  // The independent guard has released the relay: it stays so until the next OPEN_DOOR.
  void trip(Millis now) noexcept;

  DoorState state() const noexcept { return state_; }
  bool open() const noexcept { return state_ != DoorState::kLocked; }
  std::string_view status() const noexcept { return open() ? "OPEN" : "LOCKED"; }  // for GET /status
  std::size_t clients() const noexcept { return clients_.size(); }

 private:
  void expire(Millis now) noexcept;
  void on(DoorEvent event, ClientId by, Millis now) noexcept;
  void command(ClientId id, std::string_view command, bool beats, Millis now) noexcept;
  void switched(ClientId id, DoorEvent event, Millis now) noexcept;
  void hello(ClientId id, std::string_view line, Millis now) noexcept;
  bool mistrust(ClientId id, Millis now) noexcept;  // whether that was its end
  void challenge(ClientId id) noexcept;
  void drop(ClientId id, CloseCode code, Millis now) noexcept;
  void forget(ClientId id) noexcept;
  void reply(ClientId id, std::string_view text, Millis now) noexcept;
  void tell(std::string_view text, Millis now, std::optional<ClientId> but = std::nullopt) noexcept;
  std::string_view stateLine() const noexcept { return open() ? "OK:OPEN" : "OK:LOCKED"; }

  LockPort& port_;
  Crypto& crypto_;
  const LockConfig config_;
  LockClients clients_;
  Connections connections_;
  DoorState state_ = DoorState::kLocked;
  std::optional<ClientId> holder_;  // who may keep it open
  Millis opened_at_ = 0;
  Millis beat_at_ = 0;
  std::optional<Millis> signal_at_;
};

}  // namespace gk
