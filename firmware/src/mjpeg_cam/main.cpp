// The ESP32-CAM: pictures over HTTP to whoever may watch. What is decided is decided in the core (gk/viewers.hpp,
// gk/frame_store.hpp, gk/wifi.hpp); this is the board around it.
#include <Arduino.h>
#include <esp_heap_caps.h>
#include <esp_system.h>

#include <algorithm>
#include <optional>

#include "cam_server.hpp"
#include "gk/board/clock.hpp"
#include "gk/board/console.hpp"
#include "gk/board/station.hpp"
#include "gk/board/store.hpp"
#include "gk/board/watchdog.hpp"
#include "gk_secrets.hpp"
#include "pins.hpp"

SET_LOOP_TASK_STACK_SIZE(12 * 1024)

namespace {

using namespace gk;

constexpr Millis kWatchdog = 8'000;
constexpr std::uint32_t kMostMisses = 15;  // of up to 4 s each: a driver that hangs comes back no other way

// With PSRAM: VGA, in buffers that the largest picture of the sensor would fit in; a slot more than streams.
constexpr board::CameraSetup kLarge = {FRAMESIZE_UXGA, FRAMESIZE_VGA, 10, true};
constexpr std::size_t kLargeSlots = Viewers::kStreams + 1;
constexpr std::size_t kLargeSlot = 160 * 1024;
// Without: QVGA, in the little that is left.
constexpr board::CameraSetup kSmall = {FRAMESIZE_QVGA, FRAMESIZE_QVGA, 12, false};
constexpr std::size_t kSmallSlots = 3;
constexpr std::size_t kSmallSlot = 16 * 1024;

board::Store store;
board::Console console(store);
std::array<board::Network, board::Station::kNetworks> networks;
board::Camera camera;
FrameStore pictures;
std::optional<board::Station> station;
std::optional<CamServer> server;

// Nothing works without it, and it may be a loose contact: say so, and start anew.
[[noreturn]] void fail(const char* what) {
  log_e("%s: starting anew in 5 s", what);
  Serial.println(what);
  delay(5'000);
  esp_restart();
}

// Once, for good: nothing is allocated while the camera runs.
void reserve(bool psram) {
  const std::size_t slots = psram ? kLargeSlots : kSmallSlots;
  const std::size_t size = psram ? kLargeSlot : kSmallSlot;
  for (std::size_t i = 0; i < slots; ++i) {
    void* memory = heap_caps_malloc(size, psram ? MALLOC_CAP_SPIRAM : MALLOC_CAP_INTERNAL);
    if (memory == nullptr || !pictures.add(static_cast<std::uint8_t*>(memory), size)) fail("no memory for pictures");
  }
}

}  // namespace

void setup() {
  Serial.begin(115'200);
  store.begin(kBuiltIn);
  const bool psram = psramFound();
  if (camera.begin(kPins, psram ? kLarge : kSmall) != ESP_OK) fail("the camera does not answer");
  reserve(psram);
  networks = board::networksOf(store);
  if (!station.emplace(networks, "gatekeeper-cam").begin()) fail("no Wi-Fi");
  if (!server.emplace(pictures, store.of(Stored::kToken)).begin()) fail("no HTTP server");
  if (!board::watchLoop(kWatchdog)) fail("no watchdog");
}

void loop() {
  board::loopLives();
  const Millis now = board::now();
  station->tick(now);
  console.tick();
  server->wifiLosses(station->wifi().losses());
  server->tick(now);
  if (server->viewers().wanted()) camera.ask();
  if (const camera_fb_t* frame = camera.take()) {
    server->viewers().picture(frame->buf, frame->len, board::uptime(), now);
    camera.giveBack();
  }
  if (camera.misses() > kMostMisses) fail("the camera gives no pictures");
  delay(2);
}
