// Signed mode, the device's end: who commands has the key, and nothing that was said before counts again. After the
// plain greeting, with mac(k, a, b, ...) = HMAC-SHA256(k, a|b|...) in lower-case hexadecimal:
//
//   dev> AUTH:1:<nd>                                     16 bytes of chance; one nonce serves one try
//   srv> HELLO:<nc>:<mac(K, "gk1-hello", nd, nc)>
//   dev> READY:<mac(Ks, "gk1-ready", nd)>                Ks = mac(K, "gk1-session", nd, nc)
//   srv> C:<n>:<half of mac(Ks, "c", n, command)>:<command>    1 <= n < 2^32, rising, without leading zeros
//   dev> R:<m>:<half of mac(Ks, "d", m, text)>:<text>          every text of a session; m = 1, 2, ...
//
// Nonces of both ends: nothing of another session holds. Counters: nothing of this one holds twice, and no counter in
// flash. "c" and "d": nothing holds in the other direction. It hides nothing, and cannot keep a link from being cut.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "gk/crypto.hpp"
#include "gk/text.hpp"

namespace gk {

inline constexpr std::size_t kNonceHex = 32;
inline constexpr std::size_t kMacHex = 64;
inline constexpr std::size_t kTagHex = 32;  // half a mac: 128 bits, for each text

inline constexpr std::string_view kHello = "HELLO:";

using Line = Text<192>;  // "R:4294967295:", tag, ":" and the longest text that this device says, with room

// HMAC-SHA256 of the parts with '|' between them. False if the library failed or the parts are too long (200 bytes).
bool mac(Crypto& crypto, const Key& key, std::initializer_list<std::string_view> parts, Digest& out) noexcept;

// What one connection has agreed on.
class Session {
 public:
  bool established() const noexcept { return established_; }

  // A new nonce, as the line that tells it.
  Line challenge(Crypto& crypto) noexcept;

  // A line that begins with HELLO: the READY to answer with, or nothing if it proves nothing. The nonce is spent.
  std::optional<Line> hello(Crypto& crypto, const Key& key, std::string_view line) noexcept;

  // The command within a line, if it was signed in this session and is newer than all before it.
  std::optional<std::string_view> open(Crypto& crypto, std::string_view line) noexcept;

  // The text, signed. Nothing if the counter is used up or the library failed: then the session is over.
  std::optional<Line> seal(Crypto& crypto, std::string_view text) noexcept;

 private:
  bool established_ = false;
  Text<kNonceHex> nonce_;  // empty: spent
  Key key_{};
  std::uint32_t heard_ = 0;  // the counter of the newest command
  std::uint32_t said_ = 0;   // the counter of the newest text
};

}  // namespace gk
