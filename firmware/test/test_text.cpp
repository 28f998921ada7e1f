#include <doctest/doctest.h>

#include "gk/text.hpp"

TEST_CASE("a text takes what fits and says when something did not") {
  gk::Text<8> text;
  text << "door ";
  text.number(-12);
  CHECK(text.view() == "door -12");
  CHECK_FALSE(text.overflowed());
  text << "3";
  CHECK(text.view() == "door -12");
  CHECK(text.overflowed());
}

TEST_CASE("bytes are told in hexadecimal") {
  const std::uint8_t bytes[] = {0x00, 0x9f, 0xa0};
  CHECK(gk::Text<6>().hex(bytes, 3).view() == "009fa0");
}
