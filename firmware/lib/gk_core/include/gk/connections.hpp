// How long a connection may take for what it owes: the handshake within 5 s, some sign of life within 45 s (it is asked
// for one by a ping after every 15 s without), the end within 2 s after it was told to go. A client that connects and
// says nothing, or that stops reading, would keep its socket for ever else, and the board has few.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "gk/lock_clients.hpp"
#include "gk/time.hpp"

namespace gk {

class Connections {
 public:
  static constexpr std::size_t kMax = 8;  // the lock's clients, and as many that come or go at the same moment
  static constexpr Millis kHandshake = 5'000;
  static constexpr Millis kDrain = 2'000;
  static constexpr Millis kIdlePing = 15'000;
  static constexpr Millis kIdleCut = 45'000;

  enum class Deed : std::uint8_t { kPing, kCut };
  struct Due {
    ClientId id;
    Deed deed;
  };

  // False: there is no room for it, and it should be closed at once.
  bool accepted(ClientId id, Millis now) noexcept;
  bool opened(ClientId id, Millis now) noexcept;
  void heard(ClientId id, Millis now) noexcept;
  void closing(ClientId id, Millis now) noexcept;
  void gone(ClientId id) noexcept;

  // The next thing that is due, until nothing is. Who is to be cut is forgotten.
  std::optional<Due> due(Millis now) noexcept;

 private:
  enum class Phase : std::uint8_t { kFree, kHandshake, kOpen, kClosing };
  struct Connection {
    ClientId id = -1;
    Phase phase = Phase::kFree;
    Millis since = 0;   // the phase began, or in kOpen: something was heard
    Millis pinged = 0;  // in kOpen: as since, or the last ping
  };
  Connection* find(ClientId id) noexcept;
  bool enter(ClientId id, Phase phase, Millis now) noexcept;

  std::array<Connection, kMax> connections_{};
};

}  // namespace gk
