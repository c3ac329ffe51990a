// The Cell around a Transport (SpmTransport, SpmeTransport): sub-steps, heat, hysteresis, ageing, flags, snapshots.
// How it steps stands in transport_step.hpp, which whoever makes a model includes.
//
// A Transport has
//   State                         doubles only
//   rest(state, x, y)             uniform stoichiometries, uniform salt
//   advance(state, flux, A, warmth, dt)   false when held at a bound
//   look(state, warmth, instant)  surfaces and salt for the voltage
//   respond(state, warmth, dt)    how the end of a step follows its current, for terminal_after
//   negative_mean(state), positive_mean(state), salt_mol(state), lowest_salt(state)
//   substep_s(dt, since_jump)     the longest that is accurate
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "hil/cells/insertion_cell.hpp"

namespace cyclerd::hil {

// Inward fluxes at the start and the end of a step.
struct Fluxes {
  double negative_start = 0.0, negative_end = 0.0;
  double positive_start = 0.0, positive_end = 0.0;
};

// What the end of a step answers to the current at its end (the start held) and to a current held all through it.
struct Response {
  double negative_end = 0.0, negative_held = 0.0;  // of the surface stoichiometry over the flux, s/m
  double positive_end = 0.0, positive_held = 0.0;
  double salt_end_Ohm = 0.0, salt_held_Ohm = 0.0;
};

template <class Transport>
class TransportCell final : public ElectrochemicalCell {
 public:
  TransportCell(std::shared_ptr<const InsertionParameters> parameters, const CellStart& start)
      : p_(std::move(parameters)), transport_(*p_) {
    const bool given = usable(start.temperature_degC, kTemperatureMax_degC);
    if (given) ambient_degC_ = start.temperature_degC;
    thermal_ = p_->set.thermal;
    place(state(), 0.5, ambient_degC_);
    state().s.common.ageing = p_->side.fresh();
    state().refresh(*this);
    typical_Ohm_ = state().answer.resistance_Ohm;
    reset(start);
  }

  [[nodiscard]] Affine terminal(double near_A) const noexcept override {
    std::uint32_t ignored = 0;
    const double at_A = usable(near_A, kCurrentMax_A) ? near_A : 0.0;
    const Full& f = state();
    const TerminalAnswer a = answer_at(*p_, f.s.common.ageing, f.now, f.gap_V, at_A, ignored);
    return {a.voltage_V - a.resistance_Ohm * at_A, a.resistance_Ohm};
  }

  [[nodiscard]] Affine terminal_after(double start_A, double near_A, double dt_s) noexcept override {
    if (!usable(start_A, kCurrentMax_A) || !usable(near_A, kCurrentMax_A) || !usable(dt_s, kStepMax_s) ||
        dt_s < kStepMin_s)
      return terminal(near_A);
    const Full& f = state();
    const InsertionState& c = f.s.common;
    std::uint32_t ignored = 0;
    const TerminalAnswer a = answer_at(*p_, c.ageing, f.now, f.gap_V, near_A, ignored);
    const Response r = transport_.respond(f.s.transport, f.now.warmth, dt_s);
    const double negative = a.per_negative_V * negative_flux(*p_, c.ageing, 1.0);
    const double positive = a.per_positive_V * positive_flux(*p_, c.ageing, 1.0);
    const double end_Ohm = positive * r.positive_end + negative * r.negative_end + r.salt_end_Ohm;
    const double held_Ohm = positive * r.positive_held + negative * r.negative_held + r.salt_held_Ohm;
    // As it drifted in the last step, the current staying as it is; and what a changed current adds.
    const double drift_V = std::clamp(c.drift_V_per_s * dt_s, -kDriftMax_V, kDriftMax_V);
    const double end_total_Ohm = a.resistance_Ohm + std::max(end_Ohm, 0.0);
    const double end_V =
        a.voltage_V + drift_V + held_Ohm * (start_A - c.last_A) + std::max(end_Ohm, 0.0) * (near_A - start_A);
    return {end_V - end_total_Ohm * near_A, end_total_Ohm};
  }

  double propose(double start_A, double end_A, double dt_s) noexcept override {
    Full& next = slot_[1 - current_];
    next = state();
    proposed_ = true;
    if (!usable(start_A, kCurrentMax_A) || !usable(end_A, kCurrentMax_A) || !usable(dt_s, kStepMax_s) || dt_s < 0.0) {
      next.flags |= cell_flag::kBadInput;
      return terminal(0.0).emf_V;
    }
    if (dt_s < kStepMin_s) {
      std::uint32_t ignored = 0;
      return answer_at(*p_, next.s.common.ageing, next.now, next.gap_V, end_A, ignored).voltage_V;
    }
    run(next, start_A, end_A, dt_s);
    return next.answer.voltage_V;
  }

  void commit() noexcept override {
    if (proposed_) current_ = 1 - current_;
    proposed_ = false;
  }

  void set_ambient(double ambient_degC) noexcept override {
    if (usable(ambient_degC, kTemperatureMax_degC)) {
      ambient_degC_ = ambient_degC;
    } else {
      state().flags |= cell_flag::kBadInput;
    }
  }
  void set_extra_heat(double heat_W) noexcept override {
    if (usable(heat_W, kHeatMax_W)) {
      extra_heat_W_ = heat_W;
    } else {
      state().flags |= cell_flag::kBadInput;
    }
  }

  [[nodiscard]] CellReadout readout() const noexcept override {
    const Full& f = state();
    const InsertionState& c = f.s.common;
    const StoichiometryWindow w = window_of(f);
    CellReadout out;
    out.soc = (w.positive_empty - f.positive_mean) / (w.positive_empty - w.positive_full);
    out.ocv_V = f.ocv_V;
    out.hysteresis = c.hysteresis;
    out.core_degC = c.temperature.core_degC;
    out.surface_degC = c.temperature.surface_degC;
    out.heat_W = c.heat_W;
    out.heat_J = c.heat_J;
    if (thermal_) out.heat_to_ambient_W = hil::heat_to_ambient_W(*thermal_, c.temperature, ambient_degC_);
    out.capacity_C = p_->positive.capacity_C * c.ageing.positive_share * (w.positive_empty - w.positive_full);
    const double film_Ohm = p_->side.film_Ohm_m2(c.ageing) / (p_->negative.surface_m2 * c.ageing.negative_share);
    const double new_Ohm = p_->side.film_Ohm_m2(p_->side.fresh()) / p_->negative.surface_m2;
    out.resistance_growth = (film_Ohm - new_Ohm) / typical_Ohm_;
    out.flags = f.flags;
    return out;
  }
  void clear_flags() noexcept override { state().flags = 0; }

  void reset(const CellStart& start) noexcept override {
    if (!usable(start.soc, kSocMax) || !usable(start.temperature_degC, kTemperatureMax_degC) ||
        !usable(start.cooling_factor, kCoolingMax) || start.cooling_factor < 1.0 / kCoolingMax) {
      state().flags |= cell_flag::kBadInput;
      return;
    }
    set_cooling(start.cooling_factor);
    Full& f = state();
    f.flags = 0;
    place(f, start.soc, start.temperature_degC);
    f.s.common.hysteresis = std::isfinite(start.hysteresis) ? std::clamp(start.hysteresis, -1.0, 1.0) : 0.0;
    f.refresh(*this);
    proposed_ = false;
  }

  [[nodiscard]] CellSnapshot snapshot() const override {
    CellSnapshot s;
    s.model = Transport::kModel;
    s.version = kVersion;
    s.set_fingerprint = p_->set.fingerprint;
    s.flags = state().flags;
    s.value.resize(kValues);
    std::memcpy(s.value.data(), &state().s, sizeof(State));
    s.value[kValues - 3] = cooling_factor_;
    s.value[kValues - 2] = ambient_degC_;
    s.value[kValues - 1] = extra_heat_W_;
    return s;
  }

  [[nodiscard]] bool restore(const CellSnapshot& s) noexcept override {
    if (s.model != Transport::kModel || s.version != kVersion || s.set_fingerprint != p_->set.fingerprint) return false;
    if (s.value.size() != kValues) return false;
    for (double x : s.value) {
      if (!std::isfinite(x)) return false;
    }
    State given;
    std::memcpy(static_cast<void*>(&given), s.value.data(), sizeof(State));
    const Ageing& a = given.common.ageing;
    if (a.negative_share <= 0.0 || a.positive_share <= 0.0 || a.sei_m < 0.0) return false;
    const double cooling = s.value[kValues - 3];
    if (cooling > kCoolingMax || cooling < 1.0 / kCoolingMax) return false;
    set_cooling(cooling);
    Full& f = state();
    f.s = given;
    f.flags = s.flags;
    ambient_degC_ = s.value[kValues - 2];
    extra_heat_W_ = s.value[kValues - 1];
    f.refresh(*this);
    f.flags = s.flags;
    proposed_ = false;
    return true;
  }

  [[nodiscard]] Inventory inventory() const noexcept override {
    const Full& f = state();
    Inventory i;
    i.ageing = f.s.common.ageing;
    i.negative_stoichiometry = transport_.negative_mean(f.s.transport);
    i.positive_stoichiometry = transport_.positive_mean(f.s.transport);
    i.negative_C = p_->negative.capacity_C * i.ageing.negative_share * i.negative_stoichiometry;
    i.positive_C = p_->positive.capacity_C * i.ageing.positive_share * i.positive_stoichiometry;
    i.salt_mol = transport_.salt_mol(f.s.transport);
    i.lowest_salt_mol_per_m3 = transport_.lowest_salt(f.s.transport);
    return i;
  }

 private:
  static constexpr std::uint32_t kVersion = 2;
  static constexpr double kSocMax = 2.0;
  static constexpr double kTemperatureMin_degC = -80.0, kTemperatureMax_degC = 1500.0;
  // Of a cell that burns, the chemistry is read no hotter: what is left then is no battery.
  static constexpr double kChemistryMax_degC = 400.0;
  static constexpr double kCoolingMax = 1e4;
  static constexpr double kCurrentMax_A = 1e6, kStepMax_s = 1e7, kHeatMax_W = 1e9;
  static constexpr double kStepMin_s = 1e-12;  // shorter is none: nothing may be divided by it
  static constexpr double kDriftMax_V = 1.0;
  // A change of current of that share of 1C starts a transient that wants short steps.
  static constexpr double kJump = 0.05;
  static constexpr double kSubsteps = 4096.0;

  struct State {
    InsertionState common;
    typename Transport::State transport;
  };
  static_assert(std::is_trivially_copyable_v<State> && sizeof(State) % sizeof(double) == 0);
  static constexpr std::size_t kValues = sizeof(State) / sizeof(double) + 3;

  // The state and what follows from it.
  struct Full {
    State s;
    std::uint32_t flags = 0;
    Instant now;
    double negative_mean = 0.5, positive_mean = 0.5;
    double ocv_V = 0.0;
    double entropic_V_per_K = 0.0;
    double gap_V = 0.0;
    TerminalAnswer answer;  // at common.last_A

    void refresh(TransportCell& cell) noexcept { cell.refresh(*this); }
  };

  static bool usable(double x, double bound) noexcept { return std::isfinite(x) && std::abs(x) <= bound; }
  [[nodiscard]] Full& state() noexcept { return slot_[current_]; }
  [[nodiscard]] const Full& state() const noexcept { return slot_[current_]; }

  [[nodiscard]] StoichiometryWindow window_of(const Full& f) const noexcept {
    return present_window(*p_, f.s.common.ageing, f.negative_mean, f.positive_mean);
  }

  // At rest at a state of charge of the cell as it is now.
  void place(Full& f, double soc, double degC) noexcept;
  // What follows from the state.
  void refresh(Full& f) noexcept;
  [[nodiscard]] double heat_W(const Full& f, double voltage_V, double current_A) const noexcept {
    return current_A * (voltage_V - f.ocv_V + f.now.warmth.kelvin * f.entropic_V_per_K);
  }
  void run(Full& f, double start_A, double end_A, double dt_s) noexcept;
  void substep(Full& f, double from_A, double to_A, double h_s) noexcept;
  void warm(Full& f, double heat_W, double h_s) noexcept;
  void hold_temperatures(Full& f) noexcept;
  void set_cooling(double factor) noexcept {
    if (factor == cooling_factor_) return;
    cooling_factor_ = factor;
    factors_s_ = -1.0;
    if (!p_->set.thermal) return;
    thermal_ = p_->set.thermal;
    thermal_->surface_to_ambient_W_per_K *= factor;
  }

  std::shared_ptr<const InsertionParameters> p_;
  Transport transport_;
  double ambient_degC_ = 25.0;
  double extra_heat_W_ = 0.0;
  double cooling_factor_ = 1.0;
  std::optional<ThermalSet> thermal_;  // with this cell's cooling
  double typical_Ohm_ = 1.0;
  std::array<Full, 2> slot_;
  std::size_t current_ = 0;
  bool proposed_ = false;  // the other slot holds what the next commit takes
  double factors_s_ = -1.0;
  ThermalFactors factors_;
};

// The model of a kind of cell.
template <class Transport>
class TransportModel final : public CellModel {
 public:
  explicit TransportModel(ElectrochemicalSet set)
      : parameters_(std::make_shared<const InsertionParameters>(std::move(set))) {}
  [[nodiscard]] std::unique_ptr<Cell> make(const CellStart& start) const override {
    return std::make_unique<TransportCell<Transport>>(parameters_, start);
  }
  [[nodiscard]] std::string_view name() const noexcept override { return Transport::kName; }

 private:
  std::shared_ptr<const InsertionParameters> parameters_;
};

}  // namespace cyclerd::hil
