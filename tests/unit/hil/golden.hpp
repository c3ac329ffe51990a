// The CC-CV charge of hil/cells/sets/linear-closed-form.toml, solved by hand; and how tests load sets.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "hil/cells/cell_set.hpp"
#include "hil/plant/plant.hpp"

namespace cyclerd::hil::test {

inline text::SourcePtr source_of(const std::string& text, const std::string& name = "test.toml") {
  return std::make_shared<const text::Source>(text::Source{name, text});
}

// The text of a shipped set, TOML or BPX, in whichever folder of the source tree.
inline text::SourcePtr shipped_text(const std::string& name) {
  const std::string folder = std::string(CYCLERD_SOURCE_DIR) + "/hil/cells/sets";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const auto& path = entry.path();
    if (path.stem() != name || (path.extension() != ".toml" && path.extension() != ".json")) continue;
    std::ifstream file(path);
    std::stringstream content;
    content << file.rdbuf();
    return source_of(content.str(), path.filename().string());
  }
  ADD_FAILURE() << "no set is called " << name;
  return source_of("");
}

inline CellSet shipped(const std::string& name) {
  text::Diagnostics diagnostics;
  auto set = load_cell_set(shipped_text(name), diagnostics);
  EXPECT_TRUE(set.has_value()) << diagnostics.render();
  return set.value();
}

inline base::Setpoint charge_at(double current_A, double voltage_max_V) {
  base::Setpoint s;
  s.control = base::Control::current;
  s.current_A = current_A;
  s.voltage_max_V = voltage_max_V;
  s.current_max_A = current_A;
  return s;
}

inline base::Setpoint discharge_at(double current_A, double voltage_min_V) {
  base::Setpoint s;
  s.control = base::Control::current;
  s.current_A = -current_A;
  s.voltage_min_V = voltage_min_V;
  s.current_min_A = -current_A;
  return s;
}

// Charged with 2.5 A to 4.2 V from soc 0.5 (U = 3.0 V + 1.2 V soc, 5 Ah, 20 mOhm, 10 mOhm with 30 s).
inline constexpr double kCvStart_s = 3150.0;
struct GoldenCurrent {
  double after_s;
  double current_A;
};
inline constexpr GoldenCurrent kGoldenCurrents[] = {
    {10.0, 2.4238261}, {60.0, 2.1452852}, {300.0, 1.2722208}, {600.0, 0.6631416}};
struct GoldenCutoff {
  double current_A;
  double after_s;
  double charge_Ah;
};
inline constexpr GoldenCutoff kGoldenCutoffs[] = {{1.0, 410.860774, 0.184596090},
                                                  {0.5, 730.023219, 0.248548045},
                                                  {0.25, 1049.185664, 0.280524022},
                                                  {0.1, 1471.095467, 0.299709609}};

// The same current as a formula: i' = -a i + b v, v' = c i - d v, from 2.5 A and v = R1 2.5 A.
inline double golden_current_A(double after_s) {
  constexpr double kSlope_V_per_C = 1.2 / 18000.0, kR0 = 0.02, kR1 = 0.01, kTau_s = 30.0;
  const double a = (kSlope_V_per_C + kR1 / kTau_s) / kR0, b = 1.0 / (kTau_s * kR0), c = kR1 / kTau_s, d = 1.0 / kTau_s;
  const double root = std::sqrt(0.25 * (a - d) * (a - d) + b * c);
  const double fast = -0.5 * (a + d) - root, slow = -0.5 * (a + d) + root;
  const double i = 2.5, rate = -a * i + b * kR1 * i;
  const double share = (rate - fast * i) / (slow - fast);
  return share * std::exp(slow * after_s) + (i - share) * std::exp(fast * after_s);
}

}  // namespace cyclerd::hil::test
