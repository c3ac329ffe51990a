#include "hil/lab/lab.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "hil/app/control_hook.hpp"
#include "hil/app/live_lab.hpp"
#include "protocols/text/toml.hpp"
#include "tests/unit/hil/golden.hpp"

namespace cyclerd::hil {
namespace {

std::optional<Lab> load(const std::string& text, std::string* shown = nullptr) {
  text::Diagnostics diagnostics;
  auto lab = load_lab(test::source_of(text, "lab.toml"), diagnostics);
  if (shown != nullptr) *shown = diagnostics.render();
  return lab;
}

const char* const kSmall = R"(format = 1
[[chamber]]
name = "oven"
port = 0
sensor_on = "c"
[[cell]]
name = "c"
set = "linear-closed-form"
chamber = "oven"
[[cycler]]
name = "p"
twin = "virtual-cycler"
port = 0
cell = "c"
)";

TEST(Lab, EveryShippedLabLoads) {
  int labs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(CYCLERD_SOURCE_DIR) + "/hil/labs")) {
    if (entry.path().extension() != ".toml") continue;
    auto source = text::read_source(entry.path().string());
    ASSERT_TRUE(source.has_value());
    text::Diagnostics diagnostics;
    auto lab = load_lab(*source, diagnostics);
    EXPECT_TRUE(lab.has_value()) << diagnostics.render();
    EXPECT_TRUE(diagnostics.all().empty()) << diagnostics.render();
    ++labs;
  }
  EXPECT_GE(labs, 2);
}

TEST(Lab, TheWorldIsWhatTheFileSays) {
  auto lab = load(kSmall);
  ASSERT_TRUE(lab.has_value());
  World world = build_world(*lab, {});
  EXPECT_EQ(world.plant_count(), 1U);
  EXPECT_EQ(world.chamber_count(), 1U);
  EXPECT_EQ(world.chamber_of(0), 0U);
  EXPECT_EQ(lab->chambers[0].sensor_on, std::optional<std::size_t>(0));
}

TEST(Lab, EveryMistakeIsFoundInOneRun) {
  std::string shown;
  EXPECT_FALSE(load(R"(format = 1
colour = "red"
[[chamber]]
name = "oven"
port = 70000
start_temperature = "300 degC"
sensor_on = "nobody"
[[cell]]
name = "c"
set = "lg-m5"
chamber = "ovn"
soc = 1.5
[[cell]]
name = "c"
set = "source"
[[cycler]]
name = "p"
twin = "ea-psu"
port = 15000
cell = "c"
current_max = "40 V"
[[cycler]]
name = "q"
twin = "virtual-cycler"
port = 15000
cell = "c"
)",
                    &shown)
                   .has_value());
  for (const char* expected :
       {"colour", "70000", "300 degC", "nobody", "did you mean \"lg-m50\"", "did you mean \"oven\"", "soc",
        "taken already", "ea-psb", "current_max", "port 15000", "another cycler"}) {
    EXPECT_NE(shown.find(expected), std::string::npos) << expected << "\n" << shown;
  }
}

TEST(Lab, ALabNeedsACellAndACycler) {
  std::string shown;
  EXPECT_FALSE(load("format = 1\n", &shown).has_value());
  EXPECT_NE(shown.find("[[cell]]"), std::string::npos) << shown;
  EXPECT_NE(shown.find("[[cycler]]"), std::string::npos) << shown;
}

// The hook's lines against a lab that is not running: no thread, no port, time stands still.
struct Hooked {
  base::VirtualClock clock;
  LiveLab live{*load(kSmall), clock};
  nlohmann::json state() { return nlohmann::json::parse(obey(live, "state")); }
};

TEST(ControlHook, SetsTheStateOfChargeAndTellsTheTruth) {
  Hooked h;
  EXPECT_EQ(h.state()["cyclers"]["p"]["soc"], 0.5);
  EXPECT_EQ(obey(h.live, "set c.soc 0.25"), "ok");
  EXPECT_EQ(h.state()["cyclers"]["p"]["soc"], 0.25);
  EXPECT_NEAR(h.state()["cyclers"]["p"]["voltage_V"].get<double>(), 3.3, 1e-12);
}

TEST(ControlHook, SensorsLieOnRequestAndThePlantDoesNot) {
  Hooked h;
  EXPECT_EQ(obey(h.live, "overvoltage p 4.5\r"), "ok");
  EXPECT_EQ(obey(h.live, "temp c 60"), "ok");
  h.live.world().now([](World& w) {
    EXPECT_EQ(w.plant(0).measure().voltage_V, 4.5);
    EXPECT_EQ(w.plant(0).measure().temperature_degC, 60.0);
    EXPECT_NEAR(w.plant(0).truth().voltage_V, 3.6, 1e-12);
  });
  EXPECT_EQ(obey(h.live, "overvoltage p off"), "ok");
  h.live.world().now([](World& w) { EXPECT_NEAR(w.plant(0).measure().voltage_V, 3.6, 1e-12); });
}

TEST(ControlHook, TellsWhenALieWasFirstShown) {
  Hooked h;
  const auto shown_us = [&] { return h.state()["cyclers"]["p"]["lie_shown_us"].get<std::int64_t>(); };
  const auto measure_at = [&](base::MonoTime t) {
    h.clock.advance_to(t);
    h.live.world().now([](World& w) { (void)w.plant(0).measure(); });
  };
  measure_at({1'000});
  EXPECT_EQ(obey(h.live, "overvoltage p 4.5"), "ok");
  EXPECT_EQ(shown_us(), 0) << "told, not yet shown";
  measure_at({2'000});
  measure_at({3'000});
  EXPECT_EQ(shown_us(), 2'000);
  EXPECT_EQ(obey(h.live, "overvoltage p off"), "ok");
  measure_at({4'000});
  EXPECT_EQ(shown_us(), 0);
}

TEST(ControlHook, NonsenseIsAnswered) {
  Hooked h;
  for (const char* line : {"", "nonsense", "mute", "mute nobody", "set c.soc 5", "set c.soc", "set c.x 1",
                           "temp nobody 3", "temp c warm", "overvoltage p nan"})
    EXPECT_TRUE(obey(h.live, line).starts_with("error: ")) << line;
}

TEST(LiveLab, ComesUpOnFreePortsAndStops) {
  base::SystemClock clock;
  LiveLab live(*load(kSmall), clock);
  ASSERT_TRUE(live.start().has_value());
  const auto ports = live.ports();
  EXPECT_EQ(ports.size(), 2U);
  for (const auto& [name, port] : ports) EXPECT_NE(port, 0) << name;
  EXPECT_EQ(obey(live, "mute oven"), "ok");
  EXPECT_TRUE(live.server("oven")->mute());
  EXPECT_EQ(obey(live, "unmute oven"), "ok");
  EXPECT_FALSE(live.server("oven")->mute());
  live.stop();
}

}  // namespace
}  // namespace cyclerd::hil
