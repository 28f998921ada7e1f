// What the core needs of cryptography, as a port: a real library on the board and on the host.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gk {

using Key = std::array<std::uint8_t, 32>;
using Digest = std::array<std::uint8_t, 32>;

struct Crypto {
  // HMAC-SHA256 (RFC 2104). False if the library failed: then nothing may be taken for authentic.
  virtual bool hmac(const Key& key, std::string_view message, Digest& out) noexcept = 0;
  // Bytes that nobody can foretell.
  virtual void random(std::uint8_t* out, std::size_t count) noexcept = 0;

 protected:
  ~Crypto() = default;
};

// Compares in a time that depends on the lengths alone.
bool same(std::string_view a, std::string_view b) noexcept;

}  // namespace gk
