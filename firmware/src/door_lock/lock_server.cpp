#include "lock_server.hpp"

#include <cstring>

namespace gk {

namespace {

// A client is told by its place and by how many had the place before it, so none is ever taken for another.
constexpr unsigned kPlaceBits = 3;
static_assert(board::Sessions::kPlaces <= (1U << kPlaceBits));

ClientId clientOf(board::SessionId session) noexcept {
  return static_cast<ClientId>(((session.serial & 0x0fffffffU) << kPlaceBits) | session.place);
}

// IPv4 as it is; of IPv6 a mixture that tells hosts apart well enough to count them.
Address addressOf(const board::PeerAddress& peer) noexcept {
  std::array<std::uint32_t, 4> words{};
  std::memcpy(words.data(), peer.data(), peer.size());
  const bool mapped = words[0] == 0 && words[1] == 0 && peer[10] == 0xff && peer[11] == 0xff;
  return mapped ? words[3] : words[0] ^ words[1] ^ words[2] ^ words[3];
}

}  // namespace

bool LockServer::begin() noexcept {
  happened_ = xQueueCreate(kHappened, sizeof(Happened));
  said_ = xQueueCreate(kSaid, sizeof(Said));
  httpd_config_t config = HTTPD_DEFAULT_CONFIG();
  config.stack_size = 6'144;
  if (happened_ == nullptr || said_ == nullptr || !sessions_.hook(config)) return false;
  if (httpd_start(&server_, &config) != ESP_OK) return false;

  httpd_uri_t socket{};
  socket.uri = "/ws";
  socket.method = HTTP_GET;
  socket.handler = &LockServer::onFrame;
  socket.user_ctx = this;
  socket.is_websocket = true;
  socket.handle_ws_control_frames = true;  // else a frame that the server reads by itself would end unseen
  httpd_uri_t status{};
  status.uri = "/status";
  status.method = HTTP_GET;
  status.handler = &LockServer::onStatus;
  status.user_ctx = this;
  return httpd_register_uri_handler(server_, &socket) == ESP_OK &&
         httpd_register_uri_handler(server_, &status) == ESP_OK;
}

// --- the loop ---

bool LockServer::next(Happened& out, Millis wait) noexcept {
  return xQueueReceive(happened_, &out, pdMS_TO_TICKS(wait)) == pdTRUE;
}

void LockServer::send(ClientId to, std::string_view text) noexcept { put(HTTPD_WS_TYPE_TEXT, to, text); }

void LockServer::ping(ClientId to) noexcept { put(HTTPD_WS_TYPE_PING, to, {}); }

void LockServer::close(ClientId client, CloseCode code) noexcept {
  const auto number = static_cast<std::uint16_t>(code);
  const std::array<char, 2> bytes = {static_cast<char>(number >> 8), static_cast<char>(number & 0xff)};
  put(HTTPD_WS_TYPE_CLOSE, client, {bytes.data(), bytes.size()});
}

void LockServer::cut(ClientId client) noexcept {
  const auto bits = static_cast<std::uint32_t>(client);
  sessions_.cut({static_cast<std::uint8_t>(bits & ((1U << kPlaceBits) - 1)), bits >> kPlaceBits});
}

void LockServer::put(httpd_ws_type_t type, ClientId to, std::string_view bytes) noexcept {
  Said said;
  if (bytes.size() > said.bytes.size()) return cut(to);
  said.type = type;
  said.client = to;
  said.size = static_cast<std::uint16_t>(bytes.size());
  if (!bytes.empty()) std::memcpy(said.bytes.data(), bytes.data(), bytes.size());
  // Whoever takes so little loses the connection, and nobody waits for it.
  if (xQueueSend(said_, &said, 0) != pdTRUE) return cut(to);
  due_.store(true);
}

void LockServer::tick(Millis now, bool open) noexcept {
  open_.store(open);
  sessions_.sweep(now);
  if (due_.load()) poke();
}

// The server takes work between its requests, when it can: what it cannot now is asked for again by tick().
void LockServer::poke() noexcept {
  if (poked_.exchange(true)) return;
  if (httpd_queue_work(server_, &LockServer::onPoke, this) != ESP_OK) poked_.store(false);
}

// --- the server's task ---

bool LockServer::opened(board::SessionId session, const board::PeerAddress& peer) noexcept {
  peers_[session.place] = {};
  peers_[session.place].address = addressOf(peer);
  tell(Happened::What::kAccepted, session);
  return true;
}

// The server answers the handshake when this has returned, and calls nobody: so it is looked at after that.
void LockServer::asked(board::SessionId session) noexcept {
  peers_[session.place].announced = false;
  due_.store(true);
  poke();
}

void LockServer::closed(board::SessionId session) noexcept { tell(Happened::What::kDisconnected, session); }

void LockServer::tell(Happened::What what, board::SessionId session, std::string_view text) noexcept {
  Happened happened;
  happened.what = what;
  happened.client = clientOf(session);
  happened.address = peers_[session.place].address;
  happened.size = static_cast<std::uint16_t>(text.size());
  if (!text.empty()) std::memcpy(happened.text.data(), text.data(), text.size());
  // The loop takes them within milliseconds, or the watchdog resets the board.
  xQueueSend(happened_, &happened, portMAX_DELAY);
}

void LockServer::announce(board::SessionId session) noexcept {
  Peer& peer = peers_[session.place];
  if (peer.announced) return;
  peer.announced = true;
  if (httpd_ws_get_fd_info(server_, sessions_.fdOf(session)) == HTTPD_WS_CLIENT_WEBSOCKET) {
    tell(Happened::What::kConnected, session);
  }
}

void LockServer::onPoke(void* self) noexcept {
  auto& server = *static_cast<LockServer*>(self);
  server.poked_.store(false);
  server.due_.store(false);
  for (std::uint8_t place = 0; place < board::Sessions::kPlaces; ++place) {
    if (const auto session = server.sessions_.at(place)) server.announce(*session);
  }
  server.sayAll();
}

void LockServer::sayAll() noexcept {
  Said said;
  while (xQueueReceive(said_, &said, 0) == pdTRUE) say(said);
}

void LockServer::say(const Said& said) noexcept {
  const auto bits = static_cast<std::uint32_t>(said.client);
  const board::SessionId session{static_cast<std::uint8_t>(bits & ((1U << kPlaceBits) - 1)), bits >> kPlaceBits};
  const int fd = sessions_.fdOf(session);
  if (fd < 0) return;
  std::array<char, sizeof(said.bytes)> bytes = said.bytes;
  httpd_ws_frame_t frame{};
  frame.type = said.type;
  frame.payload = reinterpret_cast<std::uint8_t*>(bytes.data());
  frame.len = said.size;
  if (httpd_ws_send_frame_async(server_, fd, &frame) != ESP_OK) sessions_.cut(session);
}

esp_err_t LockServer::onStatus(httpd_req_t* request) noexcept {
  const auto& self = *static_cast<LockServer*>(request->user_ctx);
  httpd_resp_set_type(request, "text/plain");
  httpd_resp_set_hdr(request, "Cache-Control", "no-store");
  httpd_resp_set_hdr(request, "Connection", "close");
  httpd_resp_send(request, self.open_.load() ? "OPEN" : "LOCKED", HTTPD_RESP_USE_STRLEN);
  return ESP_FAIL;  // which closes the connection
}

esp_err_t LockServer::onFrame(httpd_req_t* request) noexcept {
  auto& self = *static_cast<LockServer*>(request->user_ctx);
  return self.frame(request) ? ESP_OK : ESP_FAIL;
}

// False ends the connection.
bool LockServer::frame(httpd_req_t* request) noexcept {
  const int fd = httpd_req_to_sockfd(request);
  const board::SessionId session = sessions_.of(fd);
  if (session.place >= board::Sessions::kPlaces) return false;
  announce(session);

  httpd_ws_frame_t frame{};
  // Its head. Of a connection that has ended the server says it is a CLOSE, and closes it by itself: ending it here,
  // too, would let the server's own closing fall on whoever got the place meanwhile.
  if (httpd_ws_recv_frame(request, &frame, 0) != ESP_OK) return frame.type == HTTPD_WS_TYPE_CLOSE;
  const bool whole = piece(request, session, frame);
  sessions_.read(fd);
  return whole;
}

bool LockServer::piece(httpd_req_t* request, board::SessionId session, httpd_ws_frame_t& frame) noexcept {
  Message& message = peers_[session.place].message;
  const bool control = frame.type >= HTTPD_WS_TYPE_CLOSE;
  const std::size_t before = control || frame.type != HTTPD_WS_TYPE_CONTINUE ? 0 : message.size;
  if (control ? frame.len > 125 : frame.len > message.bytes.size() - before) {
    farewell(httpd_req_to_sockfd(request), CloseCode::kTooBig);
    return false;
  }
  std::array<char, 125> controls{};
  char* into = control ? controls.data() : message.bytes.data() + before;
  frame.payload = reinterpret_cast<std::uint8_t*>(into);
  if (frame.len > 0 && httpd_ws_recv_frame(request, &frame, frame.len) != ESP_OK) {
    return frame.type == HTTPD_WS_TYPE_CLOSE;
  }

  switch (frame.type) {
    case HTTPD_WS_TYPE_PING:
      frame.type = HTTPD_WS_TYPE_PONG;
      if (httpd_ws_send_frame_async(server_, httpd_req_to_sockfd(request), &frame) != ESP_OK) return false;
      tell(Happened::What::kHeard, session);
      return true;
    case HTTPD_WS_TYPE_PONG:
      tell(Happened::What::kHeard, session);
      return true;
    case HTTPD_WS_TYPE_TEXT:
      if (message.begun) return false;  // in the midst of another one
      message.size = frame.len;
      break;
    case HTTPD_WS_TYPE_CONTINUE:
      if (!message.begun) return false;
      message.size += frame.len;
      break;
    case HTTPD_WS_TYPE_CLOSE:
      frame.len = 0;
      httpd_ws_send_frame_async(server_, httpd_req_to_sockfd(request), &frame);
      return true;
    default:
      return false;  // nothing here is binary
  }
  message.begun = !frame.final;
  if (frame.final) tell(Happened::What::kText, session, {message.bytes.data(), message.size});
  return true;
}

void LockServer::farewell(int fd, CloseCode code) noexcept {
  const auto number = static_cast<std::uint16_t>(code);
  std::array<std::uint8_t, 2> bytes = {static_cast<std::uint8_t>(number >> 8),
                                       static_cast<std::uint8_t>(number & 0xff)};
  httpd_ws_frame_t frame{};
  frame.type = HTTPD_WS_TYPE_CLOSE;
  frame.payload = bytes.data();
  frame.len = bytes.size();
  httpd_ws_send_frame_async(server_, fd, &frame);
}

}  // namespace gk
