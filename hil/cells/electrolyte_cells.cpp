#include "hil/cells/electrolyte_cells.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "hil/cells/tridiagonal.hpp"

namespace cyclerd::hil {
namespace {

// Below this share of the initial concentration the electrolyte counts as depleted. What depends on the concentration
// is held there, and the voltage goes on by a straight line in the missing concentration; the salt itself goes on
// (below zero, if it must) as the conserved quantity that it is.
constexpr double kDepleted = 1e-3;
// A current is bounded to that which would tilt the salt by so many initial concentrations.
constexpr double kTiltMax = 50.0;
// Tables over concentration reach to this many initial concentrations.
constexpr double kReach = 5.0;
constexpr std::size_t kKnots = 8001;

Curve power_curve(double exponent) {
  return sampled([exponent](double x) { return std::pow(x, exponent); }, 0.0, kReach, kKnots);
}

}  // namespace

ElectrolyteCells::ElectrolyteCells(const ElectrochemicalSet& set)
    : set_(set.electrolyte),
      area_m2_(set.area_m2),
      foil_(set.foil.has_value()),
      conductivity_(set.electrolyte.conductivity_S_per_m),
      transference_(set.electrolyte.transference) {
  // The current of the ions falls from all to nothing through an electrode: a third of the loss of the whole.
  if (!foil_) {
    add_layer(set.negative.thickness_m, set.negative.porosity, set.negative.transport_efficiency, 1.0 / 3.0);
  }
  add_layer(set.separator.thickness_m, set.separator.porosity, set.separator.transport_efficiency, 1.0);
  add_layer(set.positive.thickness_m, set.positive.porosity, set.positive.transport_efficiency, 1.0 / 3.0);
  std::vector<double> roots = set_.diffusivity_m2_per_s.values();
  for (double& d : roots) d = std::sqrt(d);
  diffusivity_root_ = UniformCurve(Curve(set_.diffusivity_m2_per_s.axis(), std::move(roots)));
  set_currents(set);
  const double negative = foil_ ? set.foil->exchange_electrolyte_exponent : set.negative.exchange_electrolyte_exponent;
  const double positive = set.positive.exchange_electrolyte_exponent;
  square_root_negative_ = negative == 0.5;
  square_root_positive_ = positive == 0.5;
  exchange_negative_ = UniformCurve(power_curve(negative));
  exchange_positive_ = UniformCurve(power_curve(positive));
  floor_mol_per_m3_ = kDepleted * set_.initial_mol_per_m3;
  conductivity_floor_S_per_m_ = kDepleted * conductivity_.at(set_.initial_mol_per_m3);
  set_potential();
}

void ElectrolyteCells::add_layer(double length_m, double porosity, double efficiency, double ohmic_share) {
  layer_[layers_++] = {count_, count_ + kLayerCells, length_m, porosity, efficiency, ohmic_share};
  const double width = length_m / static_cast<double>(kLayerCells);
  for (std::size_t i = 0; i < kLayerCells; ++i, ++count_) {
    capacity_m_[count_] = porosity * width;
    conductance_per_m_[count_] = efficiency / width;
  }
  Layer& layer = layer_[layers_ - 1];
  layer.to_face_per_m = 2.0 * efficiency / width;
  // Through an electrode the flux falls to nothing, so the concentration is a parabola. Between two cell means it is
  // met exactly; towards the separator the way from the mean to the face is that much shorter.
  if (ohmic_share < 1.0) layer.to_face_per_m /= 1.0 - 1.0 / (3.0 * static_cast<double>(kLayerCells));
}

void ElectrolyteCells::set_currents(const ElectrochemicalSet& set) {
  const auto cells = static_cast<double>(kLayerCells);
  const std::size_t positive = count_ - kLayerCells;
  for (std::size_t i = 0; i < count_; ++i) {
    const bool in_negative = !foil_ && i < kLayerCells;
    if (in_negative) {
      current_[i] = -static_cast<double>(i) / cells;
    } else if (i <= positive) {
      current_[i] = -1.0;
    } else {
      current_[i] = -static_cast<double>(count_ - i) / cells;
    }
  }
  const double moved = 1.0 - transference_.at(set_.initial_mol_per_m3);
  for (std::size_t i = 0; i < count_; ++i) {
    const double out = i + 1 < count_ ? current_[i + 1] : 0.0;
    const double in = foil_ && i == 0 ? 0.0 : current_[i];
    // A foil takes lithium ions out of the first cell, as the reaction does inside an electrode.
    source_[i] = moved * (out - in);
  }
  double resistance_m = 0.0;
  for (std::size_t k = 0; k < layers_; ++k) resistance_m += layer_[k].length_m / layer_[k].efficiency;
  current_max_A_ =
      kTiltMax * set_.initial_mol_per_m3 * kFaraday_C_per_mol * set.area_m2 * initial_diffusivity() / resistance_m;
}

void ElectrolyteCells::set_potential() {
  const UniformCurve factor(set_.thermodynamic_factor);
  simple_potential_ = transference_.constant() && factor.constant();
  const double initial = set_.initial_mol_per_m3;
  potential_factor_ = (1.0 - transference_.at(initial)) * factor.at(initial);
  if (simple_potential_) return;
  auto integrand = [&](double c) { return (1.0 - transference_.at(c)) * factor.at(c) / c; };
  const double low = floor_mol_per_m3_, high = kReach * initial;
  std::vector<double> knots(kKnots), values(kKnots);
  const double width = (high - low) / static_cast<double>(kKnots - 1);
  knots[0] = low;
  for (std::size_t i = 1; i < kKnots; ++i) {
    knots[i] = low + width * static_cast<double>(i);
    double sum = 0.0;  // Simpson on ten parts: the integrand is steep near the floor
    for (int part = 0; part < 10; ++part) {
      const double a = knots[i - 1] + 0.1 * width * part;
      sum += integrand(a) + 4.0 * integrand(a + 0.05 * width) + integrand(a + 0.1 * width);
    }
    values[i] = values[i - 1] + sum * 0.1 * width / 6.0;
  }
  const Curve raw(Axis(knots), values);
  const double zero = raw.clamped(initial);
  for (double& v : values) v -= zero;
  potential_ = UniformCurve(Curve(Axis(knots), values));
}

double ElectrolyteCells::initial_diffusivity() const noexcept {
  const double root = diffusivity_root_.at(set_.initial_mol_per_m3);
  return root * root;
}

bool ElectrolyteCells::advance(SaltState& salt, double current_A, double diffusivity_scale,
                               double dt_s) const noexcept {
  if (!set_.salt_gradient) return true;
  const double bounded_A = std::clamp(current_A, -current_max_A_, current_max_A_);
  const double per_source = dt_s * bounded_A / (kFaraday_C_per_mol * area_m2_);
  const double scale = dt_s * diffusivity_scale;
  // Geometric means of the diffusivities inside a layer (closest to the limit of fine cells), the harmonic one between
  // layers.
  SaltState root, off, change;
  SaltState diagonal = capacity_m_;
  for (std::size_t i = 0; i < count_; ++i) root[i] = diffusivity_root_.at(salt[i]);
  for (std::size_t i = 0; i + 1 < count_; ++i) off[i] = scale * conductance_per_m_[i] * root[i] * root[i + 1];
  for (std::size_t k = 0; k + 1 < layers_; ++k) {
    const std::size_t last = layer_[k].end - 1;
    const double left = scale * root[last] * root[last] * layer_[k].to_face_per_m;
    const double right = scale * root[last + 1] * root[last + 1] * layer_[k + 1].to_face_per_m;
    off[last] = left * right / (left + right);
  }
  if (transference_.constant()) {
    for (std::size_t i = 0; i < count_; ++i) change[i] = per_source * source_[i];
  } else {
    // The reaction brings what the current leaves; migration carries t+ of it through the faces.
    double in = foil_ ? current_[0] : 0.0;
    for (std::size_t i = 0; i < count_; ++i) {
      const double right = i + 1 < count_ ? current_[i + 1] : 0.0;
      const double left = foil_ && i == 0 ? 0.0 : current_[i];
      const double reaction = foil_ && i < kLayerCells ? 0.0 : right - left;
      const double out = i + 1 < count_ ? right * transference_.at(0.5 * (salt[i] + salt[i + 1])) : 0.0;
      change[i] = per_source * (reaction + in - out);
      in = out;
    }
  }
  double inflow = 0.0;
  for (std::size_t i = 0; i + 1 < count_; ++i) {
    const double outflow = off[i] * (salt[i] - salt[i + 1]);
    change[i] += inflow - outflow;
    inflow = outflow;
    diagonal[i] += off[i];
    diagonal[i + 1] += off[i];
  }
  change[count_ - 1] += inflow;
  solve_tridiagonal(count_, diagonal, off, change);
  for (std::size_t i = 0; i < count_; ++i) salt[i] += change[i];
  return bounded_A == current_A;
}

ElectrolyteCells::Contact ElectrolyteCells::contact(const SaltState& salt, const Layer& layer,
                                                    const UniformCurve& exchange) const noexcept {
  const double initial = set_.initial_mol_per_m3;
  const double per_initial = 1.0 / initial;
  const auto cells = static_cast<double>(layer.end - layer.begin);
  const bool square_root = layer.begin == 0 ? square_root_negative_ : square_root_positive_;
  Contact out;
  double product = 1.0, missing = 0.0, sum = 0.0, power = 0.0, potential = 0.0;
  for (std::size_t i = layer.begin; i < layer.end; ++i) {
    const double c = std::max(salt[i], floor_mol_per_m3_);
    const double x = c * per_initial;
    missing += salt[i] - c;
    sum += c;
    product *= x;  // twenty factors between 1e-3 and, say, 1e3 stay far inside the range of a double
    if (square_root) power += std::sqrt(x);
  }
  if (!square_root) {
    for (std::size_t i = layer.begin; i < layer.end; ++i)
      power += exchange.at(std::max(salt[i], floor_mol_per_m3_) * per_initial);
  }
  if (simple_potential_) {
    potential = potential_factor_ * std::log(product);
  } else {
    for (std::size_t i = layer.begin; i < layer.end; ++i) potential += potential_.at(salt[i]);
  }
  out.potential = (potential + potential_factor_ * missing * per_initial) / cells;
  out.exchange = power / cells;
  out.mean = sum / cells;
  return out;
}

SaltView ElectrolyteCells::view(const SaltState& salt, double two_RT_F_V, double conductivity_scale) const noexcept {
  SaltView v;
  v.negative_mol_per_m3 = set_.initial_mol_per_m3;
  double ohm_m2 = 0.0;
  auto conductivity = [&](double c) {
    return std::max(conductivity_.at(c), conductivity_floor_S_per_m_) * conductivity_scale;
  };
  if (!set_.salt_gradient) {
    const double sigma = conductivity(set_.initial_mol_per_m3);
    for (std::size_t k = 0; k < layers_; ++k)
      ohm_m2 += layer_[k].ohmic_share * layer_[k].length_m / (sigma * layer_[k].efficiency);
    v.resistance_Ohm = ohm_m2 / area_m2_;
    return v;
  }
  // What a foil touches is the first cell alone.
  Layer at_negative = layer_[0];
  if (foil_) at_negative.end = 1;
  const Layer& separator = layer_[layers_ - 2];
  const Layer& at_positive = layer_[layers_ - 1];
  const Contact negative = contact(salt, at_negative, exchange_negative_);
  const Contact positive = contact(salt, at_positive, exchange_positive_);
  double middle = 0.0;
  for (std::size_t i = separator.begin; i < separator.end; ++i) middle += salt[i];
  middle = std::max(middle / static_cast<double>(kLayerCells), floor_mol_per_m3_);
  v.concentration_V = two_RT_F_V * (positive.potential - negative.potential);
  v.exchange_negative = negative.exchange;
  v.exchange_positive = positive.exchange;
  v.negative_mol_per_m3 = negative.mean;
  ohm_m2 = separator.length_m / (conductivity(middle) * separator.efficiency) +
           at_positive.ohmic_share * at_positive.length_m / (conductivity(positive.mean) * at_positive.efficiency);
  if (!foil_)
    ohm_m2 += at_negative.ohmic_share * at_negative.length_m / (conductivity(negative.mean) * at_negative.efficiency);
  v.resistance_Ohm = ohm_m2 / area_m2_;
  // The salt is lowest at one of the ends.
  v.depleted = salt[0] < floor_mol_per_m3_ || salt[count_ - 1] < floor_mol_per_m3_;
  return v;
}

double ElectrolyteCells::salt_mol(const SaltState& salt) const noexcept {
  double sum = 0.0;
  for (std::size_t i = 0; i < count_; ++i) sum += capacity_m_[i] * salt[i];
  return sum * area_m2_;
}

double ElectrolyteCells::response_Ohm(double two_RT_F_V, double diffusivity_scale, double dt_s) const noexcept {
  if (!set_.salt_gradient) return 0.0;
  const Layer& positive = layer_[layers_ - 1];
  double length = 0.0;
  for (std::size_t k = 0; k < layers_; ++k) length += layer_[k].length_m;
  const double diffusivity = initial_diffusivity() * diffusivity_scale * positive.efficiency;
  const double tau_s = positive.porosity * length * length / (9.87 * diffusivity);
  const double moved = 1.0 - transference_.at(set_.initial_mol_per_m3);
  const double per_A =
      moved * dt_s / (1.0 + dt_s / tau_s) / (kFaraday_C_per_mol * area_m2_ * positive.porosity * positive.length_m);
  return 2.0 * two_RT_F_V * potential_factor_ * per_A / set_.initial_mol_per_m3;
}

}  // namespace cyclerd::hil
