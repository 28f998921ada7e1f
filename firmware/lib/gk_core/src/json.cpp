#include "gk/json.hpp"

#include <optional>

namespace gk {
namespace {

constexpr bool isDigit(char letter) noexcept { return letter >= '0' && letter <= '9'; }

// The length of the UTF-8 sequence that begins `text` (RFC 3629); 0 if it is none.
std::size_t sequence(std::string_view text) noexcept {
  const auto byte = [text](std::size_t at) { return static_cast<unsigned>(static_cast<unsigned char>(text[at])); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  for (std::size_t at = 1; at < size; ++at) {
    if ((byte(at) & 0xc0) != 0x80) return 0;
  }
  const bool is_overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool is_outside = (first == 0xed && byte(1) > 0x9f) || (first == 0xf4 && byte(1) > 0x8f);
  return is_overlong || is_outside ? 0 : size;
}

// Walks a text once; whatever doesn't fit the grammar ends the walk for good.
class Walk {
 public:
  Walk(std::string_view text, char* decoded) noexcept : text_(text), decoded_(decoded) {}

  bool object(std::array<FlatJson::Member, FlatJson::kMostMembers>& members, std::size_t& count) noexcept {
    if (!token('{')) return false;
    if (token('}')) return atEnd();
    do {
      if (count == members.size()) return false;
      FlatJson::Member& member = members[count];
      space();
      if (!string(member.name) || !token(':') || !value(member)) return false;
      for (std::size_t i = 0; i < count; ++i) {
        if (members[i].name == member.name) return false;
      }
      ++count;
    } while (token(','));
    return token('}') && atEnd();
  }

 private:
  bool more() const noexcept { return at_ < text_.size(); }
  char here() const noexcept { return text_[at_]; }
  bool is(char letter) const noexcept { return more() && here() == letter; }

  void space() noexcept {
    while (is(' ') || is('\t') || is('\n') || is('\r')) ++at_;
  }
  bool token(char letter) noexcept {
    space();
    if (!is(letter)) return false;
    ++at_;
    return true;
  }
  bool atEnd() noexcept {
    space();
    return !more();
  }
  bool word(std::string_view expected) noexcept {
    if (text_.size() - at_ < expected.size()) return false;
    for (const char letter : expected) {
      if (text_[at_++] != letter) return false;
    }
    return true;
  }

  bool value(FlatJson::Member& member) noexcept {
    space();
    const std::size_t start = at_;
    if (!more()) return false;
    bool good = false;
    switch (here()) {
      case '"':
        member.kind = FlatJson::Kind::kString;
        good = string(member.value);
        break;
      case 't':
        member.kind = FlatJson::Kind::kTrue;
        good = word("true");
        break;
      case 'f':
        member.kind = FlatJson::Kind::kFalse;
        good = word("false");
        break;
      case 'n':
        member.kind = FlatJson::Kind::kNull;
        good = word("null");
        break;
      default:
        member.kind = FlatJson::Kind::kNumber;
        good = number();
    }
    member.raw = {text_.data() + start, at_ - start};
    if (member.kind != FlatJson::Kind::kString) member.value = member.raw;
    return good;
  }

  bool digits() noexcept {
    const std::size_t start = at_;
    while (more() && isDigit(here())) ++at_;
    return at_ > start;
  }
  bool number() noexcept {
    if (is('-')) ++at_;
    if (is('0')) {
      ++at_;  // and no digit after it: 01 is no number
    } else if (!digits()) {
      return false;
    }
    if (is('.')) {
      ++at_;
      if (!digits()) return false;
    }
    if (is('e') || is('E')) {
      ++at_;
      if (is('+') || is('-')) ++at_;
      return digits();
    }
    return true;
  }

  bool string(std::string_view& out) noexcept {
    if (!is('"')) return false;
    ++at_;
    const char* start = decoded_;
    while (more() && here() != '"') {
      if (here() == '\\') {
        ++at_;
        if (!escape()) return false;
      } else if (!plain()) {
        return false;
      }
    }
    if (!more()) return false;
    ++at_;
    out = {start, static_cast<std::size_t>(decoded_ - start)};
    return true;
  }
  bool plain() noexcept {
    const std::size_t size =
        static_cast<unsigned char>(here()) < 0x20 ? 0 : sequence({text_.data() + at_, text_.size() - at_});
    for (std::size_t i = 0; i < size; ++i) *decoded_++ = text_[at_++];
    return size > 0;
  }
  bool escape() noexcept {
    if (!more()) return false;
    const char letter = text_[at_++];
    constexpr std::string_view kLetter = "\"\\/bfnrt";
    constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
    const std::size_t found = kLetter.find(letter);
    if (found != std::string_view::npos) {
      *decoded_++ = kMeant[found];
      return true;
    }
    return letter == 'u' && codePoint();
  }
  std::optional<std::uint32_t> unit() noexcept {  // four hexadecimal digits: a UTF-16 code unit
    if (text_.size() - at_ < 4) return std::nullopt;
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) {
      const char letter = text_[at_++];
      if (isDigit(letter)) {
        value = value * 16 + static_cast<std::uint32_t>(letter - '0');
      } else if ((letter >= 'a' && letter <= 'f') || (letter >= 'A' && letter <= 'F')) {
        value = value * 16 + static_cast<std::uint32_t>((letter | 0x20) - 'a') + 10;
      } else {
        return std::nullopt;
      }
    }
    return value;
  }
  bool codePoint() noexcept {
    const auto first = unit();
    if (!first) return false;
    std::uint32_t point = *first;
    if (point >= 0xdc00 && point < 0xe000) return false;
    if (point >= 0xd800 && point < 0xdc00) {
      if (!word("\\u")) return false;
      const auto second = unit();
      if (!second || *second < 0xdc00 || *second >= 0xe000) return false;
      point = 0x10000 + ((point - 0xd800) << 10) + (*second - 0xdc00);
    }
    encode(point);
    return true;
  }
  void put(std::uint32_t byte) noexcept { *decoded_++ = static_cast<char>(byte); }
  void encode(std::uint32_t point) noexcept {  // at most as many bytes as its escape has letters
    if (point < 0x80) {
      put(point);
      return;
    }
    if (point < 0x800) {
      put(0xc0 | (point >> 6));
    } else {
      if (point < 0x10000) {
        put(0xe0 | (point >> 12));
      } else {
        put(0xf0 | (point >> 18));
        put(0x80 | ((point >> 12) & 0x3f));
      }
      put(0x80 | ((point >> 6) & 0x3f));
    }
    put(0x80 | (point & 0x3f));
  }

  std::string_view text_;
  char* decoded_;
  std::size_t at_ = 0;
};

}  // namespace

bool FlatJson::read(std::string_view text) noexcept {
  count_ = 0;
  if (text.size() > kMostBytes) return false;
  std::size_t count = 0;
  if (!Walk(text, decoded_.data()).object(members_, count)) return false;
  count_ = count;
  return true;
}

const FlatJson::Member* FlatJson::find(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    if (members_[i].name == name) return &members_[i];
  }
  return nullptr;
}

std::string_view FlatJson::string(std::string_view name) const noexcept {
  const Member* member = find(name);
  return member != nullptr && member->kind == Kind::kString ? member->value : std::string_view();
}

}  // namespace gk
