#include "gk/http_head.hpp"

namespace gk {

namespace {

constexpr std::string_view kOrigin = "origin:";

constexpr char lower(char byte) noexcept {
  return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
}

}  // namespace

HttpHead::State HttpHead::take(std::string_view bytes) noexcept {
  for (const char byte : bytes) {
    if (state_ != State::kReading) break;
    if (++taken_ > most_) {
      state_ = State::kTooLong;
    } else {
      next(byte);
    }
  }
  return state_;
}

void HttpHead::next(char byte) noexcept {
  if (byte == '\r') return;
  if (byte == '\n') {
    // Empty lines before the request are none of it (RFC 9112, section 2.2).
    if (column_ == 0 && !first_line_) state_ = State::kDone;
    if (column_ > 0) first_line_ = false;
    column_ = 0;
    same_ = true;
    return;
  }
  if (column_ < kOrigin.size()) {
    same_ = same_ && lower(byte) == kOrigin[column_];
    if (same_ && column_ + 1 == kOrigin.size() && !first_line_) origin_ = true;
  }
  ++column_;
}

}  // namespace gk
