#pragma once
#include "Arduino.h"

enum wifi_mode_t { WIFI_MODE_NULL, WIFI_MODE_STA, WIFI_MODE_AP, WIFI_MODE_APSTA };
#define WIFI_STA WIFI_MODE_STA
// A quarter of a dBm each.
enum wifi_power_t { WIFI_POWER_19_5dBm = 78, WIFI_POWER_11dBm = 44 };
enum wl_status_t { WL_IDLE_STATUS = 0, WL_CONNECTED = 3, WL_DISCONNECTED = 6 };

enum arduino_event_id_t {
  ARDUINO_EVENT_NONE,
  ARDUINO_EVENT_WIFI_STA_START,
  ARDUINO_EVENT_WIFI_STA_STOP,
  ARDUINO_EVENT_WIFI_STA_CONNECTED,
  ARDUINO_EVENT_WIFI_STA_DISCONNECTED,
  ARDUINO_EVENT_WIFI_STA_GOT_IP,
  ARDUINO_EVENT_WIFI_STA_LOST_IP,
  ARDUINO_EVENT_MAX
};
struct wifi_event_sta_disconnected_t {
  uint8_t ssid[32];
  uint8_t ssid_len;
  uint8_t bssid[6];
  uint8_t reason;
  int8_t rssi;
};
union arduino_event_info_t {
  wifi_event_sta_disconnected_t wifi_sta_disconnected;
};
typedef size_t wifi_event_id_t;
typedef std::function<void(arduino_event_id_t, arduino_event_info_t)> WiFiEventFuncCb;

struct IPAddress {
  uint8_t operator[](int index) const;
};

struct WiFiClass {
  static bool mode(wifi_mode_t mode);
  static bool setHostname(const char* name);
  void persistent(bool on);
  bool setAutoReconnect(bool on);
  bool setSleep(bool on);
  bool setTxPower(wifi_power_t power);
  wl_status_t begin(const char* ssid, const char* password = nullptr, int32_t channel = 0,
                    const uint8_t* bssid = nullptr, bool connect = true);
  bool disconnect(bool off = false, bool erase = false, unsigned long timeout = 100);
  int8_t RSSI();
  IPAddress localIP();
  wifi_event_id_t onEvent(WiFiEventFuncCb callback, arduino_event_id_t event = ARDUINO_EVENT_MAX);
};
extern WiFiClass WiFi;
