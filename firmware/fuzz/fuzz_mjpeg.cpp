// A request's fields, any bytes, or right credentials with some bytes changed: nobody is admitted whose Authorization
// does not hold the token, plain or in base64.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "gk/mjpeg.hpp"

namespace {

constexpr std::string_view kToken = "sixteen-letters!";

// In base64 the token stands in one of three ways; the ends, which depend on what is beside it, are left out.
bool holdsToken(std::string_view authorization) {
  constexpr std::array<std::string_view, 4> kForms = {kToken, "c2l4dGVlbi1sZXR0ZXJzI", "NpeHRlZW4tbGV0dGVycy",
                                                      "zaXh0ZWVuLWxldHRlcnMh"};
  return std::any_of(kForms.begin(), kForms.end(),
                     [&](std::string_view form) { return authorization.find(form) != std::string_view::npos; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
  constexpr std::array<std::string_view, 5> kRight = {
      "Bearer sixteen-letters!", "Basic OnNpeHRlZW4tbGV0dGVycyE=", "basic YTpzaXh0ZWVuLWxldHRlcnMh",
      "Basic YWE6c2l4dGVlbi1sZXR0ZXJzIQ==", "bearer   sixteen-letters!  "};
  std::string authorization;
  std::string_view target = "/stream";
  std::string_view method = "GET";
  if (data[0] < kRight.size()) {
    authorization = kRight[data[0]];
    for (std::size_t i = 0; i + 1 < rest.size(); i += 2) {
      char& changed = authorization[static_cast<std::uint8_t>(rest[i]) % authorization.size()];
      changed = static_cast<char>(changed ^ rest[i + 1]);
    }
    if (rest.empty() && gk::decide({method, target, authorization}, kToken).status != gk::Status::kOk) std::abort();
  } else {
    target = rest.substr(0, rest.find('\n'));
    const std::string_view more = rest.substr(std::min(rest.size(), target.size() + 1));
    method = more.substr(0, more.find('\n'));
    authorization = more.substr(std::min(more.size(), method.size() + 1));
  }
  const gk::Decision decision = gk::decide({method, target, authorization}, kToken);
  if ((decision.status == gk::Status::kOk) != (decision.route != gk::Route::kNone)) std::abort();
  if (decision.status != gk::Status::kUnauthorized && !holdsToken(authorization)) std::abort();
  gk::AnswerText out;
  gk::writeRefusal(out, decision.status);
  if (out.overflowed()) std::abort();
  return 0;
}
