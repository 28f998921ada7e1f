#include <doctest/doctest.h>

#include <string>

#include "gk/command.hpp"

namespace {

gk::Heard hear(std::string_view text, int largest = 12) { return gk::hear(text, gk::Settings(largest)); }

std::string command(std::string_view cmd, std::string_view val) {
  return R"({"type":"command","cmd":")" + std::string(cmd) + R"(","val":)" + std::string(val) +
         R"(,"timestamp":1700000000.0})";
}

// The value that a command sets, or why it is refused.
std::string outcome(std::string_view cmd, std::string_view val, int largest = 12) {
  const gk::Heard heard = hear(command(cmd, val), largest);
  if (const auto* taken = std::get_if<gk::Command>(&heard)) {
    CHECK(taken->name() == cmd);
    return std::to_string(taken->value);
  }
  const auto* refusal = std::get_if<gk::Refusal>(&heard);
  REQUIRE(refusal != nullptr);
  return std::string(refusal->why.view());
}

}  // namespace

TEST_CASE("each setting is taken from its least to its most, as a number and as text, and no further") {
  for (const auto& range : gk::kSettingRanges) {
    for (int value = range.least - 2; value <= range.most + 2; ++value) {
      const std::string number = std::to_string(value);
      const bool is_allowed = value >= range.least && value <= range.most;
      const std::string expected = is_allowed ? number : "val is out of range";
      CHECK(outcome(range.name, number).substr(0, expected.size()) == expected);
      CHECK(outcome(range.name, "\"" + number + "\"").substr(0, expected.size()) == expected);
    }
  }
}

TEST_CASE("what is no whole number, from its first letter to its last, is never taken for one") {
  for (const char* val : {R"("")", R"("abc")", R"(" 5")", R"("5 ")", R"("5x")", R"("+5")", R"("05")", R"("5.0")", "5.0",
                          "5e0", R"("-")", "null", "true", R"("on")", R"("0x5")", R"("5\u0000")"}) {
    CHECK_MESSAGE(outcome("quality", val) == "val is no whole number; allowed is 0 to 63", val);
  }
  CHECK(outcome("brightness", "-0") == "0");
  CHECK(outcome("quality", "99999999999999999999") == "val is out of range; allowed is 0 to 63");
  CHECK(outcome("quality", "4294967296") == "val is out of range; allowed is 0 to 63");
  CHECK(outcome("brightness", R"("-99999999999999999999")") == "val is out of range; allowed is -2 to 2");
}

TEST_CASE("switches and the mode have names, too") {
  for (const char* name : {"exposure", "gain", "whitebalance", "hmirror", "vflip"}) {
    for (const char* on : {"true", R"("true")", R"("on")", "1"}) CHECK(outcome(name, on) == "1");
    for (const char* off : {"false", R"("false")", R"("off")", "0"}) CHECK(outcome(name, off) == "0");
    CHECK(outcome(name, R"("On")") == "val is no whole number; allowed is 0 to 1, on or off");
    CHECK(outcome(name, R"("speed")") == "val is no whole number; allowed is 0 to 1, on or off");
  }
  CHECK(outcome("mode", R"("speed")") == "0");
  CHECK(outcome("mode", R"("velocidad")") == "0");
  CHECK(outcome("mode", R"("stability")") == "1");
  CHECK(outcome("mode", R"("estabilidad")") == "1");
  CHECK(outcome("mode", "true") == "val is no whole number; allowed is 0 to 1, speed or stability");
  CHECK(outcome("mode", R"("on")") == "val is no whole number; allowed is 0 to 1, speed or stability");
}

TEST_CASE("a smaller sensor takes fewer resolutions") {
  CHECK(outcome("resolution", "10", 10) == "10");
  CHECK(outcome("resolution", "11", 10) == "val is out of range; allowed is 0 to 10");
}

TEST_CASE("stats and reboot need no val") {
  for (const char* text : {R"({"type":"command","cmd":"reboot"})", R"({"type":"command","cmd":"reboot","val":""})"}) {
    const gk::Heard heard = hear(text);
    REQUIRE(std::holds_alternative<gk::Command>(heard));
    CHECK(std::get<gk::Command>(heard).order == gk::Command::Order::kReboot);
  }
  const gk::Heard heard = hear(R"({"type":"command","cmd":"stats"})");
  REQUIRE(std::holds_alternative<gk::Command>(heard));
  CHECK(std::get<gk::Command>(heard).order == gk::Command::Order::kStats);
}

TEST_CASE("a command without val, without cmd, or unknown is refused by its name") {
  const gk::Heard without = hear(R"({"type":"command","cmd":"fps"})");
  REQUIRE(std::holds_alternative<gk::Refusal>(without));
  CHECK(std::get<gk::Refusal>(without).cmd.view() == "fps");
  CHECK(std::get<gk::Refusal>(without).why.view() == "there is no val; allowed is 1 to 30");
  for (const char* text :
       {R"({"type":"command"})", R"({"type":"command","cmd":5})", R"({"type":"command","cmd":""})"}) {
    const gk::Heard heard = hear(text);
    REQUIRE(std::holds_alternative<gk::Refusal>(heard));
    CHECK(std::get<gk::Refusal>(heard).why.view() == "there is no cmd");
  }
  for (const std::string name : {"flash", "Quality", "quality ", "a name that has more than 32 bytes"}) {
    const gk::Heard heard = hear(command(name, "1"));
    REQUIRE(std::holds_alternative<gk::Refusal>(heard));
    CHECK(std::get<gk::Refusal>(heard).cmd.view() == (name.size() > 32 ? "" : name));
    CHECK(std::get<gk::Refusal>(heard).why.view() == "there is no such command");
  }
}

TEST_CASE("an id is kept as it was written, if it is a text or a number") {
  const auto heard = [](const std::string& id) {
    return hear(R"({"type":"command","cmd":"fps","val":5,"id":)" + id + "}");
  };
  for (const std::string id : {"7", "-1.5e3", R"("a\"b")", R"("\u00e9")"}) {
    const gk::Heard taken = heard(id);
    REQUIRE(std::holds_alternative<gk::Command>(taken));
    CHECK(std::get<gk::Command>(taken).id.view() == id);
  }
  CHECK(std::get<gk::Command>(heard("null")).id.view().empty());
  CHECK(std::get<gk::Refusal>(heard("true")).why.view() == "id is neither text nor a number");
  const std::string longest = "\"" + std::string(46, 'x') + "\"";
  CHECK(std::get<gk::Command>(heard(longest)).id.view() == longest);
  const gk::Heard longer = heard("\"" + std::string(47, 'x') + "\"");
  CHECK(std::get<gk::Refusal>(longer).why.view() == "id is longer than 48 bytes");
  CHECK(std::get<gk::Refusal>(longer).id.view().empty());
}

TEST_CASE("the answer to register has no type, and may offer the framed mode") {
  const auto framed = [](std::string_view text) {
    const gk::Heard heard = hear(text);
    REQUIRE(std::holds_alternative<gk::Registered>(heard));
    return std::get<gk::Registered>(heard).is_framed;
  };
  CHECK(framed(R"({"status":"ok","message":"Camera registered","server_time":"x","frames":"gkf1"})"));
  CHECK_FALSE(framed(R"({"status":"ok","message":"Camera registered","server_time":"x"})"));
  CHECK_FALSE(framed(R"({"status":"ok","frames":"gkf2"})"));
  CHECK_FALSE(framed(R"({"status":"ok","frames":true})"));
}

TEST_CASE("other texts are not for the camera, and what is no flat JSON is garbled") {
  for (const char* text : {R"({"status":"error"})", R"({"type":"img_ack","status":"ok"})", R"({"type":"status"})",
                           R"({"type":5,"status":"ok"})", "{}"}) {
    CHECK_MESSAGE(std::holds_alternative<gk::Unheard>(hear(text)), text);
  }
  for (const char* text : {"", "reboot", "[1]", R"({"type":"command","cmd":{}})"}) {
    CHECK_MESSAGE(std::holds_alternative<gk::Garbled>(hear(text)), text);
  }
}
