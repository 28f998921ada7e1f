#include "frame_sender.hpp"

#include <WebSocketsClient.h>
#include <esp_heap_caps.h>

#include <cstring>

#include "gk/frame_header.hpp"

namespace gk {

namespace {

constexpr std::size_t kRoom = WEBSOCKETS_MAX_HEADER_SIZE;

}  // namespace

bool FrameSender::begin(std::size_t largest) noexcept {
  capacity_ = FrameHeader::kSize + largest;
  room_ = static_cast<std::uint8_t*>(heap_caps_malloc(kRoom + capacity_, MALLOC_CAP_SPIRAM));
  return room_ != nullptr;
}

bool FrameSender::fill(std::string_view header, std::string_view jpeg) noexcept {
  if (header.size() + jpeg.size() > capacity_ || full_.load()) return false;
  if (!header.empty()) std::memcpy(room_ + kRoom, header.data(), header.size());
  std::memcpy(room_ + kRoom + header.size(), jpeg.data(), jpeg.size());
  size_ = header.size() + jpeg.size();
  full_.store(true);
  return true;
}

}  // namespace gk
