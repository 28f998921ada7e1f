#include "gk/board/camera.hpp"

#include <freertos/task.h>

namespace gk::board {

namespace {

constexpr int kClock = 20'000'000;  // Hz
constexpr std::uint32_t kStack = 4'096;
constexpr UBaseType_t kPriority = 2;  // above the loop's 1: the driver's buffers are not to fill up
constexpr BaseType_t kCore = 1;       // the radio has the other one

}  // namespace

esp_err_t Camera::begin(const CameraPins& pins, const CameraSetup& setup) noexcept {
  camera_config_t config{};  // the driver reads every field
  config.pin_pwdn = pins.power_down;
  config.pin_reset = pins.reset;
  config.pin_xclk = pins.clock;
  config.pin_sccb_sda = pins.sda;
  config.pin_sccb_scl = pins.scl;
  config.pin_d7 = pins.d7;
  config.pin_d6 = pins.d6;
  config.pin_d5 = pins.d5;
  config.pin_d4 = pins.d4;
  config.pin_d3 = pins.d3;
  config.pin_d2 = pins.d2;
  config.pin_d1 = pins.d1;
  config.pin_d0 = pins.d0;
  config.pin_vsync = pins.vsync;
  config.pin_href = pins.href;
  config.pin_pclk = pins.pixel_clock;
  config.xclk_freq_hz = kClock;
  config.ledc_timer = LEDC_TIMER_0;
  config.ledc_channel = LEDC_CHANNEL_0;
  config.pixel_format = PIXFORMAT_JPEG;
  config.frame_size = setup.largest;
  config.jpeg_quality = setup.quality;
  config.fb_count = setup.psram ? 2 : 1;
  config.fb_location = setup.psram ? CAMERA_FB_IN_PSRAM : CAMERA_FB_IN_DRAM;
  config.grab_mode = setup.psram ? CAMERA_GRAB_LATEST : CAMERA_GRAB_WHEN_EMPTY;  // the latest needs two buffers

  const esp_err_t failed = esp_camera_init(&config);
  if (failed != ESP_OK) return failed;
  sensor_ = esp_camera_sensor_get();
  if (sensor_ == nullptr) return ESP_FAIL;
  if (setup.size != setup.largest && sensor_->set_framesize(sensor_, setup.size) != 0) return ESP_FAIL;

  asked_ = xQueueCreate(1, sizeof(bool));
  made_ = xQueueCreate(1, sizeof(camera_fb_t*));
  if (asked_ == nullptr || made_ == nullptr) return ESP_ERR_NO_MEM;
  const BaseType_t made = xTaskCreatePinnedToCore(&Camera::work, "camera", kStack, this, kPriority, nullptr, kCore);
  return made == pdPASS ? ESP_OK : ESP_ERR_NO_MEM;
}

void Camera::ask() noexcept {
  if (asked_ == nullptr || waiting_ || out_ != nullptr) return;
  const bool picture = true;
  waiting_ = xQueueSend(asked_, &picture, 0) == pdTRUE;
}

const camera_fb_t* Camera::take() noexcept {
  camera_fb_t* frame = nullptr;
  if (!waiting_ || xQueueReceive(made_, &frame, 0) != pdTRUE) return nullptr;
  waiting_ = false;
  out_ = frame;
  return frame;
}

void Camera::giveBack() noexcept {
  if (out_ != nullptr) esp_camera_fb_return(out_);
  out_ = nullptr;
}

std::string_view Camera::model() const noexcept {
  if (sensor_ == nullptr) return "unknown";
  switch (sensor_->id.PID) {
    case OV2640_PID:
      return "OV2640";
    case OV3660_PID:
      return "OV3660";
    case OV5640_PID:
      return "OV5640";
    default:
      return "unknown";
  }
}

void Camera::work(void* self) noexcept {
  auto& camera = *static_cast<Camera*>(self);
  while (true) {
    bool picture = false;
    if (xQueueReceive(camera.asked_, &picture, portMAX_DELAY) != pdTRUE) continue;
    camera_fb_t* frame = esp_camera_fb_get();  // up to 4 s
    while (frame == nullptr) {
      camera.misses_.fetch_add(1);
      vTaskDelay(pdMS_TO_TICKS(100));
      frame = esp_camera_fb_get();
    }
    camera.misses_.store(0);
    xQueueSend(camera.made_, &frame, portMAX_DELAY);
  }
}

}  // namespace gk::board
