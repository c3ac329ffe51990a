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
  EXPECT_GE(labs, 5);
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

// One cycler with these lines more.
std::string with_cycler_lines(const std::string& lines) {
  return std::string(kSmall) + lines;
}

TEST(Lab, AnInstrumentClassIsAPresetThatKeysOverrule) {
  auto cheap =
      load(with_cycler_lines("class = \"cheap\"\nvoltage_overshoot = \"12 mV\"\nbleeder_resistance = \"1000 kOhm\"\n"));
  ASSERT_TRUE(cheap.has_value());
  const PlantConfig& c = cheap->cyclers[0].config;
  EXPECT_DOUBLE_EQ(c.current_accuracy.class_of_full_scale, 0.005);
  EXPECT_EQ(c.sampling.us, 100'000);
  EXPECT_EQ(c.current_delay.us, 20'000);
  EXPECT_DOUBLE_EQ(c.stage.voltage_overshoot_V, 0.012);
  EXPECT_DOUBLE_EQ(c.stage.bleeder_Ohm, 1e6);
  auto ideal = load(kSmall);
  ASSERT_TRUE(ideal.has_value());
  EXPECT_EQ(ideal->cyclers[0].config.sampling.us, 0);
  EXPECT_EQ(ideal->cyclers[0].config.stage.ovp_margin, 0.0);
}

TEST(Lab, FaultsFromTheStartAreInTheWorld) {
  auto lab =
      load(with_cycler_lines("sense_fault = \"swapped\"\nprobe_fault = \"open-low\"\nlead_resistance = \"10 mOhm\"\n"));
  ASSERT_TRUE(lab.has_value());
  World world = build_world(*lab, {});
  EXPECT_LT(world.plant(0).measure().voltage_V, -3.0);
  EXPECT_DOUBLE_EQ(world.plant(0).measure().temperature_degC, -200.0);
}

struct BadLine {
  const char* lines;
  const char* said;
};
class BadCyclerLine : public ::testing::TestWithParam<BadLine> {};
TEST_P(BadCyclerLine, IsRefusedWithAHint) {
  std::string shown;
  EXPECT_FALSE(load(with_cycler_lines(GetParam().lines), &shown).has_value()) << GetParam().lines;
  EXPECT_NE(shown.find(GetParam().said), std::string::npos) << shown;
}
INSTANTIATE_TEST_SUITE_P(
    Lines, BadCyclerLine,
    ::testing::Values(BadLine{"class = \"cheep\"\n", "cheap"}, BadLine{"wires = 3\n", "2 or 4"},
                      BadLine{"wires = 2\nsense_fault = \"swapped\"\n", "two wires"},
                      BadLine{"sense_fault = \"open-flot\"\n", "open-float"},
                      BadLine{"probe_fault = \"opn\"\n", "open"}, BadLine{"voltage_overshoot = \"21 mV\"\n", "20 mV"},
                      BadLine{"current_ranges = [\"1 A\", \"0.5 A\"]\n", "not above"},
                      BadLine{"current_ranges = [\"1 V\"]\n", "is no current"},
                      BadLine{"current_ranges = [1]\n", "not a quantity"},
                      BadLine{"current_ranges = [\"50 A\"]\n", "above the rating"},
                      BadLine{"current_ranges = []\n", "empty"}, BadLine{"sampling = \"1 s\"\n", "200 ms"},
                      BadLine{"current_accuracy = \"20 %\"\n", "current_accuracy"}, BadLine{"slew = \"5 A\"\n", "slew"},
                      BadLine{"lead_resistence = \"1 Ohm\"\n", "lead_resistance"},
                      BadLine{"resolution_bits = 30\n", "24"}, BadLine{"contact_mOhm_per_h = -1.0\n", "contact"}));

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

TEST(ControlHook, FaultsOfTheCellReachIt) {
  Hooked h;
  auto at_rest_V = [&] { return h.live.world().now([](World& w) { return w.plant(0).cell().terminal(0.0).emf_V; }); };
  EXPECT_NEAR(at_rest_V(), 3.6, 1e-12);
  for (const char* line : {"short c 100mOhm", "short c 0.1", "short c 0.1 Ohm", "short p 100 mOhm"}) {
    EXPECT_EQ(obey(h.live, line), "ok") << line;
    EXPECT_NEAR(at_rest_V(), 3.6 * 0.1 / 0.12, 1e-9) << line;
    EXPECT_EQ(obey(h.live, "short c off"), "ok");
    EXPECT_NEAR(at_rest_V(), 3.6, 1e-12);
  }
  EXPECT_EQ(obey(h.live, "open c"), "ok");
  EXPECT_EQ(at_rest_V(), 0.0);
  EXPECT_EQ(obey(h.live, "close c"), "ok");
  EXPECT_EQ(obey(h.live, "tab c 50mOhm"), "ok");
  EXPECT_EQ(obey(h.live, "fade c 0.8"), "ok");
  EXPECT_EQ(obey(h.live, "grow c 0.5"), "ok");
  EXPECT_NEAR(h.live.world().now([](World& w) { return w.plant(0).cell().terminal(0.0).resistance_Ohm; }),
              0.05 + 0.02 / 0.8 * 1.5, 1e-12);
  for (const char* line : {"short c", "short c -1", "short c 3V", "short x 1", "short c.1 1", "open", "fade c 2",
                           "grow c -1", "tab c x", "runaway c", "runaway"}) {
    EXPECT_TRUE(obey(h.live, line).starts_with("error: ")) << line;
  }
}

TEST(ControlHook, OneCellOfAPackIsBroken) {
  std::string text = kSmall;
  text.replace(text.find("linear-closed-form"), 18, "lg-m50-pack-4s2p");
  base::VirtualClock clock;
  LiveLab live(*load(text), clock);
  auto at_rest_V = [&] { return live.world().now([](World& w) { return w.plant(0).cell().terminal(0.0).emf_V; }); };
  const double before_V = at_rest_V();
  EXPECT_EQ(obey(live, "short c.3 10 Ohm"), "ok");
  EXPECT_LT(at_rest_V(), before_V - 1e-3);
  EXPECT_GT(at_rest_V(), before_V - 0.1);
  EXPECT_TRUE(obey(live, "short c.8 10 Ohm").starts_with("error: "));
}

TEST(Lab, ACellIsScaledToACapacity) {
  for (const char* set : {"set = \"lg-m50@40Ah\"", "set = \"lg-m50\"\ncapacity = \"40 Ah\""}) {
    std::string text = kSmall;
    const std::string old = "set = \"linear-closed-form\"";
    text.replace(text.find(old), old.size(), set);
    auto lab = load(text);
    ASSERT_TRUE(lab.has_value()) << set;
    EXPECT_NEAR(lab->cells[0].set.header.capacity_C, 144000.0, 1e-6);
    EXPECT_NEAR(build_world(*lab, {}).plant(0).cell().readout().capacity_C, 144000.0, 1e-6);
  }
}

TEST(ControlHook, FaultsOfTheRigReachIt) {
  Hooked h;
  EXPECT_EQ(obey(h.live, "sense p open-plus"), "ok");
  EXPECT_NEAR(h.state()["cyclers"]["p"]["sensed_V"].get<double>(), 3.9, 1e-9);
  EXPECT_EQ(obey(h.live, "sense p ok"), "ok");
  EXPECT_EQ(obey(h.live, "contact p 0.05"), "ok");
  EXPECT_NEAR(h.state()["cyclers"]["p"]["contact_Ohm"].get<double>(), 0.05, 1e-12);
  EXPECT_EQ(obey(h.live, "joint c 0.01"), "ok");
  EXPECT_EQ(obey(h.live, "probe p open"), "ok");
  EXPECT_EQ(obey(h.live, "instrument p 40"), "ok");
  EXPECT_EQ(obey(h.live, "door oven open"), "ok");
  EXPECT_EQ(h.state()["chambers"]["oven"]["door_open"], true);
  EXPECT_EQ(obey(h.live, "compressor oven trip"), "ok");
  EXPECT_EQ(h.state()["chambers"]["oven"]["compressor_tripped"], true);
  EXPECT_EQ(obey(h.live, "report oven tenfold"), "ok");
  EXPECT_NEAR(h.state()["chambers"]["oven"]["reading_degC"].get<double>(), 250.0, 1e-6);
  EXPECT_EQ(obey(h.live, "sensor oven 2"), "ok");
  EXPECT_EQ(obey(h.live, "restart oven"), "ok");
  EXPECT_EQ(h.state()["chambers"]["oven"]["running"], true);
  EXPECT_EQ(obey(h.live, "thermostat oven reset"), "ok");
  h.clock.advance(base::seconds(2));
  EXPECT_EQ(h.state()["now_us"], 2'000'000);
  EXPECT_GT(h.state()["real_time_factor"].get<double>(), 1.0);
}

TEST(ControlHook, WrongLinesSayWhatIsNearest) {
  Hooked h;
  for (auto [line, said] : {std::pair{"sens p ok", "`sense`"}, std::pair{"sense q ok", "there is: p, c"},
                            std::pair{"sense p open-plas", "open-plus"}, std::pair{"sense p", "sense CYCLER"},
                            std::pair{"door ovn open", "\"oven\""}, std::pair{"door oven ajar", "open|closed"},
                            std::pair{"report oven tenfol", "tenfold"}, std::pair{"contact p -1", "between 0"},
                            std::pair{"contact p nan", "not a number"}, std::pair{"sensor oven 50", "between -20"},
                            std::pair{"restart", "restart CHAMBER"}, std::pair{"probe p opne", "open"}}) {
    const std::string answer = obey(h.live, line);
    EXPECT_EQ(answer.substr(0, 6), "error:") << line;
    EXPECT_NE(answer.find(said), std::string::npos) << line << " -> " << answer;
  }
  EXPECT_NE(obey(h.live, "help").find("sense CYCLER"), std::string::npos);
}

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
