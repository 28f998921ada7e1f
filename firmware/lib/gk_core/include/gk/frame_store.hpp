// The last pictures, in memory that is handed in (PSRAM on the board): the newest for who asks, older ones for as long
// as somebody is still sending them. A picture is copied in once and never moved.
//
// With one slot more than viewers there is always room for the next picture. With fewer, slow viewers can hold every
// slot: then put() says so, and Viewers cuts the one that takes nothing.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gk/time.hpp"

namespace gk {

class FrameStore {
 public:
  using Slot = std::uint8_t;
  static constexpr Slot kNone = 0xff;
  static constexpr std::size_t kMostSlots = 8;
  static constexpr Millis kFresh = 1'000;  // an older picture is not shown to anybody as what is before the camera now

  enum class Put : std::uint8_t { kStored, kNotJpeg, kTooLarge, kBusy };

  // Give memory for one more picture, before the first. False if there are kMostSlots.
  bool add(std::uint8_t* memory, std::size_t capacity) noexcept;

  // Take in a picture, SOI to EOI; `taken` is milliseconds since boot. What isn't stored changes nothing.
  Put put(const std::uint8_t* jpeg, std::size_t size, std::uint64_t taken, Millis now) noexcept;

  // Let go of a newest picture that is not new any more.
  void tick(Millis now) noexcept;

  // Hold the newest picture if it is another one than that of `sequence`; kNone if not. Each hold needs a release.
  Slot holdNewest(std::uint32_t sequence) noexcept;
  void release(Slot slot) noexcept;

  std::string_view jpeg(Slot slot) const noexcept;
  std::uint32_t sequence(Slot slot) const noexcept { return slots_[slot].sequence; }
  std::uint64_t taken(Slot slot) const noexcept { return slots_[slot].taken; }

  std::size_t slots() const noexcept { return count_; }
  std::size_t held() const noexcept;  // slots that somebody holds
  bool hasNewest() const noexcept { return newest_ != kNone; }
  std::uint32_t stored() const noexcept { return stored_; }  // pictures; the sequence of the last one, 1 for the first
  std::uint32_t broken() const noexcept { return broken_; }  // no JPEG, or one cut short
  std::uint32_t dropped() const noexcept { return dropped_; }  // too large, or no slot was free

 private:
  struct Place {
    std::uint8_t* memory = nullptr;
    std::size_t capacity = 0;
    std::size_t size = 0;
    std::uint64_t taken = 0;
    std::uint32_t sequence = 0;
    std::uint16_t holders = 0;
  };

  Slot room(std::size_t size) const noexcept;

  std::array<Place, kMostSlots> slots_{};
  std::size_t count_ = 0;
  Slot newest_ = kNone;
  Millis newest_since_ = 0;
  std::uint32_t stored_ = 0;
  std::uint32_t broken_ = 0;
  std::uint32_t dropped_ = 0;
};

}  // namespace gk
