#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "gk/push_camera.hpp"

namespace {

using gk::Link;
using Lines = std::vector<std::string>;

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out.push_back(static_cast<char>(value));
  return out;
}

// A whole JPEG of 640x480.
const std::string kJpeg = bytes({0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0x01, 0xe0, 0x02, 0x80, 1, 1, 0x11, 0,
                                 0xff, 0xda, 0,    8,    1, 1,  0, 0,    63,   0,    1,    2, 3, 0xff, 0xd9});

const char* const kAnswer = R"({"status":"ok","message":"Camera registered","server_time":"x"})";
const char* const kOffer = R"({"status":"ok","message":"Camera registered","server_time":"x","frames":"gkf1"})";

// A board that writes down what it is asked; `during` happens within frame() and text().
struct Board final : gk::PushPort {
  Lines asked;
  bool takes_text = true;
  bool takes_frames = true;
  bool has_sensor = true;
  std::string header;
  std::string jpeg;
  std::function<void()> within_frame;
  std::function<void()> within_text;

  static std::string name(Link link) { return link == Link::kStream ? "stream" : "control"; }
  void connect(Link link) noexcept override { asked.push_back("connect " + name(link)); }
  void drop(Link link) noexcept override { asked.push_back("drop " + name(link)); }
  void ping(Link link) noexcept override { asked.push_back("ping " + name(link)); }
  bool text(Link link, std::string_view text) noexcept override {
    asked.push_back(name(link) + " " + std::string(text));
    if (within_text) within_text();
    return takes_text;
  }
  bool frame(std::string_view head, std::string_view picture) noexcept override {
    asked.push_back("frame");
    if (within_frame) within_frame();
    header = head;
    jpeg = picture;
    return takes_frames;
  }
  bool apply(gk::Setting setting, int value) noexcept override {
    asked.push_back("apply " + std::string(gk::rangeOf(setting).name) + " " + std::to_string(value));
    return has_sensor;
  }
  void reboot() noexcept override { asked.push_back("reboot"); }
  std::uint32_t random() noexcept override { return 0; }
  Lines take() {
    Lines taken;
    taken.swap(asked);
    return taken;
  }
};

struct Bench {
  Board board;
  gk::PushCamera camera;
  gk::Millis now;

  explicit Bench(bool has_control = false, gk::Millis start = 0, int largest = 12)
      : camera(board, config(has_control, largest)), now(start) {}
  static gk::PushConfig config(bool has_control, int largest) {
    gk::PushConfig config;
    config.device = {"garden", "OV3660", "1.0", "POWERON"};
    config.has_control = has_control;
    config.largest_resolution = largest;
    return config;
  }

  Lines tick(gk::Millis step = 0) {
    now += step;
    camera.tick(now, {});
    return board.take();
  }
  // Connected, registered and greeted.
  Bench& up(const char* answer = kAnswer) {
    camera.network(true, now);
    tick();
    open(Link::kStream, answer);
    if (camera.state(Link::kControl) != gk::Uplink::State::kOff) open(Link::kControl, answer);
    tick();
    return *this;
  }
  void open(Link link, const char* answer = kAnswer) {
    camera.opened(link, now);
    camera.text(link, answer, now);
    board.take();
  }
  Lines told(std::string_view text, Link link = Link::kStream) {
    camera.text(link, text, now);
    CHECK(board.asked.empty());
    return tick();
  }
  bool picture() { return camera.picture(kJpeg, {1'700'000'000'123, true}, now); }
};

std::string command(std::string_view cmd, std::string_view val) {
  return R"({"type":"command","cmd":")" + std::string(cmd) + R"(","val":")" + std::string(val) + R"("})";
}

std::string response(std::string_view cmd, std::string_view status, std::string_view value) {
  return R"(stream {"type":"response","cmd":")" + std::string(cmd) + R"(","status":")" + std::string(status) +
         R"(","value":")" + std::string(value) + R"("})";
}

bool begins(const std::string& text, std::string_view start) { return text.compare(0, start.size(), start) == 0; }

}  // namespace

TEST_CASE("without a network nothing is dialled") {
  Bench bench;
  CHECK(bench.tick(60'000).empty());
  CHECK_FALSE(bench.camera.wantsPicture(bench.now));
}

TEST_CASE("it dials, registers, says what it can and how it is, and every 10 s again how it is") {
  Bench bench;
  bench.camera.network(true, 0);
  CHECK(bench.tick() == Lines{"connect stream"});
  bench.camera.opened(Link::kStream, bench.now);
  CHECK(bench.board.take() == Lines{R"(stream {"type":"register","device":"camera","id":"garden","frames":["gkf1"]})"});
  const Lines greeting = bench.tick();
  REQUIRE(greeting.size() == 2);
  CHECK(begins(greeting[0], R"(stream {"type":"info","resolutions":"0:QQVGA)"));
  CHECK(begins(greeting[1], R"(stream {"type":"health","frames":0)"));
  bench.camera.alive(Link::kStream, bench.now);
  CHECK(bench.tick(9'999).empty());
  bench.camera.alive(Link::kStream, bench.now);
  const Lines later = bench.tick(1);
  REQUIRE(later.size() == 1);
  CHECK(begins(later[0], R"(stream {"type":"health")"));
}

TEST_CASE("with two connections both register, and the control one takes the telemetry while it is there") {
  Bench bench(true);
  bench.camera.network(true, 0);
  CHECK(bench.tick() == Lines{"connect stream", "connect control"});
  bench.open(Link::kStream);
  Lines said = bench.tick();
  REQUIRE(said.size() == 2);  // the stream alone is there: so it goes there
  CHECK(begins(said[1], "stream {\"type\":\"health\""));
  bench.open(Link::kControl);
  said = bench.tick();
  REQUIRE(said.size() == 2);
  CHECK(begins(said[0], "control {\"type\":\"info\""));
  CHECK(begins(said[1], "control {\"type\":\"health\""));
  bench.camera.lost(Link::kControl, bench.now);
  CHECK(bench.tick().empty());  // the stream was told already
  bench.camera.alive(Link::kStream, bench.now + 10'000);
  said = bench.tick(10'000);
  REQUIRE(said.size() == 2);
  CHECK(begins(said[0], "connect control"));
  CHECK(begins(said[1], "stream {\"type\":\"health\""));
}

TEST_CASE("pictures go whole until the server offers the header, and whole again on the next connection") {
  Bench bench;
  bench.up();
  REQUIRE(bench.camera.wantsPicture(bench.now));
  CHECK(bench.picture());
  CHECK(bench.board.header.empty());
  CHECK(bench.board.jpeg == kJpeg);
  bench.camera.text(Link::kStream, kOffer, bench.now);
  CHECK(bench.picture());
  CHECK(bench.board.header.size() == 32);
  CHECK(bench.board.header.substr(0, 4) == "GKF1");
  CHECK(bench.board.header.substr(8, 4) == std::string("\0\0\0\2", 4));
  CHECK(bench.board.header.substr(20, 4) == std::string("\x02\x80\x01\xe0", 4));
  bench.camera.lost(Link::kStream, bench.now);
  bench.tick(1'000);
  bench.camera.opened(Link::kStream, bench.now);
  bench.tick(2'000);
  CHECK(bench.picture());
  CHECK(bench.board.header.empty());  // nor is an old offer good for a server that says nothing
}

TEST_CASE("what the control connection is offered says nothing about the stream") {
  Bench bench(true);
  bench.camera.network(true, 0);
  bench.tick();
  bench.open(Link::kControl, kOffer);
  CHECK_FALSE(bench.camera.isFramed());
  CHECK_FALSE(bench.camera.wantsPicture(bench.now));
  bench.open(Link::kStream);
  CHECK_FALSE(bench.camera.isFramed());
  bench.camera.lost(Link::kControl, bench.now);
  bench.camera.text(Link::kStream, kOffer, bench.now);
  CHECK(bench.camera.isFramed());
}

TEST_CASE("pictures wait for the answer to register, at most 2 s") {
  Bench bench;
  bench.camera.network(true, 0);
  bench.tick();
  bench.camera.opened(Link::kStream, bench.now);
  bench.tick(1'999);
  CHECK_FALSE(bench.camera.wantsPicture(bench.now));
  CHECK_FALSE(bench.picture());
  CHECK(bench.camera.counts().dropped == 0);
  bench.tick(1);
  CHECK(bench.camera.wantsPicture(bench.now));
}

TEST_CASE("padding behind the picture stays at home, and what is no picture does, counted and numbered") {
  Bench bench;
  bench.up(kOffer);
  CHECK(bench.camera.picture(kJpeg + std::string(64, '\0'), {}, bench.now));
  CHECK(bench.board.jpeg == kJpeg);
  CHECK_FALSE(bench.camera.picture(kJpeg.substr(0, 20), {}, bench.now));
  CHECK_FALSE(bench.camera.picture("", {}, bench.now));
  CHECK(bench.camera.counts().frames == 1);
  CHECK(bench.camera.counts().dropped == 2);
  CHECK(bench.picture());
  CHECK(bench.board.header.substr(8, 4) == std::string("\0\0\0\4", 4));
}

TEST_CASE("a picture that finds the one before on its way is dropped and counted, and stability yields") {
  Bench bench;
  bench.up(kOffer);
  bench.board.takes_frames = false;
  CHECK_FALSE(bench.picture());
  CHECK(bench.camera.counts().dropped == 1);
  CHECK_FALSE(bench.camera.wantsPicture(bench.now + 99));
  CHECK(bench.camera.wantsPicture(bench.now + 100));
  bench.board.take();
  bench.told(command("mode", "speed"));
  CHECK(bench.camera.wantsPicture(bench.now + 50));
}

TEST_CASE("nothing is obeyed or answered while a picture is on its way, and all of it in the next tick") {
  Bench bench;
  bench.up(kOffer);
  bench.board.take();
  bench.board.within_frame = [&bench] {
    bench.camera.text(Link::kStream, command("resolution", "5"), bench.now);
    bench.camera.text(Link::kStream, command("resolution", "99"), bench.now);
    bench.camera.text(Link::kStream, "rubbish", bench.now);
    bench.camera.tick(bench.now, {});
    CHECK_FALSE(bench.camera.wantsPicture(bench.now));
    CHECK_FALSE(bench.camera.picture(kJpeg, {}, bench.now));
  };
  CHECK(bench.picture());
  CHECK(bench.board.take() == Lines{"frame"});
  CHECK(bench.tick() ==
        Lines{"apply resolution 5", response("resolution", "ok", "5 (VGA (640x480))"),
              response("resolution", "error", "val is out of range; allowed is 0 to 12"),
              R"(stream {"type":"status","msg":"not understood: allowed is one flat JSON object of at most 512 bytes )"
              R"(and 16 members"})"});
}

TEST_CASE("each setting is applied and told as the seed's firmware tells it") {
  Bench bench;
  bench.up();
  CHECK(bench.told(command("resolution", "8")) ==
        Lines{"apply resolution 8", response("resolution", "ok", "8 (HD (1280x720))")});
  CHECK(bench.told(command("quality", "0")) == Lines{"apply quality 0", response("quality", "ok", "0")});
  CHECK(bench.told(command("brightness", "-2")) == Lines{"apply brightness -2", response("brightness", "ok", "-2")});
  CHECK(bench.told(command("vflip", "true")) == Lines{"apply vflip 1", response("vflip", "ok", "on")});
  CHECK(bench.told(command("gain", "0")) == Lines{"apply gain 0", response("gain", "ok", "off")});
  CHECK(bench.told(command("mode", "0")) == Lines{response("mode", "ok", "Velocidad")});
  CHECK(bench.told(command("mode", "stability")) == Lines{response("mode", "ok", "Estabilidad")});
  CHECK(bench.told(command("fps", "15")) == Lines{response("fps", "ok", "15 (actual: 0.0)")});
  CHECK(bench.camera.settings().of(gk::Setting::kFps) == 15);
  CHECK(bench.camera.settings().of(gk::Setting::kBrightness) == -2);
  CHECK(bench.told(command("resolution", "8")).size() == 2);  // to set it again is no error
}

TEST_CASE("fps is obeyed by the pace, and its answer tells what went out") {
  Bench bench;
  bench.up();
  bench.told(command("fps", "10"));
  bench.camera.picture(kJpeg, {}, bench.now);
  int count = 0;
  for (int i = 0; i < 2'000; ++i) {
    ++bench.now;
    if (!bench.camera.wantsPicture(bench.now)) continue;
    bench.picture();
    ++count;
  }
  CHECK(count == 20);
  bench.board.take();
  CHECK(bench.told(command("fps", "30")) == Lines{response("fps", "ok", "30 (actual: 10.0)")});
}

TEST_CASE("what the sensor refuses is an error, and stays as it was") {
  Bench bench;
  bench.up();
  bench.board.has_sensor = false;
  CHECK(bench.told(command("quality", "5")) ==
        Lines{"apply quality 5", response("quality", "error", "the sensor refused it")});
  CHECK(bench.camera.settings().of(gk::Setting::kQuality) == 15);
  CHECK(bench.told(command("fps", "5")) == Lines{response("fps", "ok", "5 (actual: 0.0)")});
}

TEST_CASE("a command is answered where it came from, with its id, in the order that they came") {
  Bench bench(true);
  bench.up();
  bench.camera.text(Link::kControl, R"({"type":"command","cmd":"fps","val":5,"id":7})", bench.now);
  bench.camera.text(Link::kStream, R"({"type":"command","cmd":"stats","id":"a"})", bench.now);
  bench.camera.text(Link::kControl, R"({"type":"command","cmd":"a\"b","val":5,"id":8})", bench.now);
  const Lines said = bench.tick();
  REQUIRE(said.size() == 4);
  CHECK(said[0] == R"~(control {"type":"response","cmd":"fps","status":"ok","value":"5 (actual: 0.0)","id":7})~");
  CHECK(begins(said[1], R"(stream {"type":"health")"));
  CHECK(said[2] == R"(stream {"type":"response","cmd":"stats","status":"ok","id":"a"})");
  CHECK(said[3] ==
        R"(control {"type":"response","cmd":"a\"b","status":"error","value":"there is no such command","id":8})");
}

TEST_CASE("commands of a connection that is gone are not obeyed") {
  Bench bench(true);
  bench.up();
  bench.camera.text(Link::kStream, command("reboot", ""), bench.now);
  bench.camera.text(Link::kControl, command("quality", "5"), bench.now);
  bench.camera.lost(Link::kStream, bench.now);
  const Lines said = bench.tick();
  REQUIRE(said.size() == 2);
  CHECK(said[0] == "apply quality 5");
  CHECK(bench.tick(500).empty());
}

TEST_CASE("eight texts wait, and how many did not is told") {
  Bench bench;
  bench.up();
  for (int i = 0; i < 11; ++i) bench.camera.text(Link::kStream, command("quality", "5"), bench.now);
  const Lines said = bench.tick();
  REQUIRE(said.size() == 17);
  CHECK(said[16] == R"(stream {"type":"status","msg":"3 commands were not taken: 8 are waiting already"})");
  CHECK(bench.tick().empty());
}

TEST_CASE("a server that answers each answer with a command doesn't hold up the tick") {
  Bench bench;
  bench.up();
  bench.board.within_text = [&bench] { bench.camera.text(Link::kStream, command("quality", "5"), bench.now); };
  bench.camera.text(Link::kStream, command("quality", "5"), bench.now);
  CHECK(bench.tick().size() == 2);
}

TEST_CASE("it restarts a second after the order, and does nothing else any more") {
  Bench bench;
  bench.up();
  bench.camera.text(Link::kStream, command("reboot", ""), bench.now);
  bench.camera.text(Link::kStream, command("quality", "5"), bench.now);
  CHECK(bench.tick() == Lines{response("reboot", "ok", "reiniciando"),
                              R"(stream {"type":"status","msg":"Dispositivo reiniciando..."})",
                              response("quality", "error", "the camera is restarting")});
  CHECK_FALSE(bench.camera.wantsPicture(bench.now));
  CHECK_FALSE(bench.picture());
  CHECK(bench.tick(999).empty());
  CHECK(bench.tick(1) == Lines{"reboot"});
  CHECK(bench.tick(1).empty());
}

TEST_CASE("the restart survives the loss of the connection") {
  Bench bench;
  bench.up();
  bench.told(command("reboot", ""));
  bench.camera.lost(Link::kStream, bench.now);
  const Lines asked = bench.tick(1'000);
  CHECK(asked.back() == "reboot");
}

TEST_CASE("a text that can't be sent ends the connection, and it dials again") {
  Bench bench;
  bench.up();
  bench.board.takes_text = false;
  bench.told(command("fps", "5"));
  CHECK(bench.tick() == Lines{"drop stream"});
  CHECK(bench.tick(999).empty());
  CHECK(bench.tick(1) == Lines{"connect stream"});
}

TEST_CASE("a connection that is silent is asked and then dropped, across the wrap of the clock") {
  for (const gk::Millis start : {0U, 0xffffffffU - 15'000U}) {
    Bench bench(false, start);
    bench.up();
    CHECK(bench.tick(9'999).empty());
    const Lines asked = bench.tick(1);
    REQUIRE(asked.size() == 2);
    CHECK(asked[0] == "ping stream");
    CHECK(bench.tick(9'999).empty());
    CHECK(bench.tick(1) == Lines{"drop stream"});
    CHECK(bench.tick(1'000) == Lines{"connect stream"});
  }
}

TEST_CASE("a connection that nobody asked for is dropped, and what it says isn't heard") {
  Bench bench;
  bench.camera.opened(Link::kControl, bench.now);
  CHECK(bench.board.take() == Lines{"drop control"});
  bench.camera.text(Link::kControl, command("reboot", ""), bench.now);
  CHECK(bench.tick(5'000).empty());
  bench.up();
  bench.camera.opened(Link::kStream, bench.now);
  CHECK(bench.board.take() == Lines{"drop stream"});
}

TEST_CASE("when the network goes its connections are dropped, and dialled when it is back") {
  Bench bench(true);
  bench.up();
  bench.camera.network(false, bench.now);
  CHECK(bench.board.take() == Lines{"drop stream", "drop control"});
  CHECK(bench.tick(60'000).empty());
  bench.camera.network(true, bench.now);
  CHECK(bench.tick() == Lines{"connect stream", "connect control"});
}

TEST_CASE("texts that are not for the camera are not answered") {
  Bench bench;
  bench.up();
  CHECK(bench.told(R"({"type":"img_ack","status":"ready","timestamp":1700000000.0})").empty());
  CHECK(bench.told(R"({"status":"error"})").empty());
}

TEST_CASE("a smaller sensor says so, and takes no more") {
  Bench bench(false, 0, 10);
  bench.up();
  CHECK(bench.told(command("resolution", "11")) ==
        Lines{response("resolution", "error", "val is out of range; allowed is 0 to 10")});
}
