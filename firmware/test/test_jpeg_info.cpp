#include <doctest/doctest.h>

#include <string>

#include "gk/jpeg_info.hpp"

namespace {

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out.push_back(static_cast<char>(value));
  return out;
}

const std::string kSoi = bytes({0xff, 0xd8});
const std::string kApp = bytes({0xff, 0xe0, 0, 4, 1, 2});
const std::string kSof = bytes({0xff, 0xc0, 0, 11, 8, 0x01, 0xe0, 0x02, 0x80, 1, 1, 0x11, 0});
const std::string kSos = bytes({0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0});
const std::string kEoi = bytes({0xff, 0xd9});

std::string whole() { return kSoi + kApp + kSof + kSos + "data" + kEoi; }

}  // namespace

TEST_CASE("a whole JPEG's dimensions and size are known") {
  const auto info = gk::JpegInfo::of(whole());
  REQUIRE(info);
  CHECK(info->width == 640);
  CHECK(info->height == 480);
  CHECK(info->size == whole().size());
}

TEST_CASE("what the driver leaves behind the end is padding, up to 128 bytes") {
  const auto info = gk::JpegInfo::of(whole() + std::string(128, '\0'));
  REQUIRE(info);
  CHECK(info->size == whole().size());
  CHECK_FALSE(gk::JpegInfo::of(whole() + std::string(129, '\0')));
}

TEST_CASE("a picture that is cut anywhere is none") {
  const std::string jpeg = whole();
  for (std::size_t size = 0; size < jpeg.size(); ++size) CHECK_FALSE(gk::JpegInfo::of({jpeg.data(), size}));
}

TEST_CASE("a segment that says that it goes on behind the end is not followed there") {
  const std::string jpeg = kSoi + bytes({0xff, 0xe0, 0, 40}) + std::string(30, 'x');
  CHECK_FALSE(gk::JpegInfo::of(jpeg));  // the sanitizer sees what is read eight bytes behind
}

TEST_CASE("an end inside a segment is no end") {
  const std::string comment = bytes({0xff, 0xfe, 0, 4, 0xff, 0xd9});
  CHECK_FALSE(gk::JpegInfo::of(kSoi + kSof + comment));
  CHECK_FALSE(gk::JpegInfo::of(kSoi + kSof + kSos + "data"));
  CHECK(gk::JpegInfo::of(kSoi + comment + kSof + kSos + kEoi));
}

TEST_CASE("markers may be filled up, and some carry no length") {
  const std::string odd = bytes({0xff, 0xff, 0xff, 0x01, 0xff, 0xd0});
  const auto info = gk::JpegInfo::of(kSoi + odd + kSof + kSos + kEoi);
  REQUIRE(info);
  CHECK(info->width == 640);
}

TEST_CASE("what is no JPEG, or has no size, is none") {
  CHECK_FALSE(gk::JpegInfo::of(""));
  CHECK_FALSE(gk::JpegInfo::of("no picture at all"));
  CHECK_FALSE(gk::JpegInfo::of(kSoi + kApp + kSos + "data" + kEoi));
  CHECK_FALSE(gk::JpegInfo::of(kSoi + bytes({0xff, 0xc0, 0, 11, 8, 0, 0, 0x02, 0x80, 1, 1, 0x11, 0}) + kSos + kEoi));
  CHECK_FALSE(gk::JpegInfo::of(kSoi + bytes({0xff, 0xc4, 0, 11, 8, 1, 0xe0, 2, 0x80, 1, 1, 0x11, 0}) + kSos + kEoi));
  CHECK_FALSE(gk::JpegInfo::of(kSoi + bytes({0xff, 0xd8}) + kSof + kSos + kEoi));
  CHECK_FALSE(gk::JpegInfo::of(kSoi + "x" + kSof + kSos + kEoi));
}

TEST_CASE("a walk over ever more segments ends") {
  std::string many = kSoi;
  for (int i = 0; i < 255; ++i) many += bytes({0xff, 0xe0, 0, 2});
  CHECK_FALSE(gk::JpegInfo::of(many + kSof + kSos + kEoi));
  many = kSoi;
  for (int i = 0; i < 254; ++i) many += bytes({0xff, 0xe0, 0, 2});
  CHECK(gk::JpegInfo::of(many + kSof + kSos + kEoi));
}
