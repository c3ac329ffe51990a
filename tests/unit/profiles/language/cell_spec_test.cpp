#include "profiles/cell_spec.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/unit/profiles/language/bench.hpp"

namespace cyclerd::profiles {
namespace {

const std::string kCell = R"(model = "M"
chemistry = "lfp-graphite"
nominal_capacity = "2.3 Ah"
[voltage]
max = "3.6 V"
min = "2 V"
[current]
charge = "4 C"
discharge = "23 A"
)";

TEST(CellFile, ReadsRatingsInSi) {
  text::Diagnostics d;
  const auto cell = load_cell(test::source_of(kCell), d);
  ASSERT_TRUE(cell) << d.render();
  EXPECT_DOUBLE_EQ(cell->nominal_capacity_C, 8280.0);
  EXPECT_DOUBLE_EQ(cell->charge_current_max_A, 9.2);
  EXPECT_DOUBLE_EQ(cell->discharge_current_max_A, 23.0);
  EXPECT_EQ(cell->name, "M");
  EXPECT_EQ(cell->voltage_max_where.line, 5U);
}

TEST(CellFile, TripsLieOutsideTheRatings) {
  text::Diagnostics d;
  auto cell = load_cell(test::source_of(kCell), d);
  ASSERT_TRUE(cell);
  SafetyLimits trip = trip_limits(*cell);
  EXPECT_DOUBLE_EQ(trip.voltage.max, 3.65);
  EXPECT_DOUBLE_EQ(trip.voltage.min, 1.95);
  EXPECT_DOUBLE_EQ(trip.current.max, 9.66);
  EXPECT_DOUBLE_EQ(trip.current.min, -24.15);
  cell = load_cell(test::source_of(kCell + "[trip]\nvoltage = { max = \"3.8 V\", min = \"1.6 V\" }\n"), d);
  ASSERT_TRUE(cell) << d.render();
  EXPECT_DOUBLE_EQ(trip_limits(*cell).voltage.max, 3.8);
  EXPECT_FALSE(load_cell(test::source_of(kCell + "[trip]\nvoltage = { max = \"3.5 V\" }\n"), d));
}

TEST(CellFile, MistakesAreAllReported) {
  text::Diagnostics d;
  EXPECT_FALSE(load_cell(test::source_of(R"(model = "M"
chemistry = "x"
nominal_capacity = "2.3 A"
colour = "red"
[voltage]
max = "2 V"
min = "3.6 V"
[current]
charge = "-4 A"
)"),
                         d));
  EXPECT_EQ(d.error_count(), 5U) << d.render();
  EXPECT_EQ(std::count_if(d.all().begin(), d.all().end(), [](const auto& f) { return f.code == "P091"; }), 2)
      << "voltages that are swapped, and a negative rating";
}

TEST(CellFile, ShippedCellsLoad) {
  for (const auto& entry : std::filesystem::directory_iterator(CYCLERD_SOURCE_DIR "/profiles/cells")) {
    const auto source = text::read_source(entry.path().string());
    ASSERT_TRUE(source);
    text::Diagnostics d;
    EXPECT_TRUE(load_cell(*source, d)) << d.render();
  }
}

}  // namespace
}  // namespace cyclerd::profiles
