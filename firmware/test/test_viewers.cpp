#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gk/viewers.hpp"

namespace {

using gk::Ending;
using Put = gk::FrameStore::Put;

constexpr std::size_t kEndless = std::numeric_limits<std::size_t>::max();
constexpr gk::Millis kStarts[] = {0, 0xffffffff - 3'000};  // the second wraps on the way

struct Socket {
  std::size_t room = kEndless;  // bytes that it still takes
  std::size_t most = kEndless;  // at once
  bool broken = false;
  std::string received;
  std::optional<Ending> closed;
};

// A camera with `slots` slots of memory and a socket for each viewer.
class Camera final : public gk::ViewerPort {
 public:
  std::array<Socket, gk::Viewers::kPlaces> sockets;
  gk::Millis now;
  gk::FrameStore store;
  gk::Viewers viewers;
  std::vector<std::string> shown;  // every picture that was taken in

  explicit Camera(std::size_t slots, gk::Millis start = 0, std::string_view token = "", std::size_t capacity = 4'096)
      : now(start), viewers(store, *this, config(token)), memory_(slots, std::vector<std::uint8_t>(capacity)) {
    for (auto& slot : memory_) store.add(slot.data(), slot.size());
  }

  int write(gk::ViewerId viewer, std::string_view bytes) noexcept override {
    Socket& socket = sockets[viewer];
    if (socket.broken) return -1;
    const std::size_t count = std::min({bytes.size(), socket.room, socket.most});
    socket.received += bytes.substr(0, count);
    if (socket.room != kEndless) socket.room -= count;
    ++writes;
    return static_cast<int>(count);
  }

  void close(gk::ViewerId viewer, Ending why) noexcept override {
    CHECK_FALSE(sockets[viewer].closed.has_value());
    sockets[viewer].closed = why;
  }

  gk::CamReadings readings() noexcept override {
    gk::CamReadings readings;
    readings.uptime = std::uint64_t{1} << 40;
    readings.rssi = -61;
    readings.reset = "POWER\"ON";
    readings.version = "1.2.3";
    return readings;
  }

  std::optional<gk::ViewerId> ask(std::string_view target, std::string_view authorization = "") {
    const auto id = viewers.request({"GET", target, authorization}, now);
    if (id) sockets[*id] = Socket{};
    return id;
  }
  gk::ViewerId stream() {
    const auto id = ask("/stream");
    REQUIRE(id.has_value());
    return *id;
  }

  Put picture(std::size_t size = 1'000) {
    std::string jpeg(size, static_cast<char>('a' + shown.size() % 26));
    jpeg[0] = '\xff';
    jpeg[1] = '\xd8';
    jpeg[size - 2] = '\xff';
    jpeg[size - 1] = '\xd9';
    jpeg.replace(2, std::to_string(shown.size()).size(), std::to_string(shown.size()));
    const Put put = viewers.picture(reinterpret_cast<const std::uint8_t*>(jpeg.data()), size, now, now);
    if (put == Put::kStored) shown.push_back(jpeg);
    return put;
  }

  void pass(gk::Millis time, gk::Millis step = 50) {
    for (gk::Millis passed = 0; passed < time; passed += step) {
      now += step;
      viewers.pump(now);
    }
  }

  // The places in `shown` of the pictures that a viewer got whole.
  std::vector<std::size_t> got(gk::ViewerId viewer) const {
    std::vector<std::size_t> places;
    const std::string& body = sockets[viewer].received;
    for (std::size_t at = body.find("\xff\xd8"); at != std::string::npos; at = body.find("\xff\xd8", at + 2)) {
      const auto place = std::find_if(shown.begin(), shown.end(), [&](const std::string& jpeg) {
        return body.compare(at, jpeg.size(), jpeg) == 0;
      });
      if (place != shown.end()) places.push_back(static_cast<std::size_t>(place - shown.begin()));
    }
    return places;
  }

  std::size_t writes = 0;

 private:
  static gk::ViewersConfig config(std::string_view token) {
    gk::ViewersConfig config;
    config.token = token;
    return config;
  }

  std::vector<std::vector<std::uint8_t>> memory_;
};

using Places = std::vector<std::size_t>;

}  // namespace

TEST_CASE("a viewer gets the head, then picture after picture with their lengths") {
  Camera camera(3);
  const auto id = camera.stream();
  camera.viewers.pump(0);
  CHECK(camera.sockets[id].received.substr(0, 15) == "HTTP/1.1 200 OK");
  camera.sockets[id].received.clear();
  camera.picture();
  camera.viewers.pump(0);
  camera.picture();
  camera.viewers.pump(0);
  const std::string head = "\r\nContent-Type: image/jpeg\r\nContent-Length: 1000\r\nX-Timestamp: 0.000\r\n\r\n";
  CHECK(camera.sockets[id].received == head + camera.shown[0] + "\r\n--frame" + head + camera.shown[1] + "\r\n--frame");
}

TEST_CASE("each viewer finishes its picture and goes on with the newest") {
  Camera camera(4);
  const auto fast = camera.stream();
  const auto slow = camera.stream();
  const auto slower = camera.stream();
  camera.viewers.pump(0);
  for (int round = 0; round < 40; ++round) {
    camera.sockets[slow].room = 500;
    camera.sockets[slower].room = 130;
    CHECK(camera.picture() == Put::kStored);
    camera.pass(80, 40);
  }
  CHECK(camera.got(fast).size() == 40);
  const Places seen = camera.got(slow);
  CHECK(seen.size() >= 15);
  CHECK(seen.size() <= 20);
  CHECK(seen[1] - seen[0] >= 2);
  CHECK(std::is_sorted(seen.begin(), seen.end()));
  CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
  CHECK(camera.got(slower).size() >= 3);
  CHECK(camera.got(slower).back() >= 20);
  CHECK(camera.viewers.cut() == 0);
}

TEST_CASE("one that takes nothing is cut after five seconds and no earlier, and the others miss nothing") {
  for (const gk::Millis start : kStarts) {
    Camera camera(5, start);
    std::array<gk::ViewerId, 4> ids{};
    for (auto& id : ids) id = camera.stream();
    const auto stalled = ids[1];
    camera.sockets[stalled].room = 700;
    for (int round = 0; round < 125; ++round) {  // ten seconds
      CHECK(camera.picture() == Put::kStored);
      camera.pass(80, 40);
      CHECK(camera.sockets[stalled].closed.has_value() == (round >= 62));
    }
    CHECK(camera.sockets[stalled].closed == Ending::kStalled);
    CHECK(camera.viewers.cut() == 1);
    CHECK(camera.viewers.streams() == 3);
    CHECK(camera.store.held() == 0);
    for (const auto id : ids) {
      if (id != stalled) CHECK(camera.got(id).size() == 125);
    }
  }
}

TEST_CASE("with few slots stalled viewers take pictures from the others for a second, not for five") {
  Camera camera(2);
  const auto watching = camera.stream();
  const auto first = camera.stream();
  const auto second = camera.stream();
  camera.sockets[first].room = 700;
  camera.sockets[second].room = 1'700;
  camera.pass(50);
  std::size_t lost = 0;
  for (int round = 0; round < 100; ++round) {
    lost += camera.picture() == Put::kStored ? 0U : 1U;
    camera.pass(50);
  }
  CHECK(lost > 0);
  CHECK(lost <= 21);
  CHECK(camera.viewers.cut() == 1);  // one slot is enough
  CHECK(camera.got(watching).size() == 100 - lost);
}

TEST_CASE("when a slot is needed one that stalled is cut for it, and the others keep their five seconds") {
  Camera camera(3);
  const auto watching = camera.stream();
  const auto first = camera.stream();
  const auto second = camera.stream();
  const auto late = camera.stream();
  camera.sockets[first].room = 700;
  camera.sockets[second].room = 1'700;
  for (int round = 0; round < 90; ++round) {  // four seconds and a half
    if (round == 60) {
      CHECK(camera.viewers.cut() == 0);
      camera.sockets[late].room = 500;
    }
    camera.picture();
    camera.pass(50);
  }
  CHECK(camera.sockets[first].closed == Ending::kStalled);
  CHECK(camera.viewers.cut() == 1);
  CHECK(camera.store.dropped() == 1);
  CHECK(camera.got(watching).size() == 89);
}

TEST_CASE("one that trickles is cut when its picture took fifteen seconds") {
  for (const gk::Millis start : kStarts) {
    Camera camera(3, start);
    const auto id = camera.stream();
    camera.viewers.pump(camera.now);
    camera.picture();
    camera.sockets[id].room = 0;
    const gk::Millis began = camera.now;
    while (!camera.sockets[id].closed && gk::elapsed(camera.now, began) < 60'000) {
      camera.sockets[id].room = 1;
      camera.pass(100);
    }
    CHECK(gk::elapsed(camera.now, began) == 15'000);
    CHECK(camera.sockets[id].closed == Ending::kSlow);
    CHECK(camera.viewers.cut() == 1);
  }
}

TEST_CASE("a loop that hung cuts nobody") {
  for (const gk::Millis start : kStarts) {
    for (const gk::Millis gap : {1'001U, 7'000U, 20'000U, 0x80000001U}) {
      Camera camera(3, start);
      const auto id = camera.stream();
      camera.viewers.pump(camera.now);
      camera.picture();
      camera.sockets[id].room = 300;
      camera.pass(4'000);
      camera.now += gap;
      camera.viewers.pump(camera.now);
      CHECK_FALSE(camera.sockets[id].closed.has_value());
      camera.pass(900);
      CHECK_FALSE(camera.sockets[id].closed.has_value());
      camera.pass(150);  // five seconds of being asked are full
      CHECK(camera.sockets[id].closed == Ending::kStalled);
    }
  }
}

TEST_CASE("a viewer that waits for pictures is not a stalled one; after ten seconds its stream is ended in form") {
  for (const gk::Millis start : kStarts) {
    Camera camera(2, start);
    const auto id = camera.stream();
    camera.viewers.pump(camera.now);
    camera.picture();
    camera.pass(9'950);
    CHECK_FALSE(camera.sockets[id].closed.has_value());
    camera.picture();
    camera.pass(10'050);
    CHECK(camera.sockets[id].closed == Ending::kNoPicture);
    const std::string& body = camera.sockets[id].received;
    CHECK(body.substr(body.size() - 13) == "\r\n--frame--\r\n");
    CHECK(camera.got(id) == Places{0, 1});
    CHECK(camera.viewers.cut() == 0);
  }
}

TEST_CASE("a capture is a picture of now: one of the last second, or the next one, or none") {
  for (const gk::Millis start : kStarts) {
    Camera camera(2, start);
    camera.picture();
    camera.pass(1'000);
    const auto fresh = camera.ask("/capture");
    camera.pass(50);
    CHECK(camera.sockets[*fresh].closed == Ending::kServed);
    CHECK(camera.got(*fresh) == Places{0});

    const auto next = camera.ask("/capture");
    CHECK(camera.viewers.wanted());
    camera.pass(2'900);
    CHECK(camera.sockets[*next].received.empty());
    camera.picture();
    camera.pass(50);
    CHECK(camera.got(*next) == Places{1});
    CHECK(camera.sockets[*next].received.substr(0, 15) == "HTTP/1.1 200 OK");
    CHECK_FALSE(camera.viewers.wanted());

    camera.pass(1'050);
    const auto none = camera.ask("/capture");
    camera.pass(3'050);
    CHECK(camera.sockets[*none].received.substr(0, 12) == "HTTP/1.1 503");
    CHECK(camera.sockets[*none].closed == Ending::kNoPicture);
  }
}

TEST_CASE("four stream, the fifth is told that the camera is full, and short answers find their place") {
  Camera camera(5);
  for (std::size_t i = 0; i < gk::Viewers::kStreams; ++i) camera.stream();
  const auto fifth = camera.ask("/stream");
  const auto page = camera.ask("/");
  const auto health = camera.ask("/health");
  CHECK_FALSE(camera.ask("/capture").has_value());  // seven places are taken
  CHECK(camera.viewers.taken() == gk::Viewers::kPlaces);
  camera.viewers.pump(0);
  CHECK(camera.sockets[*fifth].received.substr(0, 12) == "HTTP/1.1 503");
  CHECK(camera.sockets[*page].closed == Ending::kServed);
  CHECK(camera.sockets[*health].closed == Ending::kServed);
  CHECK(camera.viewers.taken() == 4);
  CHECK(camera.viewers.refused() == 2);
  camera.viewers.gone(0);
  const auto again = camera.stream();
  CHECK(again == 0);
  camera.viewers.pump(0);
  CHECK(camera.sockets[again].received.substr(0, 15) == "HTTP/1.1 200 OK");
}

TEST_CASE("health is one object of JSON, with nothing in it that the board's words could break") {
  Camera camera(2);
  camera.picture();
  camera.viewers.picture(nullptr, 0, 0, 0);
  camera.stream();
  const auto id = camera.ask("/health");
  camera.viewers.pump(0);
  const std::string& answer = camera.sockets[*id].received;
  const std::string body =
      "{\"device\":\"mjpeg_cam\",\"firmware\":\"1.2.3\",\"reset\":\"POWER\\\"ON\",\"uptime\":1099511627776,\"heap\":0,"
      "\"minHeap\":0,\"psram\":0,\"rssi\":-61,\"wifiLosses\":0,\"frames\":1,\"dropped\":0,\"broken\":1,\"viewers\":1,"
      "\"cut\":0,\"refused\":0}";
  CHECK(answer.substr(answer.find("\r\n\r\n") + 4) == body);
  CHECK(answer.find("Content-Length: " + std::to_string(body.size()) + "\r\n") != std::string::npos);
}

TEST_CASE("without the token nobody sees a picture") {
  constexpr std::string_view token = "a token of sixteen or more";
  Camera camera(2, 0, token);
  camera.picture();
  for (const std::string_view target : {"/", "/stream", "/capture", "/health"}) {
    const auto id = camera.ask(target, "Bearer a token of sixteen or morf");
    camera.viewers.pump(0);
    CHECK(camera.sockets[*id].received.substr(0, 12) == "HTTP/1.1 401");
    CHECK(camera.sockets[*id].closed == Ending::kServed);
    CHECK(camera.got(*id).empty());
  }
  const auto id = camera.ask("/capture", "Bearer a token of sixteen or more");
  camera.viewers.pump(0);
  CHECK(camera.got(*id) == Places{0});
  CHECK(camera.viewers.refused() == 4);
}

TEST_CASE(
    "a socket that fails is closed, one that the other side closed is forgotten, and both let go of their picture") {
  Camera camera(4);
  const auto failing = camera.stream();
  const auto leaving = camera.stream();
  const auto staying = camera.stream();
  camera.sockets[failing].room = camera.sockets[leaving].room = 700;
  camera.picture();
  camera.viewers.pump(0);
  CHECK(camera.store.held() == 1);
  camera.sockets[failing].broken = true;
  camera.viewers.gone(leaving);
  camera.viewers.gone(leaving);
  camera.viewers.gone(200);
  camera.viewers.pump(0);
  CHECK(camera.sockets[failing].closed == Ending::kGone);
  CHECK_FALSE(camera.sockets[leaving].closed.has_value());
  CHECK(camera.store.held() == 0);
  CHECK(camera.viewers.taken() == 1);
  camera.picture();
  camera.viewers.pump(0);
  CHECK(camera.got(staying) == Places{0, 1});
  CHECK(camera.viewers.cut() == 0);
}

TEST_CASE("who takes a place inherits nothing of who had it before") {
  Camera camera(3);
  const auto before = camera.stream();
  camera.picture();
  camera.sockets[before].room = 700;
  camera.pass(4'000);
  camera.viewers.gone(before);
  camera.pass(2'000);
  camera.picture();
  const auto id = camera.stream();
  CHECK(id == before);
  camera.sockets[id].room = 0;
  camera.pass(4'950);
  CHECK_FALSE(camera.sockets[id].closed.has_value());
  camera.sockets[id].room = kEndless;
  camera.picture();
  camera.pass(50);
  CHECK(camera.got(id) == Places{2});
}

TEST_CASE("one viewer that takes everything leaves the others their turn") {
  Camera camera(2, 0, "", 100'000);
  const auto id = camera.stream();
  camera.viewers.pump(0);
  camera.picture(100'000);
  camera.sockets[id].received.clear();
  camera.viewers.pump(0);
  CHECK(camera.sockets[id].received.size() == gk::Viewers::kTurn);
  for (int i = 0; i < 6; ++i) camera.viewers.pump(0);
  CHECK(camera.got(id) == Places{0});
}

TEST_CASE("the bytes are the same however few the socket takes at once") {
  std::string whole;
  for (const std::size_t most : {kEndless, std::size_t{1}, std::size_t{7}, std::size_t{999}}) {
    Camera camera(2);
    const auto id = camera.stream();
    camera.sockets[id].most = most;
    for (int i = 0; i < 3; ++i) {
      camera.picture();
      camera.viewers.pump(0);
    }
    if (most == kEndless) whole = camera.sockets[id].received;
    CHECK(camera.sockets[id].received == whole);
  }
}

TEST_CASE("events that cannot be change nothing") {
  Camera camera(2);
  camera.viewers.sent(3, 10, 0);
  camera.viewers.blocked(3, 0);
  camera.viewers.sent(200, 10, 0);
  camera.viewers.blocked(200, 0);
  CHECK(camera.viewers.next(200).empty());
  CHECK_FALSE(camera.viewers.over(200).has_value());
  const auto id = camera.stream();
  camera.viewers.sent(id, 1'000'000,
                      0);  // more than there was: the head is done, and no picture is there to be skipped
  CHECK(camera.viewers.next(id).empty());
  camera.viewers.blocked(id, 0);
  camera.picture();
  CHECK(camera.viewers.next(id).substr(0, 16) == "\r\nContent-Type: ");
}

TEST_CASE(
    "a hundred seeds of viewers that come, take, stall and go: pictures are whole and in order, nothing is leaked") {
  for (std::uint32_t seed = 1; seed <= 100; ++seed) {
    std::uint32_t dice = seed * 2'654'435'761U;
    const auto roll = [&dice](std::uint32_t sides) {
      dice = dice * 1'664'525U + 1'013'904'223U;
      return (dice >> 8) % sides;
    };
    const auto camera = std::make_unique<Camera>(1 + roll(5), roll(2) == 0 ? 0 : 0xffffffff - roll(20'000));
    std::array<bool, gk::Viewers::kPlaces> streams{};
    for (int step = 0; step < 600; ++step) {
      const std::uint32_t place = roll(gk::Viewers::kPlaces);
      switch (roll(8)) {
        case 0: {
          constexpr std::array<std::string_view, 6> kTargets = {"/stream", "/stream", "/capture",
                                                                "/",       "/health", "/no"};
          const auto target = kTargets[roll(6)];
          const auto id = camera->ask(target);
          if (id) streams[*id] = target == "/stream";
          break;
        }
        case 1:
          camera->sockets[place].room = roll(3) == 0 ? 0 : roll(3'000);
          break;
        case 2:
          camera->sockets[place].room = kEndless;
          break;
        case 3:
          if (roll(4) == 0) camera->sockets[place].broken = true;
          break;
        case 4:
          if (roll(6) == 0) camera->viewers.gone(static_cast<gk::ViewerId>(place));
          break;
        default:
          camera->picture(20 + roll(2'000));
      }
      camera->now += roll(10) == 0 ? roll(4'000) : roll(100);
      camera->viewers.pump(camera->now);
      std::size_t live = 0;
      for (gk::ViewerId id = 0; id < gk::Viewers::kPlaces; ++id) live += camera->viewers.next(id).empty() ? 0U : 1U;
      REQUIRE(camera->store.held() <= live);
      REQUIRE(camera->viewers.streams() <= gk::Viewers::kStreams);
    }
    for (gk::ViewerId id = 0; id < gk::Viewers::kPlaces; ++id) {
      const Places seen = camera->got(id);
      CHECK(std::is_sorted(seen.begin(), seen.end()));
      if (streams[id]) CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
      camera->viewers.gone(id);
    }
    CHECK(camera->viewers.taken() == 0);
    CHECK(camera->store.held() == 0);
  }
}
