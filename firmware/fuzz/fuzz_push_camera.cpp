// Any course of events: whatever the server, the network and the board do, the camera keeps its promises.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gk/json.hpp"
#include "gk/push_camera.hpp"

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

constexpr std::string_view kTexts[] = {
    R"({"status":"ok","frames":"gkf1"})",
    R"({"status":"ok"})",
    R"({"type":"command","cmd":"resolution","val":"5"})",
    R"({"type":"command","cmd":"fps","val":30,"id":1})",
    R"({"type":"command","cmd":"mode","val":"speed"})",
    R"({"type":"command","cmd":"stats"})",
    R"({"type":"command","cmd":"reboot"})",
    R"({"type":"command","cmd":"quality","val":99})",
    R"({"type":"img_ack"})",
    "{",
};

constexpr char kJpeg[] =
    "\xff\xd8\xff\xc0\0\x0b\x08\x01\xe0\x02\x80\x01\x01\x11\0\xff\xda\0\x08\x01\x01\0\0\x3f\0data\xff\xd9";

class Board final : public gk::PushPort {
 public:
  gk::PushCamera* camera = nullptr;
  std::uint8_t mood = 0;  // bits: refuses texts, refuses frames, refuses settings, tells events from within
  bool is_open[2] = {false, false};
  bool in_frame = false;
  gk::Millis now = 0;

  void connect(gk::Link link) noexcept override {
    must(!in_frame && !is_open[index(link)]);
    if ((mood & 8) != 0) camera->lost(link, now);
  }
  void drop(gk::Link link) noexcept override {
    is_open[index(link)] = false;
    if ((mood & 8) != 0) camera->lost(link, now);
  }
  void ping(gk::Link link) noexcept override { must(!in_frame && is_open[index(link)]); }
  bool text(gk::Link link, std::string_view text) noexcept override {
    must(!in_frame && is_open[index(link)]);
    must(!text.empty() && text.front() == '{' && text.back() == '}');
    must(text.size() > gk::FlatJson::kMostBytes || text.find('[') != std::string_view::npos ||
         gk::FlatJson().read(text));
    if ((mood & 8) != 0) camera->text(link, kTexts[5], now);
    return (mood & 1) == 0;
  }
  bool frame(std::string_view header, std::string_view jpeg) noexcept override {
    must(is_open[0] && (header.empty() || header.size() == 32) && jpeg.size() == sizeof(kJpeg) - 1);
    in_frame = true;
    if ((mood & 8) != 0) {
      camera->text(gk::Link::kStream, kTexts[2], now);
      camera->text(gk::Link::kStream, kTexts[7], now);
      camera->tick(now, {});
    }
    in_frame = false;
    return (mood & 2) == 0;
  }
  bool apply(gk::Setting setting, int value) noexcept override {
    must(!in_frame && value >= gk::rangeOf(setting).least && value <= gk::rangeOf(setting).most);
    return (mood & 4) == 0;
  }
  void reboot() noexcept override { must(!in_frame); }
  std::uint32_t random() noexcept override { return 0x9e3779b9U * ++drawn_; }

 private:
  static std::size_t index(gk::Link link) { return static_cast<std::size_t>(link); }
  std::uint32_t drawn_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 5) return 0;
  gk::PushConfig config;
  config.device = {"garden", "OV3660", "1.0", "POWERON"};
  config.has_control = (data[0] & 1) != 0;
  Board board;
  gk::PushCamera camera(board, config);
  board.camera = &camera;
  board.now = static_cast<gk::Millis>(data[1]) << 24 | static_cast<gk::Millis>(data[2]) << 16 | 0xff00;
  for (std::size_t at = 3; at + 1 < size; at += 2) {
    const unsigned argument = data[at + 1];
    const gk::Link link = (argument & 1) != 0 ? gk::Link::kControl : gk::Link::kStream;
    const auto side = static_cast<std::size_t>(link);
    switch (data[at] % 11) {
      case 0:
        camera.network((argument & 2) != 0, board.now);
        break;
      case 1:
        if (!board.is_open[side]) {
          board.is_open[side] = true;
          camera.opened(link, board.now);
        }
        break;
      case 2:
        board.is_open[side] = false;
        camera.lost(link, board.now);
        break;
      case 3:
        camera.text(link, kTexts[(argument >> 1) % (sizeof(kTexts) / sizeof(kTexts[0]))], board.now);
        break;
      case 4: {  // what is left of the data, as a text
        const std::string_view rest(reinterpret_cast<const char*>(data) + at + 2, size - at - 2);
        camera.text(link, {rest.data(), rest.size() < argument ? rest.size() : argument}, board.now);
        break;
      }
      case 5:
        camera.alive(link, board.now);
        break;
      case 6:
        board.now += argument;
        camera.tick(board.now, {});
        break;
      case 7:
        board.now += argument << (argument % 24);
        camera.tick(board.now, {});
        break;
      case 8:
        if (camera.wantsPicture(board.now)) camera.picture({kJpeg, sizeof(kJpeg) - 1}, {1, true}, board.now);
        must(!camera.wantsPicture(board.now) || camera.state(gk::Link::kStream) == gk::Uplink::State::kInUse);
        break;
      case 9:
        camera.picture({kJpeg, argument % sizeof(kJpeg)}, {1, false}, board.now);
        break;
      default:
        board.mood = static_cast<std::uint8_t>(argument);
    }
  }
  return 0;
}
