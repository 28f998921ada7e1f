// One connection that the camera makes to the server: when to dial, whether it still lives, when to give it up.
//
//   state    network+   network-     opened      lost             answered   tick
//   off      waiting    -            stray       -                -          -
//   waiting  -          off          stray       -                -          the wait is over: dialling, kConnect
//   dialling -          off, kDrop   open        waiting          -          kDialling passed: kDrop
//   open     -          off, kDrop   stray       waiting          in use     kAnswer passed: in use; and as in use
//   in use   -          off, kDrop   stray       waiting          -          silent for kSilence: kPing; and still
//                                                                            kPatience later: kDrop
//
// `stray` is a connection that nobody asked for: the caller drops it. After a tick's kDrop it says lost(). A wait is
// the back-off's, which begins anew once a connection was in use for kHeld.
#pragma once
#include <cstdint>

#include "gk/backoff.hpp"
#include "gk/time.hpp"

namespace gk {

class Uplink {
 public:
  static constexpr Millis kDialling = 15'000;  // for a connection and its handshake
  static constexpr Millis kAnswer = 2'000;     // for the server to answer `register`: it is used without, then
  static constexpr Millis kSilence = 10'000;   // twice the server's own pings
  static constexpr Millis kPatience = 10'000;  // for a sign of life after a ping
  static constexpr Millis kHeld = 10'000;      // in use for so long, it was no failure

  enum class State : std::uint8_t { kOff, kWaiting, kDialling, kOpen, kInUse };
  enum class Step : std::uint8_t { kNone, kConnect, kPing, kDrop };

  // The network came or went.
  Step network(bool is_up, Millis now) noexcept;
  // The WebSocket is open; false if it is a stray.
  bool opened(Millis now) noexcept;
  // It is gone, or could not be made. `luck` as the back-off has it.
  void lost(Millis now, std::uint32_t luck) noexcept;
  // The server answered `register`.
  void answered(Millis now) noexcept;
  // Any sign of life: a text, a ping, a pong.
  void heard(Millis now) noexcept;
  Step tick(Millis now) noexcept;

  State state() const noexcept { return state_; }
  bool isOpen() const noexcept { return state_ == State::kOpen || state_ == State::kInUse; }
  bool isInUse() const noexcept { return state_ == State::kInUse; }

 private:
  void enter(State state, Millis now) noexcept;
  Step listen(Millis now) noexcept;

  Backoff backoff_;
  State state_ = State::kOff;
  bool asked_ = false;
  Millis since_ = 0;  // when the state began
  Millis wait_ = 0;   // of kWaiting
  Millis heard_ = 0;  // when the last sign of life came, or, if asked_, when it was asked for
};

}  // namespace gk
