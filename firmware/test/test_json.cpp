#include <doctest/doctest.h>

#include <string>

#include "gk/json.hpp"

namespace {

bool reads(std::string_view text) { return gk::FlatJson().read(text); }

}  // namespace

TEST_CASE("a flat object's members are found, decoded and as written") {
  gk::FlatJson json;
  REQUIRE(json.read(" { \"type\" : \"command\",\"val\":-12.5e+3,\r\n\t\"on\":true,\"off\":false,\"none\":null} "));
  CHECK(json.string("type") == "command");
  CHECK(json.find("type")->raw == "\"command\"");
  CHECK(json.find("val")->kind == gk::FlatJson::Kind::kNumber);
  CHECK(json.find("val")->value == "-12.5e+3");
  CHECK(json.find("on")->kind == gk::FlatJson::Kind::kTrue);
  CHECK(json.find("off")->kind == gk::FlatJson::Kind::kFalse);
  CHECK(json.find("none")->kind == gk::FlatJson::Kind::kNull);
  CHECK(json.find("typ") == nullptr);
  CHECK(json.string("val").empty());
  CHECK(reads("{}"));
}

TEST_CASE("escapes are decoded, those of names too") {
  gk::FlatJson json;
  REQUIRE(json.read(R"({"\u0061":"\"\\\/\b\f\n\r\tA\u00e9\u20AC\ud83D\ude00"})"));
  CHECK(json.string("a") == "\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  REQUIRE(json.read(R"({"a":"\u0000"})"));
  CHECK(json.string("a") == std::string_view("\0", 1));
}

TEST_CASE("what the grammar doesn't have is refused") {
  for (const char* text : {"",
                           " ",
                           "{",
                           "}",
                           "[]",
                           "\"a\"",
                           "1",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{,}",
                           "{a:1}",
                           "{\"a\":1}x",
                           "{\"a\":1}{}",
                           "{\"a\":01}",
                           "{\"a\":+1}",
                           "{\"a\":1.}",
                           "{\"a\":.5}",
                           "{\"a\":1e}",
                           "{\"a\":-}",
                           "{\"a\":tru}",
                           "{\"a\":True}",
                           "{\"a\":NaN}",
                           "{\"a\":Infinity}",
                           "{\"a\":\"}",
                           "{\"a\":'b'}",
                           "{\"a\":\"\\x\"}",
                           "{\"a\":\"\\u12g4\"}",
                           "{\"a\":\"\\u12\"}",
                           "{\"a\":\"\t\"}",
                           "{\"a\" 1}",
                           "{\"a\":1 \"b\":2}",
                           "\xef\xbb\xbf{}",
                           "{\"a\":1,\"a\":2}",
                           "{\"a\":1,\"\\u0061\":2}",
                           "{\"a\":{}}",
                           "{\"a\":[]}",
                           "{\"a\":\"\\"}) {
    CHECK_MESSAGE(!reads(text), text);
  }
  CHECK_FALSE(reads(std::string_view("{\0}", 3)));
}

TEST_CASE("bytes that are no UTF-8, and halves of surrogates, are refused") {
  for (const char* text :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xff", "\\ud800", "\\udc00", "\\ud800\\u0041", "\\ud800\\ud800", "\\ud800x"}) {
    CHECK_MESSAGE(!reads("{\"a\":\"" + std::string(text) + "\"}"), text);
  }
  for (const char* text : {"\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xf0\x90\x80\x80",
                           "\xf4\x8f\xbf\xbf", "\x7f"}) {
    CHECK_MESSAGE(reads("{\"a\":\"" + std::string(text) + "\"}"), text);
  }
}

TEST_CASE("a text of 512 bytes and 16 members is read, and no more") {
  std::string text = "{\"a\":\"" + std::string(512 - 8, 'x') + "\"}";
  CHECK(text.size() == 512);
  CHECK(reads(text));
  CHECK_FALSE(reads(text + " "));
  std::string many = "{\"0\":0";
  for (int i = 1; i < 16; ++i) many += ",\"" + std::to_string(i) + "\":0";
  CHECK(reads(many + "}"));
  CHECK_FALSE(reads(many + ",\"16\":0}"));
}

TEST_CASE("after what could not be read there are no members") {
  gk::FlatJson json;
  REQUIRE(json.read("{\"a\":\"b\"}"));
  REQUIRE_FALSE(json.read("{\"a\":\"b\",}"));
  CHECK(json.find("a") == nullptr);
}

TEST_CASE("what is written is escaped, and reads back") {
  gk::JsonObject<128> object;
  const std::string_view odd("\"\\\b\f\n\r\t\x01\x1f/\xc3\xa9", 12);
  const std::string_view text = object.string("a", odd).number("b", -3).raw("c", "[1]").end();
  CHECK(text == "{\"a\":\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f/\xc3\xa9\",\"b\":-3,\"c\":[1]}");
  CHECK(gk::JsonObject<8>().end() == "{}");
  gk::JsonObject<64> again;
  gk::FlatJson json;
  REQUIRE(json.read(again.string("a", odd).end()));
  CHECK(json.string("a") == odd);
}

TEST_CASE("half of an object is never given out") {
  for (std::size_t i = 0; i < 2; ++i) {
    gk::JsonObject<8> object;
    object.number("a", i == 0 ? 10 : 100);  // {"a":10} has eight letters
    CHECK(object.end() == (i == 0 ? "{\"a\":10}" : ""));
  }
}
