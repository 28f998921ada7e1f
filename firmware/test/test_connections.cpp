#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "gk/connections.hpp"

using gk::Connections;
using gk::Millis;

namespace {

std::vector<std::string> due(Connections& connections, Millis now) {
  std::vector<std::string> all;
  while (const auto one = connections.due(now)) {
    all.push_back((one->deed == Connections::Deed::kPing ? "ping " : "cut ") + std::to_string(one->id));
  }
  return all;
}

using Deeds = std::vector<std::string>;
constexpr Millis kStarts[] = {0, 0x7ffffff0, 0xfffffff0, 0xffffffff};

}  // namespace

TEST_CASE("I10: a handshake has five seconds, whatever bytes come") {
  for (const Millis start : kStarts) {
    Connections connections;
    REQUIRE(connections.accepted(3, start));
    connections.heard(3, start + 4'000);
    CHECK(due(connections, start + 4'999).empty());
    CHECK(due(connections, start + 5'000) == Deeds{"cut 3"});
    CHECK(due(connections, start + 9'000).empty());
  }
}

TEST_CASE("I10: who says nothing is pinged after 15 s and again, and cut after 45 s") {
  for (const Millis start : kStarts) {
    Connections connections;
    connections.accepted(3, start - 4'000);
    REQUIRE(connections.opened(3, start));
    CHECK(due(connections, start + 14'999).empty());
    CHECK(due(connections, start + 15'000) == Deeds{"ping 3"});
    CHECK(due(connections, start + 15'001).empty());
    CHECK(due(connections, start + 30'000) == Deeds{"ping 3"});
    CHECK(due(connections, start + 44'999).empty());
    CHECK(due(connections, start + 45'000) == Deeds{"cut 3"});
  }
}

TEST_CASE("I10: any sign of life counts") {
  Connections connections;
  connections.opened(3, 0);
  for (Millis now = 0; now < 200'000; now += 14'000) {
    connections.heard(3, now);
    CHECK(due(connections, now).empty());
  }
}

TEST_CASE("I10: who was told to go has two seconds, and cannot buy more") {
  for (const Millis start : kStarts) {
    Connections connections;
    connections.opened(3, start);
    connections.closing(3, start);
    connections.heard(3, start + 1'000);
    connections.closing(3, start + 1'500);
    CHECK(due(connections, start + 1'999).empty());
    CHECK(due(connections, start + 2'000) == Deeds{"cut 3"});
  }
}

TEST_CASE("who is gone owes nothing") {
  Connections connections;
  connections.accepted(1, 0);
  connections.opened(2, 0);
  connections.gone(1);
  connections.gone(2);
  connections.gone(9);
  CHECK(due(connections, 100'000).empty());
}

TEST_CASE("there is room for eight connections, and for the next one when one is gone") {
  Connections connections;
  for (int id = 10; id < 18; ++id) CHECK(connections.accepted(id, 0));
  CHECK_FALSE(connections.accepted(18, 0));
  CHECK_FALSE(connections.opened(18, 0));
  CHECK(connections.opened(17, 0));
  connections.gone(12);
  CHECK(connections.accepted(18, 0));
}

TEST_CASE("after a gap of any length everything is dealt with at once") {
  Connections connections;
  connections.accepted(1, 0);
  connections.opened(2, 0);
  connections.opened(3, 0);
  connections.closing(3, 0);
  CHECK(due(connections, 0x80000000) == Deeds{"cut 1", "cut 2", "cut 3"});
}
