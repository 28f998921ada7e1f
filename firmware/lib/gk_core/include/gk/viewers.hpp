// Who watches the ESP32-CAM, and what bytes each gets next: the answer's head, then picture after picture, each
// finished and followed by the newest. Nobody waits for anybody: who takes nothing is cut, and holds one slot until
// then.
//
// It has no sockets. The board's HTTP server hands a request over (asynchronously, through a queue) and keeps the
// socket under the id that it gets; its loop calls picture() when the camera has one, and pump() all the time.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "gk/frame_store.hpp"
#include "gk/mjpeg.hpp"
#include "gk/time.hpp"

namespace gk {

using ViewerId = std::uint8_t;

enum class Ending : std::uint8_t {
  kServed,     // the whole answer was sent
  kNoPicture,  // and it says that no picture came
  kStalled,    // nothing was taken for too long
  kSlow,       // something was, but no picture is worth that long
  kGone,       // the socket failed
};

// What /health tells besides the counts of the core.
struct CamReadings {
  std::uint64_t uptime = 0;  // milliseconds since boot
  std::uint32_t heap = 0;    // bytes
  std::uint32_t min_heap = 0;
  std::uint32_t psram = 0;
  std::int32_t rssi = 0;  // dBm
  std::uint32_t wifi_losses = 0;
  std::string_view reset;    // why it started last
  std::string_view version;  // of the firmware
};

struct ViewerPort {
  // Write what the socket takes at once (MSG_DONTWAIT): how many bytes that were, 0 for none now, -1 if it failed.
  virtual int write(ViewerId viewer, std::string_view bytes) noexcept = 0;
  // The viewer's answer is over: close its connection and forget the id, which is free again.
  virtual void close(ViewerId viewer, Ending why) noexcept = 0;
  virtual CamReadings readings() noexcept = 0;

 protected:
  ~ViewerPort() = default;
};

struct ViewersConfig {
  std::string_view token;           // empty: everybody may watch
  Millis patience = 5'000;          // with who takes nothing
  Millis starved_patience = 1'000;  // the same while every slot is held and pictures are lost for all
  Millis longest = 15'000;          // for one picture or a short answer, however steadily it trickles
  Millis capture_wait = 3'000;      // for a picture, until 503
  Millis stream_wait = 10'000;      // for a picture, until the stream is ended: whoever watches asks again
};

class Viewers {
 public:
  static constexpr std::size_t kPlaces = 7;     // answers at once; esp_http_server has as many sockets by default
  static constexpr std::size_t kStreams = 4;    // of them streams: short answers always find a place
  static constexpr std::size_t kTurn = 16'384;  // bytes for one viewer until the others had their turn
  static constexpr Millis kGap = 1'000;         // a longer time between two pumps counts against nobody

  Viewers(FrameStore& store, ViewerPort& port, const ViewersConfig& config) noexcept;

  // Somebody asks. Without a place there is nullopt: try to write busyAnswer() and close.
  std::optional<ViewerId> request(const HttpRequest& request, Millis now) noexcept;

  // The camera has a picture (see FrameStore::put).
  FrameStore::Put picture(const std::uint8_t* jpeg, std::size_t size, std::uint64_t taken, Millis now) noexcept;

  // Give every viewer what its socket takes, and end what is over.
  void pump(Millis now) noexcept;

  // The other side closed; close() isn't called.
  void gone(ViewerId viewer) noexcept;

  // What pump() is made of.
  void tick(Millis now) noexcept;
  std::string_view next(ViewerId viewer) const noexcept;  // the bytes to write now; empty: none
  void sent(ViewerId viewer, std::size_t count, Millis now) noexcept;
  void blocked(ViewerId viewer, Millis now) noexcept;  // there were bytes, and the socket took none
  std::optional<Ending> over(ViewerId viewer) const noexcept;

  bool wanted() const noexcept;  // somebody waits for pictures or is being sent one: without, none need be taken in
  std::size_t streams() const noexcept;
  std::size_t taken() const noexcept;                          // places
  std::uint32_t cut() const noexcept { return cut_; }          // stalled or slow
  std::uint32_t refused() const noexcept { return refused_; }  // no place, or no token

 private:
  enum class State : std::uint8_t { kFree, kText, kPicture, kTail, kWaiting, kOver };

  struct Viewer {
    State state = State::kFree;
    Route route = Route::kNone;
    Ending ending = Ending::kServed;
    bool last = false;  // the text that is being sent is the last thing
    bool blocked = false;
    FrameStore::Slot slot = FrameStore::kNone;
    std::uint32_t sequence = 0;  // of the last picture that it got
    std::size_t at = 0;          // bytes of the text, the picture or the tail that are sent
    Millis since = 0;            // when what is sent, or the waiting, began
    Millis blocked_since = 0;
    AnswerText text;
  };

  std::string_view whole(const Viewer& viewer) const noexcept;
  void proceed(Viewer& viewer, Millis now) noexcept;
  void say(Viewer& viewer) noexcept;
  void show(Viewer& viewer, Millis now) noexcept;
  void end(Viewer& viewer, Ending ending) noexcept;
  void free(Viewer& viewer) noexcept;
  void answerHealth(AnswerText& out) noexcept;

  FrameStore& store_;
  ViewerPort& port_;
  ViewersConfig config_;
  std::array<Viewer, kPlaces> viewers_{};
  bool starved_ = false;
  bool ticked_ = false;
  Millis last_tick_ = 0;
  std::uint32_t cut_ = 0;
  std::uint32_t refused_ = 0;
};

}  // namespace gk
