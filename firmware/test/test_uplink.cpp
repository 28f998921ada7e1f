#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "gk/uplink.hpp"

namespace {

using State = gk::Uplink::State;
using Step = gk::Uplink::Step;

// A connection that has come to a state at a time; the back-off's waits are whole.
gk::Uplink reached(State state, gk::Millis now) {
  gk::Uplink uplink;
  if (state == State::kOff) return uplink;
  uplink.network(true, now);
  if (state == State::kWaiting) return uplink;
  uplink.tick(now);
  if (state == State::kDialling) return uplink;
  uplink.opened(now);
  if (state == State::kInUse) uplink.answered(now);
  return uplink;
}

constexpr gk::Millis kStarts[] = {0, 5, 0xffffff00};

}  // namespace

TEST_CASE("every state knows what each event means") {
  struct Row {
    State state;
    State network_up, network_down, opened, lost, answered, tick;
    Step step_down, step_tick;
  };
  const Row table[] = {
      {State::kOff, State::kWaiting, State::kOff, State::kOff, State::kOff, State::kOff, State::kOff, Step::kNone,
       Step::kNone},
      {State::kWaiting, State::kWaiting, State::kOff, State::kWaiting, State::kWaiting, State::kWaiting,
       State::kDialling, Step::kNone, Step::kConnect},
      {State::kDialling, State::kDialling, State::kOff, State::kOpen, State::kWaiting, State::kDialling,
       State::kDialling, Step::kDrop, Step::kNone},
      {State::kOpen, State::kOpen, State::kOff, State::kOpen, State::kWaiting, State::kInUse, State::kOpen, Step::kDrop,
       Step::kNone},
      {State::kInUse, State::kInUse, State::kOff, State::kInUse, State::kWaiting, State::kInUse, State::kInUse,
       Step::kDrop, Step::kNone},
  };
  for (const gk::Millis start : kStarts) {
    for (const Row& row : table) {
      const auto after = [&](const std::function<void(gk::Uplink&)>& event) {
        gk::Uplink uplink = reached(row.state, start);
        CHECK(uplink.state() == row.state);
        event(uplink);
        return uplink.state();
      };
      CHECK(after([&](auto& one) { CHECK(one.network(true, start) == Step::kNone); }) == row.network_up);
      CHECK(after([&](auto& one) { CHECK(one.network(false, start) == row.step_down); }) == row.network_down);
      CHECK(after([&](auto& one) { CHECK(one.opened(start) == (row.state == State::kDialling)); }) == row.opened);
      CHECK(after([&](auto& one) { one.lost(start, 0); }) == row.lost);
      CHECK(after([&](auto& one) { one.answered(start); }) == row.answered);
      CHECK(after([&](auto& one) { one.heard(start); }) == row.state);
      CHECK(after([&](auto& one) { CHECK(one.tick(start) == row.step_tick); }) == row.tick);
    }
  }
}

TEST_CASE("an attempt that comes to nothing is given up after 15 s") {
  for (const gk::Millis start : kStarts) {
    gk::Uplink uplink = reached(State::kDialling, start);
    CHECK(uplink.tick(start + 14'999) == Step::kNone);
    CHECK(uplink.tick(start + 15'000) == Step::kDrop);
  }
}

TEST_CASE("each failure waits longer, up to 30 s, and a connection that held begins anew") {
  for (const gk::Millis start : kStarts) {
    gk::Millis now = start;
    gk::Uplink uplink = reached(State::kDialling, now);
    for (const gk::Millis wait : {1'000U, 2'000U, 4'000U, 8'000U, 16'000U, 30'000U, 30'000U}) {
      uplink.lost(now, 0);
      CHECK(uplink.tick(now + 1) == Step::kNone);
      CHECK(uplink.tick(now + wait - 1) == Step::kNone);
      CHECK(uplink.tick(now += wait) == Step::kConnect);
    }
    uplink.opened(now);
    uplink.answered(now);
    CHECK(uplink.tick(now += 9'999) == Step::kNone);
    uplink.lost(now, 0);  // it did not hold
    CHECK(uplink.tick(now += 29'999) == Step::kNone);
    CHECK(uplink.tick(now += 1) == Step::kConnect);
    uplink.opened(now);
    uplink.answered(now);
    uplink.heard(now += 10'000);
    CHECK(uplink.tick(now) == Step::kNone);
    uplink.lost(now, 0);
    CHECK(uplink.tick(now + 999) == Step::kNone);
    CHECK(uplink.tick(now + 1'000) == Step::kConnect);
  }
}

TEST_CASE("when the network is back it dials at once") {
  gk::Uplink uplink = reached(State::kDialling, 0);
  for (int i = 0; i < 5; ++i) {
    uplink.lost(0, 0);
    uplink.tick(30'000);
  }
  uplink.network(false, 40'000);
  uplink.network(true, 50'000);
  CHECK(uplink.tick(50'000) == Step::kConnect);
  uplink.lost(50'000, 0);
  CHECK(uplink.tick(50'999) == Step::kNone);
  CHECK(uplink.tick(51'000) == Step::kConnect);
}

TEST_CASE("a server that doesn't answer is used after 2 s") {
  for (const gk::Millis start : kStarts) {
    gk::Uplink uplink = reached(State::kOpen, start);
    uplink.tick(start + 1'999);
    CHECK(uplink.state() == State::kOpen);
    uplink.tick(start + 2'000);
    CHECK(uplink.state() == State::kInUse);
  }
}

TEST_CASE("a connection that is silent for 10 s is asked, and 10 s later given up") {
  for (const gk::Millis start : kStarts) {
    for (const State state : {State::kOpen, State::kInUse}) {
      gk::Uplink uplink = reached(state, start);
      CHECK(uplink.tick(start + 9'999) == Step::kNone);
      CHECK(uplink.tick(start + 10'000) == Step::kPing);
      CHECK(uplink.tick(start + 10'001) == Step::kNone);
      CHECK(uplink.tick(start + 19'999) == Step::kNone);
      CHECK(uplink.tick(start + 20'000) == Step::kDrop);
    }
  }
}

TEST_CASE("any sign of life begins the silence anew") {
  gk::Uplink uplink = reached(State::kInUse, 0);
  CHECK(uplink.tick(10'000) == Step::kPing);
  uplink.heard(10'100);
  CHECK(uplink.tick(20'099) == Step::kNone);
  CHECK(uplink.tick(20'100) == Step::kPing);
}

TEST_CASE("after a gap of any length in the ticks it asks before it gives up") {
  for (const gk::Millis gap : {20'000U, 0x7fffffffU, 0x80000000U, 0xfffffff0U}) {
    gk::Uplink uplink = reached(State::kInUse, 77);
    CHECK(uplink.tick(77 + gap) == Step::kPing);
    CHECK(uplink.tick(77 + gap + 9'999) == Step::kNone);
    CHECK(uplink.tick(77 + gap + 10'000) == Step::kDrop);
  }
}
