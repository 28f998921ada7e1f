// The ESP32-CAM's core for the tests in Python: pictures and requests in, bytes out through a call of the caller's.
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "gk/viewers.hpp"

namespace {

using Write = int (*)(int viewer, const char* bytes, std::size_t size);
using Close = void (*)(int viewer, int why);

struct Camera final : gk::ViewerPort {
  Camera(std::size_t slots, std::size_t capacity, const char* password, Write to_write, Close to_close)
      : token(password),
        memory(slots, std::vector<std::uint8_t>(capacity)),
        viewers(store, *this, config(token)),
        write_(to_write),
        close_(to_close) {
    for (auto& slot : memory) store.add(slot.data(), slot.size());
  }

  int write(gk::ViewerId viewer, std::string_view bytes) noexcept override {
    return write_(viewer, bytes.data(), bytes.size());
  }
  void close(gk::ViewerId viewer, gk::Ending why) noexcept override { close_(viewer, static_cast<int>(why)); }
  gk::CamReadings readings() noexcept override {
    gk::CamReadings readings;
    readings.uptime = uptime;
    readings.rssi = -58;
    readings.reset = "POWERON";
    readings.version = "test";
    return readings;
  }

  std::string token;
  std::vector<std::vector<std::uint8_t>> memory;
  gk::FrameStore store;
  gk::Viewers viewers;
  std::uint64_t uptime = 0;

 private:
  static gk::ViewersConfig config(std::string_view token) {
    gk::ViewersConfig config;
    config.token = token;
    return config;
  }

  Write write_;
  Close close_;
};

Camera& of(void* camera) { return *static_cast<Camera*>(camera); }

std::size_t copy(std::string_view text, char* out, std::size_t room) {
  if (text.size() > room) return 0;
  std::memcpy(out, text.data(), text.size());
  return text.size();
}

}  // namespace

extern "C" {

void* gk_cam_new(std::size_t slots, std::size_t capacity, const char* token, Write write, Close close) {
  return new Camera(slots, capacity, token, write, close);
}
void gk_cam_delete(void* camera) { delete &of(camera); }

// The viewer's id; -1 if there is no place.
int gk_cam_request(void* camera, const char* method, const char* target, const char* authorization, std::uint32_t now) {
  const auto id = of(camera).viewers.request({method, target, authorization}, now);
  return id ? *id : -1;
}
int gk_cam_picture(void* camera, const std::uint8_t* jpeg, std::size_t size, std::uint64_t taken, std::uint32_t now) {
  of(camera).uptime = taken;
  return static_cast<int>(of(camera).viewers.picture(jpeg, size, taken, now));
}
void gk_cam_pump(void* camera, std::uint32_t now) { of(camera).viewers.pump(now); }
void gk_cam_gone(void* camera, int viewer) { of(camera).viewers.gone(static_cast<gk::ViewerId>(viewer)); }

std::uint32_t gk_cam_streams(void* camera) { return static_cast<std::uint32_t>(of(camera).viewers.streams()); }
std::uint32_t gk_cam_taken(void* camera) { return static_cast<std::uint32_t>(of(camera).viewers.taken()); }
std::uint32_t gk_cam_cut(void* camera) { return of(camera).viewers.cut(); }
std::uint32_t gk_cam_refused(void* camera) { return of(camera).viewers.refused(); }
std::uint32_t gk_cam_held(void* camera) { return static_cast<std::uint32_t>(of(camera).store.held()); }
std::uint32_t gk_cam_stored(void* camera) { return of(camera).store.stored(); }
std::uint32_t gk_cam_dropped(void* camera) { return of(camera).store.dropped(); }
std::uint32_t gk_cam_wanted(void* camera) { return of(camera).viewers.wanted() ? 1 : 0; }

// The status, and the route times 1,000.
int gk_mjpeg_decide(const char* method, const char* target, const char* authorization, const char* token) {
  const gk::Decision decision = gk::decide({method, target, authorization}, token);
  return static_cast<int>(decision.route) * 1'000 + static_cast<int>(decision.status);
}
// Texts: how long they are; 0 if there is not room enough.
std::size_t gk_mjpeg_answer(int status, char* out, std::size_t room) {
  gk::AnswerText text;
  gk::writeRefusal(text, static_cast<gk::Status>(status));
  return copy(text.view(), out, room);
}
std::size_t gk_mjpeg_stream_head(char* out, std::size_t room) {
  gk::AnswerText text;
  gk::writeStreamHead(text);
  return copy(text.view(), out, room);
}
std::size_t gk_mjpeg_part_head(std::size_t size, std::uint64_t taken, char* out, std::size_t room) {
  gk::AnswerText text;
  gk::writePartHead(text, size, taken);
  return copy(text.view(), out, room);
}
std::size_t gk_mjpeg_behind_picture(char* out, std::size_t room) { return copy(gk::kBehindPicture, out, room); }
std::size_t gk_mjpeg_busy(char* out, std::size_t room) { return copy(gk::busyAnswer(), out, room); }
}
