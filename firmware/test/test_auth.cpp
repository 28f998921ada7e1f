#include <doctest/doctest.h>

#include <string>

#include "lock_world.hpp"

using gk::Peer;
using gk::Session;
using gk::TestCrypto;

namespace {

std::string text(const std::optional<gk::Line>& line) { return line ? std::string(line->view()) : "nothing"; }

struct Pair {
  TestCrypto crypto;
  Session session;
  Peer peer;
  std::string hello = peer.hello(session.challenge(crypto).view());
  std::optional<gk::Line> greet() { return session.hello(crypto, gk::testKey(), hello); }
};

}  // namespace

TEST_CASE("the messages of signed mode are those that Python's hmac makes") {
  TestCrypto crypto;  // its chance is 00 01 02 ...
  Session session;
  CHECK(session.challenge(crypto).view() == "AUTH:1:000102030405060708090a0b0c0d0e0f");
  const auto ready = session.hello(crypto, gk::testKey(),
                                   "HELLO:f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff:"
                                   "650e260ecc1491dabb96e8eb1ee89bee6e8f412168f81077933754204d3ea500");
  CHECK(text(ready) == "READY:4e0de26b318e37e57a0c8286f836fd30feed5d1694c4ad2db640d3198c8993a6");
  CHECK(session.open(crypto, "C:1:44d1089722df05b705b4f720e9a923f7:OPEN_DOOR").value_or("") == "OPEN_DOOR");
  CHECK(text(session.seal(crypto, "OK:Door opened")) == "R:1:17e90a923eb30aa8244e51c715206061:OK:Door opened");
}

TEST_CASE("a nonce serves one try") {
  Pair pair;
  CHECK_FALSE(pair.session.hello(pair.crypto, gk::testKey(), "HELLO:"));
  CHECK_FALSE(pair.greet());
  CHECK_FALSE(pair.session.established());
}

TEST_CASE("no HELLO is good without a challenge, and none twice") {
  TestCrypto crypto;
  Session session;
  Peer peer;
  CHECK_FALSE(session.hello(crypto, gk::testKey(), peer.hello("AUTH:1:")));
  Pair pair;
  CHECK(pair.greet());
  CHECK_FALSE(pair.greet());
  CHECK(pair.session.established());
}

TEST_CASE("a HELLO with any character changed proves nothing") {
  for (std::size_t at = 6; at < std::string("HELLO:").size() + 97; ++at) {
    Pair pair;
    pair.hello[at] = pair.hello[at] == '0' ? '1' : '0';
    CAPTURE(at);
    CHECK_FALSE(pair.greet());
  }
}

TEST_CASE("a HELLO of another length or with another kind of nonce proves nothing") {
  for (const char* nonce : {"F0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF", "g0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", "f0f1f2f3",
                            "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff00", "", "|0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"}) {
    TestCrypto crypto;
    Session session;
    Peer peer;
    peer.nonce = nonce;
    CAPTURE(nonce);
    CHECK_FALSE(session.hello(crypto, gk::testKey(), peer.hello(session.challenge(crypto).view())));
  }
  Pair longer;
  longer.hello += "0";
  CHECK_FALSE(longer.greet());
}

TEST_CASE("with another key neither end takes the other for its own") {
  TestCrypto crypto;
  Session session;
  Peer peer;
  peer.key[31] ^= 1;
  CHECK_FALSE(session.hello(crypto, gk::testKey(), peer.hello(session.challenge(crypto).view())));
}

TEST_CASE("counters rise, may skip, and are decimal without leading zeros up to the last of 32 bits") {
  Pair pair;
  REQUIRE(pair.greet());
  const auto opens = [&](const std::string& count) {
    return pair.session.open(pair.crypto, pair.peer.sign("PING", count)).has_value();
  };
  CHECK_FALSE(opens("0"));
  CHECK(opens("1"));
  CHECK_FALSE(opens("1"));
  CHECK(opens("7"));
  CHECK_FALSE(opens("6"));
  for (const char* count : {"", "08", "+8", "-8", " 8", "8 ", "8a", "0x8", "4294967296", "18446744073709551617"}) {
    CAPTURE(count);
    CHECK_FALSE(opens(count));
  }
  CHECK(opens("4294967295"));
  CHECK_FALSE(opens("4294967295"));
  CHECK_FALSE(opens("1"));
}

TEST_CASE("a signed command with any character changed is none") {
  Pair pair;
  REQUIRE(pair.greet());
  const std::string good = pair.peer.sign("OPEN_DOOR");
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = bad[at] == '2' ? '3' : '2';
    CAPTURE(at);
    CHECK_FALSE(pair.session.open(pair.crypto, bad));
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(pair.session.open(pair.crypto, std::string_view(good).substr(0, size)));
  }
  CHECK(pair.session.open(pair.crypto, good).value_or("") == "OPEN_DOOR");
}

TEST_CASE("what the device says is no command: directions have tags of their own") {
  Pair pair;
  REQUIRE(pair.greet());
  std::string reflected = text(pair.session.seal(pair.crypto, "OPEN_DOOR"));
  reflected[0] = 'C';
  CHECK_FALSE(pair.session.open(pair.crypto, reflected));
}

TEST_CASE("an empty command may be signed, and what is signed may hold any character") {
  Pair pair;
  REQUIRE(pair.greet());
  CHECK(pair.session.open(pair.crypto, pair.peer.sign("")).value_or("?").empty());
  CHECK(pair.session.open(pair.crypto, pair.peer.sign("a:b|c\n\xff")).value_or("") == "a:b|c\n\xff");
}

TEST_CASE("without a session nothing is opened or sealed") {
  Pair pair;
  CHECK_FALSE(pair.session.open(pair.crypto, pair.peer.sign("PING")));
  CHECK_FALSE(pair.session.seal(pair.crypto, "PONG"));
}

TEST_CASE("when the library fails nothing is taken for authentic, and nothing is said") {
  Pair pair;
  pair.crypto.works = false;
  CHECK_FALSE(pair.greet());
  Pair other;
  REQUIRE(other.greet());
  other.crypto.works = false;
  CHECK_FALSE(other.session.open(other.crypto, other.peer.sign("PING")));
  CHECK_FALSE(other.session.seal(other.crypto, "PONG"));
}

TEST_CASE("parts that are too long have no mac") {
  TestCrypto crypto;
  gk::Digest digest{};
  CHECK(gk::mac(crypto, gk::testKey(), {std::string(198, 'x'), "y"}, digest));
  CHECK_FALSE(gk::mac(crypto, gk::testKey(), {std::string(199, 'x'), "y"}, digest));
}
