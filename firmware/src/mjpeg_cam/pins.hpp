// The AI-Thinker ESP32-CAM.
#pragma once
#include "gk/board/camera.hpp"

namespace gk {

constexpr board::CameraPins kPins = {
    .power_down = 32,
    .reset = -1,
    .clock = 0,
    .sda = 26,
    .scl = 27,
    .d7 = 35,
    .d6 = 34,
    .d5 = 39,
    .d4 = 36,
    .d3 = 21,
    .d2 = 19,
    .d1 = 18,
    .d0 = 5,
    .vsync = 25,
    .href = 23,
    .pixel_clock = 22,
};

}  // namespace gk
