#include "gk/settings.hpp"

namespace gk {

std::optional<Setting> settingNamed(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kSettingRanges.size(); ++i) {
    if (kSettingRanges[i].name == name) return static_cast<Setting>(i);
  }
  return std::nullopt;
}

Settings::Settings(int largest) noexcept : largest_(largest) {
  for (std::size_t i = 0; i < values_.size(); ++i) values_[i] = static_cast<std::int8_t>(kSettingRanges[i].boot);
  if (of(Setting::kResolution) > largest_) set(Setting::kResolution, largest_);
}

}  // namespace gk
