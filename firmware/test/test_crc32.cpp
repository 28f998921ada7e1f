#include <doctest/doctest.h>

#include "gk/crc32.hpp"

TEST_CASE("the CRC is zlib's") {
  CHECK(gk::crc32("") == 0);
  CHECK(gk::crc32("123456789") == 0xcbf43926);  // the check value of CRC-32/ISO-HDLC
  CHECK(gk::crc32("6789", gk::crc32("12345")) == 0xcbf43926);
}
