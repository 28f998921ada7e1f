#include <doctest/doctest.h>

#include "gk/settings.hpp"

TEST_CASE("at its start the camera is set as the seed's is") {
  const gk::Settings settings;
  CHECK(settings.of(gk::Setting::kResolution) == 7);
  CHECK(settings.of(gk::Setting::kQuality) == 15);
  CHECK(settings.of(gk::Setting::kFps) == 20);
  CHECK(settings.of(gk::Setting::kMode) == 1);
  CHECK(settings.of(gk::Setting::kExposure) == 1);
  CHECK(settings.of(gk::Setting::kVflip) == 0);
  CHECK(settings.resolution().name == "XGA");
}

TEST_CASE("each setting is found by its name, and no other name") {
  for (std::size_t i = 0; i < gk::kSettingRanges.size(); ++i) {
    const auto found = gk::settingNamed(gk::kSettingRanges[i].name);
    REQUIRE(found);
    CHECK(static_cast<std::size_t>(*found) == i);
    CHECK(gk::rangeOf(*found).boot >= gk::rangeOf(*found).least);
    CHECK(gk::rangeOf(*found).boot <= gk::rangeOf(*found).most);
  }
  CHECK_FALSE(gk::settingNamed("flash"));
  CHECK_FALSE(gk::settingNamed(""));
}

TEST_CASE("a sensor that is smaller than the boot's resolution starts with its largest") {
  const gk::Settings settings(5);
  CHECK(settings.of(gk::Setting::kResolution) == 5);
  CHECK(settings.most(gk::Setting::kResolution) == 5);
  CHECK(settings.most(gk::Setting::kQuality) == 63);
}

TEST_CASE("a value is kept, negative ones too") {
  gk::Settings settings;
  settings.set(gk::Setting::kBrightness, -2);
  CHECK(settings.of(gk::Setting::kBrightness) == -2);
  CHECK(settings.of(gk::Setting::kContrast) == 0);
}

TEST_CASE("a resolution is told with its dimensions") {
  gk::Text<32> text;
  gk::tell(text, gk::kResolutions[12]);
  CHECK(text.view() == "QXGA (2048x1536)");
}
