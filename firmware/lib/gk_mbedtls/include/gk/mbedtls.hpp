// HMAC-SHA256 by mbedTLS: on the board the one that ESP-IDF 5.5 ships, on the host Debian's.
#pragma once
#include <string_view>

#include "gk/crypto.hpp"

namespace gk {

bool mbedtlsHmac(const Key& key, std::string_view message, Digest& out) noexcept;

}  // namespace gk
