// Axes, thinning and the two drawing codes.
#include "protocols/chart/chart.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "protocols/chart/scale.hpp"

namespace cyclerd::chart {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Scale, ThinningKeepsEverySpike) {
  std::vector<double> x(100'000);
  std::vector<double> y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i);
  y[31'415] = 9.0;
  y[77'777] = -7.0;
  y[50'000] = std::nan("");
  const auto points = thin_out(x, y, 0, 99'999, 500);
  EXPECT_LE(points.size(), 4 * 502U);
  const auto has = [&](double px, double py) {
    return std::any_of(points.begin(), points.end(), [&](const Point& p) { return p.x == px && p.y == py; });
  };
  EXPECT_TRUE(has(31'415, 9.0));
  EXPECT_TRUE(has(77'777, -7.0));
  EXPECT_TRUE(has(0, 0) && has(99'999, 0));
  EXPECT_EQ(std::count_if(points.begin(), points.end(), [](const Point& p) { return std::isnan(p.y); }), 1);
  EXPECT_TRUE(std::is_sorted(points.begin(), points.end(), [](auto& a, auto& b) { return a.x < b.x; }));
}

TEST(Scale, TicksAreRound) {
  const std::vector<double> v = {2.5, 4.2};
  const std::span<const double> curve(v);
  const Axis axis = value_axis({&curve, 1}, 5, 0.02);
  EXPECT_DOUBLE_EQ(axis.step, 0.5);
  EXPECT_EQ(axis.label(axis.ticks().front()), "2.5");
  EXPECT_EQ(std::string(time_axis(0, 200, 9).unit), "s");
  EXPECT_EQ(std::string(time_axis(0, 3600, 9).unit), "min");
  EXPECT_DOUBLE_EQ(time_axis(0, 3600, 9).axis.step, 10.0);
  EXPECT_EQ(std::string(time_axis(0, 86400, 9).unit), "h");
  EXPECT_EQ(std::string(time_axis(0, 30 * 86400.0, 9).unit), "d");
  Axis around_zero;
  around_zero.digits = 1;
  EXPECT_EQ(around_zero.label(-1e-17), "0.0");
}

TEST(Chart, NumbersThatAreNoneBreakTheLineAndNothingElse) {
  const double none = std::nan("");
  const std::vector<double> t = {0, 1, 2, 3, 4};
  const std::vector<double> a = {1, none, 3, 4, none};
  const std::vector<double> all_none(5, none);
  const std::vector<double> huge = {1e300, -1e300, std::numeric_limits<double>::infinity(), 0, 1};
  Chart chart;
  chart.title = "holes";
  chart.time_s = t;
  chart.panels = {{"A", {{a, "a", Ink::blue, "a"}, {all_none, "none", Ink::grey, "none"}}, 1.0, 0.0},
                  {"B", {{huge, "", Ink::green, "huge"}}, 1.0, 0.0},
                  {"C", {}, 1.0, 1.0}};
  const std::string path = testing::TempDir() + "chart_holes.svg";
  ASSERT_TRUE(write_svg(chart, path).has_value());
  const std::string svg = text_of(path);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("inf"), std::string::npos);
  const std::string terminal = terminal_chart(chart, 60, 4);
  EXPECT_EQ(std::count(terminal.begin(), terminal.end(), '\n'), 1 + 2 * 5 + 1) << "an empty panel is left out";
  std::filesystem::remove(path);
}

TEST(Chart, AFolderThatIsNotThereIsAnError) {
  const auto refused = write_png({}, "/nowhere/at/all/p.png");
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().text().find("/nowhere/at/all/p.png"), std::string::npos);
}

}  // namespace
}  // namespace cyclerd::chart
