// Of the firmware, for health reports.
#pragma once
#include <string_view>

namespace gk::board {

inline constexpr std::string_view kVersion = "1.0.0";

}  // namespace gk::board
