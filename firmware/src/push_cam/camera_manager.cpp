#include "camera_manager.hpp"

#include <array>

#include "configuration.hpp"

namespace gk::camera_manager {

namespace {

// The driver's numbers move from version to version: a table, never a cast.
constexpr std::array<framesize_t, 13> kFrameSizes = {
    FRAMESIZE_QQVGA, FRAMESIZE_QCIF, FRAMESIZE_HQVGA, FRAMESIZE_QVGA, FRAMESIZE_CIF, FRAMESIZE_VGA, FRAMESIZE_SVGA,
    FRAMESIZE_XGA,   FRAMESIZE_HD,   FRAMESIZE_SXGA,  FRAMESIZE_UXGA, FRAMESIZE_FHD, FRAMESIZE_QXGA};
static_assert(kFrameSizes.size() == kResolutions.size());

constexpr int kUxga = 10;
constexpr int kQxga = 12;

}  // namespace

esp_err_t begin(board::Camera& camera) noexcept {
  board::CameraSetup setup{};
  setup.largest = FRAMESIZE_QXGA;  // of a smaller sensor the driver takes that one's largest
  setup.size = kFrameSizes[static_cast<std::size_t>(rangeOf(Setting::kResolution).boot)];
  setup.quality = rangeOf(Setting::kQuality).boot;
  setup.psram = true;
  return camera.begin(kPins, setup);
}

int largestResolution(const board::Camera& camera) noexcept { return camera.model() == "OV2640" ? kUxga : kQxga; }

bool apply(board::Camera& camera, Setting setting, int value) noexcept {
  sensor_t* sensor = camera.sensor();
  if (sensor == nullptr) return false;
  switch (setting) {
    case Setting::kResolution:
      if (value < 0 || value >= static_cast<int>(kFrameSizes.size())) return false;
      return sensor->set_framesize(sensor, kFrameSizes[static_cast<std::size_t>(value)]) == 0;
    case Setting::kQuality:
      return sensor->set_quality(sensor, value) == 0;
    case Setting::kBrightness:
      return sensor->set_brightness(sensor, value) == 0;
    case Setting::kContrast:
      return sensor->set_contrast(sensor, value) == 0;
    case Setting::kExposure:
      return sensor->set_exposure_ctrl(sensor, value) == 0;
    case Setting::kGain:
      return sensor->set_gain_ctrl(sensor, value) == 0;
    case Setting::kWhitebalance:
      return sensor->set_whitebal(sensor, value) == 0;
    case Setting::kHmirror:
      return sensor->set_hmirror(sensor, value) == 0;
    case Setting::kVflip:
      return sensor->set_vflip(sensor, value) == 0;
    case Setting::kFps:
    case Setting::kMode:
      break;  // the core's own
  }
  return false;
}

}  // namespace gk::camera_manager
