#include <doctest/doctest.h>

#include <string>

#include "gk/health.hpp"
#include "gk/json.hpp"

namespace {

const gk::Device kDevice{"garden", "OV3660", "1.0", "POWERON"};

}  // namespace

TEST_CASE("how it is, with the seed's keys and our own") {
  gk::Readings readings;
  readings.heap = 201'344;
  readings.min_heap = 180'112;
  readings.psram = 8'257'536;
  readings.rssi = -58;
  readings.uptime_ms = 3'723'999;
  readings.ip = "192.168.4.7";
  gk::Counts counts;
  counts.frames = 9;
  counts.dropped = 2;
  CHECK(gk::healthText(kDevice, readings, counts, gk::Settings()).view() ==
        R"~({"type":"health","frames":9,"dropped":2,"heap":201344,"minHeap":180112,"psram":8257536,"rssi":-58,)~"
        R"~("uptime":"1h 2m 3s","ip":"192.168.4.7","model":"OV3660","resolution":"XGA (1024x768)","quality":15,)~"
        R"~("reset":"POWERON","firmware":"1.0"})~");
}

TEST_CASE("the uptime doesn't wrap with the 32-bit clock") {
  CHECK(gk::uptimeText(0).view() == "0h 0m 0s");
  CHECK(gk::uptimeText(59'999).view() == "0h 0m 59s");
  CHECK(gk::uptimeText(0xffffffffULL + 1).view() == "1193h 2m 47s");
  CHECK(gk::uptimeText(1'000ULL * 3'600 * 999'999).view() == "999999h 0m 0s");
}

TEST_CASE("what it can is told up to the sensor's largest") {
  CHECK(gk::infoText(gk::Settings()).view() ==
        R"~({"type":"info","resolutions":"0:QQVGA(160x120),1:QCIF(176x144),2:HQVGA(240x176),3:QVGA(320x240),)~"
        R"~(4:CIF(400x296),5:VGA(640x480),6:SVGA(800x600),7:XGA(1024x768),8:HD(1280x720),9:SXGA(1280x1024),)~"
        R"~(10:UXGA(1600x1200),11:FHD(1920x1080),12:QXGA(2048x1536)","mode":"Estabilidad","fps":20})~");
  CHECK(gk::infoText(gk::Settings(0)).view() ==
        R"~({"type":"info","resolutions":"0:QQVGA(160x120)","mode":"Estabilidad","fps":20})~");
}

TEST_CASE("it registers with its id, if it has one, and the framed mode") {
  CHECK(gk::registerText(kDevice).view() ==
        R"~({"type":"register","device":"camera","id":"garden","frames":["gkf1"]})~");
  CHECK(gk::registerText({}).view() == R"~({"type":"register","device":"camera","frames":["gkf1"]})~");
  CHECK(gk::registerText({"a\"b", {}, {}, {}}).view() ==
        R"~({"type":"register","device":"camera","id":"a\"b","frames":["gkf1"]})~");
}

TEST_CASE("the longest figures fit, and a text that doesn't is left out whole") {
  gk::Readings readings;
  readings.heap = readings.min_heap = readings.psram = 0xffffffff;
  readings.rssi = -127;
  readings.uptime_ms = ~std::uint64_t{0};
  readings.ip = "255.255.255.255";
  gk::Counts counts;
  counts.frames = counts.dropped = 0xffffffff;
  const std::string word(64, 'x');
  const auto text = gk::healthText({word, word, word, word}, readings, counts, gk::Settings());
  CHECK_FALSE(text.view().empty());
  const std::string endless(500, 'x');
  CHECK(gk::healthText({endless, endless, {}, {}}, readings, counts, gk::Settings()).view().empty());
  CHECK(gk::registerText({endless, {}, {}, {}}).view().empty());
}
