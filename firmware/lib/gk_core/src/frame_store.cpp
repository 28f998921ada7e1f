#include "gk/frame_store.hpp"

#include <cstring>

namespace gk {

namespace {

bool isWhole(const std::uint8_t* jpeg, std::size_t size) noexcept {
  return size >= 4 && jpeg[0] == 0xff && jpeg[1] == 0xd8 && jpeg[size - 2] == 0xff && jpeg[size - 1] == 0xd9;
}

}  // namespace

bool FrameStore::add(std::uint8_t* memory, std::size_t capacity) noexcept {
  if (count_ == kMostSlots || memory == nullptr) return false;
  slots_[count_].memory = memory;
  slots_[count_].capacity = capacity;
  ++count_;
  return true;
}

FrameStore::Put FrameStore::put(const std::uint8_t* jpeg, std::size_t size, std::uint64_t taken, Millis now) noexcept {
  if (!isWhole(jpeg, size)) {
    ++broken_;
    return Put::kNotJpeg;
  }
  const Slot slot = room(size);
  if (slot == kNone) {
    ++dropped_;
    for (std::size_t i = 0; i < count_; ++i) {
      if (slots_[i].capacity >= size) return Put::kBusy;
    }
    return Put::kTooLarge;
  }
  Place& place = slots_[slot];
  std::memcpy(place.memory, jpeg, size);
  place.size = size;
  place.taken = taken;
  place.sequence = ++stored_;
  newest_ = slot;
  newest_since_ = now;
  return Put::kStored;
}

// A slot that nobody holds. It may be that of the newest picture: that one is the newest no longer.
FrameStore::Slot FrameStore::room(std::size_t size) const noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    if (slots_[i].holders == 0 && slots_[i].capacity >= size) return static_cast<Slot>(i);
  }
  return kNone;
}

void FrameStore::tick(Millis now) noexcept {
  if (newest_ != kNone && elapsed(now, newest_since_) > kFresh) newest_ = kNone;
}

FrameStore::Slot FrameStore::holdNewest(std::uint32_t sequence) noexcept {
  if (newest_ == kNone || slots_[newest_].sequence == sequence) return kNone;
  ++slots_[newest_].holders;
  return newest_;
}

void FrameStore::release(Slot slot) noexcept {
  if (slot < count_ && slots_[slot].holders != 0) --slots_[slot].holders;
}

std::string_view FrameStore::jpeg(Slot slot) const noexcept {
  const Place& place = slots_[slot];
  return {reinterpret_cast<const char*>(place.memory), place.size};
}

std::size_t FrameStore::held() const noexcept {
  std::size_t count = 0;
  for (const Place& place : slots_) count += place.holders != 0 ? 1U : 0U;
  return count;
}

}  // namespace gk
