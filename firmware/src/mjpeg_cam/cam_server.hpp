// The sockets of the ESP32-CAM's viewers: esp_http_server reads each request and hands its socket over
// (httpd_req_async_handler_begin); from then on the core says what is written to it and when it ends (gk/viewers.hpp).
#pragma once
#include <esp_http_server.h>
#include <freertos/FreeRTOS.h>
#include <freertos/queue.h>

#include <array>
#include <cstdint>

#include "gk/board/sessions.hpp"
#include "gk/viewers.hpp"

namespace gk {

class CamServer final : private ViewerPort, private board::Sessions::Listener {
 public:
  // Both live as long as this.
  CamServer(FrameStore& store, std::string_view token) noexcept;

  // From setup(), when the network's driver runs.
  bool begin() noexcept;

  // From loop(): whoever asked gets a place, and everybody what the socket takes.
  void tick(Millis now) noexcept;

  Viewers& viewers() noexcept { return viewers_; }
  // What the network's state machine counted, for /health.
  void wifiLosses(std::uint32_t losses) noexcept { wifi_losses_ = losses; }

 private:
  // A request on its way from the server's task to the loop.
  struct Asked {
    httpd_req_t* request;
    int fd;
    std::array<char, 64> target;
    std::array<char, 192> authorization;
  };
  struct Place {
    httpd_req_t* request = nullptr;
    int fd = -1;
  };
  static constexpr UBaseType_t kAsking = 4;

  static esp_err_t onRequest(httpd_req_t* request) noexcept;
  bool hand(httpd_req_t* request) noexcept;
  void take(const Asked& asked, Millis now) noexcept;
  static void end(httpd_req_t* request, int fd) noexcept;

  int write(ViewerId viewer, std::string_view bytes) noexcept override;
  void close(ViewerId viewer, Ending why) noexcept override;
  CamReadings readings() noexcept override;

  bool opened(board::SessionId, const board::PeerAddress&) noexcept override { return true; }
  void asked(board::SessionId) noexcept override {}
  void closed(board::SessionId) noexcept override {}

  Viewers viewers_;
  board::Sessions sessions_;
  std::array<Place, Viewers::kPlaces> places_{};
  QueueHandle_t asking_ = nullptr;
  std::uint32_t wifi_losses_ = 0;
};

}  // namespace gk
