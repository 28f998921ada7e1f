// The push camera's core for tests in other languages. What it asks of its board is written down, one line each:
//
//   connect|drop|ping stream|control    text stream|control <JSON>    frame <header in hex, or -> <bytes of the JPEG>
//   apply <setting> <value>             reboot
#include <algorithm>
#include <cstring>
#include <string>
#include <variant>

#include "gk/backoff.hpp"
#include "gk/crc32.hpp"
#include "gk/frame_header.hpp"
#include "gk/jpeg_info.hpp"
#include "gk/json.hpp"
#include "gk/push_camera.hpp"

namespace {

class Board final : public gk::PushPort {
 public:
  bool takes_texts = true;
  bool takes_frames = true;
  bool takes_settings = true;
  std::uint32_t luck = 0;

  void connect(gk::Link link) noexcept override { line("connect " + name(link)); }
  void drop(gk::Link link) noexcept override { line("drop " + name(link)); }
  void ping(gk::Link link) noexcept override { line("ping " + name(link)); }
  bool text(gk::Link link, std::string_view text) noexcept override {
    line("text " + name(link) + " " + std::string(text));
    return takes_texts;
  }
  bool frame(std::string_view header, std::string_view jpeg) noexcept override {
    gk::Text<2 * gk::FrameHeader::kSize> hex;
    hex.hex(reinterpret_cast<const std::uint8_t*>(header.data()), header.size());
    line("frame " + (header.empty() ? "-" : std::string(hex.view())) + " " + std::to_string(jpeg.size()));
    return takes_frames;
  }
  bool apply(gk::Setting setting, int value) noexcept override {
    line("apply " + std::string(gk::rangeOf(setting).name) + " " + std::to_string(value));
    return takes_settings;
  }
  void reboot() noexcept override { line("reboot"); }
  std::uint32_t random() noexcept override { return luck; }

  std::string& lines() { return lines_; }

 private:
  static std::string name(gk::Link link) { return link == gk::Link::kStream ? "stream" : "control"; }
  void line(const std::string& text) { lines_ += text + "\n"; }

  std::string lines_;
};

struct Camera {
  std::string id, model, firmware, reset;
  Board board;
  gk::PushCamera camera;

  Camera(const char* the_id, const char* the_model, const char* the_firmware, const char* the_reset, int largest,
         bool has_control)
      : id(the_id),
        model(the_model),
        firmware(the_firmware),
        reset(the_reset),
        camera(board, {{id, model, firmware, reset}, largest, has_control}) {}
};

gk::Link linkOf(int link) { return link == 0 ? gk::Link::kStream : gk::Link::kControl; }

std::string toHex(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) {
    const auto value = static_cast<std::uint8_t>(byte);
    out += gk::Text<2>().hex(&value, 1).view();
  }
  return out;
}

std::size_t give(const std::string& text, char* out, std::size_t most) {
  std::memcpy(out, text.data(), std::min(text.size(), most));
  return text.size();
}

}  // namespace

extern "C" {

Camera* gk_push_camera_new(const char* id, const char* model, const char* firmware, const char* reset, int largest,
                           int has_control) {
  return new Camera(id, model, firmware, reset, largest, has_control != 0);
}
void gk_push_camera_free(Camera* camera) { delete camera; }

void gk_push_camera_mood(Camera* camera, int takes_texts, int takes_frames, int takes_settings, std::uint32_t luck) {
  camera->board.takes_texts = takes_texts != 0;
  camera->board.takes_frames = takes_frames != 0;
  camera->board.takes_settings = takes_settings != 0;
  camera->board.luck = luck;
}
// What it asked since the last time; the length, of which at most `most` bytes are copied and forgotten.
std::size_t gk_push_camera_asked(Camera* camera, char* out, std::size_t most) {
  std::string& lines = camera->board.lines();
  const std::size_t size = give(lines, out, most);
  lines.erase(0, std::min(size, most));
  return size;
}

void gk_push_camera_network(Camera* camera, int is_up, std::uint32_t now) { camera->camera.network(is_up != 0, now); }
void gk_push_camera_opened(Camera* camera, int link, std::uint32_t now) { camera->camera.opened(linkOf(link), now); }
void gk_push_camera_lost(Camera* camera, int link, std::uint32_t now) { camera->camera.lost(linkOf(link), now); }
void gk_push_camera_alive(Camera* camera, int link, std::uint32_t now) { camera->camera.alive(linkOf(link), now); }
void gk_push_camera_text(Camera* camera, int link, const char* text, std::size_t size, std::uint32_t now) {
  camera->camera.text(linkOf(link), {text, size}, now);
}
void gk_push_camera_tick(Camera* camera, std::uint32_t now, std::uint32_t heap, std::uint32_t min_heap,
                         std::uint32_t psram, int rssi, std::uint64_t uptime_ms, const char* ip) {
  camera->camera.tick(now, {heap, min_heap, psram, rssi, uptime_ms, ip});
}
int gk_push_camera_wants(Camera* camera, std::uint32_t now) { return camera->camera.wantsPicture(now) ? 1 : 0; }
int gk_push_camera_picture(Camera* camera, const char* jpeg, std::size_t size, std::uint64_t milliseconds, int is_unix,
                           std::uint32_t now) {
  return camera->camera.picture({jpeg, size}, {milliseconds, is_unix != 0}, now) ? 1 : 0;
}
int gk_push_camera_setting(Camera* camera, int setting) {
  return camera->camera.settings().of(static_cast<gk::Setting>(setting));
}
std::uint32_t gk_push_camera_frames(Camera* camera) { return camera->camera.counts().frames; }
std::uint32_t gk_push_camera_dropped(Camera* camera) { return camera->camera.counts().dropped; }
int gk_push_camera_state(Camera* camera, int link) { return static_cast<int>(camera->camera.state(linkOf(link))); }

// --- its parts ---

// `set <setting> <value> <id>`, `stats <id>`, `reboot <id>`, `refused <cmd in hex> <id>: <why>`, `registered framed`,
// `registered plain`, `unheard` or `garbled`; an id that is not there is `-`.
std::size_t gk_push_command_hear(const char* text, std::size_t size, int largest, char* out, std::size_t most) {
  const gk::Heard heard = gk::hear({text, size}, gk::Settings(largest));
  const auto id = [](const gk::CommandId& given) {
    return " " + (given.view().empty() ? "-" : std::string(given.view()));
  };
  std::string told;
  if (const auto* command = std::get_if<gk::Command>(&heard)) {
    const bool is_set = command->order == gk::Command::Order::kSet;
    told = (is_set ? "set " : "") + std::string(command->name()) +
           (is_set ? " " + std::to_string(command->value) : "") + id(command->id);
  } else if (const auto* refusal = std::get_if<gk::Refusal>(&heard)) {
    told = "refused " + toHex(refusal->cmd.view()) + id(refusal->id) + ": " + std::string(refusal->why.view());
  } else if (const auto* registered = std::get_if<gk::Registered>(&heard)) {
    told = registered->is_framed ? "registered framed" : "registered plain";
  } else {
    told = std::holds_alternative<gk::Garbled>(heard) ? "garbled" : "unheard";
  }
  return give(told, out, most);
}

// The string of a name, in hex, if the text is a flat object; else 0 bytes and `*is_read` 0.
std::size_t gk_push_json_string(const char* text, std::size_t size, const char* name, int* is_read, char* out,
                                std::size_t most) {
  gk::FlatJson json;
  *is_read = json.read({text, size}) ? 1 : 0;
  return give(toHex(json.string(name)), out, most);
}

std::uint32_t gk_push_crc32(const char* bytes, std::size_t size) { return gk::crc32({bytes, size}); }

void gk_push_frame_header(std::uint32_t sequence, std::uint64_t milliseconds, int is_unix, int is_snapshot,
                          std::uint16_t width, std::uint16_t height, std::uint32_t payload_size,
                          std::uint32_t payload_crc, char* out) {
  const gk::FrameHeader header{sequence, milliseconds, is_unix != 0, is_snapshot != 0,
                               width,    height,       payload_size, payload_crc};
  const auto packed = header.packed();
  std::memcpy(out, packed.data(), packed.size());
}

// The size of the picture from SOI to EOI; 0 if it is none.
std::size_t gk_push_jpeg_info(const char* jpeg, std::size_t size, int* width, int* height) {
  const auto info = gk::JpegInfo::of({jpeg, size});
  if (!info) return 0;
  *width = info->width;
  *height = info->height;
  return info->size;
}

std::size_t gk_push_uptime_text(std::uint64_t milliseconds, char* out, std::size_t most) {
  return give(std::string(gk::uptimeText(milliseconds).view()), out, most);
}

// The waits of so many failures in a row, each with its luck.
void gk_push_backoff_waits(std::uint32_t first, std::uint32_t most, const std::uint32_t* luck, std::size_t count,
                           std::uint32_t* waits) {
  gk::Backoff backoff(first, most);
  for (std::size_t i = 0; i < count; ++i) waits[i] = backoff.next(luck[i]);
}

}  // extern "C"
