#include "gk/auth.hpp"

#include <charconv>
#include <limits>
#include <system_error>

namespace gk {

namespace {

constexpr std::string_view kCommand = "C:";
constexpr std::size_t kMaxSigned = 200;

bool isHex(std::string_view text) noexcept {
  for (const char c : text) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

// Takes `count` characters and, if more follow, one ':' from the front. Nothing if there are fewer, or another
// character.
std::optional<std::string_view> take(std::string_view& rest, std::size_t count) noexcept {
  if (rest.size() < count) return std::nullopt;
  const std::string_view taken(rest.data(), count);
  rest.remove_prefix(count);
  if (!rest.empty()) {
    if (rest.front() != ':') return std::nullopt;
    rest.remove_prefix(1);
  }
  return taken;
}

// A decimal counter without leading zeros and what it says; 0 if it is none, which no counter may be.
std::uint32_t counter(std::string_view digits) noexcept {
  std::uint32_t value = 0;
  if (digits.empty() || digits.front() < '1' || digits.front() > '9') return 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return error == std::errc() && end == digits.data() + digits.size() ? value : 0;
}

template <std::size_t N>
Text<N> told(const Digest& digest) noexcept {
  Text<N> text;
  text.hex(digest.data(), N / 2);
  return text;
}

}  // namespace

bool mac(Crypto& crypto, const Key& key, std::initializer_list<std::string_view> parts, Digest& out) noexcept {
  Text<kMaxSigned> message;
  bool first = true;
  for (const std::string_view part : parts) {
    if (!first) message << "|";
    message << part;
    first = false;
  }
  return !message.overflowed() && crypto.hmac(key, message.view(), out);
}

Line Session::challenge(Crypto& crypto) noexcept {
  std::array<std::uint8_t, kNonceHex / 2> chance{};
  crypto.random(chance.data(), chance.size());
  nonce_.clear();
  nonce_.hex(chance.data(), chance.size());
  Line line;
  line << "AUTH:1:" << nonce_.view();
  return line;
}

std::optional<Line> Session::hello(Crypto& crypto, const Key& key, std::string_view line) noexcept {
  const Text<kNonceHex> nonce = nonce_;
  nonce_.clear();
  if (established_ || nonce.view().empty() || !startsWith(line, kHello)) return std::nullopt;
  if (line.size() != kHello.size() + kNonceHex + 1 + kMacHex) return std::nullopt;
  line.remove_prefix(kHello.size());
  const auto theirs = take(line, kNonceHex);
  if (!theirs || !isHex(*theirs)) return std::nullopt;

  Digest wanted{};
  if (!mac(crypto, key, {"gk1-hello", nonce.view(), *theirs}, wanted)) return std::nullopt;
  if (!same(told<kMacHex>(wanted).view(), line)) return std::nullopt;
  Digest proof{};
  if (!mac(crypto, key, {"gk1-session", nonce.view(), *theirs}, key_)) return std::nullopt;
  if (!mac(crypto, key_, {"gk1-ready", nonce.view()}, proof)) return std::nullopt;
  established_ = true;
  Line ready;
  ready << "READY:" << told<kMacHex>(proof).view();
  return ready;
}

std::optional<std::string_view> Session::open(Crypto& crypto, std::string_view line) noexcept {
  if (!established_ || !startsWith(line, kCommand)) return std::nullopt;
  line.remove_prefix(kCommand.size());
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view digits(line.data(), colon);
  line.remove_prefix(colon + 1);
  if (line.size() <= kTagHex) return std::nullopt;
  const auto tag = take(line, kTagHex);
  const std::uint32_t n = counter(digits);
  if (!tag || n == 0) return std::nullopt;

  Digest wanted{};
  if (!mac(crypto, key_, {"c", digits, line}, wanted)) return std::nullopt;
  if (!same(told<kTagHex>(wanted).view(), *tag) || n <= heard_) return std::nullopt;
  heard_ = n;
  return line;
}

std::optional<Line> Session::seal(Crypto& crypto, std::string_view text) noexcept {
  if (!established_ || said_ == std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  ++said_;
  Text<10> digits;
  digits.number(said_);
  Digest tag{};
  if (!mac(crypto, key_, {"d", digits.view(), text}, tag)) return std::nullopt;
  Line line;
  line << "R:" << digits.view() << ":" << told<kTagHex>(tag).view() << ":" << text;
  if (line.overflowed()) return std::nullopt;
  return line;
}

}  // namespace gk
