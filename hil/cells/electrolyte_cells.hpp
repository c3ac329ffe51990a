// Salt in the electrolyte across negative electrode, separator and positive electrode: finite volumes, implicit in
// time, harmonic mean between layers; and what its concentration does to the voltage. Stateless: the state is an
// array of concentrations.
#pragma once

#include <array>
#include <cstddef>

#include "hil/cells/electrochemical_set.hpp"
#include "hil/cells/uniform_curve.hpp"

namespace cyclerd::hil {

inline constexpr std::size_t kLayerCells = 20;
inline constexpr std::size_t kElectrolyteCells = 3 * kLayerCells;
// mol/m3, negative side first. With a lithium foil the first 20 are separator and the last 20 unused.
using SaltState = std::array<double, kElectrolyteCells>;

struct SaltView {
  double concentration_V = 0.0;                             // between the electrodes
  double resistance_Ohm = 0.0;                              // of the ions' way
  double exchange_negative = 1.0, exchange_positive = 1.0;  // mean of (c_e / initial)^exponent
  double negative_mol_per_m3 = 0.0;                         // mean in the negative electrode
  bool depleted = false;
};

class ElectrolyteCells {
 public:
  explicit ElectrolyteCells(const ElectrochemicalSet& set);

  void rest(SaltState& salt) const noexcept { salt.fill(set_.initial_mol_per_m3); }
  // One implicit step with the charge current held. False when the current was beyond what a concentration can follow
  // and a bounded one was taken.
  [[nodiscard]] bool advance(SaltState& salt, double current_A, double diffusivity_scale, double dt_s) const noexcept;
  [[nodiscard]] SaltView view(const SaltState& salt, double two_RT_F_V, double conductivity_scale) const noexcept;
  [[nodiscard]] double salt_mol(const SaltState& salt) const noexcept;
  // Rise of concentration_V over a charge current held for dt_s, roughly.
  [[nodiscard]] double response_Ohm(double two_RT_F_V, double diffusivity_scale, double dt_s) const noexcept;

 private:
  struct Layer {
    std::size_t begin = 0, end = 0;
    double length_m = 0.0, porosity = 0.0, efficiency = 0.0;
    double ohmic_share = 1.0;    // of the layer's length that the whole current goes through, in the mean
    double to_face_per_m = 0.0;  // transport efficiency over the way from the outermost mean to the next layer
  };
  // Of a layer: what its concentration is to the electrode in it.
  struct Contact {
    double potential = 0.0;  // mean of the integral of (1 - t+) chi dln c from the initial concentration
    double exchange = 1.0;
    double mean = 0.0;
  };
  [[nodiscard]] Contact contact(const SaltState& salt, const Layer& layer, const UniformCurve& exchange) const noexcept;
  void add_layer(double length_m, double porosity, double efficiency, double ohmic_share);
  void set_currents(const ElectrochemicalSet& set);
  void set_potential();
  [[nodiscard]] double initial_diffusivity() const noexcept;

  ElectrolyteSet set_;
  double area_m2_;
  std::size_t count_ = 0;
  std::size_t layers_ = 0;
  bool foil_ = false;
  std::array<Layer, 3> layer_{};
  SaltState capacity_m_{};         // porosity times width
  SaltState conductance_per_m_{};  // transport efficiency / width: between neighbours in a layer
  SaltState current_{};            // through the left face of each cell, in charge currents (0 or below)
  SaltState source_{};             // of salt, with a constant transference number, in charge currents / F
  UniformCurve diffusivity_root_, conductivity_, transference_;
  UniformCurve exchange_negative_, exchange_positive_;  // x^exponent over c / initial
  bool square_root_negative_ = true, square_root_positive_ = true;
  bool simple_potential_ = true;  // constant (1 - t+) chi
  double potential_factor_ = 1.0;
  UniformCurve potential_;
  double floor_mol_per_m3_ = 1.0;
  double current_max_A_ = 0.0;
  double conductivity_floor_S_per_m_ = 0.0;
};

}  // namespace cyclerd::hil
