#include "gk/push_camera.hpp"

#include "gk/crc32.hpp"
#include "gk/frame_header.hpp"
#include "gk/jpeg_info.hpp"
#include "gk/json.hpp"

namespace gk {
namespace {

constexpr std::array<Link, 2> kLinks{Link::kStream, Link::kControl};

}  // namespace

PushCamera::PushCamera(PushPort& port, const PushConfig& config) noexcept
    : port_(port), config_(config), settings_(config.largest_resolution), pacer_(settings_.of(Setting::kFps)) {
  pacer_.yielding(settings_.of(Setting::kMode) == 1);
}

// --- what happens ---

void PushCamera::network(bool is_up, Millis now) noexcept {
  for (const Link link : kLinks) {
    if (link == Link::kControl && !config_.has_control) continue;
    if (of(link).uplink.network(is_up, now) == Uplink::Step::kDrop) {
      forget(link);
      port_.drop(link);
    }
  }
}

void PushCamera::opened(Link link, Millis now) noexcept {
  if (!of(link).uplink.opened(now)) {
    port_.drop(link);
    return;
  }
  forget(link);
  say(link, registerText(config_.device).view());
}

void PushCamera::lost(Link link, Millis now) noexcept {
  forget(link);
  of(link).uplink.lost(now, port_.random());
}

void PushCamera::alive(Link link, Millis now) noexcept { of(link).uplink.heard(now); }

void PushCamera::text(Link link, std::string_view text, Millis now) noexcept {
  Side& side = of(link);
  if (!side.uplink.isOpen()) return;
  side.uplink.heard(now);
  const Heard heard = hear(text, settings_);
  if (const auto* registered = std::get_if<Registered>(&heard)) {
    if (link == Link::kStream) {
      if (!side.uplink.isInUse()) pacer_.restart(now);
      is_framed_ = registered->is_framed;
    }
    side.uplink.answered(now);
  } else if (!std::holds_alternative<Unheard>(heard)) {
    if (count_ == kMostWaiting) {
      ++side.untaken;
    } else {
      waiting_[count_++] = {link, heard};
    }
  }
}

void PushCamera::tick(Millis now, const Readings& readings) noexcept {
  if (is_busy_) return;
  is_busy_ = true;
  for (const Link link : kLinks) keep(link, now);
  answerAll(now, readings);
  greet(now, readings);
  is_busy_ = false;
  if (is_restarting_ && elapsed(now, restarting_) >= kRebootAfter) {
    restarting_ = now;  // asked again, should the board still be there
    port_.reboot();
  }
}

// --- its connections ---

void PushCamera::keep(Link link, Millis now) noexcept {
  Side& side = of(link);
  if (side.is_failing && side.uplink.isOpen()) {
    abandon(link, now);
    return;
  }
  const bool was_in_use = side.uplink.isInUse();
  switch (side.uplink.tick(now)) {
    case Uplink::Step::kConnect:
      port_.connect(link);
      return;
    case Uplink::Step::kPing:
      port_.ping(link);
      break;
    case Uplink::Step::kDrop:
      abandon(link, now);
      return;
    case Uplink::Step::kNone:
      break;
  }
  if (link == Link::kStream && side.uplink.isInUse() && !was_in_use) pacer_.restart(now);
}

void PushCamera::abandon(Link link, Millis now) noexcept {
  lost(link, now);
  port_.drop(link);
}

void PushCamera::forget(Link link) noexcept {
  of(link).is_greeted = false;
  of(link).is_failing = false;
  of(link).untaken = 0;
  if (link == Link::kStream) is_framed_ = false;
  std::size_t kept = 0;  // who asked is not there to be answered, and will ask again
  for (std::size_t i = 0; i < count_; ++i) {
    if (waiting_[i].link != link) waiting_[kept++] = waiting_[i];
  }
  count_ = kept;
}

void PushCamera::greet(Millis now, const Readings& readings) noexcept {
  const Link link = of(Link::kControl).uplink.isOpen() ? Link::kControl : Link::kStream;
  Side& side = of(link);
  if (!side.uplink.isOpen() || (side.is_greeted && elapsed(now, told_) < kHealthEvery)) return;
  if (!side.is_greeted) say(link, infoText(settings_).view());
  say(link, healthText(config_.device, readings, counts_, settings_).view());
  side.is_greeted = true;
  told_ = now;
}

// --- commands ---

void PushCamera::answerAll(Millis now, const Readings& readings) noexcept {
  // No more than are waiting now: whoever answers each answer with a command must not hold up the pictures.
  for (std::size_t left = count_; left > 0 && count_ > 0; --left) {
    const Waiting next = waiting_[0];  // a copy: the board may tell of more while this one is obeyed
    --count_;
    for (std::size_t i = 0; i < count_; ++i) waiting_[i] = waiting_[i + 1];
    if (const auto* command = std::get_if<Command>(&next.heard)) {
      obey(next.link, *command, now, readings);
    } else if (const auto* refusal = std::get_if<Refusal>(&next.heard)) {
      respond(next.link, refusal->cmd.view(), refusal->id, false, refusal->why.view());
    } else {
      tell(next.link, "not understood: allowed is one flat JSON object of at most 512 bytes and 16 members");
    }
  }
  for (const Link link : kLinks) {
    if (of(link).untaken == 0) continue;
    Text<64> words;
    words.number(of(link).untaken) << " commands were not taken: 8 are waiting already";
    of(link).untaken = 0;
    tell(link, words.view());
  }
}

void PushCamera::obey(Link link, const Command& command, Millis now, const Readings& readings) noexcept {
  if (is_restarting_) {
    respond(link, command.name(), command.id, false, "the camera is restarting");
    return;
  }
  switch (command.order) {
    case Command::Order::kStats:
      say(link, healthText(config_.device, readings, counts_, settings_).view());
      respond(link, command.name(), command.id, true, {});
      return;
    case Command::Order::kReboot:
      is_restarting_ = true;
      restarting_ = now;
      respond(link, command.name(), command.id, true, "reiniciando");
      tell(link, "Dispositivo reiniciando...");
      return;
    case Command::Order::kSet:
      if (set(command.setting, command.value)) {
        respond(link, command.name(), command.id, true, words(command.setting, now).view());
      } else {
        respond(link, command.name(), command.id, false, "the sensor refused it");
      }
  }
}

bool PushCamera::set(Setting setting, int value) noexcept {
  switch (setting) {
    case Setting::kFps:
      pacer_.aim(value);
      break;
    case Setting::kMode:
      pacer_.yielding(value == 1);
      break;
    default:
      if (!port_.apply(setting, value)) return false;
  }
  settings_.set(setting, value);
  return true;
}

Text<48> PushCamera::words(Setting setting, Millis now) const noexcept {
  const int value = settings_.of(setting);
  Text<48> words;
  if (setting == Setting::kMode) {
    words << modeWords(value);
  } else if (rangeOf(setting).unit == SettingRange::Unit::kSwitch) {
    words << (value == 1 ? "on" : "off");
  } else {
    words.number(value);
  }
  if (setting == Setting::kResolution) {
    words << " (";
    gk::tell(words, settings_.resolution());
    words << ")";
  } else if (setting == Setting::kFps) {
    const unsigned tenths = pacer_.measured(now);
    words << " (actual: ";
    words.number(tenths / 10) << ".";
    words.number(tenths % 10) << ")";
  }
  return words;
}

// --- what it says ---

void PushCamera::say(Link link, std::string_view text) noexcept {
  if (text.empty() || !of(link).uplink.isOpen()) return;
  if (!port_.text(link, text)) of(link).is_failing = true;
}

void PushCamera::respond(Link link, std::string_view cmd, const CommandId& id, bool is_ok,
                         std::string_view value) noexcept {
  JsonObject<768> object;
  object.string("type", "response").string("cmd", cmd).string("status", is_ok ? "ok" : "error");
  if (!value.empty()) object.string("value", value);
  if (!id.view().empty()) object.raw("id", id.view());
  say(link, object.end());
}

void PushCamera::tell(Link link, std::string_view words) noexcept {
  JsonObject<192> object;
  object.string("type", "status").string("msg", words);
  say(link, object.end());
}

// --- pictures ---

bool PushCamera::wantsPicture(Millis now) const noexcept {
  return !is_busy_ && !is_restarting_ && of(Link::kStream).uplink.isInUse() && pacer_.due(now);
}

bool PushCamera::picture(std::string_view jpeg, Taken taken, Millis now) noexcept {
  if (is_busy_ || is_restarting_ || !of(Link::kStream).uplink.isInUse()) return false;
  const std::uint32_t sequence = ++sequence_;  // of every picture: the server counts what is missing
  const auto info = JpegInfo::of(jpeg);
  bool is_sent = false;
  if (info) {
    const std::string_view payload(jpeg.data(), info->size);
    std::array<char, FrameHeader::kSize> header{};
    if (is_framed_) {
      header = FrameHeader{sequence,
                           taken.milliseconds,
                           taken.is_unix,
                           false,
                           info->width,
                           info->height,
                           static_cast<std::uint32_t>(info->size),
                           crc32(payload)}
                   .packed();
    }
    is_busy_ = true;
    is_sent = port_.frame({header.data(), is_framed_ ? header.size() : 0}, payload);
    is_busy_ = false;
  }
  if (is_sent) {
    ++counts_.frames;
    pacer_.sent(now);
  } else {
    ++counts_.dropped;
    pacer_.dropped(now);
  }
  return is_sent;
}

}  // namespace gk
