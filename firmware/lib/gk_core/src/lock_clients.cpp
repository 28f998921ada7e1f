#include "gk/lock_clients.hpp"

namespace gk {

LockClient* LockClients::find(ClientId id) noexcept {
  for (std::size_t i = 0; i < size_; ++i) {
    if (clients_[i].id == id) return &clients_[i];
  }
  return nullptr;
}

LockClients::Room LockClients::room(Address address, bool evict) const noexcept {
  std::size_t near = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    if (address != 0 && clients_[i].address == address) ++near;
  }
  const bool crowded = near >= kMaxPerAddress;
  if (!crowded && size_ < kMax) return {true, std::nullopt};
  for (std::size_t i = 0; evict && i < size_; ++i) {
    const LockClient& client = clients_[i];
    if (!client.session.established() && (!crowded || client.address == address)) return {true, client.id};
  }
  return {false, std::nullopt};
}

void LockClients::add(ClientId id, Address address) noexcept {
  if (size_ == kMax) return;
  clients_[size_] = LockClient{};
  clients_[size_].id = id;
  clients_[size_].address = address;
  ++size_;
}

void LockClients::remove(ClientId id) noexcept {
  for (std::size_t i = 0; i < size_; ++i) {
    if (clients_[i].id != id) continue;
    for (std::size_t after = i + 1; after < size_; ++after) clients_[after - 1] = clients_[after];
    clients_[--size_] = LockClient{};  // no key stays in memory
    return;
  }
}

std::array<ClientId, LockClients::kMax> LockClients::ids() const noexcept {
  std::array<ClientId, kMax> ids{};
  for (std::size_t i = 0; i < size_; ++i) ids[i] = clients_[i].id;
  return ids;
}

}  // namespace gk
