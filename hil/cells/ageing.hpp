// Ageing by power laws: y = k x^p at constant stress, x in days or in equivalent full cycles.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace cyclerd::hil {

// What a rate depends on: means since the last update, depth and voltage of the present and the last half cycle.
struct Stress {
  double soc = 0.5;
  double temperature_K = 298.15;
  double depth = 0.0;            // of discharge, 0..1
  double voltage_rms_V = 0.0;    // over time
  double rate_per_h = 0.0;       // |I| / Q, mean over charge moved
  double discharge_per_h = 0.0;  // the same of the discharge alone
};

enum class AgeingEffect : std::uint8_t { capacity_loss, capacity_gain, resistance_growth };

// One term. y follows dy = k p (y/k)^((p-1)/p) dx, solved exactly while k is constant.
struct AgeingPart {
  AgeingEffect effect = AgeingEffect::capacity_loss;
  bool over_cycles = false;  // x: equivalent full cycles; otherwise days
  double exponent = 1.0;     // p
  double rate = 0.0;         // k at the references, per day^p or EFC^p
  // k = rate e^(-activation (1/T - 1/T_ref)) e^(soc_slope (soc - 0.5)) depth^depth_exponent e^(rate_slope (C - 1))
  double activation_K = 0.0;
  double reference_K = 298.15;
  double soc_slope = 0.0;
  double depth_exponent = 0.0;
  double rate_slope = 0.0;
  // A published law instead: k(stress), multiplied by `rate`.
  double (*law)(const Stress& stress) = nullptr;

  [[nodiscard]] double factor(const Stress& stress) const noexcept;
};

inline constexpr std::size_t kMaxAgeingParts = 6;

struct AgeingSet {
  std::vector<AgeingPart> parts;
  double acceleration = 1.0;  // of time and of cycles: a test ages a cell in minutes
};

// y after dx more at constant k: k ((y/k)^(1/p) + dx)^p. Never below y.
[[nodiscard]] double advance_power_law(double y, double k, double exponent, double dx) noexcept;

// What a step did to the cell.
struct AgeingStep {
  double dt_s = 0.0;
  double mean_A = 0.0;
  double voltage_V = 0.0;
  double soc = 0.5;
  double temperature_K = 298.15;
};

// Doubles only, so that a snapshot is a copy.
struct AgeingState {
  // What rates are made of, over a half cycle.
  struct Half {
    double time_s = 0.0, square_V2s = 0.0;
    double charge_C = 0.0, square_A2s = 0.0;  // both directions
    double discharge_C = 0.0, discharge_square_A2s = 0.0;
  };
  std::array<double, kMaxAgeingParts> part{};
  double days = 0.0, cycles = 0.0;  // since new, accelerated
  // Since the last update.
  double window_days = 0.0, window_cycles = 0.0, window_s = 0.0, window_soc_s = 0.0, window_K_s = 0.0;
  // Half cycles: from one turn of the state of charge to the next, turns of less than 2 % left out.
  double turn_soc = -1.0, extreme_soc = -1.0, direction = 0.0, last_swing = 0.0;
  Half present, previous;
};
inline constexpr std::size_t kAgeingValues = sizeof(AgeingState) / sizeof(double);

// Counts a step; every now and then moves the parts on, which is exact at constant stress whatever the interval.
void age(AgeingState& state, const AgeingSet& set, double capacity_C, const AgeingStep& step) noexcept;
// Of the capacity and of the resistances as new.
[[nodiscard]] double aged_capacity_factor(const AgeingState& state, const AgeingSet& set) noexcept;
[[nodiscard]] double aged_resistance_factor(const AgeingState& state, const AgeingSet& set) noexcept;

// The parts of a published law: "nmc111-schmalstieg", "lfp-naumann", "lfp-250ah", "nmc811-lg-m50", "lmo-leaf".
[[nodiscard]] std::span<const std::string_view> ageing_laws() noexcept;
[[nodiscard]] std::vector<AgeingPart> ageing_law(std::string_view word);

}  // namespace cyclerd::hil
