// Every shipped virtual cell under shipped profiles that are written for any chemistry. library_test.cpp holds the
// profiles, each on a cell that it is written for.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "daemon/app/resources.hpp"
#include "daemon/app/simulation.hpp"
#include "daemon/record/plot.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::app {
namespace {

struct Window {
  double low_V = 0.0;
  double high_V = 0.0;
};

// What the cell is cycled between: the set's own window, or what lies between empty and full.
Window window_of(const hil::CellSet& set) {
  const auto ocv_V = [&](double soc) { return set.make({.soc = soc, .temperature_degC = 25.0})->readout().ocv_V; };
  return {std::isnan(set.header.voltage_min_V) ? ocv_V(0.0) : set.header.voltage_min_V,
          std::isnan(set.header.voltage_max_V) ? ocv_V(1.0) : set.header.voltage_max_V};
}

// Cells whose test must end otherwise than completed, and why that is right.
struct Exception {
  const char* set;
  profiles::TestOutcome outcome;
  const char* words;  // in the reason
};
constexpr Exception kExceptions[] = {
    // The shuttle takes what the charge gives: it never tapers, until the profile's limit of charge opens the output.
    {"lithium-sulfur-marinescu2016", profiles::TestOutcome::tripped, "capacity_high"},
};

std::string shipped(const std::string& name) {
  const auto source = text::read_source(find_resources().profiles + "/" + name + ".toml");
  return source ? (*source)->text : std::string();
}

struct Simulated {
  SimulationResult result;
  std::string folder;
};

Simulated run(const std::string& profile, const std::string& cell, const std::map<std::string, std::string>& parameters,
              double soc) {
  std::string folder = testing::TempDir() + "cyclerd-sweep-XXXXXX";
  SimulationConfig config;
  config.out = mkdtemp(folder.data());
  config.launch.profile = shipped(profile);
  config.launch.profile_name = profile + ".toml";
  config.launch.parameters = parameters;
  config.launch.soc = soc;
  config.initial_soc = soc;
  config.cell_set = cell;
  return {simulate(config), folder};
}

void expect_numbers(const SimulationResult& result) {
  const auto data = record::load_plot(result.folder);
  ASSERT_TRUE(data.has_value()) << data.error().text();
  ASSERT_FALSE(data->time_s.empty());
  std::size_t holes = 0;
  for (std::size_t i = 0; i < data->time_s.size(); ++i) {
    holes += std::isfinite(data->voltage_V[i]) && std::isfinite(data->current_A[i]) &&
                     std::isfinite(data->temperature_degC[i])
                 ? 0
                 : 1;
  }
  EXPECT_EQ(holes, 0U);
}

class EveryCell : public testing::TestWithParam<std::string> {};

TEST_P(EveryCell, IsTakenThroughTheProfilesForAnyChemistry) {
  text::Diagnostics diagnostics;
  const auto set = load_virtual_cell(GetParam(), "", diagnostics);
  ASSERT_TRUE(set) << diagnostics.render();
  const Window window = window_of(*set);
  if (!(window.low_V < window.high_V)) {  // a constant source cannot be filled
    EXPECT_EQ(ratings_of(*set, diagnostics), "");
    EXPECT_EQ(diagnostics.all().back().code, "S043");
    return;
  }
  // A pack costs as much as its cells; its members are taken through both as sets of their own.
  std::vector<std::string> profiles{"capacity-check"};
  if (set->model->name() != "pack") profiles.push_back("rate-capability");
  for (const std::string& profile : profiles) {
    const Simulated done = run(
        profile, GetParam(),
        {{"charge_voltage", fmt::format("{} V", window.high_V)}, {"cut_off", fmt::format("{} V", window.low_V)}}, 0.3);
    const SimulationResult& result = done.result;
    SCOPED_TRACE(profile);
    ASSERT_FALSE(result.diagnostics.has_errors()) << result.diagnostics.render();
    EXPECT_EQ(result.error, "");
    const auto* exception = std::find_if(std::begin(kExceptions), std::end(kExceptions),
                                         [](const Exception& e) { return e.set == GetParam(); });
    if (exception == std::end(kExceptions)) {
      EXPECT_EQ(result.outcome, profiles::TestOutcome::completed) << result.reason;
      EXPECT_GT(result.cycles, 0U);
    } else {
      EXPECT_EQ(result.outcome, exception->outcome);
      EXPECT_NE(result.reason.find(exception->words), std::string::npos) << result.reason;
    }
    expect_numbers(result);
    std::filesystem::remove_all(done.folder);
  }
}

INSTANTIATE_TEST_SUITE_P(Shipped, EveryCell, testing::ValuesIn(hil::cell_set_names()), [](const auto& cell) {
  std::string name = cell.param;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
});

TEST(Simulation, TellsOnceWhatTheModelWasNotMadeFor) {
  const Simulated done = run("capacity-check", "lg-m50", {}, 0.99);
  ASSERT_FALSE(done.result.diagnostics.has_errors()) << done.result.diagnostics.render();
  std::size_t fuller = 0;
  for (const ModelNote& note : done.result.notes) {
    fuller += note.words.find("fuller than its open-circuit table") != std::string::npos ? 1 : 0;
    EXPECT_GE(note.test_time_s, 0.0);
  }
  EXPECT_EQ(fuller, 1U);  // lg-m50 is charged past its table, and stays told
  std::filesystem::remove_all(done.folder);
}

TEST(VirtualCell, ItsFlagsHaveWordsEach) {
  using namespace hil::cell_flag;
  EXPECT_TRUE(model_words(0).empty());
  EXPECT_EQ(model_words(kSocBelow | kSocAbove | kTableClamped | kTemperatureLimit | kBadInput | kModelLimit | kRunaway)
                .size(),
            7U);
  EXPECT_NE(model_words(kRunaway).front().find("runaway"), std::string_view::npos);
}

TEST(VirtualCell, AnUnknownNameIsMeasuredAgainstTheKnown) {
  text::Diagnostics diagnostics;
  EXPECT_FALSE(load_virtual_cell("lg-m5O", "", diagnostics));
  ASSERT_EQ(diagnostics.error_count(), 1U);
  EXPECT_EQ(diagnostics.all().front().code, "S041");
  EXPECT_NE(diagnostics.render().find("did you mean lg-m50?"), std::string::npos) << diagnostics.render();
}

TEST(VirtualCell, IsScaledToTheCapacityBehindItsName) {
  text::Diagnostics diagnostics;
  const auto set = load_virtual_cell("lg-m50@40Ah", "", diagnostics);
  ASSERT_TRUE(set) << diagnostics.render();
  EXPECT_DOUBLE_EQ(set->header.capacity_C, 40.0 * 3600.0);
  EXPECT_NE(ratings_of(*set, diagnostics).find("nominal_capacity = \"40 Ah\""), std::string::npos);
  EXPECT_TRUE(is_virtual_cell("lg-m50@40Ah"));
  EXPECT_FALSE(load_virtual_cell("lg-m50@40V", "", diagnostics));
  EXPECT_EQ(diagnostics.all().back().code, "S044");
}

TEST(VirtualCell, RatingsWithoutAVirtualCellOfTheirNameAreWarnedOf) {
  text::Diagnostics diagnostics;
  const auto set = load_virtual_cell("", "cells/nobody.toml", diagnostics);
  ASSERT_TRUE(set);
  EXPECT_EQ(set->name, "lg-m50");
  ASSERT_EQ(diagnostics.all().size(), 1U);
  EXPECT_EQ(diagnostics.all().front().code, "S042");
  EXPECT_FALSE(diagnostics.has_errors());
}

}  // namespace
}  // namespace cyclerd::app
