// The door lock's core for tests in other languages: calls as in DoorLock, and everything that it did in one list.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>

#include "gk/door_lock.hpp"
#include "gk/mbedtls.hpp"

namespace {

enum Kind : int { kNothing, kRelay, kText, kPing, kClose, kCut };

struct Deed {
  Kind kind = kNothing;
  int client = -1;
  int code = 0;  // of kRelay: 1 energised, 0 not; of kClose: WebSocket's
  std::string text;
};

struct Host final : gk::LockPort, gk::Crypto {
  std::deque<Deed> deeds;
  std::deque<std::uint8_t> chance;
  std::uint8_t count = 0;
  bool energised = true;

  void relay(bool on) noexcept override {
    energised = on;
    deeds.push_back({kRelay, -1, on ? 1 : 0, {}});
  }
  void send(gk::ClientId to, std::string_view text) noexcept override {
    deeds.push_back({kText, to, 0, std::string(text)});
  }
  void ping(gk::ClientId to) noexcept override { deeds.push_back({kPing, to, 0, {}}); }
  void close(gk::ClientId id, gk::CloseCode code) noexcept override {
    deeds.push_back({kClose, id, static_cast<int>(code), {}});
  }
  void cut(gk::ClientId id) noexcept override { deeds.push_back({kCut, id, 0, {}}); }

  bool hmac(const gk::Key& key, std::string_view message, gk::Digest& out) noexcept override {
    return gk::mbedtlsHmac(key, message, out);
  }
  void random(std::uint8_t* out, std::size_t size) noexcept override {
    for (std::size_t i = 0; i < size; ++i) {
      if (chance.empty()) {
        out[i] = count++;
      } else {
        out[i] = chance.front();
        chance.pop_front();
      }
    }
  }
};

gk::LockConfig configured(const std::uint8_t* key, gk::Millis max_open) {
  gk::LockConfig config;
  config.max_open = max_open;
  if (key != nullptr) std::memcpy(config.key.emplace().data(), key, sizeof(gk::Key));
  return config;
}

const char* nameOf(gk::DoorState state) {
  switch (state) {
    case gk::DoorState::kLocked:
      return "locked";
    case gk::DoorState::kHeld:
      return "held";
    case gk::DoorState::kLeft:
      return "left";
  }
  return nullptr;
}

const char* nameOf(gk::DoorEvent event) {
  switch (event) {
    case gk::DoorEvent::kOpen:
      return "open";
    case gk::DoorEvent::kLock:
      return "lock";
    case gk::DoorEvent::kBeat:
      return "beat";
    case gk::DoorEvent::kHolderGone:
      return "holder gone";
    case gk::DoorEvent::kSilent:
      return "silent";
    case gk::DoorEvent::kCapped:
      return "capped";
    case gk::DoorEvent::kTripped:
      return "tripped";
  }
  return nullptr;
}

}  // namespace

struct gk_lock {
  Host host;
  gk::DoorLock lock;
  gk_lock(const std::uint8_t* key, gk::Millis max_open) : lock(host, host, configured(key, max_open)) {}
};

struct gk_lock_deed {
  int kind;
  int client;
  int code;
  unsigned size;
  char text[192];
};

extern "C" {

// `key`: 32 bytes or null.
gk_lock* gk_lock_new(const std::uint8_t* key, std::uint32_t max_open) { return new gk_lock(key, max_open); }
void gk_lock_free(gk_lock* it) { delete it; }

// What the next nonces are made of; then it is 0, 1, 2, ...
void gk_lock_chance(gk_lock* it, const std::uint8_t* bytes, unsigned size) {
  it->host.chance.insert(it->host.chance.end(), bytes, bytes + size);
}

int gk_lock_accepted(gk_lock* it, int id, std::uint32_t now) { return it->lock.accepted(id, now) ? 1 : 0; }
int gk_lock_refusal(const gk_lock* it, std::uint32_t address, int has_origin) {
  return it->lock.refusal(address, has_origin != 0);
}
int gk_lock_connected(gk_lock* it, int id, std::uint32_t address, std::uint32_t now, int rssi) {
  return it->lock.connected(id, address, now, rssi) ? 1 : 0;
}
void gk_lock_heard(gk_lock* it, int id, std::uint32_t now) { it->lock.heard(id, now); }
void gk_lock_text(gk_lock* it, int id, const char* text, unsigned size, std::uint32_t now) {
  it->lock.text(id, std::string_view(text, size), now);
}
void gk_lock_disconnected(gk_lock* it, int id) { it->lock.disconnected(id); }
void gk_lock_tick(gk_lock* it, std::uint32_t now, int rssi) { it->lock.tick(now, rssi); }
void gk_lock_trip(gk_lock* it, std::uint32_t now) { it->lock.trip(now); }
const char* gk_lock_state(const gk_lock* it) { return nameOf(it->lock.state()); }
int gk_lock_relay(const gk_lock* it) { return it->host.energised ? 1 : 0; }

// The next thing that it did. False if there is none.
int gk_lock_next(gk_lock* it, gk_lock_deed* out) {
  if (it->host.deeds.empty()) return 0;
  const Deed& deed = it->host.deeds.front();
  out->kind = deed.kind;
  out->client = deed.client;
  out->code = deed.code;
  out->size = static_cast<unsigned>(deed.text.size());
  std::memcpy(out->text, deed.text.data(), deed.text.size() < sizeof out->text ? deed.text.size() : sizeof out->text);
  it->host.deeds.pop_front();
  return 1;
}

// The table, for the diagram: names, null past the last, and what follows: the next state and 256 times the effects.
const char* gk_door_state_name(unsigned state) {
  return state < gk::kDoorStates ? nameOf(static_cast<gk::DoorState>(state)) : nullptr;
}
const char* gk_door_event_name(unsigned event) {
  return event < gk::kDoorEvents ? nameOf(static_cast<gk::DoorEvent>(event)) : nullptr;
}
unsigned gk_door_transition(unsigned state, unsigned event) {
  const auto [next, effects] = gk::onDoorEvent(static_cast<gk::DoorState>(state), static_cast<gk::DoorEvent>(event));
  return static_cast<unsigned>(next) + 256U * effects;
}

}  // extern "C"
