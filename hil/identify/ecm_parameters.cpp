#include "hil/identify/ecm_parameters.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace cyclerd::hil {
namespace {

constexpr double kLevelSpread = 2.0;       // of a logarithm: a factor of 7
constexpr double kSmoothSpread = 0.35;     // of the second difference of a logarithm
constexpr double kLevelDifference = 0.03;  // of the first difference of a logarithm, where nothing tells it

constexpr double kBeyondEmpty_soc = 0.1;
constexpr double kEmptySlope_V = 10.0;  // V per soc

// What temperature does to each part, as insertion cells have it: ions in the electrolyte hardly, charge transfer with
// 50 to 60 kJ/mol, diffusion in the solids with 17 to 30 kJ/mol. Pulses over temperature move these; runs at one
// temperature know nothing of them and must not bend them to please a mismatch elsewhere.
constexpr ExpectedActivation kOhmic{300.0, 100.0};
constexpr ExpectedActivation kChargeTransfer{6300.0, 150.0};
constexpr ExpectedActivation kFast{2200.0, 100.0};
constexpr ExpectedActivation kSlow{3000.0, 60.0};

}  // namespace

double Parameter::plain() const {
  return log ? std::exp(value) : value;
}

std::size_t EcmParameters::add(Parameter parameter) {
  parameter.value = parameter.expected;
  list_.push_back(std::move(parameter));
  return list_.size() - 1;
}

ParameterMap EcmParameters::add_map(const std::string& name, Stage stage, std::vector<double> soc, double expected,
                                    double low, double high, ExpectedActivation activation) {
  ParameterMap out;
  out.name = name;
  out.first = list_.size();
  for (const double z : soc) {
    add({name + " at soc " + std::to_string(z).substr(0, 4), stage, 0.0, std::log(low), std::log(high),
         std::log(expected), kLevelSpread, true});
  }
  out.activation =
      add({name + " activation_K", stage, 0.0, 0.0, 12000.0, activation.value_K, activation.spread_K, false});
  out.soc = std::move(soc);
  return out;
}

// Levels that are expected scale with the cell: volts at 1C.
EcmParameters::EcmParameters(double capacity_C, bool hysteresis) : hysteresis_(hysteresis) {
  const double one_C_A = capacity_C / 3600.0;
  const double ohm = 1.0 / one_C_A;
  const std::vector<double> fine = {0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95};
  const std::vector<double> coarse = {0.0, 0.1, 0.25, 0.5, 0.75, 1.0};
  series_ = add_map("series", Stage::pulses, fine, 0.05 * ohm, 1e-4 * ohm, 10.0 * ohm, kOhmic);
  exchange_ =
      add_map("exchange_current", Stage::pulses, coarse, 2.0 * one_C_A, 1e-3 * one_C_A, 1e4 * one_C_A, kChargeTransfer);
  exchange_tau_ = add({"kinetics tau", Stage::pulses, 0.0, std::log(0.001), std::log(20.0), std::log(0.02), 1.0, true});
  fast_ = add_map("rc 1", Stage::pulses, coarse, 0.015 * ohm, 1e-5 * ohm, 10.0 * ohm, kFast);
  fast_tau_ = add({"rc 1 tau", Stage::pulses, 0.0, std::log(3.0), std::log(60.0), std::log(12.0), 0.5, true});
  slow_ = add_map("rc 2", Stage::runs, coarse, 0.01 * ohm, 1e-5 * ohm, 10.0 * ohm, kSlow);
  slow_tau_ = add({"rc 2 tau", Stage::runs, 0.0, std::log(60.0), std::log(3000.0), std::log(300.0), 0.7, true});
  diffusion_ = add_map("diffusion tau", Stage::runs, {0.0, 0.1, 0.3, 0.6, 1.0}, 1000.0, 10.0, 3e4, kSlow);
  if (hysteresis) {
    rate_ =
        add({"hysteresis rate", Stage::hysteresis, 0.0, std::log(3.0), std::log(1000.0), std::log(50.0), 1.0, true});
  }
}

StateMap EcmParameters::map(const ParameterMap& m) const {
  std::vector<double> values;
  for (std::size_t k = 0; k < m.soc.size(); ++k) values.push_back(list_[m.first + k].plain());
  return {Axis(m.soc), Axis({25.0}), std::move(values), list_[m.activation].plain()};
}

void EcmParameters::apply(EcmSet& set) const {
  set.series_Ohm = map(series_);
  ChargeTransfer kinetics;
  kinetics.exchange_A = map(exchange_);
  kinetics.tau_s = list_[exchange_tau_].plain();
  set.kinetics = std::move(kinetics);
  set.branches = {RcBranch{list_[fast_tau_].plain(), map(fast_), {}},
                  RcBranch{list_[slow_tau_].plain(), map(slow_), {}}};
  set.diffusion = Diffusion{map(diffusion_)};
  set.hysteresis_rate = hysteresis_ ? list_[rate_].plain() : 0.0;
}

void EcmParameters::append_prior(std::vector<double>& residuals) const {
  for (const Parameter& p : list_) residuals.push_back((p.value - p.expected) / p.spread);
  for (std::size_t k = 0; level_series_ && k + 1 < series_.soc.size(); ++k) {
    residuals.push_back((list_[series_.first + k + 1].value - list_[series_.first + k].value) / kLevelDifference);
  }
  for (const ParameterMap* m : {&series_, &exchange_, &fast_, &slow_, &diffusion_}) {
    for (std::size_t k = 1; k + 1 < m->soc.size(); ++k) {
      const double left = list_[m->first + k].value - list_[m->first + k - 1].value;
      const double right = list_[m->first + k + 1].value - list_[m->first + k].value;
      residuals.push_back((right - left) / kSmoothSpread);
    }
  }
}

void apply_ocv(const OcvTable& table, EcmSet& set) {
  const auto flat = [&](const std::vector<std::vector<double>>& rows) {
    std::vector<double> out;
    for (const auto& row : rows) out.insert(out.end(), row.begin(), row.end());
    return StateMap(Axis(table.soc), Axis(table.temperature_degC), std::move(out));
  };
  // The surface of a particle is emptied before the cell is, and a curve that falls by 100 V per soc at its end would
  // turn a run that lasts a minute longer than the model into volts of error: below its first knot it goes on gently.
  std::vector<double> soc = {table.soc.front() - kBeyondEmpty_soc};
  soc.insert(soc.end(), table.soc.begin(), table.soc.end());
  std::vector<double> voltage_V;
  for (const auto& row : table.voltage_V) {
    const double slope = (row[1] - row[0]) / (table.soc[1] - table.soc[0]);
    voltage_V.push_back(row[0] - kBeyondEmpty_soc * std::min(slope, kEmptySlope_V));
    voltage_V.insert(voltage_V.end(), row.begin(), row.end());
  }
  set.ocv_V = StateMap(Axis(soc), Axis(table.temperature_degC), std::move(voltage_V));
  set.hysteresis_V = table.half_gap_V.empty() ? StateMap() : flat(table.half_gap_V);
}

}  // namespace cyclerd::hil
