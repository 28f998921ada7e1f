#include "gk/console.hpp"

namespace gk {

namespace {

// The first word, taken off the text together with one blank behind it.
std::string_view word(std::string_view& text) noexcept {
  std::size_t size = 0;
  while (size < text.size() && text[size] != ' ') ++size;
  const std::string_view first(text.data(), size);
  text.remove_prefix(size < text.size() ? size + 1 : size);
  return first;
}

ConsoleCommand wrong(std::string_view error) noexcept {
  ConsoleCommand command;
  command.verb = ConsoleVerb::kWrong;
  command.error = error;
  return command;
}

ConsoleCommand just(ConsoleVerb verb) noexcept {
  ConsoleCommand command;
  command.verb = verb;
  return command;
}

}  // namespace

ConsoleCommand parseConsole(std::string_view line) noexcept {
  if (word(line) != "gk") return {};
  const std::string_view verb = word(line);
  if (verb == "show" && line.empty()) return just(ConsoleVerb::kShow);
  if (verb == "reboot" && line.empty()) return just(ConsoleVerb::kReboot);
  const bool set = verb == "set";
  if (!set && verb != "clear") return wrong("say gk set <name> <value>, gk clear <name>, gk show or gk reboot");
  const std::string_view name = word(line);
  for (std::size_t i = 0; i < kStored; ++i) {
    if (kStoredRules[i].name != name) continue;
    ConsoleCommand command;
    command.verb = set ? ConsoleVerb::kSet : ConsoleVerb::kClear;
    command.entry = static_cast<Stored>(i);
    if (!set) return line.empty() ? command : wrong("gk clear takes a name and no value");
    if (!fits(command.entry, line)) return wrong(kStoredRules[i].allowed);
    command.value = line;
    return command;
  }
  return wrong("the names are ssid, password, ssid2, password2, key, token, host and camera");
}

std::optional<std::string_view> ConsoleLine::take(char byte) noexcept {
  if (ended_) {
    ended_ = false;
    size_ = 0;
  }
  if (byte == '\n' || byte == '\r') {
    const bool whole = !overflowed_ && size_ > 0;
    overflowed_ = false;
    ended_ = true;
    if (whole) return std::string_view(bytes_.data(), size_);
    return std::nullopt;
  }
  if (size_ == bytes_.size()) {
    overflowed_ = true;
  } else {
    bytes_[size_++] = byte;
  }
  return std::nullopt;
}

}  // namespace gk
