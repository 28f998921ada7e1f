// A board for the shells to run on, in one thread and in a time that only the tests move: what the stubs declare, with
// something behind it. Sockets are the machine's own; the HTTP server calls its hooks as ESP-IDF 5.5's does.
#pragma once
#include <cstdint>
#include <deque>
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
  bool psram = true;
};
extern Board board;

// Every task has a turn, until all wait for something. pass() does that, too.
void tasks();

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

// A picture of 640 by 480 with so many bytes of nothing in it.
std::string jpeg(std::size_t bytes);

struct Camera {
  int inits = 0;
  int largest = -1;  // framesize_t that it was started with, and that is set
  int size = -1;
  int quality = -1;
  bool broken = false;  // it gives nothing
  std::string picture = jpeg(100);
  int out = 0;  // frames that were not given back
};
extern Camera camera;

// What the WebSocket client of one port does and was told.
struct Dial {
  bool reachable = true;
  bool refuses = false;  // frames and texts
  int dials = 0;
  int state = 0;  // WSclientsStatus_t
  std::vector<std::string> texts;
  std::vector<std::string> binaries;
  int pings = 0;
  std::deque<std::pair<int, std::string>> events;  // WStype_t and payload, that its loop() will tell
};
extern std::map<int, Dial> dials;

}  // namespace fake
