// Any bytes as a picture: what is told of it lies within it.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gk/jpeg_info.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view jpeg(reinterpret_cast<const char*>(data), size);
  const auto info = gk::JpegInfo::of(jpeg);
  if (!info) return 0;
  if (info->size > size || info->size + gk::JpegInfo::kMostPadding < size || info->width == 0 || info->height == 0) {
    std::abort();
  }
  const auto again = gk::JpegInfo::of({jpeg.data(), info->size});
  if (!again || again->size != info->size) std::abort();
  return 0;
}
