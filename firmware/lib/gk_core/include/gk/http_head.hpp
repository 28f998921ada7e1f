// Watches the head of an HTTP request go by, in whatever pieces it comes, before the board's HTTP server has it whole:
// when it ends (the first empty line), whether it is too long, and whether a browser sent it.
//
// A browser cannot help saying which page asks (RFC 6454, section 7.3), and no device of ours is for pages of others.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gk {

class HttpHead {
 public:
  enum class State : std::uint8_t { kReading, kDone, kTooLong };

  // Bytes that a head may have.
  explicit constexpr HttpHead(std::size_t most) noexcept : most_(most) {}

  // The next bytes of the connection. Those behind the head are not looked at.
  State take(std::string_view bytes) noexcept;

  State state() const noexcept { return state_; }
  // Whether there was a header named Origin, to be asked when the head is done.
  bool origin() const noexcept { return origin_; }

 private:
  void next(char byte) noexcept;

  std::size_t most_;
  std::size_t taken_ = 0;
  std::size_t column_ = 0;  // in the line, its end aside
  bool first_line_ = true;
  bool same_ = true;  // the line so far is "origin"
  bool origin_ = false;
  State state_ = State::kReading;
};

}  // namespace gk
