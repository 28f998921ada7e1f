// The one picture that is on its way: header and JPEG behind each other in PSRAM, with room in front for WebSocket's
// own header, so that it goes out as one message. It is filled by the loop and sent by the connection's task.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gk {

class FrameSender {
 public:
  // From setup(), once: nothing is allocated later.
  bool begin(std::size_t largest) noexcept;

  // Take in a picture. False while the one before is on its way, or if it is too large.
  bool fill(std::string_view header, std::string_view jpeg) noexcept;

  // In the connection's task: what is to be sent, and that it was, or never will be.
  std::uint8_t* room() noexcept { return room_; }
  std::size_t size() const noexcept { return size_; }  // without the room in front
  void empty() noexcept { full_.store(false); }

 private:
  std::uint8_t* room_ = nullptr;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
  std::atomic<bool> full_{false};
};

}  // namespace gk
