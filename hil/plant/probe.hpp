// A temperature probe on a cell: lag, offset, and what a broken one shows.
#pragma once

#include <cmath>
#include <cstdint>

namespace cyclerd::hil {

enum class ProbeKind : std::uint8_t { thermocouple = 0, ntc };

struct ProbeConfig {
  ProbeKind kind = ProbeKind::thermocouple;
  double lag_s = 0.0;  // 0: follows at once
  double offset_K = 0.0;
  double cold_junction_degC = 25.0;
};

enum class ProbeFault : std::uint8_t {
  none = 0,
  open,           // thermocouple: full scale (burn-out detection); NTC: its lowest temperature
  open_low,       // thermocouple without burn-out detection: the lowest
  short_circuit,  // thermocouple: its cold junction; NTC: its highest temperature
  reversed        // thermocouple: mirrored about its cold junction
};

inline constexpr double kThermocoupleMax_degC = 1372.0, kThermocoupleMin_degC = -200.0;  // type K
inline constexpr double kNtcMax_degC = 150.0, kNtcMin_degC = -40.0;

class Probe {
 public:
  Probe(const ProbeConfig& config, double start_degC) noexcept
      : config_(config), lagged_degC_(start_degC), last_degC_(start_degC) {}

  // The surface was `degC` after dt_s, on a straight line from before.
  void follow(double degC, double dt_s) noexcept {
    if (config_.lag_s > 0.0 && dt_s > 0.0) {
      // Exact for the straight line: the lag of a ramp is its rate times the time constant.
      const double drag_K = (degC - last_degC_) / dt_s * config_.lag_s;
      lagged_degC_ = degC - drag_K + (lagged_degC_ - last_degC_ + drag_K) * std::exp(-dt_s / config_.lag_s);
    } else if (config_.lag_s <= 0.0) {
      lagged_degC_ = degC;
    }
    last_degC_ = degC;
  }

  [[nodiscard]] double shown_degC() const noexcept {
    const bool couple = config_.kind == ProbeKind::thermocouple;
    switch (fault) {
      case ProbeFault::none: break;
      case ProbeFault::open: return couple ? kThermocoupleMax_degC : kNtcMin_degC;
      case ProbeFault::open_low: return couple ? kThermocoupleMin_degC : kNtcMin_degC;
      case ProbeFault::short_circuit: return couple ? config_.cold_junction_degC : kNtcMax_degC;
      case ProbeFault::reversed:
        if (couple) return 2.0 * config_.cold_junction_degC - lagged_degC_ + config_.offset_K;
        break;  // an NTC has no polarity
    }
    const double shown_degC = lagged_degC_ + config_.offset_K;
    return couple ? shown_degC : std::fmin(kNtcMax_degC, std::fmax(kNtcMin_degC, shown_degC));
  }

  [[nodiscard]] bool lags() const noexcept { return config_.lag_s > 0.0; }
  [[nodiscard]] double lagged_degC() const noexcept { return lagged_degC_; }
  [[nodiscard]] double last_degC() const noexcept { return last_degC_; }
  void restore(double lagged_degC, double last_degC) noexcept { lagged_degC_ = lagged_degC, last_degC_ = last_degC; }

  ProbeFault fault = ProbeFault::none;

 private:
  ProbeConfig config_;
  double lagged_degC_, last_degC_;
};

}  // namespace cyclerd::hil
