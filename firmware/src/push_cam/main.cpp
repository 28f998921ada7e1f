// The push camera. What is decided is decided in the core (gk/push_camera.hpp, gk/wifi.hpp); this is the board around
// it: the driver and the two connections each in a task of its own, and one loop that waits for none of them.
#include <Arduino.h>
#include <esp_random.h>
#include <esp_system.h>

#include <optional>

#include "camera_manager.hpp"
#include "configuration.hpp"
#include "frame_sender.hpp"
#include "gk/board/clock.hpp"
#include "gk/board/console.hpp"
#include "gk/board/station.hpp"
#include "gk/board/store.hpp"
#include "gk/board/version.hpp"
#include "gk/board/watchdog.hpp"
#include "gk/push_camera.hpp"
#include "gk_secrets.hpp"
#include "health_monitor.hpp"
#include "websocket_manager.hpp"

SET_LOOP_TASK_STACK_SIZE(16 * 1024)

namespace {

using namespace gk;

board::Store store;
board::Console console(store);
board::Camera camera;
std::array<board::Network, board::Station::kNetworks> networks;
FrameSender sender;
HealthMonitor health;
std::optional<board::Station> station;
std::optional<WebsocketLink> stream;
std::optional<WebsocketLink> control;
WebsocketLink::Event event;
bool was_up = false;

WebsocketLink& of(Link link) { return link == Link::kStream ? *stream : *control; }

struct Port final : PushPort {
  void connect(Link link) noexcept override { of(link).connect(); }
  void drop(Link link) noexcept override { of(link).drop(); }
  void ping(Link link) noexcept override { of(link).ping(); }
  bool text(Link link, std::string_view text) noexcept override { return of(link).text(text); }
  bool frame(std::string_view header, std::string_view jpeg) noexcept override { return stream->frame(header, jpeg); }
  bool apply(Setting setting, int value) noexcept override { return camera_manager::apply(camera, setting, value); }
  void reboot() noexcept override { esp_restart(); }
  std::uint32_t random() noexcept override { return esp_random(); }
} port;

std::optional<PushCamera> push;

// Nothing works without it, and it may be a loose contact: say so, and start anew.
[[noreturn]] void fail(const char* what) {
  Serial.println(what);
  delay(5'000);
  esp_restart();
}

PushConfig config() {
  PushConfig config;
  config.device.id = store.of(Stored::kCamera);
  config.device.model = camera.model();
  config.device.firmware = board::kVersion;
  config.device.reset = board::readings().reset;
  config.largest_resolution = camera_manager::largestResolution(camera);
  config.has_control = kTwoSockets;
  return config;
}

void listen(Link link, Millis now) {
  using What = WebsocketLink::Event::What;
  while (of(link).next(event)) {
    switch (event.what) {
      case What::kOpened:
        push->opened(link, now);
        break;
      case What::kLost:
        push->lost(link, now);
        break;
      case What::kAlive:
        push->alive(link, now);
        break;
      case What::kText:
        push->text(link, event.message(), now);
        break;
    }
  }
}

Taken takenAt(const camera_fb_t& frame) {
  const auto seconds = static_cast<std::uint64_t>(frame.timestamp.tv_sec);
  return {seconds * 1'000 + static_cast<std::uint64_t>(frame.timestamp.tv_usec) / 1'000, false};
}

}  // namespace

void setup() {
  Serial.begin(115'200);
  store.begin(kBuiltIn);
  if (!psramFound() || !sender.begin(kLargestPicture)) fail("no PSRAM: this camera needs the N16R8");
  if (camera_manager::begin(camera) != ESP_OK) fail("the camera does not answer");
  networks = board::networksOf(store);
  if (!station.emplace(networks, "gatekeeper-push").begin()) fail("no Wi-Fi");
  const char* host = store.of(Stored::kHost);
  if (!stream.emplace("stream", host, kStreamPort, &sender).begin()) fail("no memory for the stream");
  if (!control.emplace("control", host, kControlPort, nullptr).begin()) fail("no memory for the control channel");
  push.emplace(port, config());
  if (!store.has(Stored::kHost)) Serial.println("no server: gk set host <name or address>, gk reboot");
  if (!board::watchLoop(kWatchdog)) fail("no watchdog");
}

void loop() {
  board::loopLives();
  const Millis now = board::now();
  station->tick(now);
  console.tick();

  const bool up = station->wifi().up() && store.has(Stored::kHost);
  if (up != was_up) push->network(up, now);
  was_up = up;
  listen(Link::kStream, now);
  listen(Link::kControl, now);
  push->tick(now, health.read(*station, now));

  if (push->wantsPicture(now)) camera.ask();
  if (const camera_fb_t* frame = camera.take()) {
    push->picture({reinterpret_cast<const char*>(frame->buf), frame->len}, takenAt(*frame), now);
    camera.giveBack();
  }
  if (camera.misses() > kMostMisses) fail("the camera gives no pictures");
  delay(2);
}
