#include "gk/viewers.hpp"

#include <algorithm>

#include "gk/json.hpp"

namespace gk {

Viewers::Viewers(FrameStore& store, ViewerPort& port, const ViewersConfig& config) noexcept
    : store_(store), port_(port), config_(config) {}

std::optional<ViewerId> Viewers::request(const HttpRequest& request, Millis now) noexcept {
  const auto place =
      std::find_if(viewers_.begin(), viewers_.end(), [](const Viewer& one) { return one.state == State::kFree; });
  if (place == viewers_.end()) {
    ++refused_;
    return std::nullopt;
  }
  Decision decision = decide(request, config_.token);
  if (decision.route == Route::kStream && streams() == kStreams) decision = {Status::kUnavailable, Route::kNone};
  if (decision.status == Status::kUnauthorized || decision.status == Status::kUnavailable) ++refused_;

  Viewer& viewer = *place;
  viewer.route = decision.route;
  viewer.ending = Ending::kServed;
  viewer.blocked = false;
  viewer.slot = FrameStore::kNone;
  viewer.sequence = 0;
  viewer.last = decision.route != Route::kStream && decision.route != Route::kCapture;
  viewer.since = now;
  switch (decision.route) {
    case Route::kNone:
      writeRefusal(viewer.text, decision.status);
      break;
    case Route::kPage:
      writePage(viewer.text);
      break;
    case Route::kHealth:
      answerHealth(viewer.text);
      break;
    case Route::kStream:
      writeStreamHead(viewer.text);
      break;
    case Route::kCapture:
      show(viewer, now);
      return static_cast<ViewerId>(place - viewers_.begin());
  }
  say(viewer);
  return static_cast<ViewerId>(place - viewers_.begin());
}

FrameStore::Put Viewers::picture(const std::uint8_t* jpeg, std::size_t size, std::uint64_t taken, Millis now) noexcept {
  const FrameStore::Put put = store_.put(jpeg, size, taken, now);
  starved_ = put == FrameStore::Put::kBusy;
  if (put != FrameStore::Put::kStored) return put;
  for (Viewer& viewer : viewers_) {
    if (viewer.state == State::kWaiting) show(viewer, now);
  }
  return put;
}

void Viewers::pump(Millis now) noexcept {
  tick(now);
  for (std::size_t place = 0; place < kPlaces; ++place) {
    const auto id = static_cast<ViewerId>(place);
    std::size_t turn = kTurn;
    for (std::string_view bytes = next(id); turn != 0 && !bytes.empty(); bytes = next(id)) {
      const int written = port_.write(id, bytes.substr(0, turn));
      if (written < 0) {
        end(viewers_[place], Ending::kGone);
      } else if (written == 0) {
        blocked(id, now);
        break;
      } else {
        const std::size_t count = std::min(static_cast<std::size_t>(written), turn);
        sent(id, count, now);
        turn -= count;
      }
    }
    if (const std::optional<Ending> why = over(id)) {
      free(viewers_[place]);
      port_.close(id, *why);
    }
  }
}

void Viewers::gone(ViewerId viewer) noexcept {
  if (viewer < kPlaces) free(viewers_[viewer]);
}

void Viewers::tick(Millis now) noexcept {
  const Millis gap = ticked_ ? elapsed(now, last_tick_) : 0;
  const Millis unserved = gap > kGap ? gap : 0;  // nobody was asked, so nobody was slow
  ticked_ = true;
  last_tick_ = now;
  store_.tick(now);
  for (Viewer& viewer : viewers_) {
    viewer.since += unserved;
    viewer.blocked_since += unserved;
    if (viewer.state != State::kWaiting) continue;
    const bool streams = viewer.route == Route::kStream;
    if (elapsed(now, viewer.since) < (streams ? config_.stream_wait : config_.capture_wait)) continue;
    if (streams) {
      viewer.text.clear();
      viewer.text << kBehindLast;
    } else {
      writeRefusal(viewer.text, Status::kUnavailable);
    }
    viewer.last = true;
    viewer.ending = Ending::kNoPicture;
    viewer.since = now;
    say(viewer);
  }
}

std::string_view Viewers::whole(const Viewer& viewer) const noexcept {
  switch (viewer.state) {
    case State::kText:
      return viewer.text.view();
    case State::kPicture:
      return store_.jpeg(viewer.slot);
    case State::kTail:
      return kBehindPicture;
    case State::kFree:
    case State::kWaiting:
    case State::kOver:
      break;
  }
  return {};
}

std::string_view Viewers::next(ViewerId viewer) const noexcept {
  if (viewer >= kPlaces) return {};
  std::string_view bytes = whole(viewers_[viewer]);
  bytes.remove_prefix(std::min(viewers_[viewer].at, bytes.size()));
  return bytes;
}

void Viewers::sent(ViewerId id, std::size_t count, Millis now) noexcept {
  const std::size_t rest = next(id).size();
  if (rest == 0 || count == 0) return;
  Viewer& viewer = viewers_[id];
  viewer.blocked = false;
  viewer.at += std::min(count, rest);
  if (count >= rest) proceed(viewer, now);
}

void Viewers::blocked(ViewerId id, Millis now) noexcept {
  if (next(id).empty()) return;
  Viewer& viewer = viewers_[id];
  if (!viewer.blocked) {
    viewer.blocked = true;
    viewer.blocked_since = now;
  }
  const bool starves = starved_ && viewer.slot != FrameStore::kNone;
  if (elapsed(now, viewer.blocked_since) >= (starves ? config_.starved_patience : config_.patience)) {
    if (starves) starved_ = false;  // one slot is what the next picture needs
    end(viewer, Ending::kStalled);
  } else if (elapsed(now, viewer.since) >= config_.longest) {
    end(viewer, Ending::kSlow);
  }
}

std::optional<Ending> Viewers::over(ViewerId viewer) const noexcept {
  if (viewer >= kPlaces || viewers_[viewer].state != State::kOver) return std::nullopt;
  return viewers_[viewer].ending;
}

// What was being sent is sent.
void Viewers::proceed(Viewer& viewer, Millis now) noexcept {
  switch (viewer.state) {
    case State::kText:
      if (viewer.slot != FrameStore::kNone) {
        viewer.state = State::kPicture;
        viewer.at = 0;
      } else if (viewer.last) {
        end(viewer, viewer.ending);
      } else {
        show(viewer, now);
      }
      return;
    case State::kPicture:
      store_.release(viewer.slot);
      viewer.slot = FrameStore::kNone;
      if (viewer.route == Route::kCapture) {
        end(viewer, Ending::kServed);
      } else {
        viewer.state = State::kTail;
        viewer.at = 0;
      }
      return;
    case State::kTail:
      show(viewer, now);
      return;
    case State::kFree:
    case State::kWaiting:
    case State::kOver:
      return;
  }
}

void Viewers::say(Viewer& viewer) noexcept {
  viewer.state = State::kText;
  viewer.at = 0;
}

// Begin the newest picture, or wait for one.
void Viewers::show(Viewer& viewer, Millis now) noexcept {
  viewer.slot = store_.holdNewest(viewer.sequence);
  viewer.since = now;
  if (viewer.slot == FrameStore::kNone) {
    viewer.state = State::kWaiting;
    return;
  }
  viewer.sequence = store_.sequence(viewer.slot);
  const auto write = viewer.route == Route::kCapture ? writeCaptureHead : writePartHead;
  write(viewer.text, store_.jpeg(viewer.slot).size(), store_.taken(viewer.slot));
  say(viewer);
}

void Viewers::end(Viewer& viewer, Ending ending) noexcept {
  if (viewer.slot != FrameStore::kNone) store_.release(viewer.slot);
  viewer.slot = FrameStore::kNone;
  viewer.state = State::kOver;
  viewer.ending = ending;
  if (ending == Ending::kStalled || ending == Ending::kSlow) ++cut_;
}

void Viewers::free(Viewer& viewer) noexcept {
  if (viewer.slot != FrameStore::kNone) store_.release(viewer.slot);
  viewer.slot = FrameStore::kNone;
  viewer.state = State::kFree;
}

bool Viewers::wanted() const noexcept {
  return std::any_of(viewers_.begin(), viewers_.end(), [](const Viewer& viewer) {
    const bool here = viewer.state != State::kFree && viewer.state != State::kOver;
    return here && (viewer.route == Route::kStream || viewer.route == Route::kCapture);
  });
}

std::size_t Viewers::streams() const noexcept {
  return static_cast<std::size_t>(std::count_if(viewers_.begin(), viewers_.end(), [](const Viewer& viewer) {
    return viewer.state != State::kFree && viewer.route == Route::kStream;
  }));
}

std::size_t Viewers::taken() const noexcept {
  return static_cast<std::size_t>(std::count_if(viewers_.begin(), viewers_.end(),
                                                [](const Viewer& viewer) { return viewer.state != State::kFree; }));
}

void Viewers::answerHealth(AnswerText& out) noexcept {
  const CamReadings readings = port_.readings();
  JsonObject<640> body;
  body.string("device", "mjpeg_cam")
      .string("firmware", readings.version)
      .string("reset", readings.reset)
      .number("uptime", readings.uptime)
      .number("heap", readings.heap)
      .number("minHeap", readings.min_heap)
      .number("psram", readings.psram)
      .number("rssi", readings.rssi)
      .number("wifiLosses", readings.wifi_losses)
      .number("frames", store_.stored())
      .number("dropped", store_.dropped())
      .number("broken", store_.broken())
      .number("viewers", streams())
      .number("cut", cut_)
      .number("refused", refused_);
  writeAnswer(out, Status::kOk, "application/json", body.end());
}

}  // namespace gk
