// Requests, pictures, sockets that take what they please and a clock that jumps, as the input says: every viewer's
// bytes must be an answer's head and then whole pictures, each newer than the last; and no picture may stay held by
// nobody.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "gk/viewers.hpp"

namespace {

[[noreturn]] void trap() { std::abort(); }

// Reads one viewer's bytes as they come: a stream's or a capture's.
class Reader {
 public:
  void begin(bool reads) {
    *this = Reader();
    reads_ = reads;
  }

  void read(std::string_view bytes) {
    if (!reads_) return;
    for (const char byte : bytes) take(byte);
  }

 private:
  // Where it stands: in a head, or in a picture with so many bytes to come.
  void take(char byte) {
    if (left_ == 0) {
      head_ += byte;
      if (head_.size() > 2'000) trap();
      if (head_.size() < 4 || head_.compare(head_.size() - 4, 4, "\r\n\r\n") != 0) return;
      const std::size_t at = head_.find("Content-Length: ");
      if (head_.find(" 503 ") != std::string::npos) {
        reads_ = false;
      } else if (at != std::string::npos) {
        left_ = std::strtoul(head_.c_str() + at + 16, nullptr, 10);
        if (left_ < 8) trap();
        picture_.clear();
      } else if (head_.rfind("HTTP/1.1 200 OK\r\n", 0) != 0) {
        trap();
      }
      head_.clear();
      return;
    }
    picture_ += byte;
    if (--left_ != 0) return;
    std::uint32_t number = 0;
    std::memcpy(&number, picture_.data() + 2, 4);
    const char mark = static_cast<char>(number * 37);
    const auto end = picture_.end() - 2;
    if (std::any_of(picture_.begin() + 6, end, [mark](char c) { return c != mark; })) trap();
    if (number <= last_) trap();  // numbers begin with 1
    last_ = number;
  }

  bool reads_ = false;
  std::size_t left_ = 0;
  std::uint32_t last_ = 0;
  std::string head_;
  std::string picture_;
};

struct Board final : gk::ViewerPort {
  std::array<Reader, gk::Viewers::kPlaces> readers;
  std::array<std::size_t, gk::Viewers::kPlaces> room{};
  std::array<bool, gk::Viewers::kPlaces> open{};

  int write(gk::ViewerId viewer, std::string_view bytes) noexcept override {
    if (bytes.empty() || !open[viewer]) trap();
    if (room[viewer] == 0xff) return -1;
    const std::size_t count = std::min(bytes.size(), room[viewer] * 5);
    room[viewer] -= std::min(room[viewer], count / 5 + 1);
    readers[viewer].read(bytes.substr(0, count));
    return static_cast<int>(count);
  }
  void close(gk::ViewerId viewer, gk::Ending /*why*/) noexcept override {
    if (!open[viewer]) trap();
    open[viewer] = false;
  }
  gk::CamReadings readings() noexcept override { return {}; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  std::array<std::array<std::uint8_t, 400>, gk::FrameStore::kMostSlots> memory{};
  gk::FrameStore store;
  for (std::size_t i = 0; i < 1U + data[0] % 6U; ++i) store.add(memory[i].data(), memory[i].size());
  Board board;
  gk::ViewersConfig config;
  config.token = data[0] >= 128 ? "0123456789abcdef" : "";
  gk::Viewers viewers(store, board, config);
  gk::Millis now = data[1] * 0x01010101U;
  std::uint32_t number = 0;

  for (std::size_t i = 2; i + 1 < size; i += 2) {
    const std::uint8_t value = data[i + 1];
    const std::size_t place = value % gk::Viewers::kPlaces;
    switch (data[i] % 8) {
      case 0: {
        constexpr std::array<std::string_view, 6> kTargets = {"/stream", "/capture", "/", "/health", "/x", "/stream?"};
        constexpr std::array<std::string_view, 3> kTokens = {"Bearer 0123456789abcdef", "", "Basic QUFB"};
        const std::string_view target = kTargets[value % 6];
        const auto id = viewers.request({"GET", target, kTokens[value / 6 % 3]}, now);
        if (!id) break;
        if (board.open[*id]) trap();
        board.open[*id] = true;
        board.room[*id] = 0;
        const bool admitted = config.token.empty() || value / 6 % 3 == 0;
        board.readers[*id].begin(admitted && (value % 6 <= 1 || value % 6 == 5));
        break;
      }
      case 1:
        board.room[place] = value;
        break;
      case 2:
        viewers.gone(static_cast<gk::ViewerId>(value));
        if (value < gk::Viewers::kPlaces) board.open[value] = false;
        break;
      case 3:
        now += value;
        break;
      case 4:
        now += value * 16'843'009U;
        break;
      default: {
        std::string jpeg(8 + value, static_cast<char>((number + 1) * 37));
        ++number;
        std::memcpy(jpeg.data() + 2, &number, 4);
        jpeg.replace(0, 2, "\xff\xd8");
        jpeg.replace(jpeg.size() - 2, 2, "\xff\xd9");
        viewers.picture(reinterpret_cast<const std::uint8_t*>(jpeg.data()), jpeg.size() - (value == 77 ? 1U : 0U), now,
                        now);
      }
    }
    viewers.pump(now);
    std::size_t sending = 0;
    std::size_t open = 0;
    for (gk::ViewerId id = 0; id < gk::Viewers::kPlaces; ++id) {
      sending += viewers.next(id).empty() ? 0U : 1U;
      open += board.open[id] ? 1U : 0U;
      if (viewers.over(id)) trap();
    }
    if (store.held() > sending || open != viewers.taken() || viewers.streams() > gk::Viewers::kStreams) trap();
  }
  return 0;
}
