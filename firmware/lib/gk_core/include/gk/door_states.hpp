// What the door's relay does, as a table: every pair of a state and an event is decided here, DoorLock obeys it, a test
// walks it, and the diagram in docs/door-lock.md is made from it.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace gk {

enum class DoorState : std::uint8_t {
  kLocked,  // the relay is off: at construction, after every reset, and whenever in doubt
  kHeld,    // the relay is on, and whoever opened may keep it so
  kLeft,    // the relay is on, whoever opened is gone: nobody can keep it so
};
inline constexpr std::size_t kDoorStates = 3;

enum class DoorEvent : std::uint8_t {
  kOpen,        // OPEN_DOOR from somebody who may
  kLock,        // LOCK_DOOR from anybody
  kBeat,        // PING or STATUS from the one who opened
  kHolderGone,  // the connection of the one who opened has ended
  kSilent,      // no heartbeat for LockConfig::heartbeat_timeout
  kCapped,      // on for LockConfig::max_open, whatever was said
  kTripped,     // the independent guard has released the relay
};
inline constexpr std::size_t kDoorEvents = 7;

// What goes with a transition, in this order.
inline constexpr std::uint8_t kEnergise = 1;   // the relay is switched on
inline constexpr std::uint8_t kRelease = 2;    // the relay is switched off, even if it should be off already
inline constexpr std::uint8_t kStartCap = 4;   // max_open counts from now
inline constexpr std::uint8_t kTakeHold = 8;   // who sent it may keep the door open
inline constexpr std::uint8_t kRefresh = 16;   // heartbeat_timeout counts from now
inline constexpr std::uint8_t kAnnounce = 32;  // everybody hears TIMEOUT:AUTO_LOCKED

struct DoorTransition {
  DoorState next;
  std::uint8_t effects;
};

// clang-format off
inline constexpr std::array<std::array<DoorTransition, kDoorEvents>, kDoorStates> kDoorTable{{
    // kLocked
    {{{DoorState::kHeld, kEnergise | kStartCap | kTakeHold | kRefresh},  // kOpen
      {DoorState::kLocked, kRelease},                                    // kLock
      {DoorState::kLocked, 0},                                           // kBeat
      {DoorState::kLocked, 0},                                           // kHolderGone
      {DoorState::kLocked, 0},                                           // kSilent
      {DoorState::kLocked, 0},                                           // kCapped
      {DoorState::kLocked, kRelease}}},                                  // kTripped
    // kHeld: opening again takes the hold over and does not move the cap
    {{{DoorState::kHeld, kTakeHold | kRefresh},
      {DoorState::kLocked, kRelease},
      {DoorState::kHeld, kRefresh},
      {DoorState::kLeft, 0},
      {DoorState::kLocked, kRelease | kAnnounce},
      {DoorState::kLocked, kRelease | kAnnounce},
      {DoorState::kLocked, kRelease | kAnnounce}}},
    // kLeft: the server lost its connection with the door open, came back, and opens again
    {{{DoorState::kHeld, kTakeHold | kRefresh},
      {DoorState::kLocked, kRelease},
      {DoorState::kLeft, 0},
      {DoorState::kLeft, 0},
      {DoorState::kLocked, kRelease | kAnnounce},
      {DoorState::kLocked, kRelease | kAnnounce},
      {DoorState::kLocked, kRelease | kAnnounce}}},
}};
// clang-format on

constexpr DoorTransition onDoorEvent(DoorState state, DoorEvent event) noexcept {
  return kDoorTable[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)];
}

}  // namespace gk
