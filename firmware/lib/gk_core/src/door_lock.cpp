#include "gk/door_lock.hpp"

namespace gk {

namespace {

constexpr ClientId kNobody = -1;

Text<32> signalLine(int rssi) noexcept {
  Text<32> text;
  text << "SIGNAL:" << (rssi > -50 ? "EXCELLENT" : rssi > -70 ? "GOOD" : "WEAK") << ":";
  text.number(rssi);
  return text;
}

}  // namespace

DoorLock::DoorLock(LockPort& port, Crypto& crypto, const LockConfig& config) noexcept
    : port_(port), crypto_(crypto), config_(config) {
  port_.relay(false);
}

// --- who is connected ---

bool DoorLock::accepted(ClientId id, Millis now) noexcept {
  disconnected(id);  // a number that comes again is another connection, and the one before has ended
  return connections_.accepted(id, now);
}

int DoorLock::refusal(Address address, bool has_origin) const noexcept {
  if (has_origin) return 403;
  return clients_.room(address, config_.key.has_value()).granted ? 0 : 503;
}

bool DoorLock::connected(ClientId id, Address address, Millis now, int rssi) noexcept {
  expire(now);
  const LockClients::Room room = clients_.room(address, config_.key.has_value());
  if (!room.granted || clients_.find(id) != nullptr || !connections_.opened(id, now)) {
    drop(id, CloseCode::kTryLater, now);
    return false;
  }
  if (room.instead_of) drop(*room.instead_of, CloseCode::kTryLater, now);
  clients_.add(id, address);
  port_.send(id, "Connected to Door Lock");
  port_.send(id, stateLine());
  port_.send(id, signalLine(rssi).view());
  if (config_.key) challenge(id);
  return true;
}

void DoorLock::heard(ClientId id, Millis now) noexcept { connections_.heard(id, now); }

void DoorLock::disconnected(ClientId id) noexcept {
  connections_.gone(id);
  forget(id);
}

void DoorLock::forget(ClientId id) noexcept {
  clients_.remove(id);
  if (holder_ != id) return;
  holder_.reset();
  state_ = onDoorEvent(state_, DoorEvent::kHolderGone).next;
}

void DoorLock::drop(ClientId id, CloseCode code, Millis now) noexcept {
  forget(id);
  connections_.closing(id, now);
  port_.close(id, code);
}

// --- what is heard ---

void DoorLock::text(ClientId id, std::string_view message, Millis now) noexcept {
  expire(now);
  connections_.heard(id, now);
  LockClient* client = clients_.find(id);
  if (client == nullptr) return;
  if (message.size() > kMaxLockText) {
    reply(id, "ERR:TOO_LONG", now);
    return;
  }
  if (!config_.key) {
    command(id, message, true, now);
    return;
  }
  if (startsWith(message, kHello)) {
    hello(id, message, now);
    return;
  }
  if (const auto signed_command = client->session.open(crypto_, message)) {
    command(id, *signed_command, true, now);
  } else if (message == "STATUS" || message == "LOCK_DOOR") {
    command(id, message, false, now);
  } else {
    mistrust(id, now);
  }
}

void DoorLock::command(ClientId id, std::string_view command, bool beats, Millis now) noexcept {
  const bool status = command == "STATUS";
  const bool ping = command == "PING";
  if ((status || ping) && beats && holder_ == id) on(DoorEvent::kBeat, id, now);
  if (command == "OPEN_DOOR") {
    switched(id, DoorEvent::kOpen, now);
  } else if (command == "LOCK_DOOR") {
    switched(id, DoorEvent::kLock, now);
  } else if (status) {
    reply(id, stateLine(), now);
    reply(id, "ACK:STATUS", now);
  } else {
    reply(id, ping ? "PONG" : "ERR:UNKNOWN", now);
  }
}

void DoorLock::switched(ClientId id, DoorEvent event, Millis now) noexcept {
  const bool before = open();
  on(event, id, now);
  reply(id, open() ? "OK:Door opened" : "OK:Door locked", now);
  reply(id, open() ? "ACK:OPEN_DOOR" : "ACK:LOCK_DOOR", now);
  if (open() != before) tell(stateLine(), now, id);
}

void DoorLock::on(DoorEvent event, ClientId by, Millis now) noexcept {
  const auto [next, effects] = onDoorEvent(state_, event);
  state_ = next;
  if ((effects & kEnergise) != 0) port_.relay(true);
  if ((effects & kRelease) != 0) port_.relay(false);
  if ((effects & kStartCap) != 0) opened_at_ = now;
  if ((effects & kRefresh) != 0) beat_at_ = now;
  if ((effects & kTakeHold) != 0) holder_ = by;
  if (next != DoorState::kHeld) holder_.reset();
  if ((effects & kAnnounce) != 0) tell("TIMEOUT:AUTO_LOCKED", now);
}

// --- time ---

void DoorLock::tick(Millis now, int rssi) noexcept {
  expire(now);
  while (const auto due = connections_.due(now)) {
    if (due->deed == Connections::Deed::kPing) {
      port_.ping(due->id);
    } else {
      forget(due->id);
      port_.cut(due->id);
    }
  }
  if (!signal_at_) {
    signal_at_ = now;
  } else if (elapsed(now, *signal_at_) >= config_.signal_period) {
    signal_at_ = now;
    tell(signalLine(rssi).view(), now);
  }
}

void DoorLock::trip(Millis now) noexcept { on(DoorEvent::kTripped, kNobody, now); }

void DoorLock::expire(Millis now) noexcept {
  if (!open()) return;
  if (elapsed(now, beat_at_) >= config_.heartbeat_timeout) {
    on(DoorEvent::kSilent, kNobody, now);
  } else if (config_.max_open != 0 && elapsed(now, opened_at_) >= config_.max_open) {
    on(DoorEvent::kCapped, kNobody, now);
  }
}

// --- signed mode ---

void DoorLock::challenge(ClientId id) noexcept {
  LockClient* client = clients_.find(id);
  if (client != nullptr) port_.send(id, client->session.challenge(crypto_).view());
}

void DoorLock::hello(ClientId id, std::string_view line, Millis now) noexcept {
  LockClient* client = clients_.find(id);
  const auto ready = client->session.hello(crypto_, *config_.key, line);
  if (ready) {
    client->failures = 0;
    port_.send(id, ready->view());
  } else if (!mistrust(id, now)) {
    client = clients_.find(id);
    if (client != nullptr && !client->session.established()) challenge(id);
  }
}

bool DoorLock::mistrust(ClientId id, Millis now) noexcept {
  reply(id, "ERR:AUTH", now);
  LockClient* client = clients_.find(id);
  if (client == nullptr || ++client->failures < kMaxAuthFailures) return client == nullptr;
  drop(id, CloseCode::kPolicy, now);
  return true;
}

// --- what is said ---

void DoorLock::reply(ClientId id, std::string_view text, Millis now) noexcept {
  LockClient* client = clients_.find(id);
  if (client == nullptr) return;  // dropped a moment ago
  if (!client->session.established()) {
    port_.send(id, text);
    return;
  }
  if (const auto line = client->session.seal(crypto_, text)) {
    port_.send(id, line->view());
  } else {
    drop(id, CloseCode::kPolicy, now);  // what can't be signed isn't said
  }
}

void DoorLock::tell(std::string_view text, Millis now, std::optional<ClientId> but) noexcept {
  const auto ids = clients_.ids();
  const std::size_t count = clients_.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (ids[i] != but) reply(ids[i], text, now);
  }
}

}  // namespace gk
