// A text of bounded length, built in place: never allocates, and says when something did not fit.
#pragma once
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace gk {

constexpr bool startsWith(std::string_view text, std::string_view beginning) noexcept {
  return text.size() >= beginning.size() && std::string_view(text.data(), beginning.size()) == beginning;
}

template <std::size_t N>
class Text {
 public:
  Text() = default;
  explicit Text(std::string_view text) { *this << text; }

  Text& operator<<(std::string_view text) noexcept {
    if (text.size() > N - size_) {
      overflowed_ = true;
      text = text.substr(0, N - size_);
    }
    if (!text.empty()) std::memcpy(bytes_.data() + size_, text.data(), text.size());
    size_ += text.size();
    return *this;
  }

  template <typename Integer>
  Text& number(Integer value) noexcept {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    return *this << std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data()));
  }

  // Lower-case hexadecimal.
  Text& hex(const std::uint8_t* bytes, std::size_t count) noexcept {
    constexpr char digits[] = "0123456789abcdef";
    for (std::size_t i = 0; i < count; ++i) {
      const char pair[2] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};
      *this << std::string_view(pair, 2);
    }
    return *this;
  }

  void clear() noexcept {
    size_ = 0;
    overflowed_ = false;
  }
  std::string_view view() const noexcept { return {bytes_.data(), size_}; }
  bool overflowed() const noexcept { return overflowed_; }  // whether something was cut off

 private:
  std::array<char, N> bytes_{};
  std::size_t size_ = 0;
  bool overflowed_ = false;
};

}  // namespace gk
