// What the tests of the lock see: everything that it did, in one list, and a server's end of signed mode.
#pragma once
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "gk/door_lock.hpp"
#include "gk/mbedtls.hpp"

namespace gk {

struct TestCrypto final : Crypto {
  bool works = true;
  std::uint8_t next = 0;
  bool hmac(const Key& key, std::string_view message, Digest& out) noexcept override {
    return works && mbedtlsHmac(key, message, out);
  }
  void random(std::uint8_t* out, std::size_t count) noexcept override {
    for (std::size_t i = 0; i < count; ++i) out[i] = next++;
  }
};

using Log = std::vector<std::string>;

struct TestPort final : LockPort {
  bool on = true;  // as a relay may be before the lock is there
  Log log;
  void relay(bool energised) noexcept override {
    on = energised;
    log.emplace_back(energised ? "relay on" : "relay off");
  }
  void send(ClientId to, std::string_view text) noexcept override {
    log.push_back(std::to_string(to) + " " + std::string(text));
  }
  void ping(ClientId to) noexcept override { log.push_back(std::to_string(to) + " (ping)"); }
  void close(ClientId id, CloseCode code) noexcept override {
    log.push_back(std::to_string(id) + " (close " + std::to_string(static_cast<int>(code)) + ")");
  }
  void cut(ClientId id) noexcept override { log.push_back(std::to_string(id) + " (cut)"); }
};

struct World {
  TestPort port;
  TestCrypto crypto;
  DoorLock lock;
  explicit World(const LockConfig& config = {}) : lock(port, crypto, config) { port.log.clear(); }

  Log heard() {
    Log log;
    log.swap(port.log);
    return log;
  }
  void join(ClientId id, Millis now = 0, Address address = 0) {
    lock.connected(id, address, now, -60);
    port.log.clear();
  }
  // Like join(), but everything that was said stays in the log of what this returns.
  Log greeting(ClientId id, Millis now = 0, Address address = 0, int rssi = -60) {
    lock.connected(id, address, now, rssi);
    return heard();
  }
  Log say(ClientId id, std::string_view text, Millis now = 0) {
    lock.text(id, text, now);
    return heard();
  }
};

inline Key testKey() {
  Key key{};
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
  return key;
}

inline LockConfig keyed() {
  LockConfig config;
  config.key = testKey();
  return config;
}

// The server's end of a session.
struct Peer {
  TestCrypto crypto;
  Key key = testKey();
  Key session{};
  std::string nonce = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
  std::string ready;  // what the device has to answer
  unsigned counter = 0;

  static std::string hex(const Digest& digest, std::size_t bytes) {
    return std::string(Text<64>().hex(digest.data(), bytes).view());
  }
  std::string hello(std::string_view challenge) {
    const std::string theirs(challenge.substr(challenge.find("AUTH:1:") + 7));
    Digest digest{};
    mac(crypto, key, {"gk1-session", theirs, nonce}, session);
    mac(crypto, session, {"gk1-ready", theirs}, digest);
    ready = "READY:" + hex(digest, 32);
    mac(crypto, key, {"gk1-hello", theirs, nonce}, digest);
    return "HELLO:" + nonce + ":" + hex(digest, 32);
  }
  std::string sign(std::string_view command) { return sign(command, std::to_string(++counter)); }
  std::string sign(std::string_view command, const std::string& count) {
    Digest digest{};
    mac(crypto, session, {"c", count, command}, digest);
    return "C:" + count + ":" + hex(digest, 16) + ":" + std::string(command);
  }
  std::string sealed(std::string_view text, unsigned count) {
    Digest digest{};
    mac(crypto, session, {"d", std::to_string(count), text}, digest);
    return "R:" + std::to_string(count) + ":" + hex(digest, 16) + ":" + std::string(text);
  }
};

// A client with a session.
inline Peer enter(World& world, ClientId id, Millis now = 0, Address address = 0) {
  Peer peer;
  const Log greeting = world.greeting(id, now, address);
  world.say(id, peer.hello(greeting.back()), now);
  return peer;
}

}  // namespace gk
