// One connection to the server (links2004/WebSockets), in a task of its own: that library waits in connect() and in
// each send, and the loop waits for nothing. Orders go in through one queue, what happened comes out through another.
//
// The core says when to connect (gk/uplink.hpp); the library's own reconnecting and pinging are off.
#pragma once
#include <WebSocketsClient.h>
#include <freertos/FreeRTOS.h>
#include <freertos/queue.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "frame_sender.hpp"

namespace gk {

class WebsocketLink {
 public:
  struct Event {
    enum class What : std::uint8_t { kOpened, kLost, kAlive, kText };

    What what = What::kLost;
    std::uint32_t attempt = 0;
    std::uint16_t size = 0;
    std::array<char, 512> text{};  // as much as the core reads

    std::string_view message() const noexcept { return {text.data(), size}; }
  };

  // `sender` is for the connection that carries pictures; `host` is NUL-terminated. Both live as long as this.
  WebsocketLink(const char* name, const char* host, std::uint16_t port, FrameSender* sender) noexcept
      : name_(name), host_(host), port_(port), sender_(sender) {}

  // From setup().
  bool begin() noexcept;

  // All of these from the loop.
  void connect() noexcept;
  void drop() noexcept;
  bool ping() noexcept;
  bool text(std::string_view text) noexcept;
  bool frame(std::string_view header, std::string_view jpeg) noexcept;
  // What happened to the connection that is wanted now; what is left of one before is passed over.
  bool next(Event& out) noexcept;

 private:
  struct Order {
    enum class What : std::uint8_t { kConnect, kPing, kText, kFrame };

    What what = What::kConnect;
    std::uint32_t attempt = 0;
    std::uint16_t size = 0;
    std::array<char, 640> text{};  // the longest that the camera says
  };
  // The library tells of a connection that could not be made by its state alone.
  class Client : public WebSocketsClient {
   public:
    bool isIdle() const noexcept { return _client.status == WSC_NOT_CONNECTED; }
  };
  static constexpr UBaseType_t kOrders = 6;
  static constexpr UBaseType_t kEvents = 6;

  bool put(Order::What what, std::string_view text = {}) noexcept;

  // In the task.
  static void work(void* self) noexcept;
  void turn() noexcept;
  void obey(const Order& order) noexcept;
  void happened(WStype_t type, const std::uint8_t* bytes, std::size_t size) noexcept;
  void tell(Event::What what, std::string_view text = {}) noexcept;

  const char* name_;
  const char* host_;
  std::uint16_t port_;
  FrameSender* sender_;
  QueueHandle_t orders_ = nullptr;
  QueueHandle_t events_ = nullptr;
  std::atomic<std::uint32_t> wanted_{0};  // the number of the connection that the loop wants; even: none
  // The task's own.
  Client client_;
  std::uint32_t attempt_ = 0;
  bool active_ = false;
};

}  // namespace gk
