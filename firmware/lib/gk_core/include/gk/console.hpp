// What is typed at the board's serial console, by whom holds the cable:
//
//     gk set <name> <value>     the value is the rest of the line, blanks and all
//     gk clear <name>           back to what was built in
//     gk show                   the names, and whether they are set; never a secret
//     gk reboot                 settings are read at the start
//
// Lines that don't begin with `gk` are none of ours.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gk {

enum class Stored : std::uint8_t { kSsid, kPassword, kSsid2, kPassword2, kKey, kToken, kHost, kCamera };
constexpr std::size_t kStored = 8;
constexpr std::size_t kLongestStored = 128;

enum class Letters : std::uint8_t { kAny, kPlain, kHex };  // any script; ASCII without blanks; hexadecimal digits

struct StoredRule {
  std::string_view name;  // also under which it is stored: 15 letters at most
  std::size_t shortest;
  std::size_t longest;
  bool secret;
  Letters letters;
  std::string_view allowed;  // for people
};

constexpr std::array<StoredRule, kStored> kStoredRules = {{
    {"ssid", 1, 32, false, Letters::kAny, "ssid is 1 to 32 letters"},
    {"password", 8, 63, true, Letters::kAny, "password is 8 to 63 letters"},
    {"ssid2", 1, 32, false, Letters::kAny, "ssid2 is 1 to 32 letters"},
    {"password2", 8, 63, true, Letters::kAny, "password2 is 8 to 63 letters"},
    {"key", 64, 64, true, Letters::kHex, "key is 64 hexadecimal digits"},
    {"token", 16, 128, true, Letters::kPlain, "token is 16 to 128 letters of ASCII, no blanks"},
    {"host", 1, 63, false, Letters::kPlain, "host is 1 to 63 letters of ASCII, no blanks"},
    {"camera", 1, 32, false, Letters::kPlain, "camera is 1 to 32 letters of ASCII, no blanks"},
}};

constexpr const StoredRule& ruleOf(Stored entry) noexcept { return kStoredRules[static_cast<std::size_t>(entry)]; }

constexpr bool isHex(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Whether a value may be stored. For static_assert beside the secrets, too.
constexpr bool fits(Stored entry, std::string_view value) noexcept {
  const StoredRule& rule = ruleOf(entry);
  if (value.size() < rule.shortest || value.size() > rule.longest) return false;
  for (const char c : value) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') return false;  // what would end or hide a text
    if (rule.letters == Letters::kPlain && (c <= ' ' || c > '~')) return false;
    if (rule.letters == Letters::kHex && !isHex(c)) return false;
  }
  return true;
}

enum class ConsoleVerb : std::uint8_t { kNothing, kSet, kClear, kShow, kReboot, kWrong };

struct ConsoleCommand {
  ConsoleVerb verb = ConsoleVerb::kNothing;
  Stored entry = Stored::kSsid;
  std::string_view value;  // within the line
  std::string_view error;  // of kWrong, for people
};

ConsoleCommand parseConsole(std::string_view line) noexcept;

// Gathers a line. One that is too long is dropped whole, never cut.
class ConsoleLine {
 public:
  // The line that this byte ends, valid until the next byte.
  std::optional<std::string_view> take(char byte) noexcept;

 private:
  std::array<char, 16 + kLongestStored> bytes_{};
  std::size_t size_ = 0;
  bool overflowed_ = false;
  bool ended_ = false;
};

}  // namespace gk
