// Equivalent circuit: OCV at the surface of a sphere, hysteresis, series resistance, charge transfer, RC branches,
// self-discharge, heat and ageing, each of them optional but the OCV and the resistance.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "hil/cells/cell.hpp"
#include "hil/cells/ecm_set.hpp"
#include "hil/cells/ecm_tables.hpp"
#include "hil/cells/relaxation.hpp"

namespace cyclerd::hil {

class EcmCell final : public Cell {
 public:
  EcmCell(std::shared_ptr<const EcmSet> set, const CellStart& start);

  [[nodiscard]] Affine terminal(double near_A) const noexcept override;
  [[nodiscard]] Affine terminal_after(double start_A, double near_A, double dt_s) noexcept override;
  double propose(double start_A, double end_A, double dt_s) noexcept override;
  void commit() noexcept override;
  void set_ambient(double ambient_degC) noexcept override;
  void set_extra_heat(double heat_W) noexcept override;
  [[nodiscard]] CellReadout readout() const noexcept override;
  [[nodiscard]] std::uint32_t flags() const noexcept override { return now_->flags; }
  void clear_flags() noexcept override { now_->flags = 0; }
  void reset(const CellStart& start) noexcept override;
  [[nodiscard]] CellSnapshot snapshot() const override;
  [[nodiscard]] bool restore(const CellSnapshot& snapshot) noexcept override;

 private:
  // What follows from a state alone.
  struct Derived {
    EcmTables::Places column;
    EcmTables::Warmth warmth;
    double emf_V = 0.0;  // everything but what depends on the present current
    double ocv_V = 0.0;
    double series_Ohm = 0.0;
    double capacity_C = 1.0;
    double efficiency = 1.0;
    double exchange_A = 1.0;
    double kinetic_V = 0.0;   // 2RT/F
    double faradaic_V = 0.0;  // overvoltage of faradaic_A
  };
  struct State {
    double soc = 0.5;
    double hysteresis = 0.0;
    double last_sign = 0.0;  // of the last current
    double faradaic_A = 0.0;
    double heat_W = 0.0;
    double heat_J = 0.0;
    double capacity_factor = 1.0;    // of ageing
    double resistance_factor = 1.0;  // of ageing
    Temperatures temperature;
    std::array<double, kMaxRc> rc_V{};
    std::array<double, kSphereModes> ahead{};
    double ahead_soc = 0.0;  // their sum: of the surface before the mean
    std::uint32_t flags = 0;
    Derived derived;
  };
  // Everything that depends on the length of a step only.
  struct Factors {
    double dt_s = -1.0;
    std::array<Relaxation, kMaxRc> rc;
    Relaxation faradaic;
    SphereRelaxation sphere;
    ThermalFactors thermal;
  };
  // ... and on a time constant that moves with the state.
  template <class R>
  struct Moving {
    struct Entry {
      double dt_s = -1.0;
      TimeBucket bucket{1.0};
      R relaxation;
    };
    std::array<Entry, 4> entry;
    std::size_t next = 0;
  };
  struct Drive {
    double start_A, end_A, mean_A, dt_s;
    double middle_soc;
  };

  [[nodiscard]] const Factors& factors(double dt_s) noexcept;
  [[nodiscard]] Relaxation branch_relaxation(std::size_t j, const EcmTables::Places& column, const Factors& f) noexcept;
  [[nodiscard]] const SphereRelaxation& sphere(double tau_s, const Factors& f) noexcept;
  void derive(State& state) noexcept;
  [[nodiscard]] Affine terminal_of(const State& state, double near_A) const noexcept;
  [[nodiscard]] double voltage_of(const State& state, double current_A) const noexcept;
  [[nodiscard]] double kinetics_V(const Derived& d, double current_A) const noexcept;
  [[nodiscard]] double kinetics_Ohm(const Derived& d, double current_A) const noexcept;
  [[nodiscard]] double charge_C(double efficiency, double start_A, double end_A, double dt_s) const noexcept;
  [[nodiscard]] double hysteresis_after(double h, double start_A, double end_A, double dt_s) noexcept;
  [[nodiscard]] double rate_per_s(double current_A) const noexcept;
  [[nodiscard]] double self_discharge_C(double soc, double dt_s) const noexcept;
  [[nodiscard]] double series_heat_W(const Drive& drive) const noexcept;
  void advance(State& next, double start_A, double end_A, const Factors& f) noexcept;
  void relax(State& next, const Drive& drive, const EcmTables::Places& column, const Factors& f) noexcept;
  void hold_in_bounds(State& next) const noexcept;
  void set_cooling(double factor) noexcept;

  std::shared_ptr<const EcmSet> set_;
  EcmTables tables_;
  bool plain_ = true;                  // voltage is a straight line over the current at every instant
  bool hysteretic_ = true;             // there is a gap
  std::optional<ThermalSet> thermal_;  // with this cell's cooling
  ThermalModes modes_;
  double cooling_factor_ = 1.0;
  double ambient_degC_ = 25.0;
  double extra_heat_W_ = 0.0;
  std::array<State, 2> states_;
  State* now_ = &states_[0];
  State* proposed_ = &states_[1];
  bool pending_ = false;
  EcmTables::Places column_;  // of the step that is being computed
  Drive last_{};              // of the proposal
  double proposed_V_ = 0.0;   // at its end
  AgeingState ageing_;
  // Steps come in few lengths; a look into this cache costs a fifth of the exponentials.
  double keep_x_ = 0.0, keep_ = 1.0;  // hysteresis: the last exponential
  std::array<Factors, 4> cache_;
  std::size_t next_in_cache_ = 0;
  std::array<Moving<Relaxation>, kMaxRc> moving_rc_;
  Moving<SphereRelaxation> moving_sphere_;
};

}  // namespace cyclerd::hil
