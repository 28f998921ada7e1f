#include "gk/mjpeg.hpp"

#include <array>
#include <optional>

#include "gk/crypto.hpp"

namespace gk {

namespace {

constexpr std::size_t kLongestPair = 256;  // user name, colon and token, decoded

constexpr std::string_view kPage =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Camera</title>"
    "<meta name=\"viewport\" content=\"width=device-width\">"
    "<body style=\"margin:0;background:#111\"><img src=\"/stream\" alt=\"The camera's picture\" style=\"width:100%\">";

bool sameIgnoringCase(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The value of one character of base64 (RFC 4648, section 4); 64 for any other.
constexpr std::uint32_t sextet(char c) noexcept {
  if (c >= 'A' && c <= 'Z') return static_cast<std::uint32_t>(c - 'A');
  if (c >= 'a' && c <= 'z') return static_cast<std::uint32_t>(c - 'a' + 26);
  if (c >= '0' && c <= '9') return static_cast<std::uint32_t>(c - '0' + 52);
  if (c == '+') return 62;
  return c == '/' ? 63 : 64;
}

// False if it isn't base64 or doesn't fit.
bool decode(std::string_view base64, Text<kLongestPair>& out) noexcept {
  while (!base64.empty() && base64.back() == '=') base64.remove_suffix(1);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : base64) {
    const std::uint32_t value = sextet(c);
    if (value == 64) return false;
    bits = bits << 6 | value;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    const char byte = static_cast<char>(bits >> count & 0xff);
    out << std::string_view(&byte, 1);
  }
  return !out.overflowed();
}

Route route(std::string_view target) noexcept {
  target = target.substr(0, target.find('?'));
  if (target == "/") return Route::kPage;
  if (target == "/stream") return Route::kStream;
  if (target == "/capture") return Route::kCapture;
  return target == "/health" ? Route::kHealth : Route::kNone;
}

constexpr std::string_view reason(Status status) noexcept {
  switch (status) {
    case Status::kOk:
      return "OK";
    case Status::kUnauthorized:
      return "Unauthorized";
    case Status::kNotFound:
      return "Not Found";
    case Status::kMethodNotAllowed:
      return "Method Not Allowed";
    case Status::kUnavailable:
      break;
  }
  return "Service Unavailable";
}

constexpr std::string_view kAlways =
    "Cache-Control: no-store\r\n"
    "Connection: close\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n";

void begin(AnswerText& out, Status status, std::string_view content_type) noexcept {
  out.clear();
  out << "HTTP/1.1 ";
  out.number(static_cast<std::uint16_t>(status));
  out << " " << reason(status) << "\r\nContent-Type: " << content_type << "\r\n" << kAlways;
}

void writeTaken(AnswerText& out, std::uint64_t taken) noexcept {
  const auto milliseconds = static_cast<unsigned>(taken % 1'000);
  out << "X-Timestamp: ";
  out.number(taken / 1'000);
  out << (milliseconds < 10 ? ".00" : milliseconds < 100 ? ".0" : ".");
  out.number(milliseconds);
  out << "\r\n";
}

void writeLength(AnswerText& out, std::size_t size) noexcept {
  out << "Content-Length: ";
  out.number(size);
  out << "\r\n";
}

}  // namespace

bool authorized(std::string_view authorization, std::string_view token) noexcept {
  authorization = trimmed(authorization);
  const std::size_t space = authorization.find(' ');
  if (space == std::string_view::npos) return false;
  const std::string_view scheme = authorization.substr(0, space);
  const std::string_view credentials = trimmed(authorization.substr(space + 1));
  if (sameIgnoringCase(scheme, "bearer")) return same(credentials, token);
  if (!sameIgnoringCase(scheme, "basic")) return false;
  Text<kLongestPair> pair;
  if (!decode(credentials, pair)) return false;
  const std::size_t colon = pair.view().find(':');
  return colon != std::string_view::npos && same(pair.view().substr(colon + 1), token);
}

Decision decide(const HttpRequest& request, std::string_view token) noexcept {
  if (!token.empty() && !authorized(request.authorization, token)) return {Status::kUnauthorized, Route::kNone};
  const Route wanted = route(request.target);
  if (wanted == Route::kNone) return {Status::kNotFound, Route::kNone};
  if (request.method != "GET") return {Status::kMethodNotAllowed, Route::kNone};
  return {Status::kOk, wanted};
}

void writeAnswer(AnswerText& out, Status status, std::string_view content_type, std::string_view body) noexcept {
  begin(out, status, content_type);
  if (status == Status::kUnauthorized) {
    out << "WWW-Authenticate: Bearer realm=\"camera\"\r\nWWW-Authenticate: Basic realm=\"camera\"\r\n";
  }
  if (status == Status::kMethodNotAllowed) out << "Allow: GET\r\n";
  if (status == Status::kUnavailable) out << "Retry-After: 2\r\n";
  writeLength(out, body.size());
  out << "\r\n" << body;
}

void writeRefusal(AnswerText& out, Status status) noexcept {
  Text<32> body(reason(status));
  body << "\n";
  writeAnswer(out, status, "text/plain", body.view());
}

void writePage(AnswerText& out) noexcept { writeAnswer(out, Status::kOk, "text/html", kPage); }

void writeCaptureHead(AnswerText& out, std::size_t size, std::uint64_t taken) noexcept {
  begin(out, Status::kOk, "image/jpeg");
  writeLength(out, size);
  writeTaken(out, taken);
  out << "\r\n";
}

void writeStreamHead(AnswerText& out) noexcept {
  begin(out, Status::kOk, "multipart/x-mixed-replace; boundary=frame");
  out << "\r\n--frame";
}

void writePartHead(AnswerText& out, std::size_t size, std::uint64_t taken) noexcept {
  out.clear();
  out << "\r\nContent-Type: image/jpeg\r\n";
  writeLength(out, size);
  writeTaken(out, taken);
  out << "\r\n";
}

std::string_view busyAnswer() noexcept {
  return "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\nRetry-After: 2\r\n"
         "Content-Length: 20\r\n\r\nService Unavailable\n";
}

}  // namespace gk
