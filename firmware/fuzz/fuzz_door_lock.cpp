// Any sequence of events on a lock with or without a key, with traps where an invariant would break. The texts are the
// fuzzer's own or the right ones: with its key, so that it gets past the proofs.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "gk/door_lock.hpp"
#include "gk/mbedtls.hpp"

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

constexpr gk::Millis kSilence = 10'000;
constexpr gk::Millis kMost = 60'000;
constexpr int kIds = 10;

struct World final : gk::LockPort, gk::Crypto {
  bool on = true;
  int energised = 0;  // how often it was
  bool connected[kIds] = {};
  std::string nonce[kIds];
  std::uint8_t count = 0;

  void relay(bool now_on) noexcept override {
    on = now_on;
    if (now_on) ++energised;
  }
  void send(gk::ClientId to, std::string_view text) noexcept override {
    must(to >= 0 && to < kIds && text.size() <= 192 && !text.empty());
    for (const char c : text) must(c >= ' ' && c <= '~');
    if (gk::startsWith(text, "AUTH:1:")) nonce[to] = std::string(text.data() + 7, text.size() - 7);
  }
  void ping(gk::ClientId to) noexcept override { must(to >= 0 && to < kIds); }
  void close(gk::ClientId id, gk::CloseCode) noexcept override { connected[id] = false; }
  void cut(gk::ClientId id) noexcept override { connected[id] = false; }
  bool hmac(const gk::Key& key, std::string_view message, gk::Digest& out) noexcept override {
    return gk::mbedtlsHmac(key, message, out);
  }
  void random(std::uint8_t* out, std::size_t size) noexcept override {
    for (std::size_t i = 0; i < size; ++i) out[i] = count++;
  }
};

struct Input {
  const std::uint8_t* bytes;
  std::size_t size;
  std::uint8_t byte() {
    if (size == 0) return 0;
    --size;
    return *bytes++;
  }
  std::string text() {
    std::size_t count = byte();
    if (count > size) count = size;
    std::string text(reinterpret_cast<const char*>(bytes), count);
    bytes += count;
    size -= count;
    return text;
  }
};

constexpr const char* kWords[] = {"OPEN_DOOR", "LOCK_DOOR", "PING", "STATUS"};

std::string hex(const gk::Digest& digest, std::size_t bytes) {
  return std::string(gk::Text<64>().hex(digest.data(), bytes).view());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  Input input{bytes, size};
  const std::uint8_t how = input.byte();
  gk::LockConfig config;
  if ((how & 1) != 0) config.key.emplace().fill(7);
  World world;
  gk::DoorLock lock(world, world, config);
  must(!world.on);

  // The server's view of each connection, and the oracle: when the relay went on, who holds it, and when they were
  // heard.
  std::string session_nonce[kIds];
  gk::Key session[kIds] = {};
  unsigned sent[kIds] = {};
  gk::Millis now = (how & 2) != 0 ? 0xffffc000U : 0U;
  gk::Millis opened_at = now;
  gk::Millis beat_at = now;
  int holder = -1;

  while (input.size > 0) {
    const std::uint8_t deed = input.byte();
    const int id = input.byte() % kIds;
    const int energised = world.energised;
    std::string text;
    std::string word;
    bool proven = !config.key;
    switch (deed % 10) {
      case 0:
        lock.accepted(id, now);
        world.connected[id] = false;
        break;
      case 1:
        session_nonce[id].clear();
        sent[id] = 0;
        world.connected[id] = lock.connected(id, static_cast<gk::Address>(deed / 10), now, -60);
        break;
      case 2:
        lock.disconnected(id);
        world.connected[id] = false;
        break;
      case 3:
        now += static_cast<gk::Millis>(input.byte()) * 64;
        break;
      case 4:
        lock.tick(now, -60);
        break;
      case 5:
        lock.trip(now);
        must(!world.on && !lock.open());
        break;
      case 6:
        text = word = input.text();
        break;
      case 7: {  // the right HELLO
        const std::string theirs = world.nonce[id];
        gk::Digest digest{};
        gk::mac(world, config.key.value_or(gk::Key{}), {"gk1-hello", theirs, std::string(32, 'a')}, digest);
        text = "HELLO:" + std::string(32, 'a') + ":" + hex(digest, 32);
        gk::mac(world, config.key.value_or(gk::Key{}), {"gk1-session", theirs, std::string(32, 'a')}, session[id]);
        session_nonce[id] = theirs;
        sent[id] = 0;
        break;
      }
      default: {  // a command, signed where there is a key
        text = word = kWords[deed / 10 % 4];
        if (config.key && (deed & 1) != 0) {
          const std::string count = std::to_string(++sent[id]);
          gk::Digest digest{};
          gk::mac(world, session[id], {"c", count, word}, digest);
          text = "C:" + count + ":" + hex(digest, 16) + ":" + word;
          proven = !session_nonce[id].empty();
        }
      }
    }
    if (deed % 10 >= 6) {
      const bool here = world.connected[id];
      lock.text(id, text, now);
      if (world.energised != energised) {
        must(word == "OPEN_DOOR" && proven && here);  // nobody else opens
        opened_at = now;
      }
      if (text == "LOCK_DOOR" && here) must(!world.on);  // I11
      if (proven && here && word == "OPEN_DOOR") holder = id;
      const bool beats = word == "OPEN_DOOR" || word == "PING" || word == "STATUS";
      if (proven && here && holder == id && beats) beat_at = now;  // I3
    } else {
      must(world.energised == energised);  // nothing but a text opens
    }
    if (holder >= 0 && !world.connected[holder]) holder = -1;
    if (deed % 10 == 4 || deed % 10 >= 6) {
      must(!world.on || gk::elapsed(now, beat_at) < kSilence);  // I2
      must(!world.on || gk::elapsed(now, opened_at) < kMost);   // I4
    }
    must(world.on == lock.open());
    must(lock.clients() <= gk::LockClients::kMax);
  }
  return 0;
}
