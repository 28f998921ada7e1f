// The sensor's settings, from the numbers of the wire to the driver's calls.
#pragma once
#include "gk/board/camera.hpp"
#include "gk/settings.hpp"

namespace gk::camera_manager {

// At the largest size that may ever be asked for, set to what the core boots with.
esp_err_t begin(board::Camera& camera) noexcept;

// The largest resolution of this sensor, as a number of kResolutions.
int largestResolution(const board::Camera& camera) noexcept;

// False if the sensor refuses.
bool apply(board::Camera& camera, Setting setting, int value) noexcept;

}  // namespace gk::camera_manager
