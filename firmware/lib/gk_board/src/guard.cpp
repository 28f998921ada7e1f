#include "gk/board/guard.hpp"

namespace gk::board {

bool Guard::begin(Millis limit, Drop drop) noexcept {
  limit_us_ = std::uint64_t{limit} * 1'000;
  drop_ = drop;
  esp_timer_create_args_t what{};
  what.callback = &Guard::expired;
  what.arg = this;
  what.dispatch_method = ESP_TIMER_TASK;
  what.name = "relay guard";
  return esp_timer_create(&what, &timer_) == ESP_OK;
}

void Guard::hold() noexcept {
  if (esp_timer_restart(timer_, limit_us_) == ESP_OK) return;
  // It wasn't running: this is the first time round since the relay was energised, or since it fired.
  if (esp_timer_start_once(timer_, limit_us_) != ESP_OK) expired(this);
}

// A timer that isn't running says so, which is no matter here.
void Guard::release() noexcept { esp_timer_stop(timer_); }

// The current first, the news second (I6): a loop that hangs reads no news.
void Guard::expired(void* self) noexcept {
  auto& guard = *static_cast<Guard*>(self);
  guard.drop_();
  guard.tripped_.store(true);
}

}  // namespace gk::board
