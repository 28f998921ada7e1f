// The ESP32-CAM's own main.cpp, on a board of fakes.
#include <Arduino.h>
#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "fakes.hpp"

namespace {

using fake::board;

void boot() {
  static const bool booted = [] {
    board.flash["ssid"] = "lab";
    board.flash["token"] = "sixteen-letters!";
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

std::string get(const char* target, const char* token = "sixteen-letters!") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: cam\r\nAuthorization: Bearer " + token + "\r\n\r\n";
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("the driver's buffers are made for the largest picture, and a smaller one is set") {
  boot();
  CHECK(fake::camera.inits == 1);
  CHECK(fake::camera.largest == 15);  // FRAMESIZE_UXGA
  CHECK(fake::camera.size == 10);     // FRAMESIZE_VGA
  CHECK(board.watchdog_ms == 8'000);
}

TEST_CASE("one picture is given, with the token and not without, and the connection ends") {
  boot();
  fake::Peer stranger;
  stranger.send(get("/capture", "wrong"));
  run(20);
  CHECK(stranger.received().rfind("HTTP/1.1 401", 0) == 0);
  fake::Peer viewer;
  viewer.send(get("/capture"));
  run(50);
  const std::string answer = viewer.received();
  CHECK(answer.rfind("HTTP/1.1 200", 0) == 0);
  CHECK(answer.find(fake::camera.picture) != std::string::npos);
  CHECK_FALSE(viewer.open());
  CHECK_FALSE(stranger.open());
}

TEST_CASE("four watch at once, and one that takes nothing is cut while the others go on") {
  boot();
  fake::camera.picture = fake::jpeg(100'000);
  const auto stalled = std::make_unique<fake::Peer>();
  fake::Peer one;
  fake::Peer two;
  stalled->send(get("/stream"));
  one.send(get("/stream"));
  two.send(get("/stream"));
  std::string seen_one;
  std::string seen_two;
  for (int i = 0; i < 700; ++i) {
    run(10);
    seen_one += one.received();
    seen_two += two.received();
  }
  CHECK(count(seen_one, "--frame") > 20);
  CHECK(count(seen_two, "--frame") > 20);
  CHECK_FALSE(stalled->open());
  CHECK(one.open());
  CHECK(two.open());
  fake::camera.picture = fake::jpeg(100);
}

TEST_CASE("a viewer that closes gives its place back, as do all that come after") {
  boot();
  for (int i = 0; i < 30; ++i) {
    fake::Peer viewer;
    viewer.send(get("/stream"));
    run(20);
    CHECK(viewer.received().rfind("HTTP/1.1 200", 0) == 0);
  }
  run(100);
  fake::Peer health;
  health.send(get("/health"));
  run(20);
  CHECK(health.received().find("POWERON") != std::string::npos);
}

TEST_CASE("a foreign path gets 404, and a page of this camera may ask although it says its Origin") {
  boot();
  fake::Peer lost;
  lost.send(get("/open"));
  fake::Peer page;
  page.send("GET / HTTP/1.1\r\nOrigin: http://cam\r\nAuthorization: Bearer sixteen-letters!\r\n\r\n");
  run(20);
  CHECK(lost.received().rfind("HTTP/1.1 404", 0) == 0);
  CHECK(page.received().rfind("HTTP/1.1 200", 0) == 0);
}

TEST_CASE("no picture is asked for while nobody watches, and each is given back") {
  boot();
  run(200);
  CHECK(fake::camera.out == 0);
  fake::Peer viewer;
  viewer.send(get("/capture"));
  run(50);
  CHECK(fake::camera.out == 0);
}
