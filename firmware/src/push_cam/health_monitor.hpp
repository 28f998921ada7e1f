// What the board measures, for the core's reports (gk/health.hpp), once a second.
#pragma once
#include "gk/board/readings.hpp"
#include "gk/board/station.hpp"
#include "gk/health.hpp"
#include "gk/time.hpp"

namespace gk {

class HealthMonitor {
 public:
  const Readings& read(const board::Station& station, Millis now) noexcept {
    if (read_ && elapsed(now, at_) < 1'000) return readings_;
    const board::Readings board = board::readings();
    readings_.heap = board.heap;
    readings_.min_heap = board.min_heap;
    readings_.psram = board.psram;
    readings_.rssi = static_cast<int>(station.rssi());
    readings_.uptime_ms = board.uptime;
    readings_.ip = station.address();
    read_ = true;
    at_ = now;
    return readings_;
  }

 private:
  Readings readings_;
  bool read_ = false;
  Millis at_ = 0;
};

}  // namespace gk
