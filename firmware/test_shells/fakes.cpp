#include "fakes.hpp"

#include <Arduino.h>
#include <Preferences.h>
#include <WiFi.h>
#include <driver/gpio.h>
#include <esp_heap_caps.h>
#include <esp_random.h>
#include <esp_system.h>
#include <esp_task_wdt.h>
#include <esp_timer.h>
#include <fcntl.h>
#include <freertos/queue.h>
#include <freertos/semphr.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <utility>

HardwareSerial Serial;
WiFiClass WiFi;

struct esp_timer {
  esp_timer_create_args_t what;
  std::int64_t due;  // -1: not running
};
struct QueueDefinition {
  std::size_t length;
  std::size_t size;
  std::deque<std::string> items;
};

namespace fake {

Board board;

namespace {

std::vector<std::unique_ptr<esp_timer>> timers;
std::vector<std::unique_ptr<QueueDefinition>> queues;
WiFiEventFuncCb on_wifi;

struct Frame {
  httpd_ws_type_t type;
  std::string payload;
  bool is_final;
};
struct Connection {
  httpd_recv_func_t receive = nullptr;
  httpd_send_func_t send = nullptr;
  bool websocket = false;
  bool said_farewell = false;
  std::string head;
  std::deque<Frame> frames;
  std::vector<std::string> texts;
  int code = 0;
};
struct Server {
  httpd_config_t config;
  std::vector<httpd_uri_t> uris;
  std::map<int, Connection> connections;
  std::deque<std::pair<httpd_work_fn_t, void*>> work;
} server;

void end(int fd) {
  server.config.close_fn(&server, fd);
  server.connections.erase(fd);
}

const httpd_uri_t* found(const std::string& head) {
  for (const httpd_uri_t& uri : server.uris) {
    if (head.rfind("GET " + std::string(uri.uri) + " ", 0) == 0) return &uri;
  }
  return nullptr;
}

// One request line and head, as the server reads it: by its receive hook, in pieces, until it is whole.
bool readHead(int fd, Connection& connection) {
  char bytes[128];
  const int got = connection.receive(&server, fd, bytes, sizeof(bytes), 0);
  if (got == HTTPD_SOCK_ERR_TIMEOUT) return true;
  if (got <= 0) return false;
  connection.head.append(bytes, static_cast<std::size_t>(got));
  if (connection.head.find("\r\n\r\n") == std::string::npos) return true;
  const httpd_uri_t* uri = found(connection.head);
  if (uri == nullptr) {
    const std::string answer = "HTTP/1.1 404 Not Found\r\n\r\n";
    connection.send(&server, fd, answer.data(), answer.size(), 0);
    return false;
  }
  if (uri->is_websocket && connection.head.find("Upgrade: websocket") != std::string::npos) {
    const std::string answer = "HTTP/1.1 101 Switching Protocols\r\n\r\n";
    connection.send(&server, fd, answer.data(), answer.size(), 0);
    connection.websocket = true;  // and the handler is not told
    return true;
  }
  httpd_req_t request{};
  request.handle = &server;
  request.user_ctx = uri->user_ctx;
  request.aux = &fd;
  return uri->handler(&request) == ESP_OK;
}

bool readFrame(int fd, Connection& connection) {
  httpd_req_t request{};
  request.handle = &server;
  request.user_ctx = server.uris.front().user_ctx;
  request.aux = &fd;
  const bool farewell = connection.frames.front().type == HTTPD_WS_TYPE_CLOSE;
  const esp_err_t handled = server.uris.front().handler(&request);
  return handled == ESP_OK && !farewell;
}

bool hasBytes(int fd) {
  char byte;
  return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

bool isOver(int fd) {
  char byte;
  return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

}  // namespace

void pass(std::int64_t ms) {
  for (std::int64_t i = 0; i < ms; ++i) {
    board.us += 1'000;
    for (auto& timer : timers) {
      if (timer->due < 0 || timer->due > board.us) continue;
      timer->due = -1;
      timer->what.callback(timer->what.arg);
    }
  }
}

void wifi(int event) {
  arduino_event_info_t info{};
  on_wifi(static_cast<arduino_event_id_t>(event), info);
}

void serve() {
  for (bool busy = true; busy;) {
    busy = false;
    while (!server.work.empty()) {
      const auto [work, argument] = server.work.front();
      server.work.pop_front();
      work(argument);
      busy = true;
    }
    std::vector<int> fds;
    for (const auto& [fd, connection] : server.connections) fds.push_back(fd);
    for (const int fd : fds) {
      Connection& connection = server.connections[fd];
      bool lives = true;
      if (connection.websocket && !connection.frames.empty()) {
        lives = readFrame(fd, connection);
        if (lives) connection.frames.pop_front();
      } else if (connection.websocket) {
        if (!isOver(fd)) continue;
        lives = false;
      } else if (hasBytes(fd)) {
        lives = readHead(fd, connection);
      } else {
        continue;
      }
      if (!lives) end(fd);
      busy = true;
    }
  }
}

Peer::Peer() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return;
  near_ = ends[0];
  fd_ = ends[1];
  if (server.connections.size() >= server.config.max_open_sockets) return;  // it waits in the backlog
  server.connections[fd_] = {};
  if (server.config.open_fn(&server, fd_) != ESP_OK) end(fd_);
}

Peer::~Peer() {
  close(near_);
  serve();
}

void Peer::send(std::string bytes) {
  ::send(near_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  serve();
}

void Peer::frame(httpd_ws_type_t type, std::string payload, bool is_final) {
  if (!open()) return;
  server.connections[fd_].frames.push_back({type, std::move(payload), is_final});
  serve();
}

int Peer::byte() {
  ::send(near_, "x", 1, MSG_NOSIGNAL);
  char byte;
  const int got = server.connections[fd_].receive(&server, fd_, &byte, 1, 0);
  if (got < 0) end(fd_);
  return got;
}

std::string Peer::received() {
  std::string all;
  char bytes[256];
  for (ssize_t got = recv(near_, bytes, sizeof(bytes), MSG_DONTWAIT); got > 0;
       got = recv(near_, bytes, sizeof(bytes), MSG_DONTWAIT)) {
    all.append(bytes, static_cast<std::size_t>(got));
  }
  return all;
}

std::vector<std::string> Peer::texts() {
  if (!open()) return {};
  return std::exchange(server.connections[fd_].texts, {});
}

int Peer::closed_with() const { return open() ? server.connections[fd_].code : 0; }
bool Peer::open() const { return server.connections.count(fd_) != 0; }
bool Peer::websocket() const { return open() && server.connections[fd_].websocket; }

}  // namespace fake

using fake::board;
using fake::server;

extern "C" {

esp_err_t gpio_set_level(gpio_num_t pin, uint32_t level) {
  board.gpio.push_back({pin, static_cast<int>(level)});
  board.levels[pin] = static_cast<int>(level);
  bool guarded = false;
  for (const auto& timer : fake::timers) guarded = guarded || timer->due >= 0;
  if (level == 1 && !guarded) ++board.unguarded;
  return ESP_OK;
}
esp_err_t gpio_set_direction(gpio_num_t pin, gpio_mode_t) {
  board.gpio.push_back({pin, fake::kDirection});
  return ESP_OK;
}

int64_t esp_timer_get_time(void) { return board.us; }
esp_err_t esp_timer_create(const esp_timer_create_args_t* what, esp_timer_handle_t* out) {
  fake::timers.push_back(std::make_unique<esp_timer>(esp_timer{*what, -1}));
  *out = fake::timers.back().get();
  return ESP_OK;
}
esp_err_t esp_timer_start_once(esp_timer_handle_t timer, uint64_t us) {
  if (timer->due >= 0) return ESP_ERR_INVALID_STATE;
  timer->due = board.us + static_cast<std::int64_t>(us);
  return ESP_OK;
}
esp_err_t esp_timer_restart(esp_timer_handle_t timer, uint64_t us) {
  if (timer->due < 0) return ESP_ERR_INVALID_STATE;
  timer->due = board.us + static_cast<std::int64_t>(us);
  return ESP_OK;
}
esp_err_t esp_timer_stop(esp_timer_handle_t timer) {
  const bool ran = timer->due >= 0;
  timer->due = -1;
  return ran ? ESP_OK : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_task_wdt_reconfigure(const esp_task_wdt_config_t* config) {
  board.watchdog_ms = config->trigger_panic ? static_cast<int>(config->timeout_ms) : 0;
  return ESP_OK;
}
esp_err_t esp_task_wdt_add(TaskHandle_t) { return ESP_OK; }
esp_err_t esp_task_wdt_reset(void) {
  ++board.feeds;
  return ESP_OK;
}

uint32_t esp_random(void) { return 4; }
void esp_fill_random(void* out, size_t count) { std::memset(out, 0xa5, count); }
esp_reset_reason_t esp_reset_reason(void) { return ESP_RST_POWERON; }
void esp_restart(void) { _exit(fake::kRestarted); }
size_t heap_caps_get_free_size(uint32_t) { return 200'000; }
size_t heap_caps_get_minimum_free_size(uint32_t) { return 180'000; }

QueueHandle_t xQueueCreate(UBaseType_t length, UBaseType_t size) {
  fake::queues.push_back(std::make_unique<QueueDefinition>(QueueDefinition{length, size, {}}));
  return fake::queues.back().get();
}
BaseType_t xQueueSend(QueueHandle_t queue, const void* item, TickType_t) {
  if (queue->items.size() == queue->length) return pdFALSE;
  queue->items.emplace_back(static_cast<const char*>(item), queue->size);
  return pdTRUE;
}
BaseType_t xQueueReceive(QueueHandle_t queue, void* item, TickType_t wait) {
  if (queue->items.empty()) {
    fake::pass(wait);
    return pdFALSE;
  }
  std::memcpy(item, queue->items.front().data(), queue->size);
  queue->items.pop_front();
  return pdTRUE;
}
SemaphoreHandle_t xSemaphoreCreateMutex(void) { return xQueueCreate(1, 1); }
BaseType_t xSemaphoreTake(SemaphoreHandle_t, TickType_t) { return pdTRUE; }
BaseType_t xSemaphoreGive(SemaphoreHandle_t) { return pdTRUE; }

esp_err_t httpd_start(httpd_handle_t* out, const httpd_config_t* config) {
  server.config = *config;
  *out = &server;
  return ESP_OK;
}
esp_err_t httpd_register_uri_handler(httpd_handle_t, const httpd_uri_t* uri) {
  server.uris.push_back(*uri);
  return ESP_OK;
}
esp_err_t httpd_sess_set_recv_override(httpd_handle_t, int fd, httpd_recv_func_t receive) {
  server.connections[fd].receive = receive;
  return ESP_OK;
}
esp_err_t httpd_sess_set_send_override(httpd_handle_t, int fd, httpd_send_func_t send) {
  server.connections[fd].send = send;
  return ESP_OK;
}
void* httpd_get_global_user_ctx(httpd_handle_t) { return server.config.global_user_ctx; }
int httpd_req_to_sockfd(httpd_req_t* request) { return *static_cast<int*>(request->aux); }
esp_err_t httpd_resp_set_type(httpd_req_t*, const char*) { return ESP_OK; }
esp_err_t httpd_resp_set_hdr(httpd_req_t*, const char*, const char*) { return ESP_OK; }
esp_err_t httpd_resp_send(httpd_req_t* request, const char* body, ssize_t) {
  const std::string answer = "HTTP/1.1 200 OK\r\n\r\n" + std::string(body);
  const int fd = httpd_req_to_sockfd(request);
  return server.connections[fd].send(&server, fd, answer.data(), answer.size(), 0) < 0 ? ESP_FAIL : ESP_OK;
}
esp_err_t httpd_queue_work(httpd_handle_t, httpd_work_fn_t work, void* argument) {
  if (board.work_full || server.work.size() == 6) return ESP_FAIL;
  server.work.emplace_back(work, argument);
  return ESP_OK;
}
esp_err_t httpd_ws_recv_frame(httpd_req_t* request, httpd_ws_frame_t* frame, size_t most) {
  const auto& next = server.connections[httpd_req_to_sockfd(request)].frames.front();
  frame->type = next.type;
  frame->final = next.is_final;
  if (frame->len == 0) frame->len = next.payload.size();
  if (most == 0) return ESP_OK;
  if (frame->len > most) return ESP_ERR_INVALID_SIZE;
  std::memcpy(frame->payload, next.payload.data(), frame->len);
  return ESP_OK;
}
esp_err_t httpd_ws_send_frame_async(httpd_handle_t, int fd, httpd_ws_frame_t* frame) {
  auto& connection = server.connections[fd];
  const std::string payload(reinterpret_cast<const char*>(frame->payload), frame->len);
  if (frame->type == HTTPD_WS_TYPE_TEXT) connection.texts.push_back(payload);
  if (frame->type == HTTPD_WS_TYPE_CLOSE && payload.size() == 2) {
    connection.code = static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]);
  }
  return ESP_OK;
}
httpd_ws_client_info_t httpd_ws_get_fd_info(httpd_handle_t, int fd) {
  const auto found = server.connections.find(fd);
  if (found == server.connections.end()) return HTTPD_WS_CLIENT_INVALID;
  return found->second.websocket ? HTTPD_WS_CLIENT_WEBSOCKET : HTTPD_WS_CLIENT_HTTP;
}
}

void HardwareSerial::begin(unsigned long) {}
int HardwareSerial::available() { return static_cast<int>(board.serial_in.size()); }
int HardwareSerial::read() {
  const char byte = board.serial_in.front();
  board.serial_in.erase(0, 1);
  return byte;
}
size_t HardwareSerial::write(const uint8_t* bytes, size_t count) {
  board.serial_out.append(reinterpret_cast<const char*>(bytes), count);
  return count;
}
size_t HardwareSerial::printf(const char* format, ...) {
  char text[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  board.serial_out += text;
  return std::strlen(text);
}
size_t HardwareSerial::println(const char* text) {
  board.serial_out += text;
  return std::strlen(text);
}
void delay(uint32_t ms) { fake::pass(ms); }

bool WiFiClass::mode(wifi_mode_t) { return true; }
bool WiFiClass::setHostname(const char*) { return true; }
void WiFiClass::persistent(bool) {}
bool WiFiClass::setAutoReconnect(bool) { return true; }
bool WiFiClass::setSleep(bool) { return true; }
bool WiFiClass::setTxPower(wifi_power_t) { return true; }
wl_status_t WiFiClass::begin(const char* ssid, const char*, int32_t, const uint8_t*, bool) {
  board.ssid = ssid;
  return WL_IDLE_STATUS;
}
bool WiFiClass::disconnect(bool, bool, unsigned long) { return true; }
int8_t WiFiClass::RSSI() { return -58; }
IPAddress WiFiClass::localIP() { return {}; }
uint8_t IPAddress::operator[](int index) const { return static_cast<uint8_t>(index); }
wifi_event_id_t WiFiClass::onEvent(WiFiEventFuncCb callback, arduino_event_id_t) {
  fake::on_wifi = std::move(callback);
  return 1;
}

bool Preferences::begin(const char*, bool read_only) { return !read_only || !board.flash.empty(); }
void Preferences::end() {}
bool Preferences::isKey(const char* key) { return board.flash.count(key) != 0; }
bool Preferences::remove(const char* key) { return board.flash.erase(key) != 0; }
size_t Preferences::getString(const char* key, char* out, size_t most) {
  const std::string& value = board.flash[key];
  if (value.size() >= most) return 0;
  std::memcpy(out, value.c_str(), value.size() + 1);
  return value.size() + 1;
}
size_t Preferences::putString(const char* key, const char* value) {
  board.flash[key] = value;
  return std::strlen(value);
}
