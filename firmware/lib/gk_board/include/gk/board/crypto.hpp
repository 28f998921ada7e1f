// The core's cryptography on the board: HMAC by mbedTLS, randomness by the chip.
#pragma once
#include <esp_random.h>

#include "gk/crypto.hpp"
#include "gk/mbedtls.hpp"

namespace gk::board {

class BoardCrypto final : public Crypto {
 public:
  bool hmac(const Key& key, std::string_view message, Digest& out) noexcept override {
    return mbedtlsHmac(key, message, out);
  }

  // The chip's generator is a true one only while the radio is on: draw nothing before the station has started.
  void random(std::uint8_t* out, std::size_t count) noexcept override { esp_fill_random(out, count); }
};

}  // namespace gk::board
