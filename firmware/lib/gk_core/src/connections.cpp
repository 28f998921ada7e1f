#include "gk/connections.hpp"

namespace gk {

Connections::Connection* Connections::find(ClientId id) noexcept {
  for (Connection& connection : connections_) {
    if (connection.phase != Phase::kFree && connection.id == id) return &connection;
  }
  return nullptr;
}

bool Connections::enter(ClientId id, Phase phase, Millis now) noexcept {
  Connection* connection = find(id);
  for (Connection& other : connections_) {
    if (connection == nullptr && other.phase == Phase::kFree) connection = &other;
  }
  if (connection == nullptr) return false;
  *connection = {id, phase, now, now};
  return true;
}

bool Connections::accepted(ClientId id, Millis now) noexcept { return enter(id, Phase::kHandshake, now); }

bool Connections::opened(ClientId id, Millis now) noexcept { return enter(id, Phase::kOpen, now); }

void Connections::heard(ClientId id, Millis now) noexcept {
  Connection* connection = find(id);
  // Bytes of a handshake that never ends, or of one who was told to go, buy no time.
  if (connection != nullptr && connection->phase == Phase::kOpen) connection->since = connection->pinged = now;
}

void Connections::closing(ClientId id, Millis now) noexcept {
  const Connection* connection = find(id);
  if (connection == nullptr || connection->phase != Phase::kClosing) enter(id, Phase::kClosing, now);
}

void Connections::gone(ClientId id) noexcept {
  Connection* connection = find(id);
  if (connection != nullptr) *connection = Connection{};
}

std::optional<Connections::Due> Connections::due(Millis now) noexcept {
  for (Connection& connection : connections_) {
    const ClientId id = connection.id;
    const Millis waited = elapsed(now, connection.since);
    const bool overdue = (connection.phase == Phase::kHandshake && waited >= kHandshake) ||
                         (connection.phase == Phase::kClosing && waited >= kDrain) ||
                         (connection.phase == Phase::kOpen && waited >= kIdleCut);
    if (overdue) {
      connection = Connection{};
      return Due{id, Deed::kCut};
    }
    if (connection.phase == Phase::kOpen && elapsed(now, connection.pinged) >= kIdlePing) {
      connection.pinged = now;
      return Due{id, Deed::kPing};
    }
  }
  return std::nullopt;
}

}  // namespace gk
