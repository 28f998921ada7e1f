#include "gk/command.hpp"

#include "gk/frame_header.hpp"

namespace gk {
namespace {

constexpr std::size_t kMostEchoed = 32;  // bytes of a command's name: the longest that there is has 12
constexpr int kBeyond = 1'000'000;       // a number of any length ends up here: out of every range

// A whole number as JSON writes them, from its first letter to its last.
std::optional<int> whole(std::string_view text) noexcept {
  const bool is_negative = !text.empty() && text.front() == '-';
  const std::string_view digits = is_negative ? std::string_view(text.data() + 1, text.size() - 1) : text;
  if (digits.empty() || (digits.front() == '0' && digits.size() > 1)) return std::nullopt;
  int value = 0;
  for (const char letter : digits) {
    if (letter < '0' || letter > '9') return std::nullopt;
    value = value < kBeyond / 10 ? value * 10 + (letter - '0') : kBeyond;
  }
  return is_negative ? -value : value;
}

std::optional<int> word(SettingRange::Unit unit, std::string_view value) noexcept {
  if (unit == SettingRange::Unit::kSwitch) {
    if (value == "true" || value == "on") return 1;
    if (value == "false" || value == "off") return 0;
  } else if (unit == SettingRange::Unit::kMode) {
    if (value == "speed" || value == "velocidad") return 0;
    if (value == "stability" || value == "estabilidad") return 1;
  }
  return std::nullopt;
}

std::optional<int> valueOf(const FlatJson::Member& val, SettingRange::Unit unit) noexcept {
  switch (val.kind) {
    case FlatJson::Kind::kNumber:
      return whole(val.value);
    case FlatJson::Kind::kString: {
      const auto found = word(unit, val.value);
      return found ? found : whole(val.value);
    }
    case FlatJson::Kind::kTrue:
    case FlatJson::Kind::kFalse:
      return unit == SettingRange::Unit::kSwitch ? word(unit, val.value) : std::nullopt;
    default:
      return std::nullopt;
  }
}

Refusal refuse(std::string_view cmd, const CommandId& id, std::string_view why) noexcept {
  Refusal refusal;
  if (cmd.size() <= kMostEchoed) refusal.cmd << cmd;
  refusal.id = id;
  refusal.why << why;
  return refusal;
}

Refusal refuse(std::string_view cmd, const CommandId& id, std::string_view why, Setting setting, int most) noexcept {
  Refusal refusal = refuse(cmd, id, why);
  refusal.why << "; allowed is ";
  refusal.why.number(rangeOf(setting).least) << " to ";
  refusal.why.number(most);
  if (rangeOf(setting).unit == SettingRange::Unit::kSwitch) refusal.why << ", on or off";
  if (rangeOf(setting).unit == SettingRange::Unit::kMode) refusal.why << ", speed or stability";
  return refusal;
}

Heard set(const FlatJson& text, std::string_view cmd, Setting setting, const CommandId& id, int most) noexcept {
  const FlatJson::Member* val = text.find("val");
  if (val == nullptr) return refuse(cmd, id, "there is no val", setting, most);
  const auto value = valueOf(*val, rangeOf(setting).unit);
  if (!value) return refuse(cmd, id, "val is no whole number", setting, most);
  if (*value < rangeOf(setting).least || *value > most) return refuse(cmd, id, "val is out of range", setting, most);
  return Command{Command::Order::kSet, setting, *value, id};
}

Heard command(const FlatJson& text, const Settings& settings) noexcept {
  const std::string_view cmd = text.string("cmd");
  CommandId id;
  if (const FlatJson::Member* given = text.find("id"); given != nullptr && given->kind != FlatJson::Kind::kNull) {
    if (given->kind != FlatJson::Kind::kString && given->kind != FlatJson::Kind::kNumber) {
      return refuse(cmd, {}, "id is neither text nor a number");
    }
    id << given->raw;
    if (id.overflowed()) return refuse(cmd, {}, "id is longer than 48 bytes");
  }
  if (cmd.empty()) return refuse(cmd, id, "there is no cmd");
  if (cmd == "stats") return Command{Command::Order::kStats, {}, 0, id};
  if (cmd == "reboot") return Command{Command::Order::kReboot, {}, 0, id};
  const auto setting = settingNamed(cmd);
  if (!setting) return refuse(cmd, id, "there is no such command");
  return set(text, cmd, *setting, id, settings.most(*setting));
}

}  // namespace

Heard hear(std::string_view text, const Settings& settings) noexcept {
  FlatJson json;
  if (!json.read(text)) return Garbled{};
  if (json.find("type") == nullptr) {
    if (json.string("status") != "ok") return Unheard{};
    return Registered{json.string("frames") == FrameHeader::kName};
  }
  if (json.string("type") == "command") return command(json, settings);
  return Unheard{};
}

}  // namespace gk
