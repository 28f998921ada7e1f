// What the server says to the push camera, out of its text: never clamped, never defaulted, never half understood.
//
//   {"type":"command","cmd":"resolution","val":"8","timestamp":1700000000.0,"id":7}      val: 8 or "8"; id if given
//   {"status":"ok","message":"Camera registered","server_time":"<iso>","frames":"gkf1"}  no type: the answer to
//   register
//
// `val` is a whole number as JSON writes them, or such a number as text: the seed's server sends text, and the seed's
// camera took a number, or "abc", for 0. Switches also take true, false, "true", "false", "on" and "off"; the mode
// also takes its names. Members that are unknown are ignored.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "gk/json.hpp"
#include "gk/settings.hpp"
#include "gk/text.hpp"

namespace gk {

// The `id` of a command as it was written, a string or a number; empty if there is none.
using CommandId = Text<48>;

struct Command {
  enum class Order : std::uint8_t { kSet, kStats, kReboot };

  Order order = Order::kSet;
  Setting setting = Setting::kResolution;  // of kSet
  int value = 0;
  CommandId id;

  std::string_view name() const noexcept {
    return order == Order::kStats ? "stats" : order == Order::kReboot ? "reboot" : rangeOf(setting).name;
  }
};

// A command that can't be obeyed: why, for people.
struct Refusal {
  Text<32> cmd;  // empty if it is longer, or none
  CommandId id;
  Text<96> why;
};

// The answer to `register`.
struct Registered {
  bool is_framed = false;  // pictures may come with a header
};

// Anything else: an answer to something that this camera doesn't say, or a word that is not known yet.
struct Unheard {};

// No flat JSON object of the length that is read.
struct Garbled {};

using Heard = std::variant<Unheard, Garbled, Registered, Command, Refusal>;

// `settings` says what the sensor has.
Heard hear(std::string_view text, const Settings& settings) noexcept;

}  // namespace gk
