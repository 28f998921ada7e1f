// A board for the shells to run on, in one thread and in a time that only the tests move: what the stubs declare, with
// something behind it. Sockets are the machine's own; the HTTP server calls its hooks as ESP-IDF 5.5's does.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "esp_http_server.h"

namespace fake {

constexpr int kRestarted = 42;  // what the process ends with at esp_restart()

// Every write to a GPIO, in order: {pin, level} or {pin, kDirection}.
constexpr int kDirection = -1;
struct GpioWrite {
  int pin;
  int what;
};

struct Board {
  std::int64_t us = 0;  // since boot
  std::vector<GpioWrite> gpio;
  std::map<int, int> levels;
  int unguarded = 0;       // how often a pin was driven high with no timer running
  bool work_full = false;  // the server takes no work
  int watchdog_ms = 0;
  int feeds = 0;
  std::map<std::string, std::string> flash;
  std::string serial_in;
  std::string serial_out;
  std::string ssid;  // that was joined
};
extern Board board;

// Moves time; timers fire in it.
void pass(std::int64_t ms);
// In the driver's task.
void wifi(int event);

// The other end of a connection to the board's server.
class Peer {
 public:
  Peer();
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void send(std::string bytes);                                                 // raw, for a head
  void frame(httpd_ws_type_t type, std::string payload, bool is_final = true);  // one WebSocket frame
  int byte();                        // one byte of a frame: what the server's receive hook says of it
  std::string received();            // raw, what came before the WebSocket
  std::vector<std::string> texts();  // of the WebSocket since the last time
  int closed_with() const;           // the code of a CLOSE, or 0
  bool open() const;
  bool websocket() const;

 private:
  int near_ = -1;
  int fd_ = -1;  // the board's end
};

// The server's task has its turn.
void serve();

}  // namespace fake
