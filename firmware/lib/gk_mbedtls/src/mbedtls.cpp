#include "gk/mbedtls.hpp"

#include <mbedtls/md.h>

namespace gk {

bool mbedtlsHmac(const Key& key, std::string_view message, Digest& out) noexcept {
  const mbedtls_md_info_t* sha256 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
  if (sha256 == nullptr) return false;
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  return mbedtls_md_hmac(sha256, key.data(), key.size(), bytes, message.size(), out.data()) == 0;
}

}  // namespace gk
