#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "sdkconfig.h"

class String;  // nothing here uses it

struct HardwareSerial {
  void begin(unsigned long baud);
  int available();
  int read();
  size_t write(const uint8_t* bytes, size_t count);
  size_t printf(const char* format, ...) __attribute__((format(printf, 2, 3)));
  size_t println(const char* text);
};
extern HardwareSerial Serial;

unsigned long millis();
void delay(uint32_t ms);
void yield();
bool psramFound();
void setup();
void loop();

size_t getArduinoLoopTaskStackSize();
#define SET_LOOP_TASK_STACK_SIZE(size) \
  size_t getArduinoLoopTaskStackSize() { return size; }

#define log_e(format, ...) ((void)sizeof(format))
#define log_w(format, ...) ((void)sizeof(format))
#define log_i(format, ...) ((void)sizeof(format))
