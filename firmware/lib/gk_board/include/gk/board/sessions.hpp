// The connections of the board's HTTP server (esp_http_server), as a device needs them that anybody on the network can
// reach: a head of bounded length in bounded time, no browsers where none belong, messages in bounded time, and sends
// that wait for nobody. The server itself waits for each byte of a head as long as bytes come, and in its one task.
//
// It hooks in where the server lets one: when a connection opens and closes, and in place of recv() and send().
#pragma once
#include <esp_http_server.h>
#include <freertos/FreeRTOS.h>
#include <freertos/semphr.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "gk/http_head.hpp"
#include "gk/time.hpp"

namespace gk::board {

// A connection: its place, and how many had that place before it. So what is said to one that is gone reaches nobody.
struct SessionId {
  std::uint8_t place = 0;
  std::uint32_t serial = 0;

  friend bool operator==(const SessionId& a, const SessionId& b) noexcept {
    return a.place == b.place && a.serial == b.serial;
  }
};

// IPv4 addresses come as IPv6 ones (::ffff:0:0/96).
using PeerAddress = std::array<std::uint8_t, 16>;

struct SessionsConfig {
  std::size_t head_most = 768;    // bytes
  Millis head_within = 5'000;     // from the connection to the end of the head
  Millis message_within = 2'000;  // from the first byte of a WebSocket frame to its last
  bool browsers = false;          // whether a head with an Origin is let in; else it gets 403
};

class Sessions {
 public:
  static constexpr std::size_t kPlaces = 7;  // of 16 sockets; the server keeps three for itself

  // What happens, told in the server's task, between its calls.
  struct Listener {
    // False to end the connection at once.
    virtual bool opened(SessionId session, const PeerAddress& peer) noexcept = 0;
    // The head is whole and was let in; the server answers it next.
    virtual void asked(SessionId session) noexcept = 0;
    virtual void closed(SessionId session) noexcept = 0;

   protected:
    ~Listener() = default;
  };

  Sessions(Listener& listener, const SessionsConfig& config) noexcept : listener_(listener), config_(config) {}

  // Before httpd_start(): the hooks, the places, the time-outs. False without memory for the lock.
  bool hook(httpd_config_t& config) noexcept;

  // From loop(): ends connections that never asked.
  void sweep(Millis now) noexcept;

  // From any task: the server reads the end of the connection next, and closes it.
  void cut(SessionId session) noexcept;

  // In the server's task only. -1 if the connection is gone; a place of kPlaces or more if it isn't known.
  int fdOf(SessionId session) const noexcept;
  SessionId of(int fd) const noexcept;
  // Who is at a place.
  std::optional<SessionId> at(std::uint8_t place) const noexcept;
  // A WebSocket frame was read whole.
  void read(int fd) noexcept;

 private:
  enum class Stage : std::uint8_t { kFree, kHead, kAsked };

  struct Session {
    Stage stage = Stage::kFree;
    int fd = -1;
    std::uint32_t serial = 0;
    Millis since = 0;  // the connection, or the frame that is being read
    bool reading = false;
    HttpHead head{0};
  };

  static esp_err_t onOpen(httpd_handle_t server, int fd) noexcept;
  static void onClose(httpd_handle_t server, int fd) noexcept;
  static int onReceive(httpd_handle_t server, int fd, char* out, std::size_t size, int flags) noexcept;
  static int onSend(httpd_handle_t server, int fd, const char* bytes, std::size_t size, int flags) noexcept;

  Session* find(int fd) noexcept;
  int receive(Session& session, char* out, std::size_t size, int flags) noexcept;
  bool inTime(Session& session) noexcept;

  Listener& listener_;
  SessionsConfig config_;
  std::array<Session, kPlaces> sessions_{};
  SemaphoreHandle_t lock_ = nullptr;  // over what sweep() and cut() read: stage, fd, serial, since
};

}  // namespace gk::board
