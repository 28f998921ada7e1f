#include "gk/jpeg_info.hpp"

namespace gk {
namespace {

constexpr unsigned kFill = 0xff;
constexpr unsigned kSos = 0xda;

// Reads a JPEG's bytes as numbers; the caller has checked that they are there.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) noexcept : bytes_(bytes) {}
  unsigned one(std::size_t at) const noexcept { return static_cast<unsigned char>(bytes_[at]); }
  unsigned two(std::size_t at) const noexcept { return one(at) << 8 | one(at + 1); }

 private:
  std::string_view bytes_;
};

constexpr bool isFrame(unsigned marker) noexcept {  // SOF0 to SOF15, without DHT, JPG and DAC
  return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

constexpr bool isStandalone(unsigned marker) noexcept {  // TEM and RST0 to RST7 carry no length
  return marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7);
}

constexpr bool isMisplaced(unsigned marker) noexcept {  // before SOS: a stuffed byte, SOI, EOI
  return marker == 0x00 || marker == 0xd8 || marker == 0xd9;
}

// Where the first scan begins, with the dimensions in `info`; 0 if the picture can't be used.
std::size_t walk(std::string_view jpeg, JpegInfo& info) noexcept {
  const Bytes bytes(jpeg);
  std::size_t at = 2;
  for (int segment = 0; segment < JpegInfo::kMostSegments; ++segment) {
    if (jpeg.size() - at < 4) return 0;
    const unsigned marker = bytes.one(at + 1);
    if (bytes.one(at) != kFill || isMisplaced(marker)) return 0;
    if (marker == kFill || isStandalone(marker)) {  // B.1.1.2: any marker may be preceded by fill bytes
      at += marker == kFill ? 1 : 2;
      continue;
    }
    const std::size_t length = bytes.two(at + 2);
    if (length > jpeg.size() - at - 2) return 0;
    const std::size_t following = at + 2 + length;
    if (marker == kSos) return info.width != 0 ? following : 0;
    if (isFrame(marker)) {
      if (jpeg.size() - at < 9) return 0;
      info.height = static_cast<std::uint16_t>(bytes.two(at + 5));
      info.width = static_cast<std::uint16_t>(bytes.two(at + 7));
      if (info.width == 0 || info.height == 0) return 0;
    }
    at = following > at + 4 ? following : at + 4;  // a length below 2 can't hold itself
  }
  return 0;
}

}  // namespace

std::optional<JpegInfo> JpegInfo::of(std::string_view jpeg) noexcept {
  if (jpeg.size() < 4 || Bytes(jpeg).two(0) != 0xffd8) return std::nullopt;
  JpegInfo info;
  const std::size_t scan = walk(jpeg, info);
  if (scan == 0) return std::nullopt;
  const std::size_t tail = jpeg.size() > kMostPadding + 2 ? jpeg.size() - kMostPadding - 2 : 0;
  for (std::size_t end = jpeg.size(), least = (tail > scan ? tail : scan) + 2; end >= least; --end) {
    if (Bytes(jpeg).two(end - 2) == 0xffd9) {
      info.size = end;
      return info;
    }
  }
  return std::nullopt;
}

}  // namespace gk
