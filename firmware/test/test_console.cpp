#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "gk/console.hpp"

using gk::ConsoleLine;
using gk::ConsoleVerb;
using gk::parseConsole;
using gk::Stored;

TEST_CASE("a setting takes the rest of the line, blanks and all") {
  const auto command = parseConsole("gk set ssid Front desk  5G ");
  CHECK(command.verb == ConsoleVerb::kSet);
  CHECK(command.entry == Stored::kSsid);
  CHECK(command.value == "Front desk  5G ");
}

TEST_CASE("every setting is known by its name, and its name can be a key of the store") {
  for (std::size_t i = 0; i < gk::kStored; ++i) {
    const auto& rule = gk::ruleOf(static_cast<Stored>(i));
    CHECK(rule.name.size() <= 15);
    CHECK(rule.longest <= gk::kLongestStored);
    const std::string value(rule.shortest, 'a');
    const std::string line = "gk set " + std::string(rule.name) + " " + value;
    CHECK(parseConsole(line).verb == ConsoleVerb::kSet);
    CHECK(parseConsole(line).entry == static_cast<Stored>(i));
    CHECK(parseConsole("gk clear " + std::string(rule.name)).verb == ConsoleVerb::kClear);
    CHECK(gk::fits(static_cast<Stored>(i), std::string(rule.longest, 'a')));
    CHECK_FALSE(gk::fits(static_cast<Stored>(i), std::string(rule.longest + 1, 'a')));
    CHECK_FALSE(gk::fits(static_cast<Stored>(i), std::string(rule.shortest - 1, 'a')));
  }
}

TEST_CASE("a key is hexadecimal digits, and what is no text is no value") {
  CHECK(gk::fits(Stored::kKey, std::string(64, 'F')));
  CHECK_FALSE(gk::fits(Stored::kKey, std::string(63, 'f') + "g"));
  CHECK_FALSE(gk::fits(Stored::kPassword, std::string("eight\0letters", 13)));
  CHECK_FALSE(gk::fits(Stored::kPassword, "eight\tletters"));
  CHECK(gk::fits(Stored::kPassword, "eight letters"));
  CHECK_FALSE(gk::fits(Stored::kToken, "sixteen letters and blanks"));
  CHECK_FALSE(gk::fits(Stored::kHost, "caf\xc3\xa9"));
  CHECK(gk::fits(Stored::kSsid, "caf\xc3\xa9"));
}

TEST_CASE("the other verbs stand alone, and what is wrong is told") {
  CHECK(parseConsole("gk show").verb == ConsoleVerb::kShow);
  CHECK(parseConsole("gk reboot").verb == ConsoleVerb::kReboot);
  for (const std::string_view line : {"gk", "gk shows", "gk reboot now", "gk set", "gk set colour red", "gk set ssid",
                                      "gk set ssid ", "gk clear ssid x", "gk set password short"}) {
    CHECK(parseConsole(line).verb == ConsoleVerb::kWrong);
    CHECK_FALSE(parseConsole(line).error.empty());
  }
  for (const std::string_view line : {"", "hello", "gkset ssid x", " gk show"}) {
    CHECK(parseConsole(line).verb == ConsoleVerb::kNothing);
  }
}

TEST_CASE("a line ends with either line end, and one that is too long is dropped whole") {
  ConsoleLine line;
  std::string got;
  for (const char c : std::string_view("gk show\r\n\r\n")) {
    if (const auto whole = line.take(c)) got += "[" + std::string(*whole) + "]";
  }
  for (const char c : std::string(1'000, 'x') + "\ngk reboot\n") {
    if (const auto whole = line.take(c)) got += "[" + std::string(*whole) + "]";
  }
  CHECK(got == "[gk show][gk reboot]");
}
