// The push camera: it dials the server, registers, sends its pictures evenly, obeys, and says how it is.
//
// One connection (`stream`) carries everything, or a second one (`control`) takes commands and telemetry; commands are
// obeyed wherever they come, and answered there. Pictures go whole, one to a message; with a header, once the server
// offers it. Commands wait in a queue and are obeyed and answered in tick() alone, so never while a picture is in
// anybody's hands, nor in the midst of one on the wire: the board calls tick() and picture() from one loop, and holds
// no frame buffer when it calls tick().
//
//   board -> network, opened, text, alive, lost, tick, wantsPicture + picture
//   -> board connect, drop, ping, text, frame, apply, reboot, random                         (PushPort)
//
// Texts: command.hpp, health.hpp; header: frame_header.hpp; connections: uplink.hpp; pace: pacer.hpp.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gk/command.hpp"
#include "gk/health.hpp"
#include "gk/pacer.hpp"
#include "gk/settings.hpp"
#include "gk/text.hpp"
#include "gk/time.hpp"
#include "gk/uplink.hpp"

namespace gk {

enum class Link : std::uint8_t { kStream, kControl };

// What the camera asks of its board. Events may be told from within any of these, tick() and picture() may not.
struct PushPort {
  // Begin to connect: opened() or lost() follows; if neither does, the camera gives up by itself.
  virtual void connect(Link link) noexcept = 0;
  // End the connection, or the attempt, at once. lost() may follow or not.
  virtual void drop(Link link) noexcept = 0;
  // Send a WebSocket ping; the pong is told with alive().
  virtual void ping(Link link) noexcept = 0;
  // Send a text message; false if that failed.
  virtual bool text(Link link, std::string_view text) noexcept = 0;
  // Send one binary message, header and JPEG, on the stream; the header may be empty. False if it did not go: the one
  // before is still on its way, or the connection is gone. Both texts live as long as the call.
  virtual bool frame(std::string_view header, std::string_view jpeg) noexcept = 0;
  // Set the sensor; false if it refuses. Never told of fps and mode, which are the camera's own.
  virtual bool apply(Setting setting, int value) noexcept = 0;
  // Start anew.
  virtual void reboot() noexcept = 0;
  // 32 random bits.
  virtual std::uint32_t random() noexcept = 0;

 protected:
  ~PushPort() = default;
};

struct PushConfig {
  Device device;
  int largest_resolution = 12;  // of the sensor, as a number of kResolutions
  bool has_control = true;      // a second connection; without it everything goes over one, as to the seed's servers
};

// When a picture was taken.
struct Taken {
  std::uint64_t milliseconds = 0;
  bool is_unix = false;  // else since the start
};

class PushCamera {
 public:
  static constexpr Millis kHealthEvery = 10'000;
  static constexpr Millis kRebootAfter = 1'000;   // for the answer to get out
  static constexpr std::size_t kMostWaiting = 8;  // texts to be answered; the server sends one command at a time

  PushCamera(PushPort& port, const PushConfig& config) noexcept;

  // --- what happens ---

  void network(bool is_up, Millis now) noexcept;
  void opened(Link link, Millis now) noexcept;
  void lost(Link link, Millis now) noexcept;
  void text(Link link, std::string_view text, Millis now) noexcept;
  // A ping or a pong came.
  void alive(Link link, Millis now) noexcept;
  // Every few milliseconds.
  void tick(Millis now, const Readings& readings) noexcept;

  // --- pictures ---

  // Whether one is due and can go: then make one, and hand it over at once.
  bool wantsPicture(Millis now) const noexcept;
  // A picture was made; true if it went out.
  bool picture(std::string_view jpeg, Taken taken, Millis now) noexcept;

  // --- what it is ---

  const Settings& settings() const noexcept { return settings_; }
  const Counts& counts() const noexcept { return counts_; }
  Uplink::State state(Link link) const noexcept { return of(link).uplink.state(); }
  bool isFramed() const noexcept { return is_framed_; }

 private:
  struct Side {
    Uplink uplink;
    bool is_greeted = false;  // it was told what the camera can, and how it is
    bool is_failing = false;  // a text could not be sent
    unsigned untaken = 0;     // commands for which there was no room
  };
  struct Waiting {
    Link link = Link::kStream;
    Heard heard;
  };

  Side& of(Link link) noexcept { return sides_[static_cast<std::size_t>(link)]; }
  const Side& of(Link link) const noexcept { return sides_[static_cast<std::size_t>(link)]; }

  void keep(Link link, Millis now) noexcept;
  void abandon(Link link, Millis now) noexcept;
  void forget(Link link) noexcept;
  void greet(Millis now, const Readings& readings) noexcept;

  void answerAll(Millis now, const Readings& readings) noexcept;
  void obey(Link link, const Command& command, Millis now, const Readings& readings) noexcept;
  bool set(Setting setting, int value) noexcept;
  Text<48> words(Setting setting, Millis now) const noexcept;

  void say(Link link, std::string_view text) noexcept;
  void respond(Link link, std::string_view cmd, const CommandId& id, bool is_ok, std::string_view value) noexcept;
  void tell(Link link, std::string_view words) noexcept;

  PushPort& port_;
  PushConfig config_;
  Settings settings_;
  Counts counts_;
  Pacer pacer_;
  std::array<Side, 2> sides_;
  std::array<Waiting, kMostWaiting> waiting_;
  std::size_t count_ = 0;  // of waiting_
  std::uint32_t sequence_ = 0;
  bool is_framed_ = false;
  bool is_busy_ = false;  // within tick() or picture()
  bool is_restarting_ = false;
  Millis told_ = 0;        // when it last said how it is
  Millis restarting_ = 0;  // since when
};

}  // namespace gk
