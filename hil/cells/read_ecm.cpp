// The tables of a set with model = "ecm". [ageing] is read in read_ageing.cpp.
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "hil/cells/cell_model.hpp"
#include "hil/cells/ecm_cell.hpp"
#include "hil/cells/read_ageing.hpp"
#include "hil/cells/read_table.hpp"

namespace cyclerd::hil {
namespace {

const Bounds kFactorBounds{0.01, 100.0, ""};
const Bounds kTemperatureAxis{-80.0, 200.0, "degC"};

// A falling OCV is possible in measured tables (noise) but makes a cell whose voltage falls while it is charged.
void warn_where_ocv_falls(text::TableReader& reader, const StateMap& map) {
  const std::size_t columns = map.soc().size();
  const text::TomlNode* node = reader.node().find("voltage_V");
  for (std::size_t row = 0; row < map.temperature_degC().size(); ++row) {
    const text::TomlNode& list = node->items[0].is_array() ? node->items[row] : *node;
    for (std::size_t i = 1; i < columns; ++i) {
      const double before = map.values()[row * columns + i - 1], now = map.values()[row * columns + i];
      if (now >= before) continue;
      reader.diagnostics().warning(
          "C051", list.items[i].value,
          fmt::format("`voltage_V` falls from {:g} to {:g} V at soc {:g}", before, now, map.soc().knots()[i]),
          "a cell's open-circuit voltage rises with its state of charge: smooth the table there");
      break;  // once a row
    }
  }
}

void read_ocv(text::TableReader& root, EcmSet& set) {
  const text::TomlNode* node = root.required_table("ocv");
  if (node == nullptr) return;
  text::TableReader reader(*node, "[ocv]", root.diagnostics());
  auto map = read_rows(reader, "voltage_V", {-10.0, 1000.0, "V"});
  reader.finish();
  if (!map) return;
  if (map->soc().size() < 2) {
    root.diagnostics().error("C008", reader.where(), "[ocv] needs at least two points",
                             "for a constant voltage use model = \"source\"");
  }
  warn_where_ocv_falls(reader, *map);
  set.ocv_V = std::move(*map);
}

void read_entropy(text::TableReader& root, EcmSet& set) {
  const text::TomlNode* node = root.optional_table("entropy");
  if (node == nullptr) return;
  text::TableReader reader(*node, "[entropy]", root.diagnostics());
  auto curve = read_curve(reader, "slope_V_per_K", {-0.1, 0.1, "V/K"});
  reader.finish();
  if (curve) set.entropic_V_per_K = std::move(*curve);
}

void read_hysteresis(text::TableReader& root, EcmSet& set) {
  const text::TomlNode* node = root.optional_table("hysteresis");
  if (node == nullptr) return;
  text::TableReader reader(*node, "[hysteresis]", root.diagnostics());
  auto map = read_rows(reader, "half_gap_V", {0.0, 10.0, "V"});
  auto rate = read_number(reader, "rate", {0.0, 1e5, ""}, true);
  set.instantaneous_V = read_number(reader, "instantaneous_V", {0.0, 1.0, "V"}, false).value_or(0.0);
  reader.finish();
  if (map && rate) {
    set.hysteresis_V = std::move(*map);
    set.hysteresis_rate = *rate;
  }
}

void read_diffusion(text::TableReader& root, EcmSet& set) {
  const text::TomlNode* node = root.optional_table("diffusion");
  if (node == nullptr) return;
  text::TableReader reader(*node, "[diffusion]", root.diagnostics());
  auto tau = read_map(reader, {"tau", text::dimension::kTime, "tau_s", {1.0, 1e6, "s"}, "activation_K"});
  reader.finish();
  if (tau) set.diffusion = Diffusion{std::move(*tau)};
}

void read_kinetics(text::TableReader& root, EcmSet& set) {
  const text::TomlNode* node = root.optional_table("kinetics");
  if (node == nullptr) return;
  text::TableReader reader(*node, "[kinetics]", root.diagnostics());
  auto exchange = read_map(
      reader, {"exchange_current", text::dimension::kCurrent, "exchange_current_A", {1e-9, 1e6, "A"}, "activation_K"});
  ChargeTransfer kinetics;
  kinetics.voltage_factor = read_number(reader, "voltage_factor", {0.05, 20.0, ""}, false).value_or(1.0);
  kinetics.charge_factor = read_number(reader, "charge_factor", kFactorBounds, false).value_or(1.0);
  kinetics.tau_s = read_bounded(reader, "tau", text::dimension::kTime, 0.0, 1e5, false).value_or(0.0);
  reader.finish();
  if (!exchange) return;
  kinetics.exchange_A = std::move(*exchange);
  set.kinetics = std::move(kinetics);
}

// factor_current_A and factor, charge_factor: beside a resistance.
std::optional<CurrentFactor> read_current_factor(text::TableReader& reader) {
  CurrentFactor out;
  out.charge = read_number(reader, "charge_factor", kFactorBounds, false).value_or(1.0);
  if (reader.node().find("factor") == nullptr && reader.node().find("factor_current_A") == nullptr) return out;
  auto curve = read_curve(reader, "factor", kFactorBounds, "factor_current_A", {0.0, 1e6, "A"});
  if (!curve) return std::nullopt;
  const auto& current = curve->axis().knots();
  const auto& factor = curve->values();
  for (std::size_t i = 0; i + 1 < current.size(); ++i) {
    const double slope = (factor[i + 1] - factor[i]) / (current[i + 1] - current[i]);
    if (factor[i] + slope * current[i] > 0.0 && factor[i + 1] + slope * current[i + 1] > 0.0) continue;
    reader.diagnostics().error(
        "C052", reader.node().find("factor")->items[i + 1].value,
        fmt::format("from {:g} to {:g} A `factor` falls so fast that the voltage drop would fall "
                    "with rising current",
                    current[i], current[i + 1]),
        "factor times current must rise everywhere");
    return std::nullopt;
  }
  out.over_A = std::move(*curve);
  return out;
}

void read_series(text::TableReader& root, EcmSet& set) {
  const text::TomlNode* node = root.required_table("series");
  if (node == nullptr) return;
  text::TableReader reader(*node, "[series]", root.diagnostics());
  auto series = read_resistance(reader);
  auto factor = read_current_factor(reader);
  reader.finish();
  if (series) set.series_Ohm = std::move(*series);
  if (factor) set.series_factor = std::move(*factor);
}

void read_branches(text::TableReader& root, EcmSet& set) {
  const text::TomlNode* node = root.optional_array("rc");
  if (node == nullptr) return;
  if (node->items.size() > kMaxRc) {
    root.diagnostics().error("C007", node->value,
                             fmt::format("{} RC branches, at most {} are possible", node->items.size(), kMaxRc));
    return;
  }
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    const text::TomlNode& item = node->items[i];
    if (!item.is_table()) {
      root.diagnostics().error("C003", item.value, "`rc` must be tables", "write [[rc]] above each branch");
      continue;
    }
    text::TableReader reader(item, fmt::format("[[rc]] number {}", i + 1), root.diagnostics());
    auto tau = read_map(reader, {"tau", text::dimension::kTime, "tau_s", {1e-6, 1e6, "s"}, "tau_activation_K"});
    auto resistance = read_resistance(reader);
    auto factor = read_current_factor(reader);
    reader.finish();
    if (!tau || !resistance || !factor) continue;
    set.branches.push_back({std::move(*tau), std::move(*resistance), std::move(*factor)});
  }
}

void read_capacity_over_temperature(text::TableReader& root, EcmSet& set) {
  if (const text::TomlNode* node = root.optional_table("capacity_factor")) {
    text::TableReader reader(*node, "[capacity_factor]", root.diagnostics());
    auto curve = read_curve(reader, "factor", {0.05, 2.0, ""}, "temperature_degC", kTemperatureAxis);
    reader.finish();
    if (curve) set.capacity_factor = std::move(*curve);
  }
  const text::TomlNode* node = root.node().find("charge_efficiency");
  const Bounds bounds{0.5, 1.0, ""};
  if (node == nullptr || !node->is_table()) {
    const double constant = read_number(root, "charge_efficiency", bounds, false).value_or(1.0);
    set.charge_efficiency = Curve(Axis({25.0}), {constant});
    return;
  }
  text::TableReader reader(*root.optional_table("charge_efficiency"), "[charge_efficiency]", root.diagnostics());
  auto curve = read_curve(reader, "efficiency", bounds, "temperature_degC", kTemperatureAxis);
  reader.finish();
  if (curve) set.charge_efficiency = std::move(*curve);
}

void read_self_discharge(text::TableReader& root, EcmSet& set) {
  const text::TomlNode* node = root.optional_table("self_discharge");
  if (node == nullptr) return;
  text::TableReader reader(*node, "[self_discharge]", root.diagnostics());
  SelfDischarge out;
  auto current = read_bounded(reader, "current", text::dimension::kCurrent, 0.0, 1e4, true);
  out.doubling_K = read_number(reader, "doubling_K", {1.0, 1000.0, "K"}, false).value_or(out.doubling_K);
  out.reference_degC =
      read_bounded(reader, "reference_temperature", text::dimension::kTemperature, -50.0, 100.0, false).value_or(25.0);
  reader.finish();
  if (!current) return;
  out.current_A = *current;
  set.self_discharge = out;
}

void read_thermal(text::TableReader& root, EcmSet& set) {
  const text::TomlNode* node = root.optional_table("thermal");
  if (node == nullptr) return;
  text::TableReader reader(*node, "[thermal]", root.diagnostics());
  const Bounds capacity{1e-6, 1e7, "J/K"};
  const Bounds conductance{1e-9, 1e6, "W/K"};
  auto core = read_number(reader, "core_J_per_K", capacity, true);
  auto surface = read_number(reader, "surface_J_per_K", capacity, true);
  auto inner = read_number(reader, "core_to_surface_W_per_K", conductance, true);
  auto outer = read_number(reader, "surface_to_ambient_W_per_K", conductance, true);
  const bool fixture = node->find("fixture_J_per_K") != nullptr;
  auto jig = read_number(reader, "fixture_J_per_K", capacity, false);
  auto clamp = read_number(reader, "surface_to_fixture_W_per_K", conductance, fixture);
  auto rest = read_number(reader, "fixture_to_ambient_W_per_K", conductance, fixture);
  if (!fixture && (clamp || rest)) {
    root.diagnostics().error("C053", reader.where(),
                             "[thermal] has a conductance of a fixture but no `fixture_J_per_K`",
                             "give the fixture's heat capacity, or leave its conductances out");
  }
  reader.finish();
  if (core && surface && inner && outer)
    set.thermal =
        ThermalSet{*core, *surface, *inner, *outer, jig.value_or(0.0), clamp.value_or(0.0), rest.value_or(0.0)};
}

class EcmModel final : public CellModel {
 public:
  explicit EcmModel(std::shared_ptr<const EcmSet> set) : set_(std::move(set)) {}
  [[nodiscard]] std::unique_ptr<Cell> make(const CellStart& start) const override {
    return std::make_unique<EcmCell>(set_, start);
  }
  [[nodiscard]] std::string_view name() const noexcept override { return "ecm"; }

 private:
  std::shared_ptr<const EcmSet> set_;
};

}  // namespace

std::shared_ptr<const CellModel> read_ecm_model(text::TableReader& root, const SetHeader& header) {
  auto set = std::make_shared<EcmSet>();
  set->capacity_C = header.capacity_C;
  set->fingerprint = header.fingerprint;
  set->reference_degC =
      read_bounded(root, "reference_temperature", text::dimension::kTemperature, -50.0, 100.0, false).value_or(25.0);
  read_capacity_over_temperature(root, *set);
  read_ocv(root, *set);
  read_entropy(root, *set);
  read_hysteresis(root, *set);
  read_diffusion(root, *set);
  read_kinetics(root, *set);
  read_series(root, *set);
  read_branches(root, *set);
  read_self_discharge(root, *set);
  read_thermal(root, *set);
  set->ageing = read_ageing(root);
  return std::make_shared<EcmModel>(std::move(set));
}

}  // namespace cyclerd::hil
