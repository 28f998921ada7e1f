// What the ESP32-CAM says over HTTP: which request gets what, and the bytes around the pictures.
//
//     GET /         200 text/html: a page with the stream
//     GET /stream   200 multipart/x-mixed-replace; boundary=frame
//     GET /capture  200 image/jpeg: the next picture, or one that is no older than a second
//     GET /health   200 application/json
//     401 without the token if there is one; 404; 405 for anything but GET; 503 when full, or when no picture comes
//
//     --frame\r\n Content-Type: image/jpeg\r\n Content-Length: <n>\r\n X-Timestamp: <seconds since boot>\r\n \r\n
//     <n bytes of JPEG>\r\n --frame\r\n ...                     (RFC 2046, section 5.1, as browsers and cameras do it)
//
// The delimiter goes out with the picture before it, not with the one behind it: a browser shows a picture when it has
// seen what follows. Its line end waits for the next part's head, so that no part has begun while none is there.
// No Access-Control-Allow-Origin, and Cross-Origin-Resource-Policy: a foreign page can neither read nor show the
// stream.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gk/text.hpp"

namespace gk {

// What a viewer is sent besides pictures, one after the other: an answer's head with a short body, a part's head.
using AnswerText = Text<1'024>;

enum class Route : std::uint8_t { kNone, kPage, kStream, kCapture, kHealth };

enum class Status : std::uint16_t {
  kOk = 200,
  kUnauthorized = 401,
  kNotFound = 404,
  kMethodNotAllowed = 405,
  kUnavailable = 503,
};

struct HttpRequest {
  std::string_view method;         // "GET"
  std::string_view target;         // "/stream?x=y": what stands behind the question mark is ignored
  std::string_view authorization;  // the header's value; empty if there is none
};

struct Decision {
  Status status;
  Route route;  // kNone unless the status is 200
};

constexpr std::size_t kShortestToken = 16;
constexpr std::size_t kLongestToken = 128;

// Whether a token is hard to guess by its length and can stand in a header. For static_assert beside the secrets.
constexpr bool usableToken(std::string_view token) noexcept {
  if (token.size() < kShortestToken || token.size() > kLongestToken) return false;
  for (const char c : token) {
    if (c <= ' ' || c > '~') return false;
  }
  return true;
}

// `Bearer <token>`, or `Basic` with the token as the password and any user name, which browsers and gatekeeper can
// send. The comparison's time tells nothing but lengths.
bool authorized(std::string_view authorization, std::string_view token) noexcept;

// An empty token admits everybody.
Decision decide(const HttpRequest& request, std::string_view token) noexcept;

// A whole answer that is no picture: a refusal, or a short body.
void writeAnswer(AnswerText& out, Status status, std::string_view content_type, std::string_view body) noexcept;
void writeRefusal(AnswerText& out, Status status) noexcept;
void writePage(AnswerText& out) noexcept;

// Before the one picture of /capture. `taken` is milliseconds since boot.
void writeCaptureHead(AnswerText& out, std::size_t size, std::uint64_t taken) noexcept;

// Before the first picture, before each picture, behind each picture, behind the last.
void writeStreamHead(AnswerText& out) noexcept;
void writePartHead(AnswerText& out, std::size_t size, std::uint64_t taken) noexcept;
constexpr std::string_view kBehindPicture = "\r\n--frame";
constexpr std::string_view kBehindLast = "--\r\n";

// What is said to who finds no place at all, in one try, before the connection is closed.
std::string_view busyAnswer() noexcept;

}  // namespace gk
