#include <doctest/doctest.h>

#include <initializer_list>
#include <string>

#include "gk/mjpeg.hpp"

namespace {

constexpr std::string_view kToken = "0123456789abcdef";

std::string text(const gk::AnswerText& answer) { return std::string(answer.view()); }

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("each path has its answer, whatever stands behind the question mark") {
  using gk::Route;
  const auto route = [](std::string_view target) { return gk::decide({"GET", target, ""}, "").route; };
  CHECK(route("/") == Route::kPage);
  CHECK(route("/stream") == Route::kStream);
  CHECK(route("/stream?fps=5") == Route::kStream);
  CHECK(route("/capture?") == Route::kCapture);
  CHECK(route("/health") == Route::kHealth);
  for (const std::string_view other : {"", "/Stream", "/stream/", "/open", "stream", "//", "?/"}) {
    CHECK(gk::decide({"GET", other, ""}, "").status == gk::Status::kNotFound);
  }
  for (const std::string_view method : {"HEAD", "POST", "get", ""}) {
    CHECK(gk::decide({method, "/stream", ""}, "").status == gk::Status::kMethodNotAllowed);
  }
}

TEST_CASE("with a token nothing is told without it, not even what there is") {
  for (const std::string_view target : {"/", "/stream", "/capture", "/health", "/nothing"}) {
    CHECK(gk::decide({"GET", target, ""}, kToken).status == gk::Status::kUnauthorized);
    CHECK(gk::decide({"GET", target, "Bearer 0123456789abcdeF"}, kToken).status == gk::Status::kUnauthorized);
  }
  CHECK(gk::decide({"GET", "/stream", "Bearer 0123456789abcdef"}, kToken).status == gk::Status::kOk);
  CHECK(gk::decide({"GET", "/nothing", "Bearer 0123456789abcdef"}, kToken).status == gk::Status::kNotFound);
}

TEST_CASE("the token is a bearer's, or a password's") {
  for (const std::string_view good :
       {"Bearer 0123456789abcdef", "bearer  0123456789abcdef ", "BEARER\t 0123456789abcdef",
        "Basic Y2FtZXJhOjAxMjM0NTY3ODlhYmNkZWY=",  // camera:
        "basic OjAxMjM0NTY3ODlhYmNkZWY=", "Basic OjAxMjM0NTY3ODlhYmNkZWY"}) {
    INFO(std::string(good));
    CHECK(gk::authorized(good, kToken) == (good.find('\t') == std::string_view::npos));
  }
  CHECK(gk::authorized("Basic Y2FtZXJhOjAxMjM0OjU2Nzg5YWJjZGVm", "01234:56789abcdef"));
  const std::string endless = "Basic " + std::string(4'000, 'A');
  for (const std::string_view bad :
       {std::string_view(""), std::string_view("0123456789abcdef"), std::string_view("Bearer"),
        std::string_view("Bearer "), std::string_view("Bearer 0123456789abcde"),
        std::string_view("Bearer 0123456789abcdef0"), std::string_view("Digest 0123456789abcdef"),
        std::string_view("Basic MDEyMzQ1Njc4OWFiY2RlZg=="),          // no colon
        std::string_view("Basic MDEyMzQ1Njc4OWFiY2RlZjo="),          // as the user name
        std::string_view("Basic Y2FtZXJhOjAxMjM0NTY3ODlhYmNkZWY!"),  // no base64
        std::string_view("Basic ="), std::string_view(endless)}) {
    INFO(std::string(bad.substr(0, 60)));
    CHECK_FALSE(gk::authorized(bad, kToken));
  }
}

TEST_CASE("a token is sixteen to 128 characters that can stand in a header") {
  CHECK(gk::usableToken(kToken));
  CHECK(gk::usableToken(std::string(128, '~')));
  CHECK_FALSE(gk::usableToken(""));
  CHECK_FALSE(gk::usableToken("0123456789abcde"));
  CHECK_FALSE(gk::usableToken(std::string(129, 'a')));
  CHECK_FALSE(gk::usableToken("0123456789 abcdef"));
  CHECK_FALSE(gk::usableToken("0123456789abcdef\n"));
  CHECK_FALSE(gk::usableToken("0123456789abcdef\xc3\xa4"));
}

TEST_CASE("the stream's bytes are those of the seed, the delimiter with the picture before it") {
  gk::AnswerText out;
  gk::writeStreamHead(out);
  const std::string head = text(out);
  CHECK(head.rfind("HTTP/1.1 200 OK\r\n", 0) == 0);
  CHECK(has(head, "\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n"));
  CHECK(has(head, "\r\nCache-Control: no-store\r\n"));
  CHECK(has(head, "\r\nConnection: close\r\n"));
  CHECK_FALSE(has(head, "Access-Control"));
  CHECK(head.substr(head.size() - 11) == "\r\n\r\n--frame");
  gk::writePartHead(out, 4'321, 12'034);
  CHECK(text(out) == "\r\nContent-Type: image/jpeg\r\nContent-Length: 4321\r\nX-Timestamp: 12.034\r\n\r\n");
  CHECK(gk::kBehindPicture == "\r\n--frame");
  CHECK(gk::kBehindLast == "--\r\n");
}

TEST_CASE("a picture's time is told in seconds of any size") {
  gk::AnswerText out;
  const auto stamp = [&out](std::uint64_t taken) {
    gk::writePartHead(out, 1, taken);
    const std::string head = text(out);
    const std::size_t at = head.find("X-Timestamp: ") + 13;
    return head.substr(at, head.find('\r', at) - at);
  };
  CHECK(stamp(0) == "0.000");
  CHECK(stamp(9) == "0.009");
  CHECK(stamp(10) == "0.010");
  CHECK(stamp(99) == "0.099");
  CHECK(stamp(100) == "0.100");
  CHECK(stamp(4'294'967'296) == "4294967.296");
  CHECK(stamp(0xffffffffffffffff) == "18446744073709551.615");
  CHECK_FALSE(out.overflowed());
}

TEST_CASE("answers say how long they are and what was asked wrongly") {
  gk::AnswerText out;
  gk::writeRefusal(out, gk::Status::kUnauthorized);
  CHECK(has(text(out), "HTTP/1.1 401 Unauthorized\r\n"));
  CHECK(has(text(out), "\r\nWWW-Authenticate: Bearer realm=\"camera\"\r\n"));
  CHECK(has(text(out), "\r\nWWW-Authenticate: Basic realm=\"camera\"\r\n"));
  CHECK(has(text(out), "\r\nContent-Length: 13\r\n\r\nUnauthorized\n"));
  gk::writeRefusal(out, gk::Status::kMethodNotAllowed);
  CHECK(has(text(out), "HTTP/1.1 405 Method Not Allowed\r\n"));
  CHECK(has(text(out), "\r\nAllow: GET\r\n"));
  gk::writeRefusal(out, gk::Status::kNotFound);
  CHECK(has(text(out), "HTTP/1.1 404 Not Found\r\n"));
  CHECK_FALSE(has(text(out), "Allow"));
  gk::writeRefusal(out, gk::Status::kUnavailable);
  CHECK(has(text(out), "HTTP/1.1 503 Service Unavailable\r\n"));
  CHECK(has(text(out), "\r\nRetry-After: 2\r\n"));
  gk::writePage(out);
  CHECK(has(text(out), "src=\"/stream\""));
  CHECK_FALSE(out.overflowed());
  gk::writeCaptureHead(out, 77, 1'500);
  CHECK(has(text(out), "\r\nContent-Type: image/jpeg\r\n"));
  CHECK(has(text(out), "\r\nContent-Length: 77\r\nX-Timestamp: 1.500\r\n\r\n"));
  const std::string busy(gk::busyAnswer());
  CHECK(has(busy, "\r\nContent-Length: 20\r\n\r\n"));
  CHECK(busy.size() - busy.find("\r\n\r\n") - 4 == 20);
}
