// Cell sets of electrode models: the shipped ones, own TOML and BPX; and what is said about damaged ones.
#include "hil/cells/cell_set.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/hil/golden.hpp"

namespace cyclerd::hil {
namespace {

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return at == std::string::npos ? text : text.replace(at, what.size(), by);
}

// Line of the first occurrence, from 1.
std::uint32_t line_of(const std::string& text, std::string_view what) {
  const std::size_t at = text.find(what);
  if (at == std::string::npos) return 0;
  return 1 + static_cast<std::uint32_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

std::optional<CellSet> load(const std::string& text, const std::string& name, text::Diagnostics& diagnostics) {
  return load_cell_set(test::source_of(text, name), diagnostics);
}

CellSet loaded(const std::string& text, const std::string& name = "test.toml") {
  text::Diagnostics diagnostics;
  auto set = load(text, name, diagnostics);
  EXPECT_TRUE(set) << diagnostics.render();
  return set.value();
}

struct End {
  double time_s = 0.0;
  double charge_C = 0.0;
  double voltage_V = 0.0;
  std::uint32_t flags = 0;
};

// At constant current until the voltage passes `until_V`, the crossing interpolated.
End run_until(Cell& cell, double current_A, double until_V, double dt_s, double longest_s) {
  End end;
  double before_V = cell.terminal(current_A).voltage_V(current_A);
  while (end.time_s < longest_s) {
    end.voltage_V = cell.propose(current_A, current_A, dt_s);
    EXPECT_TRUE(std::isfinite(end.voltage_V));
    if (!std::isfinite(end.voltage_V)) break;
    cell.commit();
    if ((current_A < 0.0) == (end.voltage_V <= until_V)) {
      end.time_s += dt_s * std::clamp((until_V - before_V) / (end.voltage_V - before_V), 0.0, 1.0);
      break;
    }
    before_V = end.voltage_V;
    end.time_s += dt_s;
  }
  end.charge_C = std::abs(current_A) * end.time_s;
  end.flags = cell.readout().flags;
  return end;
}

double soc_at_ocv(const CellSet& set, double ocv_V) {
  double low = 0.0, high = 1.0;
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (set.make({middle})->readout().ocv_V < ocv_V ? low : high) = middle;
  }
  return low;
}

class ElectrodeSet : public ::testing::TestWithParam<const char*> {};

TEST_P(ElectrodeSet, LoadsWithoutAFindingAndSpansItsVoltages) {
  const auto source = test::shipped_text(GetParam());
  text::Diagnostics diagnostics;
  const auto set = load_cell_set(source, diagnostics);
  ASSERT_TRUE(set) << diagnostics.render();
  EXPECT_TRUE(diagnostics.all().empty()) << diagnostics.render();
  EXPECT_EQ(set->name, GetParam());
  EXPECT_FALSE(set->title.empty());
  EXPECT_FALSE(set->source.empty());
  EXPECT_FALSE(set->licence.empty());
  EXPECT_NEAR(set->make({0.0})->readout().ocv_V, set->header.voltage_min_V, 1e-4);
  EXPECT_NEAR(set->make({1.0})->readout().ocv_V, set->header.voltage_max_V, 1e-4);
  EXPECT_NEAR(set->make({})->readout().capacity_C / set->header.capacity_C, 1.0, 0.12);
}

TEST_P(ElectrodeSet, AnswersChargeAndDischargeFromATenthTo2C) {
  const CellSet set = test::shipped(GetParam());
  // Polymer electrolytes are used warm.
  const double degC = std::string_view(GetParam()) == "solid-state-polymer-synthetic" ? 60.0 : 25.0;
  for (double rate : {-2.0, -1.0, -0.5, -0.1, 0.1, 0.5, 1.0, 2.0}) {
    SCOPED_TRACE(rate);
    auto cell = set.make({rate < 0.0 ? 1.0 : 0.0, degC, rate < 0.0 ? 1.0 : -1.0});
    const double current_A = rate * set.header.capacity_C / 3600.0;
    const double until_V = rate < 0.0 ? set.header.voltage_min_V : set.header.voltage_max_V;
    const double longest_s = 1.3 * 3600.0 / std::abs(rate);
    const End end = run_until(*cell, current_A, until_V, std::abs(rate) < 0.3 ? 10.0 : 2.0, longest_s);
    EXPECT_LT(end.time_s, longest_s) << "the voltage was not reached";
    EXPECT_GT(end.charge_C, 0.2 * set.header.capacity_C);
    EXPECT_LT(cell->readout().core_degC, 70.0);
  }
}

INSTANTIATE_TEST_SUITE_P(Shipped, ElectrodeSet,
                         ::testing::Values("lco-pouch-ai2020", "lfp-18650-about-energy", "lfp-prada2013",
                                           "lg-m50-chen2020", "lg-m50-okane2022", "lg-m50-oregan2022",
                                           "lto-nmc-synthetic", "nmc-pouch-about-energy", "nmc-pouch-mohtat2020",
                                           "sodium-ion-18650", "sodium-ion-chayambuka2022",
                                           "solid-state-polymer-synthetic", "solid-state-sulfide-synthetic"),
                         [](const auto& p) {
                           std::string name = p.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(AboutEnergySets, HaveTheCapacityThatWasMeasured) {
  // C/20 discharges published with the sets (Co20 runs): 0.62577 A for 75367 s, 0.10036 A for 74511 s.
  struct Case {
    const char* name;
    double current_A, measured_s, start_V;
  };
  for (const Case& c : {Case{"nmc-pouch-about-energy", -0.6257724, 75367.4, 4.193676},
                        Case{"lfp-18650-about-energy", -0.1003583, 74511.3, 3.477233}}) {
    const CellSet set = test::shipped(c.name);
    auto cell = set.make({soc_at_ocv(set, c.start_V)});
    const End end = run_until(*cell, c.current_A, set.header.voltage_min_V, 10.0, 1e5);
    EXPECT_NEAR(end.time_s / c.measured_s, 1.0, 0.03) << c.name;
  }
}

TEST(AboutEnergySets, StartAndEndWhereTheirFileSays) {
  // The stoichiometries in the files are those of the two voltages; OCV there by the functions of the file itself.
  const CellSet nmc = test::shipped("nmc-pouch-about-energy");
  EXPECT_DOUBLE_EQ(nmc.header.capacity_C, 12.5 * 3600.0);
  EXPECT_DOUBLE_EQ(nmc.header.voltage_min_V, 2.7);
  EXPECT_DOUBLE_EQ(nmc.header.voltage_max_V, 4.2);
  const double y_range = 0.96210 - 0.42424;
  const double positive_Ah = 96485.33212 * 432072.0 * 4.6e-6 / 3.0 * 52.3e-6 * 34.0 * 0.016808 * 46200.0 / 3600.0;
  // The full end of the file is 4.2018 V by its own functions; soc 1 is 4.2 V.
  EXPECT_NEAR(nmc.make({})->readout().capacity_C / 3600.0 / (positive_Ah * y_range), 1.0, 0.002);
  const CellSet lfp = test::shipped("lfp-18650-about-energy");
  EXPECT_DOUBLE_EQ(lfp.header.capacity_C, 2.0 * 3600.0);
  EXPECT_EQ(lfp.model->name(), "spme");
}

// Capacities from 4.1442 V to 2.0 V that an independent finite-volume implementation gives (diffusivities over
// concentration, no electrolyte, no ohmic loss).
TEST(SodiumIon, HoldsWhatAnIndependentSolutionOfTheSameEquationsHolds) {
  std::string text = test::shipped_text("sodium-ion-chayambuka2022")->text;
  text = replaced(text, "[electrolyte]\n", "[electrolyte]\nconductivity_S_per_m = 100\ndiffusivity_m2_per_s = 1e-7\n");
  text = text.substr(0, text.find("[electrolyte.diffusivity_m2_per_s]"));
  const CellSet set = loaded(text);
  const double start = soc_at_ocv(set, 4.1442);
  // At 2C and 5C surfaces are emptied and filled against steep diffusivities: the model's twenty shells see it early
  // (600 shells: 1.590 and 0.874 mAh).
  struct Case {
    double rate, mAh, relative;
  };
  for (const Case& c : {Case{0.1, 2.707, 0.005}, Case{0.5, 2.363, 0.005}, Case{1.0, 2.090, 0.005},
                        Case{2.0, 1.595, 0.015}, Case{5.0, 0.880, 0.03}}) {
    auto cell = set.make({start});
    const End end = run_until(*cell, -c.rate * 0.003, 2.0, 0.5 / c.rate, 72000.0);
    EXPECT_NEAR(end.charge_C / 3.6 / c.mAh, 1.0, c.relative) << c.rate << "C: " << end.charge_C / 3.6 << " mAh";
  }
}

TEST(SodiumIon, HoldsLessWithItsElectrolyteAndSaysWhenThatRunsDry) {
  const CellSet set = test::shipped("sodium-ion-chayambuka2022");
  auto slow = set.make({soc_at_ocv(set, 4.1442)});
  const End one_C = run_until(*slow, -0.003, 2.0, 1.0, 72000.0);
  EXPECT_NEAR(one_C.charge_C / 3.6, 2.087, 0.01);
  EXPECT_EQ(one_C.flags & cell_flag::kModelLimit, 0U);
  auto fast = set.make({soc_at_ocv(set, 4.1442)});
  const End two_C = run_until(*fast, -0.006, 2.0, 1.0, 72000.0);
  EXPECT_NE(two_C.flags & cell_flag::kModelLimit, 0U);
}

TEST(SodiumIon, TheScaledCellIsTheCoinCellOnALargerArea) {
  const CellSet coin = test::shipped("sodium-ion-chayambuka2022"), big = test::shipped("sodium-ion-18650");
  const double scale = big.make({})->readout().capacity_C / coin.make({})->readout().capacity_C;
  for (double soc : {0.1, 0.5, 0.9}) {
    const double coin_V = coin.make({soc})->readout().ocv_V;
    EXPECT_NEAR(big.make({soc})->readout().ocv_V, coin_V, 1e-6);
    const double current_A = -0.0005;
    EXPECT_NEAR(coin.make({soc})->terminal(current_A).voltage_V(current_A) - coin_V,
                big.make({soc, 25.0, 0.0})->terminal(current_A * scale).voltage_V(current_A * scale) - coin_V, 1e-4);
  }
}

struct Damage {
  const char* what;  // replaced in the text ...
  const char* by;    // ... by this; nullptr: the text is cut here
  const char* code;  // of the first finding
  const char* at;    // text on whose line it must be, in the damaged file; nullptr: anywhere
  const char* says;  // part of the message
  const char* help;  // part of the hint
};

void expect_found(const std::string& good, const std::string& name, const Damage& d) {
  SCOPED_TRACE(std::string(d.what) + " -> " + (d.by != nullptr ? d.by : "(cut)"));
  std::string bad = good;
  if (d.by != nullptr) {
    bad = replaced(good, d.what, d.by);
  } else {
    bad.resize(good.find(d.what));
  }
  text::Diagnostics diagnostics;
  const auto set = load(bad, name, diagnostics);
  ASSERT_FALSE(diagnostics.all().empty());
  const text::Diagnostic& first = diagnostics.all().front();
  EXPECT_EQ(set.has_value(), !diagnostics.has_errors());
  EXPECT_EQ(first.code, d.code) << diagnostics.render();
  EXPECT_NE(first.message.find(d.says), std::string::npos) << diagnostics.render();
  EXPECT_NE(first.help.find(d.help), std::string::npos) << diagnostics.render();
  if (d.at != nullptr) {
    EXPECT_EQ(first.where.line, line_of(bad, d.at)) << diagnostics.render();
  }
}

TEST(DamagedToml, IsRefusedWithPlaceAndHint) {
  const std::string good = test::shipped_text("lg-m50-chen2020")->text;
  const Damage damages[] = {
      {"thickness_um = 85.2\n", "", "T010", "[negative]", "lacks 'thickness_um'", "add thickness_um"},
      {"thickness_um = 85.2", "thicknes_um = 85.2", "T010", "[negative]", "lacks 'thickness_um'", ""},
      {"radius_um = 5.86", "radius_um = 586000", "C004", "586000", "allowed is 0.001 to 100 um", ""},
      {"radius_um = 5.86", "radius_um = \"5.86 um\"", "C003", "5.86 um", "no number", "the unit is in the key"},
      {"porosity = 0.25", "porosity = 1.25", "C004", "1.25", "allowed is 0.001 to 1", ""},
      {"porosity = 0.25", "porosity = nan", "T", nullptr, "", ""},
      {"porosity = 0.25", "porosity = 0.5", "C026", nullptr, "fill more than the electrode", ""},
      {"active_fraction = 0.75\n", "", "C028", "[negative]", "does not say how much active material",
       "`active_fraction`, `surface_per_m`"},
      {"active_fraction = 0.75", "active_fraction = 0.75\nsurface_per_m = 3e5", "C028", "[negative]",
       "says more than once", "exactly one of"},
      {"bruggeman = 1.5\nconductivity_S_per_m = 215", "conductivity_S_per_m = 215", "C028", "[negative]",
       "how its pores conduct", "`bruggeman`"},
      {"exchange_factor_A_m2p5_per_mol1p5 = 6.48e-7\n", "", "C028", "[negative]", "how fast it reacts",
       "`rate_mol_per_m2_s`"},
      {"initial_mol_per_m3 = 29866", "initial_mol_per_m3 = 40000", "C004", "= 40000", "0 to 33133 mol/m3", ""},
      {"1.9793*exp(-39.3631*x)", "1.9793*exq(-39.3631*x)", "C020", "exq", "uses 'exq'", "did you mean 'exp'"},
      {"1.9793*exp(-39.3631*x)", "1.9793*exp(-39.3631*x", "C020", "1.9793", "`ocp_V` of [negative]", ""},
      {"1.9793*exp(-39.3631*x)", "1.9793*log(x - 0.2)", "C0", "1.9793", "`ocp_V` of [negative]", ""},
      {"0.2482 - 0.0909*tanh", "0.2482 + 0.0909*tanh", "C024", "1.9793", "potential of the negative electrode rises",
       "it must fall"},
      {"voltage_max = \"4.2 V\"", "voltage_max = \"9.2 V\"", "C025", "9.2 V", "the open-circuit voltage runs from",
       "narrow the voltages"},
      {"voltage_min = \"2.5 V\"", "voltage_min = \"-9 V\"", "C025", "-9 V", "`voltage_min` (-9 V) lies outside", ""},
      {"voltage_min = \"2.5 V\"\n", "", "T010", nullptr, "lacks 'voltage_min'", ""},
      {"voltage_max = \"4.2 V\"", "voltage_max = 4.2", "T", "4.2", "", "V"},
      {"capacity = \"5 Ah\"", "capacity = \"50 Ah\"", "C027", "50 Ah", "times the capacity that is given", "area"},
      {"diffusivity_m2_per_s = 3.3e-14", "diffusivity_m2_per_s = 3.3", "C004", "= 3.3\n", "allowed is 1e-24 to 1e-06",
       ""},
      {"diffusivity_m2_per_s = 3.3e-14", "diffusivity_m2_per_s = \"1e-14 - 3e-14*x\"", "C004", "3e-14*x", "at x = 0.33",
       "right unit"},
      {"diffusivity_m2_per_s = 3.3e-14", "diffusivity_m2_per_s = [3.3e-14]", "C023", "[3.3e-14]",
       "neither a number, nor a function, nor a table", "{x = [...], value = [...]}"},
      {"diffusivity_m2_per_s = 3.3e-14", "diffusivity_m2_per_s = {x = [0, 0.5, 0.4], value = [1e-14, 1e-14, 1e-14]}",
       "C006", "0.5, 0.4", "`x` must increase, but 0.4 follows 0.5", ""},
      {"diffusivity_m2_per_s = 3.3e-14", "diffusivity_m2_per_s = {x = [0, 0.5, 1], value = [1e-14, 1e-14]}", "C005",
       "0.5, 1", "has 3 values, `value` has 2", "one value for each"},
      {"diffusivity_m2_per_s = 3.3e-14", "diffusivity_m2_per_s = {x = [0, 1], value = [1e-14, \"hole\"]}", "C003",
       "hole", "no number", ""},
      {"diffusivity_m2_per_s = 3.3e-14", "diffusivity_m2_per_s = {x = [0, 1], y = [1e-14, 1e-14]}", "T010",
       "x = [0, 1], y", "lacks 'value'", ""},
      {"diffusivity_m2_per_s = 3.3e-14", "diffusivity_m2_per_s = {x = [], value = []}", "C003", "x = []", "is empty",
       ""},
      {"diffusivity_m2_per_s = 3.3e-14", "diffusivity_m2_per_s = {x = [0, 2], value = [1e-14, 1e-14]}", "C004", "0, 2",
       "allowed is 0 to 1", ""},
      {"transference = 0.2594", "transference = 2594", "C004", "2594", "allowed is -5 to 1", ""},
      {"(x/1000)**3 - 2.51*(x/1000)**1.5", "x**3 - 2.51*x**1.5", "C004", "x**3", "at x = 1000", "right unit"},
      {"[separator]\nthickness_um = 12\nporosity = 0.47\nbruggeman = 1.5\n", "", "T010", nullptr, "lacks 'separator'",
       ""},
      {"electrode_area_m2 = 0.1027", "electrode_area_m2 = 0.1027\nlayers = 2", "T012", "layers", "unknown key 'layers'",
       "electrode_area_m2"},
      {"model = \"spme\"", "model = \"smpe\"", "T", "smpe", "", "spme"},
      {"surface_J_per_K = 18.0\n", "", "T010", "[thermal]", "lacks 'surface_J_per_K'", ""},
  };
  for (const Damage& d : damages) {
    if (std::string_view(d.code).size() == 4) {
      expect_found(good, "damaged.toml", d);
      continue;
    }
    // Another room's finding: only that there is one, and where.
    text::Diagnostics diagnostics;
    const std::string bad = replaced(good, d.what, d.by);
    EXPECT_FALSE(load(bad, "damaged.toml", diagnostics)) << d.by;
    ASSERT_TRUE(diagnostics.has_errors()) << d.by;
    EXPECT_EQ(diagnostics.all()[0].code.rfind(d.code, 0), 0U) << diagnostics.render();
    EXPECT_NE(diagnostics.all()[0].help.find(d.help), std::string::npos) << diagnostics.render();
  }
}

TEST(DamagedToml, OfAgeingIsRefusedToo) {
  const std::string good = test::shipped_text("lg-m50-okane2022")->text;
  const Damage damages[] = {
      {"law = \"solvent-diffusion\"", "law = \"solvent diffusion\"", "T011", "solvent diffusion", "",
       "solvent-diffusion"},
      {"initial_thickness_m = 5e-9", "initial_thickness_m = 0", "C004", "initial_thickness_m = 0", "allowed is", ""},
      {"lithium_per_sei = 1", "lithium_per_se = 1", "T012", "lithium_per_se ", "unknown key", "lithium_per_sei"},
      {"transfer_plating = 0.65", "transfer_plating = 1.65", "C004", "1.65", "allowed is 0.01 to 0.99", ""},
  };
  for (const Damage& d : damages) {
    if (std::string_view(d.code) == "T011") {
      text::Diagnostics diagnostics;
      EXPECT_FALSE(load(replaced(good, d.what, d.by), "damaged.toml", diagnostics));
      EXPECT_NE(diagnostics.render().find(d.help), std::string::npos);
      continue;
    }
    expect_found(good, "damaged.toml", d);
  }
}

TEST(DamagedBpx, IsRefusedWithPlaceAndHint) {
  const std::string good = test::shipped_text("lfp-18650-about-energy")->text;
  const Damage damages[] = {
      {"\"Thickness [m]\": 4.44e-05,", "", "C032", "\"Negative electrode\"", "lacks \"Thickness [m]\"",
       "/Parameterisation/Negative electrode/Thickness [m]"},
      {"\"Thickness [m]\": 4.44e-05,", "\"Thickness [um]\": 44.4,", "C032", "\"Negative electrode\"",
       "\"Negative electrode\" lacks \"Thickness [m]\": volume of the electrode", "is \"Thickness [um]\" it?"},
      {"\"Electrolyte\": {", "\"Elektrolyt\": {", "C032", "\"Parameterisation\"", "lacks \"Electrolyte\"",
       "Elektrolyt"},
      {"\"Model\": \"DFN\"", "\"Model\": \"ECM\"", "C031", "ECM", "\"SPM\", \"SPMe\" or \"DFN\"", "partial"},
      {"\"BPX\": 0.1,", "", "C032", "\"Header\"", "lacks \"BPX\": the version", ""},
      {"\"BPX\": 0.1", "\"BPX\": \"new\"", "C031", "\"new\"", "must be a version", ""},
      {"\"BPX\": 0.1", "\"BPX\": \"3.0.0\"", "C035", "3.0.0", "newer than what this program knows", ""},
      {"\"Porosity\": 0.20666", "\"Porosity\": \"a lot\"", "C031", "a lot", "must be a number",
       "/Parameterisation/Negative electrode/Porosity"},
      {"\"Porosity\": 0.20666", "\"Porosity\": true", "C031", "true", "must be a number", ""},
      {"\"Porosity\": 0.20666", "\"Porosity\": 20.666", "C004", "20.666", "allowed is 0.001 to 1", "units"},
      {"\"Porosity\": 0.20666", "\"Porosity\": null", "C030", "null", "null is no value", "leave the field out"},
      {"\"Porosity\": 0.20666", "\"Porosity\": NaN", "C030", "NaN", "no JSON", "missing comma"},
      {"\"Porosity\": 0.20666", "\"Porosity\": 1e999", "C030", "1e999", "too large", ""},
      {"\"Porosity\": 0.20666,", "\"Porosity\": 0.20666", "C030", "\"Transport efficiency\": 0.09395", "no JSON",
       "missing comma"},
      {"\"Porosity\": 0.20666,", "\"Porosity\": 0.20666, \"Porosity\": 0.2,", "C030", "0.20666", "given twice",
       "one of"},
      {"\"Separator\"", nullptr, "C030", nullptr, "ends in the middle", ""},
      {"{", "[", "C030", nullptr, "no JSON", ""},
      {"\"OCP [V]\": \"5.29210878e+01 * exp(", "\"OCP [V]\": \"5.29210878e+01 * exq(", "C020", "* exq(", "uses 'exq'",
       "did you mean 'exp'"},
      {"\"x\": [0, 0.05, 0.1,", "\"x\": [0, 0.05, 0.05,", "C006", "\"x\": [", "must increase, but 0.05 follows 0.05",
       ""},
      {"\"x\": [0, 0.05, 0.1,", "\"x\": [0, 0.05,", "C005", "\"Entropic change coefficient [V.K-1]\": {",
       "has 20 values, `y` has 21", ""},
      {"\"y\": [0.0001,", "\"y\": [\"\",", "C003", "\"y\": [", "no number", ""},
      {"\"Minimum stoichiometry\": 0.0016261", "\"Minimum stoichiometry\": 0.9", "C006",
       "\"Maximum stoichiometry\": 0.82258", "must lie above", ""},
      {"\"Maximum stoichiometry\": 0.82258", "\"Maximum stoichiometry\": 1.82258", "C004", "1.82258", "0 to 1", ""},
      {"\"Upper voltage cut-off [V]\": 3.65", "\"Upper voltage cut-off [V]\": 1.65", "C004", "1.65", "above the lower",
       ""},
      {"\"Nominal cell capacity [A.h]\": 2,", "\"Nominal cell capacity [A.h]\": 0,", "C004", "[A.h]\": 0", "allowed is",
       ""},
      {"\"Particle radius [m]\": 4.8e-06,", "\"Particle\": {\"Primary\": {}},", "C033", "\"Particle\"",
       "is a blend of several active materials", "fit an equivalent circuit"},
      {"\"Cell\": {", "\"Cell\": 5, \"Zelle\": {", "C031", "\"Cell\": 5", "must be an object", ""},
      {"\"Density [kg.m-3]\": 1940,", "\"Density [kg.m-3]\": 1940, \"Colour\": \"blue\",", "C034", "Colour",
       "\"Colour\" of \"Cell\" is not used", "no counterpart"},
      {"\"Separator\": {", "\"User-defined\": {\"a\": 1}, \"Separator\": {", "C034", "User-defined", "are not used",
       ""},
  };
  for (const Damage& d : damages) expect_found(good, "damaged.json", d);
  expect_found(test::shipped_text("nmc-pouch-about-energy")->text, "damaged.json",
               {"\"Upper voltage cut-off [V]\": 4.2", "\"Upper voltage cut-off [V]\": 9.2", "C025", "9.2",
                "the open-circuit voltage runs from", "narrow"});
}

TEST(DamagedBpx, OfBytesThatAreNoTextIsRefused) {
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("{}"), std::string("[]"), std::string("\"Header\""),
        std::string("{\"a\":"), std::string("{\"Header\": \"\xff\"}"), std::string(100, '['), std::string(200000, '{'),
        std::string("\0", 1), std::string("{\"Header\": {}, \"Parameterisation\": {\"Cell\": {}}}")}) {
    text::Diagnostics diagnostics;
    EXPECT_FALSE(load(text, "x.json", diagnostics)) << text.substr(0, 40);
    EXPECT_TRUE(diagnostics.has_errors());
    EXPECT_FALSE(diagnostics.render().empty());
  }
}

TEST(Bpx, EveryMissingFieldIsOneFinding) {
  text::Diagnostics diagnostics;
  EXPECT_FALSE(load(R"({"Header": {"BPX": "1.0.0", "Model": "SPMe"}, "Parameterisation": {"Cell": {}, "Electrolyte": {},
    "Negative electrode": {}, "Positive electrode": {}, "Separator": {}}})",
                    "x.json", diagnostics));
  // 5 of the cell, 4 of the electrolyte, twice 12 of the electrodes, 3 of the separator.
  EXPECT_EQ(diagnostics.error_count(), 5U + 4U + 2U * 12U + 3U) << diagnostics.render();
  for (const auto& d : diagnostics.all()) EXPECT_EQ(d.code, "C032") << d.message;
}

TEST(Bpx, OfVersion1SaysSaltAndCoolingInItsState) {
  std::string text = test::shipped_text("nmc-pouch-about-energy")->text;
  text = replaced(text, "\"BPX\": 0.1", "\"BPX\": \"1.0.0\"");
  text = replaced(text, "\"Initial concentration [mol.m-3]\": 1000,", "");
  text = replaced(text, "\"Thermal conductivity [W.m-1.K-1]\": 2.04,", "");
  text = replaced(
      text, "\"Validation\": {",
      "\"State\": {\"Initial conditions\": {\"Initial state-of-charge\": 1, \"Initial electrolyte concentration "
      "[mol.m-3]\": 1000}, \"Thermal environment\": {\"Ambient temperature [K]\": 298.15, \"Heat transfer "
      "coefficient [W.m-2.K-1]\": 40}}, \"Validation\": {");
  text::Diagnostics diagnostics;
  const auto set = load(text, "x.json", diagnostics);
  ASSERT_TRUE(set) << diagnostics.render();
  EXPECT_TRUE(diagnostics.all().empty()) << diagnostics.render();
  // Four times the cooling, a quarter of the rise in the end.
  auto warm = test::shipped("nmc-pouch-about-energy").make({}), cool = set->make({});
  for (auto* cell : {warm.get(), cool.get()}) {
    cell->set_extra_heat(1.0);
    for (int i = 0; i < 2000; ++i) step(*cell, 0.0, 0.0, 60.0);
  }
  EXPECT_NEAR((warm->readout().surface_degC - 25.0) / (cool->readout().surface_degC - 25.0), 4.0, 1e-3);
}

TEST(Bpx, OfASingleParticleModelNeedsNoElectrolyte) {
  std::string text = test::shipped_text("nmc-pouch-about-energy")->text;
  text = replaced(text, "\"Model\": \"DFN\"", "\"Model\": \"SPM\"");
  text = replaced(text, "\"Electrolyte\": {", "\"Electrolyte\": {\"unread\": true, ");
  text::Diagnostics diagnostics;
  const auto set = load(text, "spm.json", diagnostics);
  ASSERT_TRUE(set) << diagnostics.render();
  EXPECT_EQ(set->model->name(), "spm");
  EXPECT_EQ(set->name, "spm");
}

TEST(CellSets, AreFoundByNameInFoldersBelow) {
  EXPECT_NE(find_cell_set("nmc-pouch-about-energy").find("about-energy/nmc-pouch-about-energy.json"),
            std::string::npos);
  EXPECT_NE(find_cell_set("lg-m50-chen2020").find("lg-m50-chen2020.toml"), std::string::npos);
  EXPECT_EQ(find_cell_set("about-energy"), "");
  EXPECT_EQ(find_cell_set("no-such.json"), "");
  const auto names = cell_set_names();
  EXPECT_TRUE(std::ranges::binary_search(names, std::string("lfp-18650-about-energy")));
}

TEST(CellSets, AreToldFromLabs) {
  EXPECT_TRUE(looks_like_cell_set(test::shipped_text("lg-m50-chen2020")));
  EXPECT_TRUE(looks_like_cell_set(test::source_of(" {", "pipe")));
  EXPECT_FALSE(looks_like_cell_set(test::source_of("format = 1\nname = \"demo\"\n[[cell]]\n")));
}

}  // namespace
}  // namespace cyclerd::hil
