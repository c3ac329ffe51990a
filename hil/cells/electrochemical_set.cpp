#include "hil/cells/electrochemical_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include "protocols/base/check.hpp"

namespace cyclerd::hil {
namespace {

bool positive_number(double x) {
  return std::isfinite(x) && x > 0.0;
}

bool finite_curve(const Curve& curve) {
  return std::ranges::all_of(curve.values(), [](double y) { return std::isfinite(y); });
}

bool positive_curve(const Curve& curve) {
  return std::ranges::all_of(curve.values(), positive_number);
}

struct Named {
  std::string_view name;
  double value;
};

std::optional<std::string> electrode_defect(const ElectrodeSet& e, std::string_view which) {
  const std::array must_be_positive = {
      Named{"thickness", e.thickness_m},    Named{"surface per volume", e.surface_per_m},
      Named{"particle radius", e.radius_m}, Named{"largest concentration", e.c_max_mol_per_m3},
      Named{"porosity", e.porosity},        Named{"transport efficiency", e.transport_efficiency},
  };
  for (const Named& field : must_be_positive) {
    if (!positive_number(field.value)) return fmt::format("{}: {} must be above 0", which, field.name);
  }
  if (e.active_fraction() + e.porosity > 1.0 + 1e-9) {
    return fmt::format("{}: active material ({:.3f}) and pores ({:.3f}) fill more than the electrode", which,
                       e.active_fraction(), e.porosity);
  }
  if (!finite_curve(e.ocp_V) || !finite_curve(e.entropic_V_per_K))
    return fmt::format("{}: a potential is no number", which);
  if (!positive_curve(e.diffusivity_m2_per_s)) return fmt::format("{}: diffusivity must be above 0", which);
  const auto& exchange = e.exchange_A_per_m2.values();
  if (!finite_curve(e.exchange_A_per_m2) || std::ranges::any_of(exchange, [](double y) { return y < 0.0; }) ||
      *std::ranges::max_element(exchange) <= 0.0) {
    return fmt::format("{}: exchange current density must be 0 or more, and above 0 somewhere", which);
  }
  for (double x : {e.stoichiometry_empty, e.stoichiometry_full}) {
    if (!(x >= 0.0 && x <= 1.0)) return fmt::format("{}: stoichiometry {} lies outside 0..1", which, x);
  }
  return std::nullopt;
}

std::optional<std::string> electrolyte_defect(const ElectrolyteSet& e) {
  if (!positive_number(e.initial_mol_per_m3)) return "electrolyte: its concentration must be above 0";
  if (!positive_curve(e.diffusivity_m2_per_s) && e.salt_gradient) return "electrolyte: diffusivity must be above 0";
  if (!positive_curve(e.conductivity_S_per_m)) return "electrolyte: conductivity must be above 0";
  if (!finite_curve(e.transference) || !finite_curve(e.thermodynamic_factor))
    return "electrolyte: transference or thermodynamic factor is no number";
  return std::nullopt;
}

// Root of a rising function between low and high, where its sign changes.
double bisect(const std::function<double(double)>& f, double low, double high) {
  for (int i = 0; i < 100; ++i) {
    const double middle = 0.5 * (low + high);
    (f(middle) < 0.0 ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

}  // namespace

Curve sampled(const std::function<double(double)>& function, double low, double high, std::size_t knots) {
  ENSURE(knots >= 2 && high > low, "a curve needs two knots and a range");
  std::vector<double> x(knots);
  std::vector<double> y(knots);
  for (std::size_t i = 0; i < knots; ++i) {
    x[i] = low + (high - low) * static_cast<double>(i) / static_cast<double>(knots - 1);
    y[i] = function(x[i]);
  }
  return {Axis(std::move(x)), std::move(y)};
}

Curve constant_curve(double value) {
  return {Axis({0.0}), {value}};
}

double open_circuit_V(const ElectrochemicalSet& set, double negative, double positive) noexcept {
  const double u_negative = set.foil ? 0.0 : set.negative.ocp_V.clamped(negative);
  return set.positive.ocp_V.clamped(positive) - u_negative;
}

std::optional<StoichiometryWindow> stoichiometry_window(const ElectrochemicalSet& set, double negative, double positive,
                                                        double min_V, double max_V) {
  // Moving charge q (in units of the positive electrode's capacity) into the cell: y - q, x + q Q_p / Q_n.
  const double ratio = set.foil ? 0.0 : set.electrode_capacity_C(set.positive) / set.electrode_capacity_C(set.negative);
  double low = positive - 1.0;
  double high = positive;
  if (ratio > 0.0) {
    low = std::max(low, -negative / ratio);
    high = std::min(high, (1.0 - negative) / ratio);
  }
  auto voltage = [&](double q) { return open_circuit_V(set, negative + ratio * q, positive - q); };
  if (!(low < high) || !(voltage(low) <= min_V) || !(voltage(high) >= max_V)) return std::nullopt;
  const double empty = bisect([&](double q) { return voltage(q) - min_V; }, low, high);
  const double full = bisect([&](double q) { return voltage(q) - max_V; }, empty, high);
  return StoichiometryWindow{negative + ratio * empty, positive - empty, negative + ratio * full, positive - full};
}

void set_window(ElectrochemicalSet& set, const StoichiometryWindow& window) noexcept {
  set.negative.stoichiometry_empty = window.negative_empty;
  set.negative.stoichiometry_full = window.negative_full;
  set.positive.stoichiometry_empty = window.positive_empty;
  set.positive.stoichiometry_full = window.positive_full;
}

std::optional<std::string> defect_of(const ElectrochemicalSet& set) {
  if (!positive_number(set.area_m2)) return "the electrode area must be above 0";
  if (!(set.contact_resistance_Ohm >= 0.0)) return "the contact resistance must be 0 or more";
  if (!positive_number(set.reference_K) || !positive_number(set.potential_reference_K))
    return "a reference temperature must be above 0 K";
  if (!set.foil) {
    if (auto defect = electrode_defect(set.negative, "negative electrode")) return defect;
    if (!(set.negative.stoichiometry_full > set.negative.stoichiometry_empty))
      return "negative electrode: the stoichiometry must be larger when full than when empty";
  } else if (!positive_number(set.foil->exchange_A_per_m2)) {
    return "lithium foil: exchange current density must be above 0";
  }
  if (auto defect = electrode_defect(set.positive, "positive electrode")) return defect;
  if (!(set.positive.stoichiometry_full < set.positive.stoichiometry_empty))
    return "positive electrode: the stoichiometry must be smaller when full than when empty";
  if (!positive_number(set.separator.thickness_m) || !positive_number(set.separator.porosity) ||
      !positive_number(set.separator.transport_efficiency)) {
    return "separator: thickness, porosity and transport efficiency must be above 0";
  }
  if (auto defect = electrolyte_defect(set.electrolyte)) return defect;
  if (set.sei && (!positive_number(set.sei->initial_thickness_m) ||
                  !positive_number(set.sei->molar_volume_m3_per_mol) || !positive_number(set.sei->lithium_per_sei))) {
    return "SEI: initial thickness, molar volume and lithium per SEI must be above 0";
  }
  if (set.foil && (set.sei || set.plating)) return "SEI and plating are of particles: not with a lithium foil";
  if (set.plating && !(set.plating->transfer_plating > 0.0 && set.plating->transfer_plating < 1.0))
    return "plating: the transfer coefficient must lie between 0 and 1";
  return std::nullopt;
}

}  // namespace cyclerd::hil
