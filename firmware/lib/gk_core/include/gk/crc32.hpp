// CRC-32 of IEEE 802.3, as zlib has it: what the frame header carries.
#pragma once
#include <cstdint>
#include <string_view>

namespace gk {

// `before` is the CRC of what comes before `bytes`, for data in several pieces.
std::uint32_t crc32(std::string_view bytes, std::uint32_t before = 0) noexcept;

}  // namespace gk
