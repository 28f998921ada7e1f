// Any bytes as a text for the push camera: what is read is within it, and what is written reads back.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gk/command.hpp"
#include "gk/json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  gk::FlatJson json;
  const bool is_read = json.read(text);
  if (is_read && size > gk::FlatJson::kMostBytes) std::abort();
  const std::string_view value = json.string("a");
  gk::JsonObject<8 * 512> object;
  gk::FlatJson again;
  if (is_read && value.size() < 400 && again.read(object.string("a", value).end()) && again.string("a") != value) {
    std::abort();
  }
  const gk::Settings settings;
  const gk::Heard heard = gk::hear(text, settings);
  if (const auto* command = std::get_if<gk::Command>(&heard); command && command->order == gk::Command::Order::kSet) {
    const gk::SettingRange& range = gk::rangeOf(command->setting);
    if (command->value < range.least || command->value > settings.most(command->setting)) std::abort();
  }
  if (!is_read && !std::holds_alternative<gk::Garbled>(heard)) std::abort();
  return 0;
}
