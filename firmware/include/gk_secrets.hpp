// What a build is given of secrets, and the check that it was given any.
#pragma once

#if __has_include("secrets.h")
#include "secrets.h"
#else
#error "firmware/include/secrets.h is missing: copy secrets.h.example to secrets.h and fill it in"
#endif

#if !defined(GK_WIFI_SSID) || !defined(GK_WIFI_PASSWORD) || !defined(GK_WIFI_SSID_2) ||                               \
    !defined(GK_WIFI_PASSWORD_2) || !defined(GK_LOCK_KEY) || !defined(GK_CAMERA_TOKEN) || !defined(GK_SERVER_HOST) || \
    !defined(GK_CAMERA_ID)
#error "firmware/include/secrets.h lacks a line that secrets.h.example has"
#endif

#include "gk/console.hpp"

namespace gk {

constexpr bool isEmptyOr(Stored entry, std::string_view value) { return value.empty() || fits(entry, value); }

static_assert(isEmptyOr(Stored::kSsid, GK_WIFI_SSID), "GK_WIFI_SSID: 1 to 32 letters, or none");
static_assert(isEmptyOr(Stored::kPassword, GK_WIFI_PASSWORD), "GK_WIFI_PASSWORD: 8 to 63 letters, or none");
static_assert(isEmptyOr(Stored::kSsid2, GK_WIFI_SSID_2), "GK_WIFI_SSID_2: 1 to 32 letters, or none");
static_assert(isEmptyOr(Stored::kPassword2, GK_WIFI_PASSWORD_2), "GK_WIFI_PASSWORD_2: 8 to 63 letters, or none");
static_assert(isEmptyOr(Stored::kKey, GK_LOCK_KEY), "GK_LOCK_KEY: 64 hexadecimal digits, or none");
static_assert(isEmptyOr(Stored::kToken, GK_CAMERA_TOKEN), "GK_CAMERA_TOKEN: 16 to 128 letters, or none");
static_assert(isEmptyOr(Stored::kHost, GK_SERVER_HOST), "GK_SERVER_HOST: 1 to 63 letters, or none");
static_assert(isEmptyOr(Stored::kCamera, GK_CAMERA_ID), "GK_CAMERA_ID: 1 to 32 letters, or none");

// In the order of Stored.
constexpr std::array<const char*, kStored> kBuiltIn = {GK_WIFI_SSID,       GK_WIFI_PASSWORD, GK_WIFI_SSID_2,
                                                       GK_WIFI_PASSWORD_2, GK_LOCK_KEY,      GK_CAMERA_TOKEN,
                                                       GK_SERVER_HOST,     GK_CAMERA_ID};

}  // namespace gk
