// Ageing: the closed form of every power law, whatever the interval, and what it does to a cell.
#include "hil/cells/ageing.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "hil/cells/cell_set.hpp"
#include "hil/cells/ecm_cell.hpp"
#include "tests/unit/hil/golden.hpp"

namespace cyclerd::hil {
namespace {

AgeingPart own(AgeingEffect effect, bool over_cycles, double power, double rate) {
  AgeingPart part;
  part.effect = effect;
  part.over_cycles = over_cycles;
  part.exponent = power;
  part.rate = rate;
  return part;
}

std::shared_ptr<EcmSet> ageing_set(std::vector<AgeingPart> parts, double acceleration = 1.0) {
  auto set = std::make_shared<EcmSet>();
  set->capacity_C = 18000.0;
  set->ocv_V = Curve(Axis({0.0, 1.0}), {3.0, 4.2});
  set->series_Ohm = 0.02;
  set->ageing = AgeingSet{std::move(parts), acceleration};
  return set;
}

TEST(PowerLaw, IsItsClosedFormWhateverTheInterval) {
  for (double power : {0.464, 0.5, 0.75, 1.0, 1.12848}) {
    for (int parts : {1, 7, 1000, 100000}) {
      double y = 0.0;
      for (int i = 0; i < parts; ++i) y = advance_power_law(y, 3e-4, power, 365.0 / parts);
      EXPECT_NEAR(y / (3e-4 * std::pow(365.0, power)), 1.0, 1e-9) << power << " " << parts;
    }
  }
}

TEST(PowerLaw, FollowsItsDifferentialEquationWhenTheStressChanges) {
  // dy = k p (y/k)^((p-1)/p) dx: after 10 at k1, 20 at k2, against fine steps of the equation itself
  const double p = 0.7, k1 = 1e-3, k2 = 4e-3;
  double y = advance_power_law(advance_power_law(0.0, k1, p, 10.0), k2, p, 20.0);
  double fine = k1 * std::pow(10.0, p);
  const int n = 400000;
  for (int i = 0; i < n; ++i) {
    const double h = 20.0 / n;
    auto slope = [&](double at) { return k2 * p * std::pow(at / k2, (p - 1.0) / p); };
    fine += h * slope(fine + 0.5 * h * slope(fine));
  }
  EXPECT_NEAR(y, fine, 1e-9);
  EXPECT_EQ(advance_power_law(0.05, 0.0, p, 10.0), 0.05);
  EXPECT_EQ(advance_power_law(0.05, k1, p, -1.0), 0.05);
}

TEST(Ageing, ACellOnTheShelfFollowsTheClosedForm) {
  AgeingPart loss = own(AgeingEffect::capacity_loss, false, 0.5, 2e-3);
  loss.activation_K = 5000.0;
  loss.soc_slope = 0.8;
  const auto set = ageing_set({loss, own(AgeingEffect::resistance_growth, false, 1.0, 1e-3)});
  const double k = 2e-3 * std::exp(-5000.0 * (1.0 / 318.15 - 1.0 / 298.15)) * std::exp(0.8 * 0.3);
  for (double dt : {90.0, 601.0, 7200.0, 86400.0}) {
    EcmCell cell(set, {0.8, 45.0});
    const double days = 60.0;
    const int steps = static_cast<int>(std::lround(days * 86400.0 / dt));
    for (int i = 0; i < steps; ++i) step(cell, 0.0, 0.0, dt);
    step(cell, 0.0, 0.0, 86400.0);  // what was counted last shows in the next step
    const double seen = 1.0 - cell.readout().capacity_C / 18000.0;
    // the update that shows is the last whole one: up to ten minutes before
    EXPECT_NEAR(seen / (k * std::sqrt(steps * dt / 86400.0)), 1.0, 0.5 * 601.0 / (days * 86400.0) + 1e-9) << dt;
    EXPECT_NEAR(cell.readout().resistance_growth, 1e-3 * days, 1e-3 * 601.0 / 86400.0 + 1e-9);
    EXPECT_NEAR(cell.terminal(0.0).resistance_Ohm, 0.02 * (1.0 + cell.readout().resistance_growth), 1e-15);
  }
}

TEST(Ageing, CyclesCountByChargeAndDepth) {
  AgeingPart loss = own(AgeingEffect::capacity_loss, true, 1.0, 1e-3);
  loss.depth_exponent = 2.0;
  EcmCell cell(ageing_set({loss}), {0.3, 25.0});
  double last = cell.readout().capacity_C;
  for (int cycle = 0; cycle < 120; ++cycle) {  // between 0.3 and 0.7: 0.4 cycles each, of the new capacity
    for (double current : {5.0, -5.0}) {
      for (int i = 0; i < 144; ++i) step(cell, current, current, 10.0);
      EXPECT_LE(cell.readout().capacity_C, last);
      last = cell.readout().capacity_C;
    }
  }
  // depth grows by itself with the loss; 0.16 1e-3 48 is the loss without that
  EXPECT_NEAR(1.0 - cell.readout().capacity_C / 18000.0, 0.16e-3 * 48.0, 0.03 * 0.16e-3 * 48.0);
}

TEST(Ageing, AnAcceleratedHourIsAYear) {
  const double acceleration = 365.0 * 24.0;
  const auto set = ageing_set({own(AgeingEffect::capacity_loss, false, 0.5, 4e-3)}, acceleration);
  EcmCell cell(set, {0.5, 25.0});
  for (int second = 0; second <= 3600; ++second) step(cell, 0.0, 0.0, 1.0);
  EXPECT_NEAR(1.0 - cell.readout().capacity_C / 18000.0, 4e-3 * std::sqrt(365.0), 1e-9);
  EcmCell other(set, {0.5, 25.0});
  ASSERT_TRUE(other.restore(cell.snapshot()));
  step(cell, 3.0, 3.0, 17.0);
  step(other, 3.0, 3.0, 17.0);
  EXPECT_EQ(cell.snapshot(), other.snapshot());
  EXPECT_EQ(cell.terminal(1.0).emf_V, other.terminal(1.0).emf_V);
}

TEST(Ageing, OnlyADeclaredGainRaisesTheCapacity) {
  EcmCell gains(ageing_set({own(AgeingEffect::capacity_gain, false, 0.5, 1e-3)}), {0.5, 25.0});
  for (int day = 0; day <= 100; ++day) step(gains, 0.0, 0.0, 86400.0);
  EXPECT_NEAR(gains.readout().capacity_C / 18000.0, 1.0 + 1e-3 * 10.0, 1e-12);
}

// Every published law at a common stress: what the printed formula gives, written once more.
TEST(PublishedLaws, GiveWhatTheirFormulaGives) {
  Stress s;
  s.soc = 0.5;
  s.temperature_K = 298.15;
  s.depth = 0.8;
  s.voltage_rms_V = 3.8;
  s.rate_per_h = s.discharge_per_h = 1.0;
  auto k = [&](const char* word, std::size_t part) { return ageing_law(word).at(part).factor(s); };
  EXPECT_NEAR(k("nmc111-schmalstieg", 0) / ((7.543 * 3.8 - 23.75) * 1e6 * std::exp(-6976.0 / 298.15)), 1.0, 1e-12);
  EXPECT_NEAR(
      k("nmc111-schmalstieg", 1) / ((7.348e-3 * 0.133 * 0.133 + 7.6e-4 + 4.081e-3 * 0.8) * std::sqrt(2.0 * 2.05)), 1.0,
      1e-12);
  EXPECT_NEAR(k("nmc111-schmalstieg", 3) / ((2.153e-4 * 0.075 * 0.075 - 1.521e-5 + 2.798e-4 * 0.8) * 4.1), 1.0, 1e-12);
  EXPECT_NEAR(k("lmo-leaf", 0) / (3.25e8 * std::exp(-7580.0 / 298.15) * std::exp(81.0 / 298.15)), 1.0, 1e-12);
  EXPECT_NEAR(k("lmo-leaf", 1), 7.58e-5, 1e-18);
  EXPECT_NEAR(k("lfp-naumann", 1) / (86400.0 * 3.4194e-10 * 1.5604), 1.0, 1e-12);
  EXPECT_NEAR(k("lfp-naumann", 2) / (1e-4 * 0.01 * (6.8477 * 0.027 + 0.91882)), 1.0, 1e-9);
  EXPECT_NEAR(k("lfp-250ah", 1) / ((4.38e-8 + 1.24e-8 + 1.68e-7) * std::exp(2190.0 / 298.15)), 1.0, 1e-12);
}

TEST(PublishedLaws, AgeLikeCellsDo) {
  for (std::string_view word : ageing_laws()) {
    const auto set = ageing_set(ageing_law(word), 1000.0);
    EcmCell cell(set, {0.1, 25.0});
    double last = 1.0;
    for (int cycle = 0; cycle < 1; ++cycle) {  // one real cycle at C/2 and three hours of rest are 1000 of them
      for (double current : {2.5, -2.5, 0.0}) {
        for (int i = 0; i < 360; ++i) {
          step(cell, current, current, 16.0);
          EXPECT_LE(cell.readout().capacity_C / 18000.0, last) << word;
          last = cell.readout().capacity_C / 18000.0;
        }
      }
    }
    RecordProperty(std::string(word), std::to_string(last));
    EXPECT_GT(last, 0.6) << word;
    EXPECT_LT(last, 1.0) << word;
    EXPECT_GE(cell.readout().resistance_growth, 0.0) << word;
    EXPECT_LT(cell.readout().resistance_growth, 1.0) << word;
  }
}

std::string findings(const std::string& added, const std::string& series = "resistance = \"20 mOhm\"") {
  text::Diagnostics diagnostics;
  (void)load_cell_set(
      test::source_of(
          "format = 1\nname = \"t\"\nsource = \"x\"\nlicence = \"y\"\nmodel = \"ecm\"\n"
          "capacity = \"5 Ah\"\n" +
          std::string(added.starts_with('[') ? "" : added) + "\n[series]\n" + series + "\n" +
          std::string(added.starts_with('[') ? added : "") +
          (added.find("[ocv]") == std::string::npos ? "\n[ocv]\nsoc = [0.0, 1.0]\nvoltage_V = [3.0, 4.2]\n" : "")),
      diagnostics);
  return diagnostics.render();
}

TEST(EcmReader, TakesEveryKey) {
  EXPECT_EQ(findings(R"([charge_efficiency]
temperature_degC = [0.0, 25.0]
efficiency = [0.98, 0.999]
[capacity_factor]
temperature_degC = [0.0, 25.0]
factor = [0.98, 1.0]
[ocv]
soc = [0.0, 1.0]
temperature_degC = [0.0, 25.0]
voltage_V = [[3.0, 4.1], [3.0, 4.2]]
[hysteresis]
rate = 50
instantaneous_V = 0.001
soc = [0.0, 1.0]
temperature_degC = [0.0, 25.0]
half_gap_V = [[0.02, 0.03], [0.01, 0.01]]
[diffusion]
soc = [0.0, 1.0]
tau_s = [2000.0, 1000.0]
activation_K = 4000.0
reference_temperature = "20 degC"
[kinetics]
soc = [0.0, 1.0]
temperature_degC = [0.0, 25.0]
exchange_current_A = [[1.0, 2.0], [3.0, 4.0]]
voltage_factor = 1.1
charge_factor = 0.9
tau = "0.2 s"
[[rc]]
soc = [0.0, 1.0]
resistance_Ohm = [0.01, 0.02]
tau_s = [10.0, 20.0]
tau_activation_K = 1000.0
factor_current_A = [0.0, 5.0]
factor = [1.0, 0.8]
charge_factor = 1.1
[self_discharge]
current = "0.1 mA"
doubling_K = 8
[thermal]
core_J_per_K = 80.0
surface_J_per_K = 18.0
core_to_surface_W_per_K = 1.0
surface_to_ambient_W_per_K = 0.1
fixture_J_per_K = 300.0
surface_to_fixture_W_per_K = 0.5
fixture_to_ambient_W_per_K = 0.2
[ageing]
law = "power"
acceleration = 100
capacity_rate = 1.5
[[ageing.part]]
effect = "capacity-loss"
over = "days"
power = 0.5
rate = 1e-3
)"),
            "");
  EXPECT_EQ(findings("[ageing]\nlaw = \"lfp-naumann\"\nresistance_rate = 2\n"), "");
}

TEST(EcmReader, SaysWhatIsWrongAndWhere) {
  struct Case {
    const char* text;
    const char* code;
    const char* shown;
  };
  const Case cases[] = {
      {"[diffusion]\ntau = \"10 s\"\nsoc = [0.0, 1.0]\ntau_s = [1.0, 2.0]\n", "C050", "both `tau` and `tau_s`"},
      {"[diffusion]\ntau = \"0.1 s\"\n", "C004", "tau"},
      {"[diffusion]\nsoc = [0.0, 1.0, 0.5]\ntau_s = [1.0, 2.0, 3.0]\n", "C006", "must increase"},
      {"[diffusion]\nsoc = [0.0, 0.5, 1.0]\ntau_s = [100.0, 200.0]\n", "C005", "`soc` has 3"},
      {"[kinetics]\nexchange_current = \"0 A\"\n", "C004", "exchange_current"},
      {"[kinetics]\nexchange_current = \"1 A\"\nvoltage_factor = 100\n", "C004", "voltage_factor"},
      {"[ocv]\nsoc = [0.0, 0.5, 1.0]\nvoltage_V = [3.0, 3.7, 3.6]\n", "C051", "falls from 3.7 to 3.6 V at soc 1"},
      {"[ocv]\nsoc = [0.0, 1.0]\ntemperature_degC = [0.0, 25.0]\nvoltage_V = [[3.0, 4.0], [3.0]]\n", "C005",
       "has 1 values"},
      {"[ocv]\nsoc = [0.0, 1.0]\ntemperature_degC = [25.0, 0.0]\nvoltage_V = [[3.0, 4.0], [3.0, 4.0]]\n", "C006",
       "temperature_degC"},
      {"[[rc]]\ntau = \"3 s\"\nresistance = \"1 mOhm\"\nfactor_current_A = [0.0, 1.0, 2.0]\nfactor = [1.0, 0.9, 0.3]\n",
       "C052", "from 1 to 2 A"},
      {"[thermal]\ncore_J_per_K = 80\nsurface_J_per_K = 18\ncore_to_surface_W_per_K = 1\n"
       "surface_to_ambient_W_per_K = 1\nsurface_to_fixture_W_per_K = 1\n",
       "C053", "fixture_J_per_K"},
      {"[thermal]\ncore_J_per_K = 80\nsurface_J_per_K = 18\ncore_to_surface_W_per_K = 1\n"
       "surface_to_ambient_W_per_K = 1\nfixture_J_per_K = 100\n",
       "T010", "surface_to_fixture_W_per_K"},
      {"[ageing]\nlaw = \"power\"\n", "C054", "ageing.part"},
      {"[ageing]\nlaw = \"lfp\"\n", "", "law"},
      {"[self_discharge]\ncurrent = \"-1 mA\"\n", "C004", "current"},
      {"[capacity_factor]\ntemperature_degC = [0.0]\nfactor = [0.0]\n", "C004", "factor"},
  };
  for (const Case& c : cases) {
    const std::string shown = findings(c.text);
    EXPECT_NE(shown.find(c.code), std::string::npos) << c.text << "\n" << shown;
    EXPECT_NE(shown.find(c.shown), std::string::npos) << c.text << "\n" << shown;
  }
}

}  // namespace
}  // namespace cyclerd::hil
