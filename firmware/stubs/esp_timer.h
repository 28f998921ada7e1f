#pragma once
#include <cstdint>

#include "esp_err.h"
extern "C" {
struct esp_timer;
typedef struct esp_timer* esp_timer_handle_t;
typedef void (*esp_timer_cb_t)(void*);
enum esp_timer_dispatch_t { ESP_TIMER_TASK, ESP_TIMER_ISR, ESP_TIMER_MAX };
struct esp_timer_create_args_t {
  esp_timer_cb_t callback;
  void* arg;
  esp_timer_dispatch_t dispatch_method;
  const char* name;
  bool skip_unhandled_events;
};
esp_err_t esp_timer_create(const esp_timer_create_args_t* what, esp_timer_handle_t* out);
esp_err_t esp_timer_start_once(esp_timer_handle_t timer, uint64_t us);
esp_err_t esp_timer_restart(esp_timer_handle_t timer, uint64_t us);
esp_err_t esp_timer_stop(esp_timer_handle_t timer);
int64_t esp_timer_get_time(void);
}
