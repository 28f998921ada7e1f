#pragma once
#include "Arduino.h"

class Preferences {
 public:
  bool begin(const char* space, bool read_only = false);
  void end();
  bool isKey(const char* key);
  bool remove(const char* key);
  bool clear();
  size_t getString(const char* key, char* out, size_t most);
  size_t putString(const char* key, const char* value);
};
