// What the push camera can be set to: names, ranges, the boot's values, and how a value is told.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "gk/text.hpp"

namespace gk {

// A resolution by its number on the wire. esp32-camera's `framesize_t` numbers them differently from version to
// version: the board has a table of its own from this number to that, never a cast.
struct Resolution {
  std::string_view name;
  std::uint16_t width;
  std::uint16_t height;
};

constexpr std::array<Resolution, 13> kResolutions{{{"QQVGA", 160, 120},
                                                   {"QCIF", 176, 144},
                                                   {"HQVGA", 240, 176},
                                                   {"QVGA", 320, 240},
                                                   {"CIF", 400, 296},
                                                   {"VGA", 640, 480},
                                                   {"SVGA", 800, 600},
                                                   {"XGA", 1024, 768},
                                                   {"HD", 1280, 720},
                                                   {"SXGA", 1280, 1024},
                                                   {"UXGA", 1600, 1200},
                                                   {"FHD", 1920, 1080},
                                                   {"QXGA", 2048, 1536}}};

enum class Setting : std::uint8_t {
  kResolution,
  kQuality,
  kFps,
  kMode,
  kBrightness,
  kContrast,
  kExposure,
  kGain,
  kWhitebalance,
  kHmirror,
  kVflip
};

struct SettingRange {
  enum class Unit : std::uint8_t { kNumber, kSwitch, kMode };

  std::string_view name;
  int least;
  int most;
  int boot;
  Unit unit;
};

constexpr std::array<SettingRange, 11> kSettingRanges{{
    {"resolution", 0, 12, 7, SettingRange::Unit::kNumber},
    {"quality", 0, 63, 15, SettingRange::Unit::kNumber},  // of the sensor: lower is better, and larger
    {"fps", 1, 30, 20, SettingRange::Unit::kNumber},
    {"mode", 0, 1, 1, SettingRange::Unit::kMode},  // 0 speed, 1 stability: slower when the link is narrow
    {"brightness", -2, 2, 0, SettingRange::Unit::kNumber},
    {"contrast", -2, 2, 0, SettingRange::Unit::kNumber},
    {"exposure", 0, 1, 1, SettingRange::Unit::kSwitch},  // automatic, as gain and whitebalance
    {"gain", 0, 1, 1, SettingRange::Unit::kSwitch},
    {"whitebalance", 0, 1, 1, SettingRange::Unit::kSwitch},
    {"hmirror", 0, 1, 0, SettingRange::Unit::kSwitch},
    {"vflip", 0, 1, 0, SettingRange::Unit::kSwitch},
}};

constexpr const SettingRange& rangeOf(Setting setting) noexcept {
  return kSettingRanges[static_cast<std::size_t>(setting)];
}

// The setting of this name on the wire.
std::optional<Setting> settingNamed(std::string_view name) noexcept;

class Settings {
 public:
  // The boot's values; `largest` is the number of the sensor's largest resolution.
  explicit Settings(int largest = 12) noexcept;

  int of(Setting setting) const noexcept { return values_[static_cast<std::size_t>(setting)]; }
  // The greatest value that this sensor has.
  int most(Setting setting) const noexcept {
    return setting == Setting::kResolution ? largest_ : rangeOf(setting).most;
  }
  // `value` is within the range: whoever read it has checked that.
  void set(Setting setting, int value) noexcept {
    values_[static_cast<std::size_t>(setting)] = static_cast<std::int8_t>(value);
  }
  const Resolution& resolution() const noexcept {
    return kResolutions[static_cast<std::size_t>(of(Setting::kResolution))];
  }

 private:
  std::array<std::int8_t, kSettingRanges.size()> values_{};
  int largest_;
};

// `XGA (1024x768)`.
template <std::size_t N>
void tell(Text<N>& out, const Resolution& resolution) noexcept {
  (out << resolution.name << " (").number(resolution.width) << "x";
  out.number(resolution.height) << ")";
}

// A mode in the words of the seed's firmware, which its servers and pages know.
constexpr std::string_view modeWords(int mode) noexcept { return mode == 0 ? "Velocidad" : "Estabilidad"; }

}  // namespace gk
