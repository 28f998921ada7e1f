#pragma once
#include "freertos/FreeRTOS.h"
struct tskTaskControlBlock;
typedef struct tskTaskControlBlock* TaskHandle_t;
typedef void (*TaskFunction_t)(void*);
#define tskNO_AFFINITY ((BaseType_t)0x7fffffff)
#define tskIDLE_PRIORITY ((UBaseType_t)0U)
extern "C" {
BaseType_t xTaskCreatePinnedToCore(TaskFunction_t code, const char* name, uint32_t stack, void* argument,
                                   UBaseType_t priority, TaskHandle_t* out, BaseType_t core);
void vTaskDelay(TickType_t ticks);
}
