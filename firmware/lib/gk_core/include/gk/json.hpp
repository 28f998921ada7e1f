// JSON (RFC 8259), as much as the devices need: reads one flat object, and writes one.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gk/text.hpp"

namespace gk {

// One object without objects or arrays in it. Strict: what the RFC's grammar doesn't have is refused, and so are a
// member that stands twice, bytes that are no UTF-8, and a surrogate without its other half.
class FlatJson {
 public:
  static constexpr std::size_t kMostBytes = 512;  // the server's longest text has 120
  static constexpr std::size_t kMostMembers = 16;

  enum class Kind : std::uint8_t { kString, kNumber, kTrue, kFalse, kNull };
  struct Member {
    std::string_view name;   // decoded
    std::string_view value;  // decoded, if it is a string; else as it is written
    std::string_view raw;    // as it is written, with its quotation marks: points into what was read
    Kind kind = Kind::kNull;
  };

  FlatJson() = default;
  FlatJson(const FlatJson&) = delete;  // the members point into it
  FlatJson& operator=(const FlatJson&) = delete;

  // False if it is no such object: then there are no members.
  bool read(std::string_view text) noexcept;
  // The member of this name, or nullptr.
  const Member* find(std::string_view name) const noexcept;
  // The string of this name; empty if there is none, or it is something else.
  std::string_view string(std::string_view name) const noexcept;

 private:
  std::array<char, kMostBytes> decoded_{};  // what is decoded is never longer than what is written
  std::array<Member, kMostMembers> members_{};
  std::size_t count_ = 0;
};

// Writes a string with quotation marks, escaped as Python's json.dumps does without ensure_ascii.
template <std::size_t N>
void quote(Text<N>& out, std::string_view text) noexcept {
  constexpr std::string_view kPlain = "\"\\\b\f\n\r\t";
  constexpr std::string_view kLetter = "\"\\bfnrt";
  out << "\"";
  for (const char letter : text) {
    const std::size_t found = kPlain.find(letter);
    if (found != std::string_view::npos) {
      const char escaped[] = {'\\', kLetter[found]};
      out << std::string_view(escaped, 2);
    } else if (static_cast<unsigned char>(letter) < 0x20) {
      const auto byte = static_cast<std::uint8_t>(letter);
      (out << "\\u00").hex(&byte, 1);
    } else {
      out << std::string_view(&letter, 1);
    }
  }
  out << "\"";
}

// Builds one flat object in place; names are written as they are.
template <std::size_t N>
class JsonObject {
 public:
  JsonObject& string(std::string_view name, std::string_view value) noexcept {
    quote(named(name), value);
    return *this;
  }
  template <typename Integer>
  JsonObject& number(std::string_view name, Integer value) noexcept {
    named(name).number(value);
    return *this;
  }
  // A value that is JSON already.
  JsonObject& raw(std::string_view name, std::string_view value) noexcept {
    named(name) << value;
    return *this;
  }
  // The whole of it; empty if it did not fit, for half of an object must not go out.
  std::string_view end() noexcept {
    text_ << (is_empty_ ? "{}" : "}");
    return text_.overflowed() ? std::string_view() : text_.view();
  }

 private:
  Text<N>& named(std::string_view name) noexcept {
    text_ << (is_empty_ ? "{\"" : ",\"") << name << "\":";
    is_empty_ = false;
    return text_;
  }

  Text<N> text_;
  bool is_empty_ = true;
};

}  // namespace gk
