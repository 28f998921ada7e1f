#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "gk/http_head.hpp"

using gk::HttpHead;

namespace {

constexpr std::string_view kServer =
    "GET /ws HTTP/1.1\r\nHost: 192.168.137.20:80\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
constexpr std::string_view kBrowser =
    "GET /ws HTTP/1.1\r\nHost: 192.168.137.20\r\nOrigin: http://evil.example\r\nUpgrade: websocket\r\n\r\n";

HttpHead after(std::string_view bytes, std::size_t most = 768) {
  HttpHead head(most);
  head.take(bytes);
  return head;
}

}  // namespace

TEST_CASE("a head is done at its empty line, and no sooner") {
  CHECK(after(kServer).state() == HttpHead::State::kDone);
  CHECK_FALSE(after(kServer).origin());
  for (std::size_t cut = 0; cut < kServer.size(); ++cut) {
    CHECK(after(kServer.substr(0, cut)).state() == HttpHead::State::kReading);
  }
}

TEST_CASE("a browser is known by its Origin, in any case of letters and any cut of the bytes") {
  for (std::size_t cut = 0; cut <= kBrowser.size(); ++cut) {
    HttpHead head(768);
    head.take(kBrowser.substr(0, cut));
    head.take(kBrowser.substr(cut));
    CHECK(head.state() == HttpHead::State::kDone);
    CHECK(head.origin());
  }
  CHECK(after("GET / HTTP/1.1\r\noRiGiN:null\r\n\r\n").origin());
  CHECK(after("GET / HTTP/1.1\norigin: null\n\n").origin());
}

TEST_CASE("what only looks like an Origin is none") {
  for (const std::string_view head :
       {"GET /origin: HTTP/1.1\r\nHost: origin: x\r\n\r\n", "origin: / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nX-Origin: a\r\nOrigins: b\r\nOrigin-Agent: c\r\nOrigi: d\r\n\r\n"}) {
    CHECK(after(head).state() == HttpHead::State::kDone);
    CHECK_FALSE(after(head).origin());
  }
}

TEST_CASE("empty lines before the request do not end it") {
  CHECK(after("\r\n\r\nGET / HTTP/1.1\r\n").state() == HttpHead::State::kReading);
  CHECK(after("\r\n\r\nGET / HTTP/1.1\r\nOrigin: x\r\n\r\n").origin());
}

TEST_CASE("a head of one byte more than allowed is too long, and stays so") {
  const std::string fits = "GET /" + std::string(768 - 9, 'x') + "\r\n\r\n";
  CHECK(after(fits).state() == HttpHead::State::kDone);
  HttpHead head = after("GET /" + std::string(768 - 8, 'x') + "\r\n\r\n");
  CHECK(head.state() == HttpHead::State::kTooLong);
  CHECK(head.take("\r\n\r\n") == HttpHead::State::kTooLong);
}

TEST_CASE("bytes behind the head are not looked at") {
  CHECK_FALSE(after("GET / HTTP/1.1\r\n\r\nOrigin: x\r\n\r\n").origin());
  CHECK(after(std::string(kServer) + std::string(4'096, 'x')).state() == HttpHead::State::kDone);
}
