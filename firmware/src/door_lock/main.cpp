// The door lock. What is decided is decided in the core (gk/door_lock.hpp, gk/wifi.hpp); this is the board around it:
// the relay's pin, a guard that drops it when this loop hangs, a watchdog that resets the board when it stays so, and
// the sockets.
#include <Arduino.h>
#include <esp_system.h>

#include <optional>

#include "gk/board/clock.hpp"
#include "gk/board/console.hpp"
#include "gk/board/crypto.hpp"
#include "gk/board/guard.hpp"
#include "gk/board/station.hpp"
#include "gk/board/store.hpp"
#include "gk/board/watchdog.hpp"
#include "gk/door_lock.hpp"
#include "gk_secrets.hpp"
#include "lock_server.hpp"
#include "relay.hpp"

SET_LOOP_TASK_STACK_SIZE(12 * 1024)

namespace {

using namespace gk;

constexpr Millis kGuard = 2'000;     // the loop comes round every 10 ms
constexpr Millis kWatchdog = 8'000;  // a reset locks, too, and brings the lock back
constexpr Millis kTurn = 10;

board::Store store;
board::Console console(store);
board::BoardCrypto crypto;
board::Guard guard;
std::array<board::Network, board::Station::kNetworks> networks;
LockServer server;
LockServer::Happened happened;

struct Port final : LockPort {
  void relay(bool energised) noexcept override {
    if (energised) guard.hold();  // before the current: from here on the loop may hang
    relay::set(energised);
  }
  void send(ClientId to, std::string_view text) noexcept override { server.send(to, text); }
  void ping(ClientId to) noexcept override { server.ping(to); }
  void close(ClientId id, CloseCode code) noexcept override { server.close(id, code); }
  void cut(ClientId id) noexcept override { server.cut(id); }
} port;

std::optional<board::Station> station;
std::optional<DoorLock> lock;

// The relay is at rest: say why nothing works, and start anew.
[[noreturn]] void fail(const char* what) {
  relay::drop();
  Serial.println(what);
  delay(5'000);
  esp_restart();
}

LockConfig config() {
  LockConfig config;
  if (store.has(Stored::kKey)) config.key = board::keyOf(store.of(Stored::kKey));
  if (store.spoiled(Stored::kKey)) {
    // There was a key, and it can't be read: a lock without one would open to anybody, so it opens to nobody.
    Serial.println("the key in flash is spoiled: gk set key <64 hexadecimal digits>");
    crypto.random(config.key.emplace().data(), sizeof(Key));
  }
  return config;
}

void take(const LockServer::Happened& event, Millis now, int rssi) {
  using What = LockServer::Happened::What;
  switch (event.what) {
    case What::kAccepted:
      if (!lock->accepted(event.client, now)) server.cut(event.client);
      break;
    case What::kConnected:
      lock->connected(event.client, event.address, now, rssi);
      break;
    case What::kHeard:
      lock->heard(event.client, now);
      break;
    case What::kText:
      lock->text(event.client, event.message(), now);
      break;
    case What::kDisconnected:
      lock->disconnected(event.client);
      break;
  }
}

}  // namespace

void setup() {
  relay::begin();
  if (!guard.begin(kGuard, &relay::drop)) fail("no timer for the guard");
  Serial.begin(115'200);
  store.begin(kBuiltIn);
  networks = board::networksOf(store);
  // The radio first: chance is true only while it runs.
  if (!station.emplace(networks, "gatekeeper-lock").begin()) fail("no Wi-Fi");
  lock.emplace(port, crypto, config());
  if (!server.begin()) fail("no HTTP server");
  if (!board::watchLoop(kWatchdog)) fail("no watchdog");
}

void loop() {
  board::loopLives();
  if (guard.tripped()) lock->trip(board::now());
  station->tick(board::now());
  const int rssi = station->rssi();
  // What came while the loop was busy, and then a short sleep for what comes.
  if (server.next(happened, kTurn)) take(happened, board::now(), rssi);
  lock->tick(board::now(), rssi);
  if (lock->open()) {
    guard.hold();
  } else {
    guard.release();
  }
  server.tick(board::now(), lock->open());
  console.tick();
}
