#include "gk/frame_header.hpp"

namespace gk {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kJpeg = 1;
constexpr unsigned kHasCrc = 1;
constexpr unsigned kIsUnixTime = 2;
constexpr unsigned kIsSnapshot = 4;

class Packer {
 public:
  explicit Packer(std::array<char, FrameHeader::kSize>& out) noexcept : out_(out) {}

  template <typename Unsigned>
  Packer& operator<<(Unsigned value) noexcept {
    for (std::size_t byte = sizeof(Unsigned); byte-- > 0;) {
      out_[at_++] = static_cast<char>((std::uint64_t{value} >> (8 * byte)) & 0xff);
    }
    return *this;
  }

 private:
  std::array<char, FrameHeader::kSize>& out_;
  std::size_t at_ = 0;
};

}  // namespace

std::array<char, FrameHeader::kSize> FrameHeader::packed() const noexcept {
  const auto flags =
      static_cast<std::uint8_t>(kHasCrc | (is_unix ? kIsUnixTime : 0U) | (is_snapshot ? kIsSnapshot : 0U));
  std::array<char, kSize> out{};
  Packer(out) << std::uint32_t{0x474b4631} << kVersion << static_cast<std::uint8_t>(kSize) << flags << kJpeg << sequence
              << milliseconds << width << height << payload_size << payload_crc;
  return out;
}

}  // namespace gk
