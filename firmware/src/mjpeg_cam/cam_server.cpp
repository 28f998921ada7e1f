#include "cam_server.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "gk/board/readings.hpp"
#include "gk/board/version.hpp"

namespace gk {

namespace {

ViewersConfig configFor(std::string_view token) noexcept {
  ViewersConfig config;
  config.token = token;
  return config;
}

// A page of the camera's own may ask, and who wrote the page does not matter: the answers forbid others to show them.
board::SessionsConfig sessions() noexcept {
  board::SessionsConfig config;
  config.head_most = 2'048;  // browsers are talkative
  config.browsers = true;
  return config;
}

}  // namespace

CamServer::CamServer(FrameStore& store, std::string_view token) noexcept
    : viewers_(store, *this, configFor(token)), sessions_(*this, sessions()) {}

bool CamServer::begin() noexcept {
  asking_ = xQueueCreate(kAsking, sizeof(Asked));
  httpd_config_t config = HTTPD_DEFAULT_CONFIG();
  config.stack_size = 6'144;
  config.max_req_hdr_len = 2'048;
  config.uri_match_fn = &httpd_uri_match_wildcard;
  if (asking_ == nullptr || !sessions_.hook(config)) return false;
  httpd_handle_t server = nullptr;
  if (httpd_start(&server, &config) != ESP_OK) return false;
  httpd_uri_t everything{};
  everything.uri = "/*";
  everything.method = HTTP_GET;  // the server answers 405 to the others
  everything.handler = &CamServer::onRequest;
  everything.user_ctx = this;
  return httpd_register_uri_handler(server, &everything) == ESP_OK;
}

void CamServer::tick(Millis now) noexcept {
  Asked asked{};
  while (xQueueReceive(asking_, &asked, 0) == pdTRUE) take(asked, now);
  viewers_.pump(now);
  sessions_.sweep(now);
}

// In the server's task. Failing ends the connection.
esp_err_t CamServer::onRequest(httpd_req_t* request) noexcept {
  auto& self = *static_cast<CamServer*>(request->user_ctx);
  return self.hand(request) ? ESP_OK : ESP_FAIL;
}

bool CamServer::hand(httpd_req_t* request) noexcept {
  Asked asked{};
  // What is longer names no route and is no token, so cutting it changes nothing but the refusal.
  std::strncpy(asked.target.data(), request->uri, asked.target.size() - 1);
  httpd_req_get_hdr_value_str(request, "Authorization", asked.authorization.data(), asked.authorization.size());
  asked.fd = httpd_req_to_sockfd(request);
  if (httpd_req_async_handler_begin(request, &asked.request) != ESP_OK) return false;
  if (xQueueSend(asking_, &asked, 0) == pdTRUE) return true;
  httpd_req_async_handler_complete(asked.request);
  return false;
}

void CamServer::take(const Asked& asked, Millis now) noexcept {
  HttpRequest request;
  request.method = "GET";
  request.target = asked.target.data();
  request.authorization = asked.authorization.data();
  if (const auto place = viewers_.request(request, now)) {
    places_[*place] = {asked.request, asked.fd};
    return;
  }
  const std::string_view busy = busyAnswer();
  send(asked.fd, busy.data(), busy.size(), MSG_DONTWAIT);
  end(asked.request, asked.fd);
}

// The server takes the socket back, reads its end and closes it.
void CamServer::end(httpd_req_t* request, int fd) noexcept {
  shutdown(fd, SHUT_RDWR);
  httpd_req_async_handler_complete(request);
}

int CamServer::write(ViewerId viewer, std::string_view bytes) noexcept {
  const ssize_t sent = send(places_[viewer].fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (sent >= 0) return static_cast<int>(sent);
  return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
}

void CamServer::close(ViewerId viewer, Ending) noexcept {
  end(places_[viewer].request, places_[viewer].fd);
  places_[viewer] = {};
}

CamReadings CamServer::readings() noexcept {
  const board::Readings read = board::readings();
  CamReadings told;
  told.uptime = read.uptime;
  told.heap = read.heap;
  told.min_heap = read.min_heap;
  told.psram = read.psram;
  told.rssi = read.rssi;
  told.wifi_losses = wifi_losses_;
  told.reset = read.reset;
  told.version = board::kVersion;
  return told;
}

}  // namespace gk
