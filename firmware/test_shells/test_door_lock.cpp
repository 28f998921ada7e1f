// The door lock's own main.cpp, on a board of fakes: that the shell does for the core what the core relies on.
#include <Arduino.h>
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "fakes.hpp"

namespace {

using fake::board;
using Texts = std::vector<std::string>;

constexpr int kRelay = 32;
constexpr int kLed = 2;
const std::string kHandshake = "GET /ws HTTP/1.1\r\nHost: lock\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";

// setup() runs once, as on the board: all cases share it, and each leaves the door locked.
void boot() {
  static const bool booted = [] {
    board.flash["ssid"] = "lab";
    setup();
    return true;
  }();
  (void)booted;
}

void run(std::int64_t ms) {
  for (const std::int64_t until = board.us + ms * 1'000; board.us < until;) {
    fake::serve();
    loop();
  }
  fake::serve();
}

bool unlocked() { return board.levels[kRelay] == 1; }

// A client that has greeted; what it was told is thrown away.
struct Client : fake::Peer {
  Client() {
    send(kHandshake + "\r\n");
    run(50);
    received();
    texts();
  }
  Texts ask(const std::string& text) {
    frame(HTTPD_WS_TYPE_TEXT, text);
    run(30);
    Texts answers = texts();
    answers.erase(std::remove_if(answers.begin(), answers.end(),
                                 [](const std::string& answer) { return answer.rfind("SIGNAL:", 0) == 0; }),
                  answers.end());
    return answers;
  }
};

}  // namespace

TEST_CASE("I1: the relay's level is written before its pin drives, and first of all") {
  boot();
  REQUIRE(board.gpio.size() >= 4);
  CHECK(board.gpio[0].pin == kRelay);
  CHECK(board.gpio[0].what == 0);
  CHECK(board.gpio[1].pin == kLed);
  CHECK(board.gpio[1].what == 0);
  CHECK(board.gpio[2].pin == kRelay);
  CHECK(board.gpio[2].what == fake::kDirection);
  CHECK(board.watchdog_ms == 8'000);
  CHECK_FALSE(unlocked());
}

TEST_CASE("the station joins when the radio has started") {
  boot();
  fake::wifi(1);  // ARDUINO_EVENT_WIFI_STA_START
  run(20);
  CHECK(board.ssid == "lab");
  fake::wifi(5);  // ARDUINO_EVENT_WIFI_STA_GOT_IP
  run(20);
}

TEST_CASE("a client is greeted although the server tells nobody of its handshake, and obeyed") {
  boot();
  fake::Peer peer;
  peer.send(kHandshake + "\r\n");
  run(50);
  CHECK(peer.websocket());
  CHECK(peer.received().rfind("HTTP/1.1 101", 0) == 0);
  CHECK(peer.texts() == Texts{"Connected to Door Lock", "OK:LOCKED", "SIGNAL:GOOD:-58"});
  peer.frame(HTTPD_WS_TYPE_TEXT, "OPEN_DOOR");
  run(30);
  CHECK(peer.texts() == Texts{"OK:Door opened", "ACK:OPEN_DOOR"});
  CHECK(unlocked());
  CHECK(board.levels[kLed] == 1);
  peer.frame(HTTPD_WS_TYPE_TEXT, "LOCK_DOOR");
  run(30);
  CHECK(peer.texts() == Texts{"OK:Door locked", "ACK:LOCK_DOOR"});
  CHECK_FALSE(unlocked());
}

TEST_CASE("a text that comes in fragments is one text, with a ping in its midst") {
  boot();
  Client client;
  client.frame(HTTPD_WS_TYPE_TEXT, "STA", false);
  client.frame(HTTPD_WS_TYPE_PING, "x");
  client.frame(HTTPD_WS_TYPE_CONTINUE, "TUS", true);
  run(30);
  CHECK(client.texts() == Texts{"OK:LOCKED", "ACK:STATUS"});
}

TEST_CASE("a message that is too long, binary or out of turn ends its connection") {
  boot();
  Client client;
  client.frame(HTTPD_WS_TYPE_TEXT, std::string(200, 'x'), false);
  client.frame(HTTPD_WS_TYPE_CONTINUE, std::string(57, 'x'), true);
  CHECK_FALSE(client.open());
  Client binary;
  binary.frame(HTTPD_WS_TYPE_BINARY, "OPEN_DOOR");
  CHECK_FALSE(binary.open());
  Client stray;
  stray.frame(HTTPD_WS_TYPE_CONTINUE, "OPEN_DOOR");
  CHECK_FALSE(stray.open());
  run(30);
  CHECK_FALSE(unlocked());
}

TEST_CASE("a browser gets 403, and never a WebSocket") {
  boot();
  fake::Peer peer;
  peer.send(kHandshake + "Origin: http://evil.example\r\n\r\n");
  CHECK(peer.received().rfind("HTTP/1.1 403", 0) == 0);
  CHECK_FALSE(peer.open());
  run(20);
}

TEST_CASE("GET tells the state and moves nothing") {
  boot();
  for (const char* path : {"/open", "/lock", "/"}) {
    fake::Peer peer;
    peer.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: lock\r\n\r\n");
    CHECK(peer.received().rfind("HTTP/1.1 404", 0) == 0);
  }
  Client client;
  client.ask("OPEN_DOOR");
  {
    fake::Peer peer;
    peer.send("GET /status HTTP/1.1\r\nHost: lock\r\n\r\n");
    CHECK(peer.received() == "HTTP/1.1 200 OK\r\n\r\nOPEN");
    CHECK_FALSE(peer.open());
  }
  CHECK(unlocked());
  client.ask("LOCK_DOOR");
}

TEST_CASE("whoever connects and does not ask is cut, and a head has its length") {
  boot();
  fake::Peer silent;
  fake::Peer talkative;
  talkative.send("GET /ws HTTP/1.1\r\nX: " + std::string(800, 'x'));
  CHECK(talkative.received().rfind("HTTP/1.1 431", 0) == 0);
  CHECK_FALSE(talkative.open());
  run(4'900);
  CHECK(silent.open());
  run(300);
  CHECK_FALSE(silent.open());
}

TEST_CASE("a frame has two seconds, and the next one its own two") {
  boot();
  Client client;
  CHECK(client.byte() == 1);
  fake::pass(1'900);
  CHECK(client.byte() == 1);
  fake::pass(200);
  CHECK(client.byte() < 0);
  Client other;
  CHECK(other.byte() == 1);
  other.ask("PING");  // a frame that is read whole
  fake::pass(2'100);
  CHECK(other.byte() == 1);
}

TEST_CASE("what is said to a client that has gone reaches nobody who came to its place") {
  boot();
  {
    Client gone;
    board.work_full = true;  // so that the answers are still waiting when it goes
    gone.frame(HTTPD_WS_TYPE_TEXT, "STATUS");
    loop();
  }
  fake::Peer next;
  next.send(kHandshake + "\r\n");
  board.work_full = false;
  run(50);
  CHECK(next.texts() == Texts{"Connected to Door Lock", "OK:LOCKED", "SIGNAL:GOOD:-58"});
}

TEST_CASE("I8: a fifth client finds no room, and the others stay") {
  boot();
  Client one;
  Client two;
  Client three;
  Client four;
  Client five;
  CHECK(one.ask("PING") == Texts{"PONG"});
  CHECK(four.ask("PING") == Texts{"PONG"});
  CHECK(five.ask("OPEN_DOOR").empty());
  CHECK_FALSE(unlocked());
}

TEST_CASE("I2: the holder is gone, and the door locks by itself") {
  boot();
  {
    Client holder;
    holder.ask("OPEN_DOOR");
    CHECK(unlocked());
  }
  run(9'900);
  CHECK(unlocked());
  run(200);
  CHECK_FALSE(unlocked());
}

TEST_CASE(
    "I12: a loop that hangs with the door open has it dropped in two seconds, and it stays locked until asked anew") {
  boot();
  Client holder;
  holder.ask("OPEN_DOOR");
  CHECK(unlocked());
  fake::pass(1'900);  // the loop hangs
  CHECK(unlocked());
  fake::pass(200);
  CHECK_FALSE(unlocked());
  CHECK(board.levels[kLed] == 0);
  // It comes round again, and must not energise what the guard has dropped.
  CHECK(holder.ask("PING").back() == "PONG");
  run(3'000);
  CHECK_FALSE(unlocked());
  CHECK(holder.ask("STATUS") == Texts{"OK:LOCKED", "ACK:STATUS"});
  CHECK(holder.ask("OPEN_DOOR") == Texts{"OK:Door opened", "ACK:OPEN_DOOR"});
  CHECK(unlocked());
  holder.ask("LOCK_DOOR");
}

TEST_CASE("I12: the guard is there from the moment of the current on, not from the next time round") {
  boot();
  Client holder;
  holder.frame(HTTPD_WS_TYPE_TEXT, "OPEN_DOOR");
  while (!unlocked()) loop();  // the loop ends its turn, and hangs before the next
  CHECK(board.unguarded == 0);
  fake::pass(2'100);
  CHECK_FALSE(unlocked());
  run(50);
}

TEST_CASE("the watchdog is fed by the loop alone") {
  boot();
  const int before = board.feeds;
  fake::pass(1'000);
  CHECK(board.feeds == before);
  loop();
  CHECK(board.feeds == before + 1);
}

TEST_CASE("the console stores for the next start, shows no secret, and reboots") {
  boot();
  board.serial_out.clear();
  board.serial_in = "gk set key " + std::string(64, 'a') + "\r\ngk set host 10.0.0.2\ngk show\n";
  run(20);
  CHECK(board.flash["key"] == std::string(64, 'a'));
  CHECK(board.flash["host"] == "10.0.0.2");
  CHECK(board.serial_out.find("aaaa") == std::string::npos);
  CHECK(board.serial_out.find("ssid: lab") != std::string::npos);
  board.serial_in = "gk clear key\ngk clear host\n";
  run(20);
  CHECK(board.flash.count("key") == 0);
  board.serial_in = "gk reboot\n";
  const pid_t child = fork();
  if (child == 0) {
    run(20);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WEXITSTATUS(status) == fake::kRestarted);
}
