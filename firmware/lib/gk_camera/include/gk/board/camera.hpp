// The camera driver (esp32-camera) in a task of its own: a picture can take it four seconds, and the loop waits for
// nothing. One picture is out at a time: it is asked for, taken, looked at or copied, and given back.
#pragma once
#include <esp_camera.h>
#include <freertos/FreeRTOS.h>
#include <freertos/queue.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gk::board {

// GPIO numbers; -1 is not connected.
struct CameraPins {
  int power_down, reset, clock, sda, scl;
  int d7, d6, d5, d4, d3, d2, d1, d0;
  int vsync, href, pixel_clock;
};

struct CameraSetup {
  // The driver's buffers are a fifth of this size's pixels, in bytes, and never grow: a larger one asked for later
  // would give pictures that are cut off. So it is the largest that will ever be asked for.
  framesize_t largest;
  framesize_t size;  // to begin with
  int quality;       // of the sensor: 0 to 63, lower is better and larger
  bool psram;        // two buffers there; else one in the chip's own memory
};

class Camera {
 public:
  // From setup(), once. What the driver says: ESP_OK, or why not.
  esp_err_t begin(const CameraPins& pins, const CameraSetup& setup) noexcept;

  // A picture is wanted. Does nothing while one is on its way or out.
  void ask() noexcept;

  // The picture that was asked for; nullptr while there is none. It must be given back.
  const camera_fb_t* take() noexcept;
  void giveBack() noexcept;

  // How often in a row the driver gave nothing.
  std::uint32_t misses() const noexcept { return misses_.load(); }

  // nullptr before begin() has worked.
  sensor_t* sensor() const noexcept { return sensor_; }
  // Of the sensor: OV2640, OV3660, OV5640, or unknown.
  std::string_view model() const noexcept;

 private:
  static void work(void* self) noexcept;

  QueueHandle_t asked_ = nullptr;
  QueueHandle_t made_ = nullptr;
  sensor_t* sensor_ = nullptr;
  camera_fb_t* out_ = nullptr;
  bool waiting_ = false;  // for what was asked for
  std::atomic<std::uint32_t> misses_{0};
};

}  // namespace gk::board
