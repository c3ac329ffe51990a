#include "hil/cells/electrochemical_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace cyclerd::hil::field {
namespace {

// Measured potentials of phase-change materials rise by a few millivolts here and there.
constexpr double kRiseAllowed_V = 0.010;
constexpr double kCapacityOff = 0.25;

// What the open-circuit voltage can be on the cell's lithium, between the ends where an electrode is full or empty.
struct Range {
  double low_V = 0.0;
  double high_V = 0.0;
};

std::optional<Range> reachable(const ElectrochemicalSet& set, const KnownPair& pair) {
  const double ratio = set.foil ? 0.0 : set.electrode_capacity_C(set.positive) / set.electrode_capacity_C(set.negative);
  double low = pair.positive - 1.0, high = pair.positive;
  if (ratio > 0.0) {
    low = std::max(low, -pair.negative / ratio);
    high = std::min(high, (1.0 - pair.negative) / ratio);
  }
  if (!(low < high)) return std::nullopt;
  return Range{open_circuit_V(set, pair.negative + ratio * low, pair.positive - low),
               open_circuit_V(set, pair.negative + ratio * high, pair.positive - high)};
}

void check_falling(const Curve& ocp, double from, double to, std::string_view which, const text::Span& where,
                   text::Diagnostics& diagnostics) {
  constexpr int kPoints = 2000;
  double lowest = ocp.clamped(from), at = from;
  for (int i = 1; i <= kPoints; ++i) {
    const double x = from + (to - from) * i / kPoints;
    const double u = ocp.clamped(x);
    if (u > lowest + kRiseAllowed_V) {
      diagnostics.error(
          "C024", where,
          fmt::format(
              "the potential of the {} electrode rises from {:.4g} V at stoichiometry {:.4g} to {:.4g} V at {:.4g}",
              which, lowest, at, u, x),
          "it must fall while the electrode fills; is x the stoichiometry, and not the state of charge?");
      return;
    }
    if (u < lowest) {
      lowest = u;
      at = x;
    }
  }
}

void check_capacity(const ElectrochemicalSet& set, const SetHeader& header, const Places& places,
                    text::Diagnostics& diagnostics) {
  const double ratio = set.capacity_C() / header.capacity_C;
  if (std::abs(ratio - 1.0) <= kCapacityOff) return;
  diagnostics.warning(
      "C027", places.capacity,
      fmt::format("the electrodes hold {:.4g} Ah between the voltages, {:.3g} times the capacity that is given",
                  set.capacity_C() / 3600.0, ratio),
      "C-rates count by the given capacity; check area, thickness and concentrations");
}

}  // namespace

FunctionRules at_salt(FunctionRules rules, double initial_mol_per_m3) {
  rules.good_at = initial_mol_per_m3;
  return rules;
}

FunctionRules with_value_key(FunctionRules rules, std::string_view key) {
  rules.value_key = key;
  return rules;
}

Curve evenly_spaced(const Curve& potential_V) {
  if (potential_V.values().size() < 2) return potential_V;
  const std::vector<double>& knots = potential_V.axis().knots();
  for (std::size_t count = 2001;; count = 2 * count - 1) {
    Curve even = sampled([&](double x) { return potential_V.clamped(x); }, knots.front(), knots.back(), count);
    double worst = 0.0;
    for (std::size_t i = 0; i < knots.size(); ++i)
      worst = std::max(worst, std::abs(even.clamped(knots[i]) - potential_V.values()[i]));
    if (worst <= 5e-5 || count > 16000) return even;
  }
}

Curve exchange_curve(const Curve& factor) {
  double scale = 0.0;
  for (double y : factor.values()) scale = std::max(scale, y);
  auto function = [&](double x) { return factor.clamped(x) * std::sqrt(std::max(0.0, x * (1.0 - x))); };
  text::Diagnostics unused;
  auto curve = sample(function, {0.0, 1.0, 1e-6 * scale, 5e-4}, "", {}, unused);
  // Positive factors, a finite root: only the number of knots could fail, then plain equal distances serve.
  return curve ? std::move(*curve) : sampled(function, 0.0, 1.0, 4001);
}

void complete(ElectrochemicalSet& set, const SetHeader& header, const KnownPair& pair, const Places& places,
              text::Diagnostics& diagnostics) {
  const auto window =
      stoichiometry_window(set, pair.negative, pair.positive, header.voltage_min_V, header.voltage_max_V);
  if (!window) {
    // A potential that runs the wrong way is the likelier reason; its ends may be unphysical.
    const std::size_t before = diagnostics.error_count();
    if (!set.foil) check_falling(set.negative.ocp_V, 0.05, 0.95, "negative", places.negative_ocp, diagnostics);
    check_falling(set.positive.ocp_V, 0.05, 0.95, "positive", places.positive_ocp, diagnostics);
    if (diagnostics.error_count() != before) return;
    const auto range = reachable(set, pair);
    const bool low = !range || range->low_V > header.voltage_min_V;
    diagnostics.error(
        "C025", low ? places.voltage_min : places.voltage_max,
        range ? fmt::format(
                    "the open-circuit voltage runs from {:.4g} to {:.4g} V on the lithium that the cell has; `{}` "
                    "({:.4g} V) lies outside",
                    range->low_V, range->high_V, low ? places.voltage_min_key : places.voltage_max_key,
                    low ? header.voltage_min_V : header.voltage_max_V)
              : std::string("no state of charge exists on the lithium that the cell has"),
        "check the two initial stoichiometries, the largest concentrations and the amounts of active material, or "
        "narrow "
        "the voltages");
    return;
  }
  set_window(set, *window);
  if (!set.foil) {
    check_falling(set.negative.ocp_V, window->negative_empty, window->negative_full, "negative", places.negative_ocp,
                  diagnostics);
  }
  check_falling(set.positive.ocp_V, window->positive_full, window->positive_empty, "positive", places.positive_ocp,
                diagnostics);
  if (auto defect = defect_of(set)) {
    diagnostics.error("C026", places.set, *defect);
    return;
  }
  check_capacity(set, header, places, diagnostics);
}

}  // namespace cyclerd::hil::field
