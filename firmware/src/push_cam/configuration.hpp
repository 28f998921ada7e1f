// What the push camera is built with: pins, ports, sizes. Names and secrets are in secrets.h.
#pragma once
#include <cstddef>
#include <cstdint>

#include "gk/board/camera.hpp"
#include "gk/time.hpp"

namespace gk {

// An ESP32-S3 N16R8 with an OV3660, wired as the seed's. GPIO 33 to 37 are the PSRAM's.
constexpr board::CameraPins kPins = {
    .power_down = -1,
    .reset = -1,
    .clock = 15,
    .sda = 4,
    .scl = 5,
    .d7 = 16,
    .d6 = 17,
    .d5 = 18,
    .d4 = 12,
    .d3 = 10,
    .d2 = 8,
    .d1 = 9,
    .d0 = 11,
    .vsync = 6,
    .href = 7,
    .pixel_clock = 13,
};

constexpr std::uint16_t kControlPort = 6971;
constexpr std::uint16_t kStreamPort = 6972;

// Servers like the seed's know one connection, which carries everything: build with -DGK_ONE_SOCKET.
#ifdef GK_ONE_SOCKET
constexpr bool kTwoSockets = false;
#else
constexpr bool kTwoSockets = true;
#endif

// The driver's buffer of the largest size is 2048*1536/5 bytes; no picture is longer.
constexpr std::size_t kLargestPicture = 2'048 * 1'536 / 5;

constexpr Millis kWatchdog = 8'000;
constexpr std::uint32_t kMostMisses = 15;  // of up to 4 s each

}  // namespace gk
