#include <doctest/doctest.h>

#include "gk/pacer.hpp"

namespace {

// How many pictures go in so many milliseconds, asked each of them.
int sentIn(gk::Pacer& pacer, gk::Millis start, gk::Millis length) {
  int count = 0;
  for (gk::Millis at = 0; at < length; ++at) {
    if (!pacer.due(start + at)) continue;
    pacer.sent(start + at);
    ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("so many pictures go in a second, exactly, also across the wrap of the clock") {
  for (int fps = gk::Pacer::kLeast; fps <= gk::Pacer::kMost; ++fps) {
    for (const gk::Millis start : {0U, 12'345U, 0xffffff00U}) {
      gk::Pacer pacer(fps);
      pacer.restart(start);
      CHECK(sentIn(pacer, start, 10'000) == fps * 10);
    }
  }
}

TEST_CASE("after a pause there is no burst") {
  gk::Pacer pacer(10);
  pacer.restart(0);
  CHECK(sentIn(pacer, 0, 1'000) == 10);
  CHECK(sentIn(pacer, 5'000, 1'000) == 10);
}

TEST_CASE("one picture that is a little late doesn't delay those after it") {
  gk::Pacer pacer(10);
  pacer.restart(0);
  pacer.sent(0);
  pacer.sent(150);
  CHECK_FALSE(pacer.due(199));
  CHECK(pacer.due(200));
  pacer.sent(299);  // by nearly two intervals: still within the rhythm
  CHECK_FALSE(pacer.due(299));
  CHECK(pacer.due(300));
  pacer.sent(500);  // by more: the rhythm begins anew
  CHECK_FALSE(pacer.due(550));
}

TEST_CASE("a picture before its time begins the rhythm anew") {
  gk::Pacer pacer(10);
  pacer.restart(0);
  pacer.sent(0);
  pacer.sent(30);
  CHECK_FALSE(pacer.due(31));
  CHECK_FALSE(pacer.due(129));
  CHECK(pacer.due(130));
}

TEST_CASE("a pause of any length leaves a picture due") {
  for (const gk::Millis pause : {200U, 0x7fffffffU, 0x80000000U, 0xffffff00U}) {
    gk::Pacer pacer(10);
    pacer.restart(1'000);
    pacer.sent(1'000);
    CHECK(pacer.due(1'000 + pause));
  }
}

TEST_CASE("a new rate counts from the last picture") {
  gk::Pacer pacer(1);
  pacer.restart(0);
  pacer.sent(0);
  CHECK_FALSE(pacer.due(500));
  pacer.aim(10);
  CHECK_FALSE(pacer.due(99));
  CHECK(pacer.due(100));
}

TEST_CASE("who yields makes fewer pictures while they can't be sent, and more again when they can") {
  gk::Pacer pacer(20);
  pacer.yielding(true);
  pacer.restart(0);
  gk::Millis now = 0;
  for (int i = 0; i < 10; ++i) {
    while (!pacer.due(now)) ++now;
    pacer.dropped(now);
  }
  CHECK(pacer.ease() == gk::Pacer::kMostEase);
  CHECK_FALSE(pacer.due(now + 1'049));
  CHECK(pacer.due(now + 1'050));
  for (int i = 0; i < 60; ++i) {
    while (!pacer.due(now)) ++now;
    pacer.sent(now);
  }
  CHECK(pacer.ease() == 0);
  pacer.yielding(false);
  pacer.dropped(now);
  CHECK(pacer.ease() == 0);
}

TEST_CASE("the rate is measured over the last pictures, and is nought without any") {
  gk::Pacer pacer(20);
  pacer.restart(0xfffffe00);
  CHECK(pacer.measured(0xfffffe00) == 0);
  sentIn(pacer, 0xfffffe00, 3'000);
  CHECK(pacer.measured(0xfffffe00 + 3'000) == 200);
  CHECK(pacer.measured(0xfffffe00 + 9'000) == 0);
  gk::Pacer slow(1);
  slow.restart(0);
  sentIn(slow, 0, 3'000);
  CHECK(slow.measured(3'000) == 10);
  slow.restart(3'000);
  CHECK(slow.measured(3'000) == 0);
}
