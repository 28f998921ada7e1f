#include <doctest/doctest.h>

#include <initializer_list>
#include <string>

#include "gk/wifi.hpp"

namespace {

using gk::WifiAction;
using gk::WifiEvent;
using gk::WifiState;

struct Board final : gk::WifiPort {
  std::string said;  // what was asked for since the last look
  std::uint32_t dice = 0;

  void join(std::size_t network) noexcept override { said += "join " + std::to_string(network) + ";"; }
  void leave() noexcept override { said += "leave;"; }
  void reboot() noexcept override { said += "reboot;"; }
  std::uint32_t luck() noexcept override { return dice; }

  std::string look() {
    std::string seen = said;
    said.clear();
    return seen;
  }
};

constexpr gk::Millis kStarts[] = {0, 0x7fffffff, 0xffffffff - 5'000};  // the last wraps on the way

// Without reboots, which have a test of their own.
gk::WifiConfig listOf(std::size_t networks) {
  gk::WifiConfig config;
  config.networks = networks;
  config.reboot_after = 0;
  return config;
}

}  // namespace

TEST_CASE("every event is decided in every state") {
  // Rows: idle, joining, up, lost. Columns: start, address, address lost, disconnected, due.
  constexpr WifiState kNext[4][5] = {
      {WifiState::kJoining, WifiState::kIdle, WifiState::kIdle, WifiState::kIdle, WifiState::kIdle},
      {WifiState::kJoining, WifiState::kUp, WifiState::kJoining, WifiState::kLost, WifiState::kLost},
      {WifiState::kUp, WifiState::kUp, WifiState::kLost, WifiState::kLost, WifiState::kUp},
      {WifiState::kLost, WifiState::kLost, WifiState::kLost, WifiState::kLost, WifiState::kJoining},
  };
  for (std::size_t state = 0; state < gk::kWifiStates; ++state) {
    for (std::size_t event = 0; event < gk::kWifiEvents; ++event) {
      const auto from = static_cast<WifiState>(state);
      const auto step = gk::wifiStep(from, static_cast<WifiEvent>(event));
      INFO(std::string(gk::wifiName(from)), " ", std::string(gk::wifiName(static_cast<WifiEvent>(event))));
      CHECK(step.next == kNext[state][event]);
      CHECK((step.action == WifiAction::kNothing) == (step.next == from));
    }
  }
}

TEST_CASE("nothing is joined before the start, nor without a network") {
  Board board;
  gk::Wifi none(board, listOf(0));
  none.start(0);
  none.tick(20 * 60'000);
  CHECK(none.state() == WifiState::kIdle);
  gk::Wifi wifi(board, gk::WifiConfig{});
  wifi.tick(20 * 60'000);
  wifi.address(1);
  wifi.disconnected(200, 2);
  CHECK(wifi.state() == WifiState::kIdle);
  CHECK(board.look().empty());
}

TEST_CASE("a network is joined at once and held") {
  Board board;
  gk::Wifi wifi(board, listOf(2));
  wifi.start(7);
  CHECK(board.look() == "join 0;");
  CHECK(wifi.state() == WifiState::kJoining);
  wifi.start(8);  // twice is once
  wifi.address(3'000);
  CHECK(wifi.up());
  wifi.address(4'000);  // renewed
  for (gk::Millis now = 5'000; now < 60'000; now += 1'000) wifi.tick(now);
  CHECK(wifi.up());
  CHECK(board.look().empty());
}

TEST_CASE("a join that gets no address in time is given up, and the next network is tried") {
  for (const gk::Millis start : kStarts) {
    Board board;
    gk::Wifi wifi(board, listOf(2));
    wifi.start(start);
    wifi.tick(start + 1'000);
    wifi.tick(start + 19'999);
    CHECK(board.look() == "join 0;");
    wifi.tick(start + 20'000);
    CHECK(board.look() == "leave;");
    CHECK(wifi.state() == WifiState::kLost);
    wifi.tick(start + 20'499);
    CHECK(board.look().empty());
    wifi.tick(start + 20'500);
    CHECK(board.look() == "join 1;");
    CHECK(wifi.network() == 1);
    CHECK(wifi.failures() == 1);
  }
}

TEST_CASE("when the whole list failed the pauses grow up to half a minute, by luck shorter") {
  for (const gk::Millis start : kStarts) {
    Board board;
    gk::Wifi wifi(board, listOf(2));
    gk::Millis now = start;
    wifi.start(now);
    for (const gk::Millis pause : {1'000U, 2'000U, 4'000U, 8'000U, 16'000U, 30'000U, 30'000U}) {
      wifi.disconnected(201, now);
      wifi.tick(now += 500);
      wifi.disconnected(201, now);
      CHECK(board.look() == "join 0;join 1;");
      wifi.tick(now + pause - 1);
      CHECK(board.look().empty());
      wifi.tick(now += pause);
    }
  }
  Board board;
  board.dice = 0xffffffff;
  gk::Wifi wifi(board, listOf(1));
  wifi.start(0);
  wifi.disconnected(201, 0);
  board.look();
  wifi.tick(499);
  CHECK(board.look().empty());
  wifi.tick(500);
  CHECK(board.look() == "join 0;");
}

TEST_CASE("a link that is lost is joined again, the same network first, without a reset") {
  for (const gk::Millis start : kStarts) {
    Board board;
    gk::Wifi wifi(board, listOf(3));
    wifi.start(start);
    wifi.disconnected(201, start);
    wifi.tick(start + 500);
    wifi.address(start + 2'000);
    CHECK(board.look() == "join 0;join 1;");
    wifi.disconnected(200, start + 100'000);
    CHECK(board.look() == "leave;");
    CHECK(wifi.losses() == 1);
    CHECK(wifi.reason() == 200);
    wifi.tick(start + 100'500);
    CHECK(board.look() == "join 1;");
    wifi.address(start + 101'000);
    CHECK(wifi.up());
  }
}

TEST_CASE("an address that is lost is a link that is lost") {
  Board board;
  gk::Wifi wifi(board, listOf(1));
  wifi.start(0);
  wifi.addressLost(1);
  CHECK(wifi.state() == WifiState::kJoining);
  wifi.address(2);
  wifi.addressLost(40'000);
  CHECK(wifi.state() == WifiState::kLost);
  CHECK(board.look() == "join 0;leave;");
}

TEST_CASE("an access point that takes it and sends it away is tried less and less often") {
  Board board;
  gk::Wifi wifi(board, listOf(1));
  gk::Millis now = 0;
  wifi.start(now);
  for (const gk::Millis pause : {1'000U, 2'000U, 4'000U}) {
    wifi.address(now);
    wifi.disconnected(4, now += 100);
    board.look();
    wifi.tick(now + pause - 1);
    CHECK(board.look().empty());
    wifi.tick(now += pause);
    CHECK(board.look() == "join 0;");
  }
  wifi.address(now);
  wifi.disconnected(200, now += 30'000);  // that one was a good one, though nobody looked meanwhile
  wifi.tick(now += 500);
  CHECK(board.look() == "leave;join 0;");
  wifi.disconnected(201, now);
  wifi.tick(now + 999);
  CHECK(board.look().empty());
  wifi.tick(now + 1'000);  // the pauses begin anew
  CHECK(board.look() == "join 0;");
}

TEST_CASE("a link of months that is lost is a good one, wherever the clock stands") {
  Board board;
  gk::Wifi wifi(board, listOf(1));
  wifi.start(0);
  wifi.address(0);
  wifi.tick(31'000);
  wifi.disconnected(200, 5'000);  // 49.7 days and five seconds later
  wifi.tick(5'500);
  CHECK(board.look() == "join 0;leave;join 0;");
}

TEST_CASE("the end of the link before is no end of the join") {
  Board board;
  gk::Wifi wifi(board, listOf(1));
  wifi.start(0);
  wifi.disconnected(gk::Wifi::kOwnLeave, 10);
  CHECK(wifi.state() == WifiState::kJoining);
  CHECK(wifi.reason() == 0);
  wifi.address(20);
  wifi.disconnected(gk::Wifi::kOwnLeave, 30);  // an access point that is switched off says the same
  CHECK(wifi.state() == WifiState::kLost);
}

TEST_CASE("an address that comes after the join was given up is none") {
  Board board;
  gk::Wifi wifi(board, listOf(1));
  wifi.start(0);
  wifi.tick(20'000);
  wifi.address(20'001);
  CHECK(wifi.state() == WifiState::kLost);
  CHECK(board.look() == "join 0;leave;");
}

TEST_CASE("after a quarter of an hour without a link it reboots, and asks again a quarter later if nothing happened") {
  for (const gk::Millis start : kStarts) {
    Board board;
    gk::Wifi wifi(board, gk::WifiConfig{});
    wifi.start(start);
    int reboots = 0;
    gk::Millis first = 0;
    for (gk::Millis after = 0; after <= 31 * 60'000; after += 250) {
      wifi.tick(start + after);
      if (board.look().find("reboot") == std::string::npos) continue;
      if (++reboots == 1) first = after;
    }
    CHECK(first == 15 * 60'000);
    CHECK(reboots == 2);
  }
}

TEST_CASE("the quarter of an hour begins when the link is lost") {
  Board board;
  gk::Wifi wifi(board, gk::WifiConfig{});
  wifi.start(0);
  wifi.address(14 * 60'000);
  wifi.disconnected(200, 60 * 60'000);
  wifi.tick(60 * 60'000 + 500);
  board.look();
  for (gk::Millis after = 1'000; after < 15 * 60'000; after += 1'000) wifi.tick(60 * 60'000 + after);
  CHECK(board.look().find("reboot") == std::string::npos);
  wifi.tick(75 * 60'000);
  CHECK(board.look() == "reboot;");
}

TEST_CASE("states have names") {
  CHECK(gk::wifiName(WifiState::kIdle) == "idle");
  CHECK(gk::wifiName(WifiState::kLost) == "lost");
  CHECK(gk::wifiName(WifiEvent::kAddressLost) == "address lost");
}
