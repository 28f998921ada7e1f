#include "gk/health.hpp"

#include "gk/frame_header.hpp"
#include "gk/json.hpp"

namespace gk {

Text<32> uptimeText(std::uint64_t milliseconds) noexcept {
  const std::uint64_t seconds = milliseconds / 1'000;
  Text<32> text;
  text.number(seconds / 3'600) << "h ";
  text.number(seconds / 60 % 60) << "m ";
  text.number(seconds % 60) << "s";
  return text;
}

HealthText healthText(const Device& device, const Readings& readings, const Counts& counts,
                      const Settings& settings) noexcept {
  Text<32> resolution;
  tell(resolution, settings.resolution());
  JsonObject<640> object;
  object.string("type", "health")
      .number("frames", counts.frames)
      .number("dropped", counts.dropped)
      .number("heap", readings.heap)
      .number("minHeap", readings.min_heap)
      .number("psram", readings.psram)
      .number("rssi", readings.rssi)
      .string("uptime", uptimeText(readings.uptime_ms).view())
      .string("ip", readings.ip)
      .string("model", device.model)
      .string("resolution", resolution.view())
      .number("quality", settings.of(Setting::kQuality))
      .string("reset", device.reset)
      .string("firmware", device.firmware);
  return HealthText(object.end());
}

InfoText infoText(const Settings& settings) noexcept {
  Text<400> known;
  for (int i = 0; i <= settings.most(Setting::kResolution); ++i) {
    const Resolution& one = kResolutions[static_cast<std::size_t>(i)];
    known << (i > 0 ? "," : "");
    (known.number(i) << ":" << one.name << "(").number(one.width) << "x";
    known.number(one.height) << ")";
  }
  JsonObject<512> object;
  object.string("type", "info")
      .string("resolutions", known.view())
      .string("mode", modeWords(settings.of(Setting::kMode)))
      .number("fps", settings.of(Setting::kFps));
  return InfoText(object.end());
}

RegisterText registerText(const Device& device) noexcept {
  JsonObject<256> object;
  object.string("type", "register").string("device", "camera");
  if (!device.id.empty()) object.string("id", device.id);
  Text<16> frames;
  frames << "[\"" << FrameHeader::kName << "\"]";
  object.raw("frames", frames.view());
  return RegisterText(object.end());
}

}  // namespace gk
