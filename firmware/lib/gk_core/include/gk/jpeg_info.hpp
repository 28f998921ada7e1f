// Is this a whole JPEG, and how large is its picture? Nothing is decoded.
//
//   SOI FF D8 | segments FF <marker> <length, 2 bytes, counts itself> ... | SOF: length, precision, height, width |
//   SOS and entropy-coded data | EOI FF D9                                                     ITU-T T.81, annex B
//
// Segments are walked, never searched; behind SOS only the end is looked at. The same rules as the server's
// (gatekeeper/cameras/jpeg.py): what it would reject is not sent.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gk {

struct JpegInfo {
  static constexpr std::size_t kMostPadding = 128;  // bytes behind EOI: the driver leaves some of its last DMA block
  static constexpr int kMostSegments = 256;         // before SOS: a walk must end

  std::uint16_t width = 0;
  std::uint16_t height = 0;
  std::size_t size = 0;  // from SOI to EOI: what follows is padding

  // The dimensions are the picture's own: after a change of resolution, `fb->width` is ahead of what is in the buffer.
  static std::optional<JpegInfo> of(std::string_view jpeg) noexcept;
};

}  // namespace gk
