#include "websocket_manager.hpp"

#include <freertos/task.h>

#include <cstring>

namespace gk {

namespace {

constexpr std::uint32_t kStack = 6'144;
constexpr UBaseType_t kPriority = 1;
constexpr BaseType_t kCore = 0;          // with the network's own tasks
constexpr TickType_t kTurn = 2;          // ms between looks at the socket
constexpr TickType_t kPatience = 1'000;  // ms for the loop to take an event

}  // namespace

bool WebsocketLink::begin() noexcept {
  orders_ = xQueueCreate(kOrders, sizeof(Order));
  events_ = xQueueCreate(kEvents, sizeof(Event));
  if (orders_ == nullptr || events_ == nullptr) return false;
  client_.onEvent([this](WStype_t type, std::uint8_t* bytes, std::size_t size) { happened(type, bytes, size); });
  client_.setReconnectInterval(0);
  return xTaskCreatePinnedToCore(&WebsocketLink::work, name_, kStack, this, kPriority, nullptr, kCore) == pdPASS;
}

// --- the loop ---

// Odd: a connection is wanted.
void WebsocketLink::connect() noexcept {
  wanted_.store((wanted_.load() + 1) | 1U);
  put(Order::What::kConnect);
}

// Even: none is. The task sees it when it comes round, and what it tells until then is not listened to.
void WebsocketLink::drop() noexcept { wanted_.store((wanted_.load() | 1U) + 1); }

bool WebsocketLink::ping() noexcept { return put(Order::What::kPing); }

bool WebsocketLink::text(std::string_view text) noexcept { return put(Order::What::kText, text); }

bool WebsocketLink::frame(std::string_view header, std::string_view jpeg) noexcept {
  if (sender_ == nullptr || !sender_->fill(header, jpeg)) return false;
  if (put(Order::What::kFrame)) return true;
  sender_->empty();
  return false;
}

bool WebsocketLink::put(Order::What what, std::string_view text) noexcept {
  Order order;
  if (text.size() > order.text.size()) return false;
  order.what = what;
  order.attempt = wanted_.load();
  order.size = static_cast<std::uint16_t>(text.size());
  if (!text.empty()) std::memcpy(order.text.data(), text.data(), text.size());
  return xQueueSend(orders_, &order, 0) == pdTRUE;
}

bool WebsocketLink::next(Event& out) noexcept {
  while (xQueueReceive(events_, &out, 0) == pdTRUE) {
    if (out.attempt == wanted_.load()) return true;
  }
  return false;
}

// --- the task ---

void WebsocketLink::work(void* self) noexcept {
  while (true) static_cast<WebsocketLink*>(self)->turn();
}

void WebsocketLink::turn() noexcept {
  Order order;
  if (xQueueReceive(orders_, &order, pdMS_TO_TICKS(active_ ? kTurn : 50)) == pdTRUE) obey(order);
  if (!active_) return;
  if (attempt_ != wanted_.load()) {
    active_ = false;  // first: what the library says of the end is no news
    client_.disconnect();
    return;
  }
  client_.loop();
  if (active_ && client_.isIdle()) {
    active_ = false;
    tell(Event::What::kLost);
  }
}

void WebsocketLink::obey(const Order& order) noexcept {
  const bool current = order.attempt == wanted_.load();
  switch (order.what) {
    case Order::What::kConnect:
      if (!current) return;
      active_ = false;
      client_.disconnect();
      client_.begin(host_, port_);
      attempt_ = order.attempt;
      active_ = true;
      return;
    case Order::What::kPing:
      if (current && active_) client_.sendPing();
      return;
    case Order::What::kText:
      if (current && active_) client_.sendTXT(reinterpret_cast<const std::uint8_t*>(order.text.data()), order.size);
      return;
    case Order::What::kFrame:
      // Half a message can't be followed by another: the connection ends with it.
      if (current && active_ && !client_.sendBIN(sender_->room(), sender_->size(), true)) client_.disconnect();
      sender_->empty();
      return;
  }
}

void WebsocketLink::happened(WStype_t type, const std::uint8_t* bytes, std::size_t size) noexcept {
  if (!active_) return;
  switch (type) {
    case WStype_CONNECTED:
      return tell(Event::What::kOpened);
    case WStype_DISCONNECTED:
      active_ = false;
      return tell(Event::What::kLost);
    case WStype_PING:
    case WStype_PONG:
      return tell(Event::What::kAlive);
    case WStype_TEXT:
      return tell(Event::What::kText, {reinterpret_cast<const char*>(bytes), size});
    default:
      return;  // the server sends nothing in binary, and nothing in fragments
  }
}

void WebsocketLink::tell(Event::What what, std::string_view text) noexcept {
  Event event;
  if (text.size() > event.text.size()) return;  // more than the core would read
  event.what = what;
  event.attempt = attempt_;
  event.size = static_cast<std::uint16_t>(text.size());
  if (!text.empty()) std::memcpy(event.text.data(), text.data(), text.size());
  xQueueSend(events_, &event, pdMS_TO_TICKS(kPatience));
}

}  // namespace gk
