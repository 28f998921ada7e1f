#include "gk/board/sessions.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "gk/board/clock.hpp"

namespace gk::board {

namespace {

constexpr std::string_view kForbidden = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
constexpr std::string_view kHeadTooLong =
    "HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

// A refusal goes out in one try: whoever does not take it has lost nothing.
int refuse(int fd, std::string_view answer) noexcept {
  send(fd, answer.data(), answer.size(), MSG_DONTWAIT);
  return HTTPD_SOCK_ERR_FAIL;
}

PeerAddress peerOf(int fd) noexcept {
  PeerAddress address{};
  sockaddr_storage peer{};
  socklen_t size = sizeof(peer);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return address;
  if (peer.ss_family == AF_INET6) {
    std::memcpy(address.data(), &reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr, address.size());
  } else {
    address[10] = address[11] = 0xff;
    std::memcpy(address.data() + 12, &reinterpret_cast<const sockaddr_in&>(peer).sin_addr, 4);
  }
  return address;
}

class Held {
 public:
  explicit Held(SemaphoreHandle_t lock) noexcept : lock_(lock) { xSemaphoreTake(lock_, portMAX_DELAY); }
  ~Held() { xSemaphoreGive(lock_); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

 private:
  SemaphoreHandle_t lock_;
};

Sessions& sessionsOf(httpd_handle_t server) noexcept {
  return *static_cast<Sessions*>(httpd_get_global_user_ctx(server));
}

}  // namespace

bool Sessions::hook(httpd_config_t& config) noexcept {
  lock_ = xSemaphoreCreateMutex();
  config.global_user_ctx = this;
  config.global_user_ctx_free_fn = [](void*) {};  // else the server would free() it
  config.max_open_sockets = kPlaces;
  config.lru_purge_enable = false;  // it would throw out whoever was quiet for longest, and that is the one who holds
  config.recv_wait_timeout = 2;     // seconds
  config.send_wait_timeout = 2;
  config.open_fn = &Sessions::onOpen;
  config.close_fn = &Sessions::onClose;
  return lock_ != nullptr;
}

void Sessions::sweep(Millis now) noexcept {
  const Held held(lock_);
  for (Session& session : sessions_) {
    if (session.stage == Stage::kHead && elapsed(now, session.since) > config_.head_within) {
      shutdown(session.fd, SHUT_RDWR);
    }
  }
}

void Sessions::cut(SessionId id) noexcept {
  if (id.place >= kPlaces) return;
  const Held held(lock_);
  const Session& session = sessions_[id.place];
  if (session.stage != Stage::kFree && session.serial == id.serial) shutdown(session.fd, SHUT_RDWR);
}

int Sessions::fdOf(SessionId id) const noexcept {
  if (id.place >= kPlaces) return -1;
  const Session& session = sessions_[id.place];
  return session.stage != Stage::kFree && session.serial == id.serial ? session.fd : -1;
}

SessionId Sessions::of(int fd) const noexcept {
  for (std::size_t i = 0; i < kPlaces; ++i) {
    const Session& session = sessions_[i];
    if (session.stage != Stage::kFree && session.fd == fd) return {static_cast<std::uint8_t>(i), session.serial};
  }
  return {kPlaces, 0};
}

std::optional<SessionId> Sessions::at(std::uint8_t place) const noexcept {
  if (place >= kPlaces || sessions_[place].stage == Stage::kFree) return std::nullopt;
  return SessionId{place, sessions_[place].serial};
}

void Sessions::read(int fd) noexcept {
  if (Session* session = find(fd)) session->reading = false;
}

Sessions::Session* Sessions::find(int fd) noexcept {
  for (Session& session : sessions_) {
    if (session.stage != Stage::kFree && session.fd == fd) return &session;
  }
  return nullptr;
}

esp_err_t Sessions::onOpen(httpd_handle_t server, int fd) noexcept {
  Sessions& self = sessionsOf(server);
  for (std::size_t i = 0; i < kPlaces; ++i) {
    Session& session = self.sessions_[i];
    if (session.stage != Stage::kFree) continue;
    {
      const Held held(self.lock_);
      session.stage = Stage::kHead;
      session.fd = fd;
      ++session.serial;
      session.since = now();
      session.reading = false;
      session.head = HttpHead(self.config_.head_most);
    }
    // A WebSocket frame is sent in two pieces: with Nagle's algorithm the second would wait for the first one's ACK.
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (httpd_sess_set_recv_override(server, fd, &Sessions::onReceive) != ESP_OK) return ESP_FAIL;
    if (httpd_sess_set_send_override(server, fd, &Sessions::onSend) != ESP_OK) return ESP_FAIL;
    return self.listener_.opened({static_cast<std::uint8_t>(i), session.serial}, peerOf(fd)) ? ESP_OK : ESP_FAIL;
  }
  return ESP_FAIL;
}

// The server leaves the closing to this hook.
void Sessions::onClose(httpd_handle_t server, int fd) noexcept {
  Sessions& self = sessionsOf(server);
  const SessionId id = self.of(fd);
  if (id.place < kPlaces) {
    {
      const Held held(self.lock_);
      self.sessions_[id.place].stage = Stage::kFree;
      self.sessions_[id.place].fd = -1;
    }
    self.listener_.closed(id);
  }
  close(fd);
}

int Sessions::onReceive(httpd_handle_t server, int fd, char* out, std::size_t size, int flags) noexcept {
  Sessions& self = sessionsOf(server);
  Session* session = self.find(fd);
  if (session == nullptr) return HTTPD_SOCK_ERR_INVALID;
  return self.receive(*session, out, size, flags);
}

int Sessions::receive(Session& session, char* out, std::size_t size, int flags) noexcept {
  if (!inTime(session)) return HTTPD_SOCK_ERR_FAIL;
  const ssize_t got = recv(session.fd, out, size, flags);
  if (got < 0) return errno == EAGAIN || errno == EINTR ? HTTPD_SOCK_ERR_TIMEOUT : HTTPD_SOCK_ERR_FAIL;
  if (got == 0 || session.stage != Stage::kHead) return static_cast<int>(got);
  switch (session.head.take({out, static_cast<std::size_t>(got)})) {
    case HttpHead::State::kReading:
      break;
    case HttpHead::State::kTooLong:
      return refuse(session.fd, kHeadTooLong);
    case HttpHead::State::kDone:
      if (session.head.origin() && !config_.browsers) return refuse(session.fd, kForbidden);
      {
        const Held held(lock_);
        session.stage = Stage::kAsked;
      }
      listener_.asked(of(session.fd));
  }
  return static_cast<int>(got);
}

bool Sessions::inTime(Session& session) noexcept {
  const Millis at = now();
  if (session.stage == Stage::kHead) return elapsed(at, session.since) <= config_.head_within;
  if (session.reading) return elapsed(at, session.since) <= config_.message_within;
  session.reading = true;
  session.since = at;
  return true;
}

// All or nothing: half of a frame would garble what follows, so the connection ends with it.
int Sessions::onSend(httpd_handle_t, int fd, const char* bytes, std::size_t size, int flags) noexcept {
  const ssize_t sent = send(fd, bytes, size, flags | MSG_DONTWAIT);
  if (sent == static_cast<ssize_t>(size)) return static_cast<int>(sent);
  shutdown(fd, SHUT_RDWR);
  return HTTPD_SOCK_ERR_FAIL;
}

}  // namespace gk::board
