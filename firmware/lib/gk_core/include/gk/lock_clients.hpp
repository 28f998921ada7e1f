// Who may speak to the lock: four at most and two from one address, because each takes a socket and memory of the
// board. A full house refuses the newcomer, so that nobody can push the server out; only where there is a key, the
// oldest who has not proven to have it makes room. Browsers are refused: they always send an Origin, and no page may
// open a door.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "gk/auth.hpp"

namespace gk {

using ClientId = int;           // whatever tells connections apart: the socket's number on the board
using Address = std::uint32_t;  // IPv4, any byte order; 0 is not counted

struct LockClient {
  ClientId id = -1;
  Address address = 0;
  std::uint8_t failures = 0;  // how often it did not prove to have the key
  Session session;
};

class LockClients {
 public:
  static constexpr std::size_t kMax = 4;
  static constexpr std::size_t kMaxPerAddress = 2;

  struct Room {
    bool granted = false;
    std::optional<ClientId> instead_of;  // who goes, so that there is room
  };

  LockClient* find(ClientId id) noexcept;
  // Whether a newcomer from there may come; `evict`: whether who has no session may have to go for it.
  Room room(Address address, bool evict) const noexcept;
  // Only after room() has granted it and whoever had to go has been removed.
  void add(ClientId id, Address address) noexcept;
  void remove(ClientId id) noexcept;

  std::size_t size() const noexcept { return size_; }
  // Who is here, the first to come first; `ids[size()]` and what follows mean nothing.
  std::array<ClientId, kMax> ids() const noexcept;

 private:
  std::array<LockClient, kMax> clients_{};  // the first to come first
  std::size_t size_ = 0;
};

}  // namespace gk
