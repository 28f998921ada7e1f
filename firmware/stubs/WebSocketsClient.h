#pragma once
#include "Arduino.h"

#define WEBSOCKETS_MAX_HEADER_SIZE (14)
enum WStype_t {
  WStype_ERROR,
  WStype_DISCONNECTED,
  WStype_CONNECTED,
  WStype_TEXT,
  WStype_BIN,
  WStype_FRAGMENT_TEXT_START,
  WStype_FRAGMENT_BIN_START,
  WStype_FRAGMENT,
  WStype_FRAGMENT_FIN,
  WStype_PING,
  WStype_PONG,
};

enum WSclientsStatus_t { WSC_NOT_CONNECTED, WSC_HEADER, WSC_BODY, WSC_CONNECTED };
struct WSclient_t {
  WSclientsStatus_t status;
};

class WebSocketsClient {
 public:
  typedef std::function<void(WStype_t, uint8_t*, size_t)> WebSocketClientEvent;
  void begin(const char* host, uint16_t port, const char* url = "/", const char* protocol = "arduino");
  void loop();
  void onEvent(WebSocketClientEvent callback);
  bool sendTXT(const uint8_t* text, size_t length = 0);
  bool sendTXT(const char* text, size_t length = 0);
  bool sendBIN(uint8_t* bytes, size_t length, bool header_in_front = false);
  bool sendBIN(const uint8_t* bytes, size_t length);
  void disconnect();
  void setExtraHeaders(const char* headers = nullptr);
  void setReconnectInterval(unsigned long ms);
  void enableHeartbeat(uint32_t interval, uint32_t patience, uint8_t misses);
  bool isConnected();
  bool sendPing(uint8_t* payload = nullptr, size_t length = 0);

 protected:
  WSclient_t _client;
};
