#include "gk/board/console.hpp"

#include <Arduino.h>
#include <esp_system.h>

namespace gk::board {

namespace {

void say(std::string_view text) noexcept {
  Serial.write(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  Serial.write(reinterpret_cast<const std::uint8_t*>("\r\n"), 2);
}

}  // namespace

void Console::tick() noexcept {
  for (int waiting = Serial.available(); waiting > 0; --waiting) {
    if (const auto line = line_.take(static_cast<char>(Serial.read()))) obey(parseConsole(*line));
  }
}

void Console::obey(const ConsoleCommand& command) noexcept {
  switch (command.verb) {
    case ConsoleVerb::kNothing:
      return;
    case ConsoleVerb::kSet:
      return say(Store::put(command.entry, command.value) ? "stored, for the next start" : "the flash did not take it");
    case ConsoleVerb::kClear:
      return say(Store::clear(command.entry) ? "cleared, for the next start" : "the flash did not take it");
    case ConsoleVerb::kShow:
      return show();
    case ConsoleVerb::kReboot:
      esp_restart();
    case ConsoleVerb::kWrong:
      return say(command.error);
  }
}

void Console::show() noexcept {
  for (std::size_t i = 0; i < kStored; ++i) {
    const auto entry = static_cast<Stored>(i);
    const bool secret = ruleOf(entry).secret;
    Serial.printf("%s: %s\r\n", ruleOf(entry).name.data(),
                  !store_.has(entry) ? "not set"
                  : secret           ? "set"
                                     : store_.of(entry));
  }
}

}  // namespace gk::board
