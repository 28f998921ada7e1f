#pragma once
#include <cstddef>
#include <cstdint>
extern "C" {
uint32_t esp_random(void);
void esp_fill_random(void* out, size_t count);
}
