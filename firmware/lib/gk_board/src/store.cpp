#include "gk/board/store.hpp"

#include <Preferences.h>

#include <charconv>
#include <cstring>

namespace gk::board {

namespace {

constexpr const char* kSpace = "gatekeeper";

// The names are literals, so they end with NUL.
const char* nameOf(Stored entry) noexcept { return ruleOf(entry).name.data(); }

}  // namespace

bool Store::begin(const BuiltIn& built_in) noexcept {
  Preferences flash;
  // Read-only fails while nothing was ever stored: then all is as it was built in.
  const bool opened = flash.begin(kSpace, true);
  for (std::size_t i = 0; i < kStored; ++i) {
    const auto entry = static_cast<Stored>(i);
    auto& value = values_[i];
    if (opened && flash.isKey(nameOf(entry))) {
      flash.getString(nameOf(entry), value.data(), value.size());
      if (fits(entry, value.data())) continue;
      spoiled_[i] = true;
    }
    value.fill('\0');
    if (fits(entry, built_in[i])) std::strncpy(value.data(), built_in[i], value.size() - 1);
  }
  if (opened) flash.end();
  return opened;
}

bool Store::put(Stored entry, std::string_view value) noexcept {
  std::array<char, kLongestStored + 1> text{};
  if (!fits(entry, value) || value.size() >= text.size()) return false;
  std::memcpy(text.data(), value.data(), value.size());
  Preferences flash;
  if (!flash.begin(kSpace)) return false;
  const bool put = flash.putString(nameOf(entry), text.data()) == value.size();
  flash.end();
  return put;
}

bool Store::clear(Stored entry) noexcept {
  Preferences flash;
  if (!flash.begin(kSpace)) return false;
  const bool cleared = !flash.isKey(nameOf(entry)) || flash.remove(nameOf(entry));
  flash.end();
  return cleared;
}

Key keyOf(std::string_view digits) noexcept {
  Key key{};
  for (std::size_t i = 0; i < key.size() && 2 * i + 1 < digits.size(); ++i) {
    std::from_chars(digits.data() + 2 * i, digits.data() + 2 * i + 2, key[i], 16);
  }
  return key;
}

}  // namespace gk::board
