#include <doctest/doctest.h>

#include <initializer_list>

#include "gk/backoff.hpp"

TEST_CASE("waits double up to the most and stay there") {
  gk::Backoff backoff;
  for (const gk::Millis due : {1'000U, 2'000U, 4'000U, 8'000U, 16'000U, 30'000U, 30'000U, 30'000U}) {
    CHECK(backoff.next(0) == due);
  }
}

TEST_CASE("luck draws a wait between the half and the whole") {
  CHECK(gk::Backoff().next(0xffffffff) == 500);
  CHECK(gk::Backoff().next(0x80000000) == 750);
  for (std::uint32_t luck = 0; luck < 0xff000000; luck += 0x00fedcba) {
    gk::Backoff backoff(7, 7);
    const gk::Millis wait = backoff.next(luck);
    CHECK(wait >= 4);
    CHECK(wait <= 7);
  }
}

TEST_CASE("after what held the next failure is a first one") {
  gk::Backoff backoff(100, 60'000);
  backoff.next(0);
  backoff.next(0);
  backoff.reset();
  CHECK(backoff.next(0) == 100);
  CHECK(backoff.next(0) == 200);
}

TEST_CASE("the most may be half of the clock") {
  gk::Backoff backoff(0x7fffffff, 0x80000000);
  CHECK(backoff.next(0) == 0x7fffffff);
  CHECK(backoff.next(0) == 0x80000000);
  CHECK(backoff.next(0) == 0x80000000);
}
