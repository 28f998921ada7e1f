// What was set over the console, kept in the chip's flash (NVS), before what was built in. Read once, at the start.
#pragma once
#include <array>
#include <cstddef>
#include <string_view>

#include "gk/console.hpp"
#include "gk/crypto.hpp"

namespace gk::board {

class Store {
 public:
  // What was built in, in the order of Stored; an empty text for nothing.
  using BuiltIn = std::array<const char*, kStored>;

  // From setup(). False if the flash could not be read: then all is
  // as it was built in.
  bool begin(const BuiltIn& built_in) noexcept;

  // NUL-terminated; empty for none.
  const char* of(Stored entry) const noexcept { return values_[static_cast<std::size_t>(entry)].data(); }
  // Something is stored that can't be used: whoever needs it must not do without.
  bool spoiled(Stored entry) const noexcept { return spoiled_[static_cast<std::size_t>(entry)]; }
  bool has(Stored entry) const noexcept { return *of(entry) != '\0'; }

  // For the next start. False if the flash took it not.
  static bool put(Stored entry, std::string_view value) noexcept;
  static bool clear(Stored entry) noexcept;

 private:
  std::array<std::array<char, kLongestStored + 1>, kStored> values_{};
  std::array<bool, kStored> spoiled_{};
};

// Of 64 hexadecimal digits, which Stored::kKey is if it is not empty.
Key keyOf(std::string_view digits) noexcept;

}  // namespace gk::board
