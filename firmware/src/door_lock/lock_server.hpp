// The lock's WebSocket, ws://<lock>/ws, on esp_http_server. Two queues lie between it and the core, which lives in the
// loop alone: what happened goes one way, what to say the other. So the relay waits for no socket.
//
// Besides, GET /status tells OPEN or LOCKED, as the seed's did; nothing else is answered, and no GET moves the door.
#pragma once
#include <esp_http_server.h>
#include <freertos/FreeRTOS.h>
#include <freertos/queue.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gk/auth.hpp"
#include "gk/board/sessions.hpp"
#include "gk/door_lock.hpp"

namespace gk {

class LockServer final : private board::Sessions::Listener {
 public:
  // What happened on the network, in its order.
  struct Happened {
    enum class What : std::uint8_t { kAccepted, kConnected, kHeard, kText, kDisconnected };

    What what = What::kAccepted;
    ClientId client = -1;
    Address address = 0;
    std::uint16_t size = 0;
    std::array<char, kMaxLockMessage> text{};

    std::string_view message() const noexcept { return {text.data(), size}; }
  };

  LockServer() noexcept : sessions_(*this, board::SessionsConfig{}) {}

  // From setup(), when the network's driver runs.
  bool begin() noexcept;

  // All of these from loop().

  // The next thing that happened; waits for it, so the loop sleeps here. False if nothing did.
  bool next(Happened& out, Millis wait) noexcept;
  void send(ClientId to, std::string_view text) noexcept;
  void ping(ClientId to) noexcept;
  void close(ClientId client, CloseCode code) noexcept;
  void cut(ClientId client) noexcept;
  // Gets what is to be said on its way, and ends what never asked.
  void tick(Millis now, bool open) noexcept;

 private:
  struct Said {
    httpd_ws_type_t type = HTTPD_WS_TYPE_TEXT;
    ClientId client = -1;
    std::uint16_t size = 0;
    std::array<char, 192> bytes{};
  };
  // A message that comes in fragments.
  struct Message {
    std::size_t size = 0;
    bool begun = false;
    std::array<char, kMaxLockMessage> bytes{};
  };
  struct Peer {
    Address address = 0;
    bool announced = true;  // as a WebSocket; until it has asked there is nothing to announce
    Message message;
  };
  static constexpr UBaseType_t kHappened = 12;
  static constexpr UBaseType_t kSaid = 24;  // a broadcast to four, and a reply of two texts to each, twice over

  // In the server's task.
  bool opened(board::SessionId session, const board::PeerAddress& peer) noexcept override;
  void asked(board::SessionId session) noexcept override;
  void closed(board::SessionId session) noexcept override;
  static esp_err_t onFrame(httpd_req_t* request) noexcept;
  static esp_err_t onStatus(httpd_req_t* request) noexcept;
  static void onPoke(void* self) noexcept;
  bool frame(httpd_req_t* request) noexcept;
  bool piece(httpd_req_t* request, board::SessionId session, httpd_ws_frame_t& frame) noexcept;
  void announce(board::SessionId session) noexcept;
  void tell(Happened::What what, board::SessionId session, std::string_view text = {}) noexcept;
  void sayAll() noexcept;
  void say(const Said& said) noexcept;
  void farewell(int fd, CloseCode code) noexcept;

  // From any task.
  void poke() noexcept;
  void put(httpd_ws_type_t type, ClientId to, std::string_view bytes) noexcept;

  board::Sessions sessions_;
  std::array<Peer, board::Sessions::kPlaces> peers_{};
  httpd_handle_t server_ = nullptr;
  QueueHandle_t happened_ = nullptr;
  QueueHandle_t said_ = nullptr;
  std::atomic<bool> poked_{false};
  std::atomic<bool> due_{false};  // somebody asked, or there is something to say
  std::atomic<bool> open_{false};
};

}  // namespace gk
