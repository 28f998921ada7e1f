// Time, as the core sees it: handed in with every call, never asked for.
#pragma once
#include <cstdint>

namespace gk {

// Milliseconds since some start. Wraps every 49.7 days, so two of them are compared through elapsed() alone.
using Millis = std::uint32_t;

constexpr Millis elapsed(Millis now, Millis then) noexcept { return now - then; }

}  // namespace gk
