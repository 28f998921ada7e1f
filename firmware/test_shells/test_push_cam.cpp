// The push camera's own main.cpp, on a board of fakes.
#include <Arduino.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "WebSocketsClient.h"
#include "fakes.hpp"

namespace {

using fake::board;

constexpr int kControl = 6971;
constexpr int kStream = 6972;

void run(std::int64_t ms) {
  for (const std::int64_t until = board.us + ms * 1'000; board.us < until;) loop();
}

void boot() {
  static const bool booted = [] {
    board.flash["ssid"] = "lab";
    board.flash["host"] = "10.0.0.2";
    board.flash["camera"] = "yard";
    setup();
    fake::wifi(1);  // ARDUINO_EVENT_WIFI_STA_START
    run(50);
    fake::wifi(5);  // ARDUINO_EVENT_WIFI_STA_GOT_IP
    return true;
  }();
  (void)booted;
}

fake::Dial& dial(int port) { return fake::dials[port]; }

void hear(int port, const std::string& text) { dial(port).events.emplace_back(WStype_TEXT, text); }

bool said(int port, const std::string& part) {
  return std::any_of(dial(port).texts.begin(), dial(port).texts.end(),
                     [&](const std::string& text) { return text.find(part) != std::string::npos; });
}

// Both connections in use, as after a start.
void connected() {
  boot();
  for (int i = 0; i < 40 && (dial(kStream).state != WSC_CONNECTED || dial(kControl).state != WSC_CONNECTED); ++i)
    run(1'000);
  REQUIRE(dial(kStream).state == WSC_CONNECTED);
  REQUIRE(dial(kControl).state == WSC_CONNECTED);
  hear(kStream, R"({"status":"ok","message":"Camera registered","frames":"gkf1"})");
  hear(kControl, R"({"status":"ok","message":"Camera registered"})");
  run(3'000);
}

}  // namespace

TEST_CASE("it dials both ports, registers by its name, and sends framed pictures when they are offered") {
  connected();
  CHECK(said(kStream, R"("type":"register")"));
  CHECK(said(kStream, "yard"));
  CHECK(said(kControl, R"("type":"register")"));
  dial(kStream).binaries.clear();
  run(2'000);
  REQUIRE_FALSE(dial(kStream).binaries.empty());
  CHECK(dial(kStream).binaries.back().substr(0, 4) == "GKF1");
  CHECK(dial(kStream).binaries.back().size() == 32 + fake::camera.picture.size());
  CHECK(dial(kStream).binaries.back().substr(32) == fake::camera.picture);
  CHECK(fake::camera.out <= 1);
}

TEST_CASE("a command sets the sensor by the table of sizes, and is answered") {
  connected();
  CHECK(fake::camera.largest == 19);  // FRAMESIZE_QXGA
  hear(kControl, R"({"type":"command","cmd":"resolution","val":5})");
  run(200);
  CHECK(fake::camera.size == 10);  // FRAMESIZE_VGA
  CHECK(said(kControl, R"("cmd":"resolution","status":"ok")"));
  hear(kControl, R"({"type":"command","cmd":"quality","val":"99"})");
  run(200);
  CHECK(said(kControl, R"("cmd":"quality","status":"error")"));
  CHECK(fake::camera.quality == 15);
}

TEST_CASE("how it is is told every ten seconds") {
  connected();
  dial(kControl).texts.clear();
  run(11'000);
  CHECK(said(kControl, R"("type":"health")"));
  CHECK(said(kControl, "POWERON"));
}

TEST_CASE("a connection that ends is made again, and the other one stays") {
  connected();
  const int streams = dial(kStream).dials;
  const int controls = dial(kControl).dials;
  dial(kStream).events.emplace_back(WStype_DISCONNECTED, "");
  run(5'000);
  CHECK(dial(kStream).dials == streams + 1);
  CHECK(dial(kStream).state == WSC_CONNECTED);
  CHECK(dial(kControl).dials == controls);
}

TEST_CASE("a server that can't be reached is dialled less and less often") {
  connected();
  dial(kStream).reachable = false;
  dial(kStream).events.emplace_back(WStype_DISCONNECTED, "");
  const int before = dial(kStream).dials;
  run(40'000);
  const int tries = dial(kStream).dials - before;
  CHECK(tries >= 3);
  CHECK(tries <= 12);
  dial(kStream).reachable = true;
  run(40'000);
  CHECK(dial(kStream).state == WSC_CONNECTED);
}

TEST_CASE("a picture that could not be sent whole ends its connection") {
  connected();
  const int before = dial(kStream).dials;
  dial(kStream).refuses = true;
  run(500);
  dial(kStream).refuses = false;
  run(5'000);
  CHECK(dial(kStream).dials > before);
  CHECK(dial(kStream).state == WSC_CONNECTED);
}

TEST_CASE("without the network nothing is dialled, and with it all is as before") {
  connected();
  fake::wifi(4);  // ARDUINO_EVENT_WIFI_STA_DISCONNECTED
  run(300);
  CHECK(dial(kStream).state == WSC_NOT_CONNECTED);
  CHECK(dial(kControl).state == WSC_NOT_CONNECTED);
  const int before = dial(kStream).dials + dial(kControl).dials;
  run(3'000);
  CHECK(dial(kStream).dials + dial(kControl).dials == before);
  fake::wifi(5);
  connected();
}
