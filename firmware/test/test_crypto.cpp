#include <doctest/doctest.h>

#include "gk/crypto.hpp"
#include "gk/mbedtls.hpp"
#include "gk/text.hpp"

TEST_CASE("HMAC-SHA256 is that of RFC 4231, test case 1, with the key padded to 32 bytes") {
  gk::Key key{};  // HMAC pads a short key with zeros: twenty bytes of 0x0b and twelve zeros are the RFC's key
  for (std::size_t i = 0; i < 20; ++i) key[i] = 0x0b;
  gk::Digest digest{};
  REQUIRE(gk::mbedtlsHmac(key, "Hi There", digest));
  CHECK(gk::Text<64>().hex(digest.data(), digest.size()).view() ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
}

TEST_CASE("texts are the same only if every byte is") {
  CHECK(gk::same("abc", "abc"));
  CHECK_FALSE(gk::same("abc", "abd"));
  CHECK_FALSE(gk::same("abc", "ab"));
  CHECK(gk::same("", ""));
}
