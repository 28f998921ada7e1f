#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

#include "gk/frame_store.hpp"

namespace {

using Put = gk::FrameStore::Put;

std::vector<std::uint8_t> picture(std::uint8_t mark, std::size_t size = 20) {
  std::vector<std::uint8_t> jpeg(size, mark);
  jpeg[0] = 0xff;
  jpeg[1] = 0xd8;
  jpeg[size - 2] = 0xff;
  jpeg[size - 1] = 0xd9;
  return jpeg;
}

struct Shelf {
  std::array<std::array<std::uint8_t, 64>, 3> memory{};
  gk::FrameStore store;

  explicit Shelf(std::size_t slots) {
    for (std::size_t i = 0; i < slots; ++i) store.add(memory[i].data(), memory[i].size());
  }
  Put put(std::uint8_t mark, gk::Millis now = 0) {
    const auto jpeg = picture(mark);
    return store.put(jpeg.data(), jpeg.size(), mark, now);
  }
  std::uint8_t mark(gk::FrameStore::Slot slot) const { return static_cast<std::uint8_t>(store.jpeg(slot)[5]); }
};

}  // namespace

TEST_CASE("the newest picture is the one that is held, and only if it is another one") {
  Shelf shelf(3);
  CHECK(shelf.store.holdNewest(0) == gk::FrameStore::kNone);
  CHECK(shelf.put(1) == Put::kStored);
  CHECK(shelf.put(2) == Put::kStored);
  const auto slot = shelf.store.holdNewest(1);
  REQUIRE(slot != gk::FrameStore::kNone);
  CHECK(shelf.mark(slot) == 2);
  CHECK(shelf.store.sequence(slot) == 2);
  CHECK(shelf.store.taken(slot) == 2);
  CHECK(shelf.store.jpeg(slot).size() == 20);
  CHECK(shelf.store.holdNewest(2) == gk::FrameStore::kNone);
}

TEST_CASE("a held picture is not written over, whatever comes") {
  for (std::size_t slots = 2; slots <= 3; ++slots) {
    Shelf shelf(slots);
    shelf.put(1);
    const auto old = shelf.store.holdNewest(0);
    for (std::uint8_t mark = 2; mark < 50; ++mark) {
      CHECK(shelf.put(mark) == Put::kStored);
      CHECK(shelf.mark(old) == 1);
    }
    CHECK(shelf.store.held() == 1);
    shelf.store.release(old);
    CHECK(shelf.store.held() == 0);
  }
}

TEST_CASE("two may hold the same picture, and it is free when both have let go") {
  Shelf shelf(1);
  shelf.put(1);
  const auto first = shelf.store.holdNewest(0);
  const auto second = shelf.store.holdNewest(0);
  CHECK(first == second);
  shelf.store.release(first);
  CHECK(shelf.put(2) == Put::kBusy);
  CHECK(shelf.mark(second) == 1);
  shelf.store.release(second);
  CHECK(shelf.put(3) == Put::kStored);
  shelf.store.release(second);  // once too often changes nothing
  CHECK(shelf.store.held() == 0);
}

TEST_CASE("when every slot is held a picture is dropped, and counted") {
  Shelf shelf(2);
  shelf.put(1);
  const auto first = shelf.store.holdNewest(0);
  shelf.put(2);
  shelf.store.holdNewest(0);
  CHECK(shelf.put(3) == Put::kBusy);
  CHECK(shelf.store.dropped() == 1);
  CHECK(shelf.store.stored() == 2);
  shelf.store.release(first);
  CHECK(shelf.put(4) == Put::kStored);
}

TEST_CASE("what is no whole JPEG is not stored") {
  Shelf shelf(2);
  auto jpeg = picture(1);
  jpeg.back() = 0;
  CHECK(shelf.store.put(jpeg.data(), jpeg.size(), 0, 0) == Put::kNotJpeg);
  jpeg = picture(1);
  jpeg[18] = 0;
  CHECK(shelf.store.put(jpeg.data(), jpeg.size(), 0, 0) == Put::kNotJpeg);
  jpeg = picture(1);
  jpeg[0] = 0;
  CHECK(shelf.store.put(jpeg.data(), jpeg.size(), 0, 0) == Put::kNotJpeg);
  jpeg = picture(1);
  jpeg[1] = 0xd9;
  CHECK(shelf.store.put(jpeg.data(), jpeg.size(), 0, 0) == Put::kNotJpeg);
  jpeg = picture(1, 4);
  CHECK(shelf.store.put(jpeg.data(), 3, 0, 0) == Put::kNotJpeg);
  CHECK(shelf.store.put(jpeg.data(), 0, 0, 0) == Put::kNotJpeg);
  CHECK(shelf.store.broken() == 6);
  CHECK(shelf.store.put(jpeg.data(), 4, 0, 0) == Put::kStored);
}

TEST_CASE("a picture that fits nowhere is dropped, one that fits somewhere is stored there") {
  std::array<std::uint8_t, 10> small{};
  std::array<std::uint8_t, 30> large{};
  gk::FrameStore store;
  CHECK(store.add(small.data(), small.size()));
  CHECK(store.add(large.data(), large.size()));
  const auto huge = picture(1, 31);
  const auto fitting = picture(2, 30);
  CHECK(store.put(huge.data(), huge.size(), 0, 0) == Put::kTooLarge);
  CHECK(store.dropped() == 1);
  CHECK(store.put(fitting.data(), fitting.size(), 0, 0) == Put::kStored);
  const auto slot = store.holdNewest(0);
  CHECK(store.jpeg(slot).size() == 30);
  CHECK(store.put(fitting.data(), fitting.size(), 0, 0) == Put::kBusy);
  CHECK(store.put(huge.data(), huge.size(), 0, 0) == Put::kTooLarge);
}

TEST_CASE("memory that cannot be had is not used, nor more than eight slots") {
  gk::FrameStore store;
  CHECK_FALSE(store.add(nullptr, 100));
  const auto jpeg = picture(1);
  CHECK(store.put(jpeg.data(), jpeg.size(), 0, 0) == Put::kTooLarge);
  std::array<std::uint8_t, 20> memory{};
  for (std::size_t i = 0; i < gk::FrameStore::kMostSlots; ++i) CHECK(store.add(memory.data(), memory.size()));
  CHECK_FALSE(store.add(memory.data(), memory.size()));
  CHECK(store.slots() == 8);
}

TEST_CASE("a picture that is older than a second is new to nobody, and stays for who is sending it") {
  for (const gk::Millis start : {gk::Millis{0}, gk::Millis{0xffffffff - 500}}) {
    Shelf shelf(2);
    shelf.put(1, start);
    const auto slot = shelf.store.holdNewest(0);
    shelf.store.tick(start + 1'000);
    CHECK(shelf.store.hasNewest());
    shelf.store.tick(start + 1'001);
    CHECK_FALSE(shelf.store.hasNewest());
    CHECK(shelf.store.holdNewest(0) == gk::FrameStore::kNone);
    CHECK(shelf.mark(slot) == 1);
    shelf.put(2, start + 2'000);
    shelf.put(3, start + 2'000);
    CHECK(shelf.mark(slot) == 1);
  }
}
