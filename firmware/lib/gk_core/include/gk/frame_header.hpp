// The header of a framed picture: one binary message is these 32 bytes and a JPEG. Big-endian:
//
//   "GKF1" | version=1 | header_len=32 | flags | format=1 (JPEG) | sequence u32 | timestamp_ms u64 | width u16 |
//   height u16 | payload_len u32 | crc32 u32
//   flags: 1 the CRC (zlib's, of the payload) is given; 2 the time is Unix time, else uptime; 4 a snapshot
//
// The format is gatekeeper's; its other side is gatekeeper/cameras/push/framing.py.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gk {

struct FrameHeader {
  static constexpr std::size_t kSize = 32;
  static constexpr std::string_view kName = "gkf1";  // as `register` offers it, and is offered it

  std::uint32_t sequence = 0;
  std::uint64_t milliseconds = 0;
  bool is_unix = false;  // the time; else it is since the start
  bool is_snapshot = false;
  std::uint16_t width = 0;
  std::uint16_t height = 0;
  std::uint32_t payload_size = 0;
  std::uint32_t payload_crc = 0;

  std::array<char, kSize> packed() const noexcept;
};

}  // namespace gk
