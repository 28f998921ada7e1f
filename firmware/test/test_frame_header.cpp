#include <doctest/doctest.h>

#include <string>

#include "gk/crc32.hpp"
#include "gk/frame_header.hpp"
#include "gk/text.hpp"

namespace {

std::string hex(const std::array<char, gk::FrameHeader::kSize>& bytes) {
  return std::string(gk::Text<64>().hex(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()).view());
}

}  // namespace

TEST_CASE("a header is packed as the format's vector has it") {
  std::string payload = "\xff\xd8" + std::string(100, 'x') + "\xff\xd9";
  gk::FrameHeader header;
  header.sequence = 7;
  header.milliseconds = 1'700'000'000'123;
  header.width = 640;
  header.height = 480;
  header.payload_size = static_cast<std::uint32_t>(payload.size());
  header.payload_crc = gk::crc32(payload);
  CHECK(hex(header.packed()) == "474b463101200101000000070000018bcfe5687b028001e000000068c222d717");
}

TEST_CASE("flags tell a time since the start, and a snapshot") {
  gk::FrameHeader header;
  CHECK(header.packed()[6] == 1);
  header.is_snapshot = true;
  CHECK(header.packed()[6] == 5);
  header.is_unix = true;
  CHECK(header.packed()[6] == 7);
}

TEST_CASE("every field has its place, to its last bit") {
  gk::FrameHeader header;
  header.sequence = 0x01020304;
  header.milliseconds = 0x1112131415161718;
  header.width = 0x2122;
  header.height = 0x3132;
  header.payload_size = 0x41424344;
  header.payload_crc = 0x51525354;
  CHECK(hex(header.packed()) == "474b463101200101010203041112131415161718212231324142434451525354");
}
