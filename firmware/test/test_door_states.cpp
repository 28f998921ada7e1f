#include <doctest/doctest.h>

#include "gk/door_states.hpp"

using gk::DoorEvent;
using gk::DoorState;
using gk::onDoorEvent;

namespace {

constexpr DoorState kAllStates[] = {DoorState::kLocked, DoorState::kHeld, DoorState::kLeft};
constexpr DoorEvent kAllEvents[] = {DoorEvent::kOpen,   DoorEvent::kLock,   DoorEvent::kBeat,   DoorEvent::kHolderGone,
                                    DoorEvent::kSilent, DoorEvent::kCapped, DoorEvent::kTripped};

}  // namespace

TEST_CASE("every pair of a state and an event is safe") {
  static_assert(std::size(kAllStates) == gk::kDoorStates && std::size(kAllEvents) == gk::kDoorEvents);
  for (const DoorState state : kAllStates) {
    for (const DoorEvent event : kAllEvents) {
      const auto [next, effects] = onDoorEvent(state, event);
      CAPTURE(static_cast<int>(state));
      CAPTURE(static_cast<int>(event));
      const bool open = state != DoorState::kLocked;
      const bool will_be = next != DoorState::kLocked;
      CHECK(((effects & gk::kEnergise) != 0) == (!open && will_be));
      if (open && !will_be) CHECK((effects & gk::kRelease) != 0);
      if (will_be) CHECK((effects & gk::kRelease) == 0);
      if (!open && will_be) CHECK(event == DoorEvent::kOpen);
      CHECK(((effects & gk::kStartCap) != 0) == (!open && will_be));  // I4: nothing moves the cap
      CHECK(((effects & gk::kTakeHold) != 0) == (event == DoorEvent::kOpen));
      if ((effects & gk::kRefresh) != 0) CHECK(next == DoorState::kHeld);  // I2: nobody extends what nobody holds
      if (event == DoorEvent::kLock || event == DoorEvent::kSilent || event == DoorEvent::kCapped ||
          event == DoorEvent::kTripped) {
        CHECK(next == DoorState::kLocked);
      }
    }
  }
}
