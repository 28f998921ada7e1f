#include "fakes.hpp"

#include <Arduino.h>
#include <Preferences.h>
#include <WebSocketsClient.h>
#include <WiFi.h>
#include <driver/gpio.h>
#include <esp_camera.h>
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

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
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

std::string jpeg(std::size_t bytes) {
  const std::string head(
      "\xff\xd8\xff\xc0\x00\x0b\x08\x01\xe0\x02\x80\x01\x01\x11\x00\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00", 25);
  return head + std::string(bytes, 'x') + "\xff\xd9";
}

Board board;
Camera camera;
// As on the board, where a send() to nobody only fails.
const auto no_signal = std::signal(SIGPIPE, SIG_IGN);
std::map<int, Dial> dials;

namespace {

// Tasks are threads of which one runs at a time: the test's, or one that it gave the turn to until it waits. What they
// share outlives the process's end, at which they still wait.
struct Waits {
  const QueueDefinition* queue = nullptr;  // for something in it, or room in it
  bool room = false;
  std::int64_t until = 0;

  bool over() const {
    if (board.us >= until) return true;
    return queue != nullptr && (room ? queue->items.size() < queue->length : !queue->items.empty());
  }
};
struct Tasks {
  std::mutex mutex;
  std::condition_variable turn;
  int running = 0;  // 0: the test; else the number of a task
  std::vector<Waits> waits;
};
Tasks& all_tasks = *new Tasks;
thread_local int this_task = 0;

// In a task: wait. What is shorter than a few milliseconds is stretched, or a test would only change turns.
void wait(const QueueDefinition* queue, bool room, TickType_t ms) {
  std::unique_lock<std::mutex> lock(all_tasks.mutex);
  const std::int64_t longest = std::int64_t{1} << 60;
  const std::int64_t us = std::int64_t{std::max<TickType_t>(ms, 5)} * 1'000;
  all_tasks.waits[static_cast<std::size_t>(this_task - 1)] = {queue, room,
                                                              ms == portMAX_DELAY ? longest : board.us + us};
  all_tasks.running = 0;
  all_tasks.turn.notify_all();
  all_tasks.turn.wait(lock, [] { return all_tasks.running == this_task; });
}

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
  bool lent = false;  // to who answers it later
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
    const bool any = std::strcmp(uri.uri, "/*") == 0 && head.rfind("GET /", 0) == 0;
    if (any || head.rfind("GET " + std::string(uri.uri) + " ", 0) == 0) return &uri;
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
  const std::string target = connection.head.substr(4, connection.head.find(' ', 4) - 4);
  httpd_req_t request{};
  request.handle = &server;
  std::strncpy(const_cast<char*>(request.uri), target.c_str(), CONFIG_HTTPD_MAX_URI_LEN);
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

void tasks() {
  if (this_task != 0) return;
  for (std::size_t task = 0; task < all_tasks.waits.size(); ++task) {
    if (!all_tasks.waits[task].over()) continue;
    std::unique_lock<std::mutex> lock(all_tasks.mutex);
    all_tasks.running = static_cast<int>(task) + 1;
    all_tasks.turn.notify_all();
    all_tasks.turn.wait(lock, [] { return all_tasks.running == 0; });
  }
}

void pass(std::int64_t ms) {
  for (std::int64_t i = 0; i < ms; ++i) {
    tasks();
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
      if (connection.lent) continue;
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
BaseType_t xQueueSend(QueueHandle_t queue, const void* item, TickType_t wait) {
  while (queue->items.size() == queue->length && wait == portMAX_DELAY && fake::this_task != 0) {
    fake::wait(queue, true, wait);
  }
  if (queue->items.size() == queue->length) return pdFALSE;
  queue->items.emplace_back(static_cast<const char*>(item), queue->size);
  return pdTRUE;
}
BaseType_t xQueueReceive(QueueHandle_t queue, void* item, TickType_t wait) {
  if (queue->items.empty() && wait != 0) {
    if (fake::this_task == 0) {
      fake::pass(wait);
    } else {
      do {
        fake::wait(queue, false, wait);
      } while (queue->items.empty() && wait == portMAX_DELAY);
    }
  }
  if (queue->items.empty()) return pdFALSE;
  std::memcpy(item, queue->items.front().data(), queue->size);
  queue->items.pop_front();
  return pdTRUE;
}
BaseType_t xTaskCreatePinnedToCore(TaskFunction_t code, const char*, uint32_t, void* argument, UBaseType_t,
                                   TaskHandle_t*, BaseType_t) {
  fake::all_tasks.waits.emplace_back();
  const int number = static_cast<int>(fake::all_tasks.waits.size());
  std::thread([=] {
    fake::this_task = number;
    {
      std::unique_lock<std::mutex> lock(fake::all_tasks.mutex);
      fake::all_tasks.turn.wait(lock, [=] { return fake::all_tasks.running == number; });
    }
    code(argument);
  }).detach();
  return pdPASS;
}
void vTaskDelay(TickType_t ticks) { fake::wait(nullptr, false, ticks); }

void* heap_caps_malloc(size_t size, uint32_t) {
  static std::vector<std::unique_ptr<char[]>> memory;  // for good, as on the board
  memory.push_back(std::make_unique<char[]>(size));
  return memory.back().get();
}

static sensor_t sensor;
static camera_fb_t frame;
esp_err_t esp_camera_init(const camera_config_t* config) {
  fake::camera.inits++;
  fake::camera.largest = fake::camera.size = config->frame_size;
  fake::camera.quality = config->jpeg_quality;
  sensor.id.PID = OV2640_PID;
  sensor.set_framesize = [](sensor_t*, framesize_t size) {
    if (size > fake::camera.largest) return -1;
    fake::camera.size = size;
    return 0;
  };
  sensor.set_quality = [](sensor_t*, int quality) {
    fake::camera.quality = quality;
    return 0;
  };
  const auto take = [](sensor_t*, int) { return 0; };
  sensor.set_contrast = sensor.set_brightness = sensor.set_whitebal = sensor.set_gain_ctrl = take;
  sensor.set_exposure_ctrl = sensor.set_hmirror = sensor.set_vflip = take;
  return ESP_OK;
}
sensor_t* esp_camera_sensor_get(void) { return &sensor; }
camera_fb_t* esp_camera_fb_get(void) {
  if (fake::camera.broken || fake::camera.out > 0) return nullptr;
  ++fake::camera.out;
  frame.buf = reinterpret_cast<uint8_t*>(fake::camera.picture.data());
  frame.len = fake::camera.picture.size();
  frame.timestamp.tv_sec = board.us / 1'000'000;
  frame.timestamp.tv_usec = board.us % 1'000'000;
  return &frame;
}
void esp_camera_fb_return(camera_fb_t*) { --fake::camera.out; }

bool httpd_uri_match_wildcard(const char*, const char*, size_t) { return true; }
size_t httpd_req_get_hdr_value_len(httpd_req_t*, const char*) { return 0; }
esp_err_t httpd_req_get_hdr_value_str(httpd_req_t* request, const char* field, char* out, size_t size) {
  const std::string& head = server.connections[httpd_req_to_sockfd(request)].head;
  const std::string name = "\r\n" + std::string(field) + ": ";
  const auto at = head.find(name);
  if (at == std::string::npos) return ESP_ERR_NOT_FOUND;
  const auto start = at + name.size();
  const std::string value = head.substr(start, head.find("\r\n", start) - start);
  std::strncpy(out, value.c_str(), size - 1);
  return value.size() < size ? ESP_OK : ESP_ERR_INVALID_SIZE;
}
esp_err_t httpd_req_async_handler_begin(httpd_req_t* request, httpd_req_t** out) {
  const int fd = httpd_req_to_sockfd(request);
  server.connections[fd].lent = true;
  *out = new httpd_req_t(*request);
  (*out)->aux = new int(fd);
  return ESP_OK;
}
esp_err_t httpd_req_async_handler_complete(httpd_req_t* request) {
  server.connections[httpd_req_to_sockfd(request)].lent = false;
  delete static_cast<int*>(request->aux);
  delete request;
  return ESP_OK;
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
bool psramFound() { return board.psram; }

// One port, one client: the shells know no more.
static std::map<const WebSocketsClient*, std::pair<int, WebSocketsClient::WebSocketClientEvent>> clients;
static fake::Dial& dialOf(const WebSocketsClient* client) { return fake::dials[clients[client].first]; }
void WebSocketsClient::begin(const char*, uint16_t port, const char*, const char*) {
  clients[this].first = port;
  _client.status = WSC_NOT_CONNECTED;
}
void WebSocketsClient::onEvent(WebSocketClientEvent callback) { clients[this].second = std::move(callback); }
void WebSocketsClient::setReconnectInterval(unsigned long) {}
void WebSocketsClient::loop() {
  fake::Dial& dial = dialOf(this);
  if (_client.status == WSC_NOT_CONNECTED) {
    ++dial.dials;
    if (dial.reachable) {  // else nobody is told
      _client.status = WSC_CONNECTED;
      clients[this].second(WStype_CONNECTED, nullptr, 0);
    }
  } else if (!dial.events.empty()) {
    auto [type, text] = dial.events.front();
    dial.events.pop_front();
    if (type == WStype_DISCONNECTED) _client.status = WSC_NOT_CONNECTED;
    clients[this].second(static_cast<WStype_t>(type), reinterpret_cast<uint8_t*>(text.data()), text.size());
  }
  dial.state = _client.status;
}
bool WebSocketsClient::sendTXT(const uint8_t* text, size_t length) {
  if (_client.status != WSC_CONNECTED || dialOf(this).refuses) return false;
  dialOf(this).texts.emplace_back(reinterpret_cast<const char*>(text), length);
  return true;
}
bool WebSocketsClient::sendBIN(uint8_t* bytes, size_t length, bool header_in_front) {
  if (_client.status != WSC_CONNECTED || dialOf(this).refuses || !header_in_front) return false;
  dialOf(this).binaries.emplace_back(reinterpret_cast<const char*>(bytes) + WEBSOCKETS_MAX_HEADER_SIZE, length);
  return true;
}
bool WebSocketsClient::sendPing(uint8_t*, size_t) {
  ++dialOf(this).pings;
  return _client.status == WSC_CONNECTED;
}
void WebSocketsClient::disconnect() {
  if (_client.status == WSC_NOT_CONNECTED) return;
  _client.status = WSC_NOT_CONNECTED;
  dialOf(this).state = WSC_NOT_CONNECTED;
  clients[this].second(WStype_DISCONNECTED, nullptr, 0);
}

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
