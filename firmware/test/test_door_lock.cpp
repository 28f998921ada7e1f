#include <doctest/doctest.h>

#include <initializer_list>
#include <string>

#include "lock_world.hpp"

using gk::DoorEvent;
using gk::DoorState;
using gk::LockConfig;
using gk::Log;
using gk::Millis;
using gk::Peer;
using gk::World;

namespace {

constexpr Millis kStarts[] = {0, 0x7ffffff0, 0xffffe000, 0xffffffff};
constexpr const char* kAlone = "TIMEOUT:AUTO_LOCKED";

}  // namespace

TEST_CASE("I1: the relay is off when the lock has been made, before anything else") {
  gk::TestPort port;
  gk::TestCrypto crypto;
  const gk::DoorLock lock(port, crypto, LockConfig{});
  CHECK_FALSE(port.on);
  CHECK(port.log == Log{"relay off"});
  CHECK_FALSE(lock.open());
  CHECK(lock.status() == "LOCKED");
}

TEST_CASE("I2: no heartbeat from whoever opened for ten seconds, and the relay is off, whoever else is there") {
  for (const Millis start : kStarts) {
    World world;
    world.join(1, start);
    world.join(2, start);
    world.say(1, "OPEN_DOOR", start);
    for (Millis t = 0; t < 10'000; t += 10) {
      world.lock.tick(start + t, -60);
      world.say(2, "PING", start + t);
      REQUIRE(world.port.on);
    }
    world.lock.tick(start + 9'999, -60);
    CHECK(world.port.on);
    world.heard();
    world.lock.tick(start + 10'000, -60);
    CHECK_FALSE(world.port.on);
    CHECK(world.heard() ==
          Log{"relay off", "1 TIMEOUT:AUTO_LOCKED", "2 TIMEOUT:AUTO_LOCKED", "1 SIGNAL:GOOD:-60", "2 SIGNAL:GOOD:-60"});
  }
}

TEST_CASE("I2: when whoever opened is gone, nobody keeps the door open") {
  for (const Millis start : kStarts) {
    World world;
    world.join(1, start);
    world.join(2, start);
    world.say(1, "OPEN_DOOR", start);
    world.say(1, "PING", start + 3'000);
    world.lock.disconnected(1);
    CHECK(world.lock.state() == DoorState::kLeft);
    world.join(1, start + 4'000);  // the same number is not the same client
    world.say(1, "PING", start + 5'000);
    world.say(2, "STATUS", start + 5'000);
    world.lock.tick(start + 12'999, -60);
    CHECK(world.port.on);
    world.lock.tick(start + 13'000, -60);
    CHECK_FALSE(world.port.on);
  }
}

TEST_CASE("I2: the server that comes back and opens again holds the door") {
  World world;
  world.join(1);
  world.say(1, "OPEN_DOOR");
  world.lock.disconnected(1);
  world.join(5, 4'000);
  CHECK(world.say(5, "OPEN_DOOR", 5'000) == Log{"5 OK:Door opened", "5 ACK:OPEN_DOOR"});
  world.lock.tick(14'999, -60);
  CHECK(world.port.on);
  world.say(5, "PING", 14'999);
  world.lock.tick(20'000, -60);
  CHECK(world.port.on);
}

TEST_CASE("I2: another who opens takes the hold over") {
  World world;
  world.join(1);
  world.join(2);
  world.say(1, "OPEN_DOOR");
  world.say(2, "OPEN_DOOR", 1'000);
  world.say(1, "PING", 9'000);
  world.lock.disconnected(1);
  CHECK(world.lock.state() == DoorState::kHeld);
  world.lock.tick(10'999, -60);
  CHECK(world.port.on);
  world.lock.tick(11'000, -60);
  CHECK_FALSE(world.port.on);
}

TEST_CASE("I3: PING, STATUS and OPEN_DOOR of whoever opened are heartbeats") {
  for (const char* beat : {"PING", "STATUS", "OPEN_DOOR"}) {
    CAPTURE(beat);
    World world;
    world.join(1);
    world.say(1, "OPEN_DOOR");
    world.say(1, beat, 9'000);
    world.lock.tick(18'999, -60);
    CHECK(world.port.on);
    world.lock.tick(19'000, -60);
    CHECK_FALSE(world.port.on);
  }
}

TEST_CASE("I3: nothing else is a heartbeat") {
  const std::string longer(129, 'x');
  for (const std::string& text : {std::string("garbage"), std::string("ping"), std::string("PING\n"), std::string(),
                                  std::string("PING\0", 5), longer, std::string("HELLO:")}) {
    World world;
    world.join(1);
    world.say(1, "OPEN_DOOR");
    world.say(1, text, 9'000);
    world.lock.heard(1, 9'000);
    world.join(2, 9'000);
    world.lock.tick(10'000, -60);
    CAPTURE(text);
    CHECK_FALSE(world.port.on);
  }
}

TEST_CASE("I4: the relay is never on for longer than the cap, whatever is said and however often it is opened") {
  for (const Millis start : kStarts) {
    World world;
    world.join(1, start);
    world.join(2, start);
    world.say(1, "OPEN_DOOR", start);
    for (Millis t = 0; t < 60'000; t += 500) {
      world.say(1, "PING", start + t);
      world.say(1 + static_cast<int>(t / 500 % 2), "OPEN_DOOR", start + t);
      world.lock.tick(start + t, -60);
      REQUIRE(world.port.on);
    }
    world.say(1, "PING", start + 59'999);
    CHECK(world.port.on);
    world.heard();
    world.lock.tick(start + 60'000, -60);
    CHECK_FALSE(world.port.on);
    CHECK(world.heard()[1] == std::string("1 ") + kAlone);
    CHECK(world.say(1, "OPEN_DOOR", start + 60'000).front() == "relay on");  // and it is another opening
    world.say(1, "PING", start + 69'000);
    world.lock.tick(start + 70'000, -60);
    CHECK(world.port.on);
  }
}

TEST_CASE("I4: without a cap heartbeats alone keep it open") {
  LockConfig config;
  config.max_open = 0;
  World world(config);
  world.join(1);
  world.say(1, "OPEN_DOOR");
  for (Millis t = 0; t < 1'000'000; t += 9'000) world.say(1, "PING", t);
  CHECK(world.port.on);
}

TEST_CASE("I5: opening an open door and locking a locked one are answered as the first time") {
  World world;
  world.join(1);
  world.join(2);
  CHECK(world.say(1, "OPEN_DOOR") == Log{"relay on", "1 OK:Door opened", "1 ACK:OPEN_DOOR", "2 OK:OPEN"});
  CHECK(world.say(1, "OPEN_DOOR") == Log{"1 OK:Door opened", "1 ACK:OPEN_DOOR"});
  CHECK(world.say(2, "LOCK_DOOR") == Log{"relay off", "2 OK:Door locked", "2 ACK:LOCK_DOOR", "1 OK:LOCKED"});
  CHECK(world.say(2, "LOCK_DOOR") == Log{"relay off", "2 OK:Door locked", "2 ACK:LOCK_DOOR"});
}

TEST_CASE("I6: the relay moves first, the news follows") {
  World world;
  world.join(1);
  CHECK(world.say(1, "OPEN_DOOR").front() == "relay on");
  CHECK(world.say(1, "LOCK_DOOR").front() == "relay off");
  world.say(1, "OPEN_DOOR");
  world.lock.tick(10'000, -60);
  CHECK(world.heard().front() == "relay off");
  world.say(1, "OPEN_DOOR", 10'000);
  world.lock.trip(10'001);
  CHECK(world.heard().front() == "relay off");
}

TEST_CASE("I7: after a gap of any length the door is locked before anything that came is obeyed") {
  for (const Millis start : kStarts) {
    for (const Millis gap : {10'000U, 60'000U, 0x7fffffffU, 0x80000000U, 0xfffffff0U}) {
      for (const char* text : {"PING", "STATUS", "garbage"}) {
        World world;
        world.join(1, start);
        world.say(1, "OPEN_DOOR", start);
        const Log log = world.say(1, text, start + gap);
        CHECK_FALSE(world.port.on);
        CHECK(log[0] == "relay off");
        CHECK(log[1] == "1 TIMEOUT:AUTO_LOCKED");
      }
      World world;
      world.join(1, start);
      world.say(1, "OPEN_DOOR", start);
      CHECK(world.greeting(2, start + gap)[3] == "2 OK:LOCKED");
      CHECK_FALSE(world.port.on);
    }
  }
}

TEST_CASE("I7: time that goes back locks the door") {
  World world;
  world.join(1, 5'000);
  world.say(1, "OPEN_DOOR", 5'000);
  world.lock.tick(4'999, -60);
  CHECK_FALSE(world.port.on);
}

TEST_CASE("I7: signals keep their period across the wrap") {
  for (const Millis start : kStarts) {
    World world;
    world.join(1, start);
    int signals = 0;
    for (Millis t = 0; t <= 60'000; t += 10) {
      world.lock.tick(start + t, -60);
      signals += static_cast<int>(world.heard().size());
      world.lock.heard(1, start + t);
    }
    CHECK(signals == 12);
  }
}

TEST_CASE("I8: a full house refuses the newcomer, and there is room again when one goes") {
  World world;
  for (int id = 1; id <= 4; ++id) {
    CHECK(world.lock.refusal(0, false) == 0);
    CHECK(world.lock.connected(id, 0, 0, -60));
  }
  world.heard();
  CHECK(world.lock.refusal(0, false) == 503);
  CHECK_FALSE(world.lock.connected(5, 0, 0, -60));
  CHECK(world.heard() == Log{"5 (close 1013)"});
  CHECK(world.lock.clients() == 4);
  CHECK(world.say(5, "OPEN_DOOR").empty());
  CHECK_FALSE(world.port.on);
  CHECK(world.say(1, "PING") == Log{"1 PONG"});
  world.lock.disconnected(2);
  CHECK(world.lock.connected(6, 0, 0, -60));
}

TEST_CASE("I8: one address has two connections at most") {
  World world;
  world.join(1, 0, 0x0100000a);
  world.join(2, 0, 0x0100000a);
  CHECK(world.lock.refusal(0x0100000a, false) == 503);
  CHECK(world.lock.refusal(0x0200000a, false) == 0);
  CHECK_FALSE(world.lock.connected(3, 0x0100000a, 0, -60));
  CHECK(world.lock.connected(4, 0x0200000a, 0, -60));
}

TEST_CASE("I8: with a key the oldest without a session makes room, and who has one never does") {
  World world(gk::keyed());
  Peer first = gk::enter(world, 1);
  world.join(2);
  world.join(3);
  world.join(4);
  CHECK(world.lock.refusal(0, false) == 0);
  CHECK(world.greeting(5).front() == "2 (close 1013)");
  CHECK(world.greeting(6).front() == "3 (close 1013)");
  CHECK(world.greeting(7).front() == "4 (close 1013)");
  CHECK(world.say(1, first.sign("PING")) == Log{"1 " + first.sealed("PONG", 1)});
  CHECK(world.lock.clients() == 4);

  World full(gk::keyed());
  for (int id = 1; id <= 4; ++id) gk::enter(full, id);
  CHECK(full.lock.refusal(0, false) == 503);
  CHECK(full.greeting(5) == Log{"5 (close 1013)"});
}

TEST_CASE("I8: a crowd at one address makes room among itself") {
  World world(gk::keyed());
  world.join(1, 0, 7);
  world.join(2, 0, 8);
  world.join(3, 0, 8);
  CHECK(world.greeting(4, 0, 8).front() == "2 (close 1013)");
  World proven(gk::keyed());
  gk::enter(proven, 1, 0, 8);
  gk::enter(proven, 2, 0, 8);
  proven.join(3, 0, 7);
  CHECK(proven.lock.refusal(8, false) == 503);
}

TEST_CASE("I8: a page in a browser is refused, room or not") {
  World world;
  CHECK(world.lock.refusal(0, true) == 403);
  for (int id = 1; id <= 4; ++id) world.join(id);
  CHECK(world.lock.refusal(0, true) == 403);
}

TEST_CASE("I9: a text of 128 bytes is looked at, of 129 it is not") {
  World world;
  world.join(1);
  CHECK(world.say(1, std::string(128, 'A')) == Log{"1 ERR:UNKNOWN"});
  CHECK(world.say(1, std::string(129, 'A')) == Log{"1 ERR:TOO_LONG"});
  CHECK(world.say(1, "OPEN_DOOR" + std::string(120, ' ')) == Log{"1 ERR:TOO_LONG"});
  CHECK_FALSE(world.port.on);
}

TEST_CASE("I9: a command is exactly its letters") {
  for (const std::string& text :
       {std::string("OPEN_DOOR\n"), std::string(" OPEN_DOOR"), std::string("open_door"), std::string("OPEN_DOOR\0", 10),
        std::string("OPEN_DOO"), std::string("OPEN_DOORS"), std::string("\xc3\x96PEN_DOOR"), std::string()}) {
    World world;
    world.join(1);
    CAPTURE(text);
    CHECK(world.say(1, text) == Log{"1 ERR:UNKNOWN"});
    CHECK_FALSE(world.port.on);
  }
}

TEST_CASE("I10: who is cut for silence holds no door") {
  LockConfig config;
  config.heartbeat_timeout = 1'000'000;
  World world(config);
  world.join(1);
  world.say(1, "OPEN_DOOR");
  world.lock.tick(15'000, -60);
  CHECK(world.heard()[0] == "1 (ping)");
  world.lock.tick(45'000, -60);
  CHECK(world.heard()[0] == "1 (cut)");
  CHECK(world.lock.state() == DoorState::kLeft);
  CHECK(world.lock.clients() == 0);
  world.lock.disconnected(1);
}

TEST_CASE("I10: who does not shake hands is cut, and who was told to go, too") {
  World world(gk::keyed());
  CHECK(world.lock.accepted(1, 0));
  world.lock.tick(5'000, -60);
  CHECK(world.heard() == Log{"1 (cut)"});
  CHECK(world.lock.accepted(2, 5'000));
  world.join(2, 5'000);
  for (int i = 0; i < 3; ++i) world.say(2, "OPEN_DOOR", 5'000);
  CHECK(world.lock.clients() == 0);
  world.lock.tick(6'999, -60);
  CHECK(world.heard().empty());
  world.lock.tick(7'000, -60);
  CHECK(world.heard() == Log{"2 (cut)"});
}

TEST_CASE("I10: a ninth connection is not taken, and a number that comes again is another one") {
  World world;
  for (int id = 1; id <= 8; ++id) CHECK(world.lock.accepted(id, 0));
  CHECK_FALSE(world.lock.accepted(9, 0));
  world.join(1);
  world.say(1, "OPEN_DOOR");
  CHECK(world.lock.accepted(1, 100));
  CHECK(world.lock.state() == DoorState::kLeft);
  CHECK(world.say(1, "PING", 200).empty());
}

TEST_CASE("I11: anybody may lock, at any time") {
  World world(gk::keyed());
  Peer peer = gk::enter(world, 1);
  world.join(2);
  world.say(1, peer.sign("OPEN_DOOR"));
  world.say(2, "OPEN_DOOR");
  world.say(2, "OPEN_DOOR");
  CHECK(world.port.on);
  CHECK(world.say(2, "LOCK_DOOR").front() == "relay off");
  CHECK_FALSE(world.port.on);
}

TEST_CASE("I12: after the guard has tripped the relay stays off until the next OPEN_DOOR") {
  World world;
  world.join(1);
  world.say(1, "OPEN_DOOR");
  world.lock.trip(100);
  CHECK(world.heard() == Log{"relay off", "1 TIMEOUT:AUTO_LOCKED"});
  world.say(1, "PING", 200);
  world.lock.tick(300, -60);
  world.say(1, "STATUS", 400);
  CHECK_FALSE(world.port.on);
  CHECK_FALSE(world.lock.open());
  CHECK(world.say(1, "OPEN_DOOR", 500).front() == "relay on");
  world.lock.trip(600);
  world.heard();
  world.lock.trip(700);
  CHECK(world.heard() == Log{"relay off"});
}

TEST_CASE("a client is greeted with the state and the signal") {
  World world;
  CHECK(world.greeting(1) == Log{"1 Connected to Door Lock", "1 OK:LOCKED", "1 SIGNAL:GOOD:-60"});
  world.say(1, "OPEN_DOOR");
  CHECK(world.greeting(2, 0, 0, -49) == Log{"2 Connected to Door Lock", "2 OK:OPEN", "2 SIGNAL:EXCELLENT:-49"});
}

TEST_CASE("a signal is excellent above -50 dBm, good above -70, weak below") {
  const std::pair<int, const char*> levels[] = {
      {0, "EXCELLENT:0"}, {-49, "EXCELLENT:-49"}, {-50, "GOOD:-50"},    {-69, "GOOD:-69"},
      {-70, "WEAK:-70"},  {-127, "WEAK:-127"},    {31, "EXCELLENT:31"},
  };
  for (const auto& [rssi, level] : levels) {
    World world;
    CHECK(world.greeting(1, 0, 0, rssi)[2] == std::string("1 SIGNAL:") + level);
  }
}

TEST_CASE("an answer goes to who asked") {
  World world;
  world.join(1);
  world.join(2);
  CHECK(world.say(1, "PING") == Log{"1 PONG"});
  CHECK(world.say(2, "STATUS") == Log{"2 OK:LOCKED", "2 ACK:STATUS"});
  CHECK(world.say(2, "what") == Log{"2 ERR:UNKNOWN"});
}

TEST_CASE("who is not connected is not heard") {
  World world;
  CHECK(world.say(1, "OPEN_DOOR").empty());
  CHECK_FALSE(world.port.on);
  world.lock.disconnected(1);
  world.lock.heard(1, 0);
}

TEST_CASE("a number that connects twice is a fault of the board: the connection ends, and nobody holds by it") {
  World world;
  world.join(1);
  world.say(1, "OPEN_DOOR");
  CHECK(world.greeting(1) == Log{"1 (close 1013)"});
  CHECK(world.lock.state() == DoorState::kLeft);
}

TEST_CASE("with a key, plain commands are refused, and the third ends the connection") {
  World world(gk::keyed());
  CHECK(world.greeting(1).back() == "1 AUTH:1:000102030405060708090a0b0c0d0e0f");
  CHECK(world.say(1, "OPEN_DOOR") == Log{"1 ERR:AUTH"});
  CHECK(world.say(1, "STATUS") == Log{"1 OK:LOCKED", "1 ACK:STATUS"});
  CHECK(world.say(1, "PING") == Log{"1 ERR:AUTH"});
  CHECK(world.say(1, "C:1:00000000000000000000000000000000:OPEN_DOOR") == Log{"1 ERR:AUTH", "1 (close 1008)"});
  CHECK_FALSE(world.port.on);
  CHECK(world.say(1, "LOCK_DOOR").empty());
}

TEST_CASE("a refused HELLO is followed by a new challenge, and the third ends the connection") {
  World world(gk::keyed());
  Peer peer;
  const std::string hello = peer.hello(world.greeting(1).back());
  CHECK(world.say(1, "HELLO:x") == Log{"1 ERR:AUTH", "1 AUTH:1:101112131415161718191a1b1c1d1e1f"});
  CHECK(world.say(1, hello) == Log{"1 ERR:AUTH", "1 AUTH:1:202122232425262728292a2b2c2d2e2f"});
  CHECK(world.say(1, hello) == Log{"1 ERR:AUTH", "1 (close 1008)"});
}

TEST_CASE("a session opens the door, and everything that the device says in it is signed and counted") {
  World world(gk::keyed());
  Peer peer;
  const std::string hello = peer.hello(world.greeting(1).back());
  CHECK(world.say(1, hello) == Log{"1 " + peer.ready});
  const std::string opening = peer.sign("OPEN_DOOR");
  CHECK(world.say(1, opening) ==
        Log{"relay on", "1 " + peer.sealed("OK:Door opened", 1), "1 " + peer.sealed("ACK:OPEN_DOOR", 2)});
  CHECK(world.say(1, opening) == Log{"1 " + peer.sealed("ERR:AUTH", 3)});  // said again by somebody who listened
  CHECK(world.say(1, hello) == Log{"1 " + peer.sealed("ERR:AUTH", 4)});    // no new challenge within a session
  CHECK(world.say(1, peer.sign("what")) == Log{"1 " + peer.sealed("ERR:UNKNOWN", 5)});
  world.lock.tick(10'000, -60);
  CHECK(world.heard() == Log{"relay off", "1 " + peer.sealed(kAlone, 6)});
}

TEST_CASE("a session is good for its own connection alone") {
  World world(gk::keyed());
  Peer peer = gk::enter(world, 1);
  world.join(2);
  CHECK(world.say(2, peer.sign("OPEN_DOOR")) == Log{"2 ERR:AUTH"});
  world.lock.disconnected(1);
  world.join(1);
  CHECK(world.say(1, peer.sign("OPEN_DOOR")) == Log{"1 ERR:AUTH"});
  CHECK_FALSE(world.port.on);
}

TEST_CASE("a good HELLO forgives what was refused before") {
  World world(gk::keyed());
  Peer peer;
  const std::string hello = peer.hello(world.greeting(1).back());
  world.say(1, "OPEN_DOOR");
  world.say(1, "OPEN_DOOR");
  world.say(1, hello);
  CHECK(world.say(1, "PING") == Log{"1 " + peer.sealed("ERR:AUTH", 1)});
  CHECK(world.say(1, "PING") == Log{"1 " + peer.sealed("ERR:AUTH", 2)});
  CHECK(world.say(1, peer.sign("PING")) == Log{"1 " + peer.sealed("PONG", 3)});
  CHECK(world.say(1, "PING") == Log{"1 " + peer.sealed("ERR:AUTH", 4), "1 (close 1008)"});
}

TEST_CASE("a plain STATUS in the session of whoever opened is no heartbeat") {
  World world(gk::keyed());
  Peer peer = gk::enter(world, 1);
  world.say(1, peer.sign("OPEN_DOOR"));
  CHECK(world.say(1, "STATUS", 9'000) == Log{"1 " + peer.sealed("OK:OPEN", 3), "1 " + peer.sealed("ACK:STATUS", 4)});
  world.lock.tick(10'000, -60);
  CHECK_FALSE(world.port.on);
}

TEST_CASE("without a key there is no challenge, and a HELLO is unknown") {
  World world;
  CHECK(world.greeting(1).size() == 3);
  CHECK(world.say(1, "HELLO:x") == Log{"1 ERR:UNKNOWN"});
}

TEST_CASE("what can't be signed isn't said, and ends the session") {
  World world(gk::keyed());
  Peer peer = gk::enter(world, 1);
  world.say(1, peer.sign("OPEN_DOOR"));
  world.crypto.works = false;
  CHECK(world.say(1, "LOCK_DOOR") == Log{"relay off", "1 (close 1008)"});
  CHECK(world.lock.clients() == 0);
}
