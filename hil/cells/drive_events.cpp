#include <algorithm>
#include <cmath>
#include <optional>

#include "hil/cells/bracket.hpp"
#include "hil/cells/drive.hpp"

namespace cyclerd::hil {
namespace {

// What the limits look at, at one moment.
struct Seen {
  DrivePoint point;
  double charge_C = 0.0;
  double soc = 0.0;
  double surface_degC = 0.0;
};

double past(const Limit& limit, const Seen& seen) {
  double x = seen.point.voltage_V;
  switch (limit.quantity) {
    case Watched::voltage_V: break;
    case Watched::current_A: x = seen.point.current_A; break;
    case Watched::soc: x = seen.soc; break;
    case Watched::surface_degC: x = seen.surface_degC; break;
    case Watched::charge_C: x = seen.charge_C; break;
  }
  const double beyond = limit.falling ? limit.value - x : x - limit.value;
  return std::isnan(beyond) ? -1.0 : beyond;
}

double worst_past(std::span<const Limit> limits, const Seen& seen) {
  double worst = -INFINITY;
  for (const Limit& limit : limits) worst = std::max(worst, past(limit, seen));
  return worst;
}

std::uint32_t crossed(std::span<const Limit> limits, const Seen& seen) {
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < limits.size(); ++i) {
    if (past(limits[i], seen) >= 0.0) bits |= 1U << i;
  }
  return bits;
}

// One step on trial: looked at for any part of its length, and then taken. What a proposal does not show (soc,
// temperature) is seen by taking the step and putting the cell back.
class TrialStep {
 public:
  TrialStep(Stepper& stepper, Cell& cell, const Drive& drive, double charge_before_C, bool look_inside)
      : stepper_(stepper), cell_(cell), drive_(drive), charge_before_C_(charge_before_C), before_(stepper.state()) {
    if (look_inside) cell_before_ = cell.snapshot();
  }

  Seen at(double t_s) {
    Seen seen;
    if (!cell_before_) {
      seen.point = stepper_.propose(drive_, t_s);
      seen.charge_C = stepper_.charge_C() + stepper_.proposed_charge_C() - charge_before_C_;
      return seen;
    }
    take(t_s);
    const CellReadout readout = cell_.readout();
    seen = {point_, stepper_.charge_C() - charge_before_C_, readout.soc, readout.surface_degC};
    return seen;
  }

  DrivePoint take(double t_s) {
    if (moved_ && t_s == taken_s_) return point_;
    if (cell_before_ && moved_) {
      (void)cell_.restore(*cell_before_);
      (void)stepper_.restore(before_);
    }
    moved_ = true;
    taken_s_ = t_s;
    point_ = stepper_.propose(drive_, t_s);
    stepper_.take();
    return point_;
  }

 private:
  Stepper& stepper_;
  Cell& cell_;
  const Drive& drive_;
  double charge_before_C_;
  Stepper::State before_;
  std::optional<CellSnapshot> cell_before_;
  bool moved_ = false;
  double taken_s_ = 0.0;
  DrivePoint point_;
};

bool hidden(const Limit& limit) {
  return limit.quantity == Watched::soc || limit.quantity == Watched::surface_degC;
}

}  // namespace

Event run_to_event(Stepper& stepper, Cell& cell, const Drive& drive, std::span<const Limit> all_limits,
                   double horizon_s) {
  const auto limits = all_limits.first(std::min(all_limits.size(), kMaxLimits));
  const bool look_inside = std::any_of(limits.begin(), limits.end(), hidden);
  Event event;
  event.point = stepper.begin(drive);
  event.outcome = event.point.outcome;
  const double charge_before_C = stepper.charge_C();
  const CellReadout readout = cell.readout();
  Seen now{event.point, 0.0, readout.soc, readout.surface_degC};
  event.crossed = crossed(limits, now);
  event.at_start = event.crossed != 0;
  if (event.at_start || !std::isfinite(horizon_s)) {
    if (!event.at_start) event.outcome = DriveOutcome::bad_input;
    return event;
  }
  while (event.crossed == 0 && horizon_s - event.time_s > 1e-12) {
    double h = std::min(stepper.longest_s(drive.kind), horizon_s - event.time_s);
    TrialStep trial(stepper, cell, drive, charge_before_C, look_inside);
    const Seen end = trial.at(h);
    const double end_past = worst_past(limits, end);
    if (end_past >= 0.0) {
      h = first_zero([&](double t) { return worst_past(limits, trial.at(t)); }, worst_past(limits, now), end_past, h,
                     kEventTolerance_s);
      event.crossed = crossed(limits, trial.at(h + kTogether_s)) | crossed(limits, trial.at(h));
    }
    event.point = trial.take(h);
    event.outcome = std::max(event.outcome, event.point.outcome);
    event.time_s += h;
    now = end;
  }
  return event;
}

Event next_event(Cell& cell, const Drive& drive, std::span<const Limit> limits, double horizon_s) {
  const CellSnapshot before = cell.snapshot();
  Stepper stepper(cell);
  const Event event = run_to_event(stepper, cell, drive, limits, horizon_s);
  (void)cell.restore(before);
  return event;
}

}  // namespace cyclerd::hil
