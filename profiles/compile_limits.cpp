// The cell, and the box: what the test may ask for and where it trips.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "profiles/codes.hpp"
#include "profiles/compile_parts.hpp"

namespace cyclerd::profiles {
namespace {

constexpr double kWideCapacity = 3.0;  // times the nominal capacity

double either(double a, double b, bool smallest) {
  if (std::isnan(a)) return b;
  if (std::isnan(b)) return a;
  return smallest ? std::min(a, b) : std::max(a, b);
}

// The tighter of two layers, bound by bound. The dwell goes with the layer that gave the tighter bound.
SafetyBound tightest(const SafetyBound& a, const SafetyBound& b) {
  SafetyBound merged;
  merged.min = either(a.min, b.min, false);
  merged.max = either(a.max, b.max, true);
  const bool a_speaks = (merged.min == a.min && !std::isnan(a.min)) || (merged.max == a.max && !std::isnan(a.max));
  const bool b_speaks = (merged.min == b.min && !std::isnan(b.min)) || (merged.max == b.max && !std::isnan(b.max));
  merged.dwell = a_speaks && b_speaks ? std::min(a.dwell, b.dwell) : a_speaks ? a.dwell : b.dwell;
  return merged;
}

SafetyBound bound_of(Compiler& compiler, const BoundSyntax& syntax, const char* name, bool symmetrical) {
  SafetyBound bound;
  bound.min = compiler.value(syntax.min).value_or(base::kAbsent);
  bound.max = compiler.value(syntax.max).value_or(base::kAbsent);
  bound.dwell = duration_of(compiler.value(syntax.dwell).value_or(0.0));
  if (bound.min >= bound.max) {
    compiler.diagnostics.error(code::kSafetyContradiction, syntax.where,
                               fmt::format("[safety] {}: min is not below max, nothing is inside", name), "swap them");
    return {};
  }
  if (bound.dwell.us < 0 || bound.dwell > base::hours(24)) {
    compiler.diagnostics.error(code::kSafetyContradiction, syntax.dwell.where,
                               fmt::format("[safety] {}: the dwell must lie between 0 s and 24 h", name));
  }
  if (symmetrical && std::isnan(bound.min) && !std::isnan(bound.max)) bound.min = -bound.max;
  return bound;
}

// A profile may tighten what the cell allows, never loosen it.
void check_loose(Compiler& compiler, const Expression& written, double value, double rating, bool is_max,
                 const char* what, text::Dimension dimension, const text::Span& rating_where) {
  if (!written.ok() || std::isnan(value) || std::isnan(rating)) return;
  if (is_max ? value <= rating : value >= rating) return;
  auto& finding = compiler.diagnostics.error(
      code::kSafetyLoose, written.where,
      fmt::format("[safety] {} {} {} is looser than the cell's trip limit {}", what, is_max ? "max" : "min",
                  text::format_quantity(value, dimension), text::format_quantity(rating, dimension)),
      fmt::format("write {} or {}, or leave the key out", text::format_quantity(rating, dimension),
                  is_max ? "less" : "more"));
  finding.related = rating_where;
  finding.related_label = "the cell's rating";
}

void check_safety_against_cell(Compiler& compiler, const SafetyLimits& profile) {
  const CellSpec& cell = compiler.launch->cell;
  const SafetyLimits trip = trip_limits(cell);
  const SafetySyntax& written = compiler.profile.safety;
  check_loose(compiler, written.voltage.max, profile.voltage.max, trip.voltage.max, true, "voltage",
              text::dimension::kVoltage, cell.voltage_max_where);
  check_loose(compiler, written.voltage.min, profile.voltage.min, trip.voltage.min, false, "voltage",
              text::dimension::kVoltage, cell.voltage_min_where);
  check_loose(compiler, written.temperature.max, profile.temperature.max, trip.temperature.max, true, "temperature",
              text::dimension::kTemperature, cell.temperature_where);
  check_loose(compiler, written.temperature.min, profile.temperature.min, trip.temperature.min, false, "temperature",
              text::dimension::kTemperature, cell.temperature_where);
  // `max` alone speaks of both directions: it is loose only when it is above both ratings.
  const bool both = !written.current.min.given;
  const double charge_A = both ? std::max(trip.current.max, -trip.current.min) : trip.current.max;
  check_loose(compiler, written.current.max, profile.current.max, charge_A, true, "current", text::dimension::kCurrent,
              cell.charge_current_where);
  check_loose(compiler, written.current.min, profile.current.min, trip.current.min, false, "current",
              text::dimension::kCurrent, cell.discharge_current_where);
  // No cell gives or takes more power than its trips let through.
  const double charge_W = trip.voltage.max * trip.current.max;
  const double discharge_W = trip.voltage.max * trip.current.min;
  check_loose(compiler, written.power.max, profile.power.max,
              written.power.min.given ? charge_W : std::max(charge_W, -discharge_W), true, "power",
              text::dimension::kPower, cell.charge_current_where);
  check_loose(compiler, written.power.min, profile.power.min, discharge_W, false, "power", text::dimension::kPower,
              cell.discharge_current_where);
  // The air takes the cell with it.
  check_loose(compiler, written.chamber.max, profile.chamber.max, trip.temperature.max, true, "chamber",
              text::dimension::kTemperature, cell.temperature_where);
  check_loose(compiler, written.chamber.min, profile.chamber.min, trip.temperature.min, false, "chamber",
              text::dimension::kTemperature, cell.temperature_where);
}

// Steps that go up and down again move more than the cell holds, and rightly.
bool moves_both_ways(const std::vector<StepSyntax>& steps) {
  return std::any_of(steps.begin(), steps.end(), [](const StepSyntax& step) {
    return step.kind == StepKind::follow || step.kind == StepKind::pulse || step.kind == StepKind::ramp ||
           moves_both_ways(step.steps);
  });
}

// A step that charges or discharges only can move the capacity once.
void check_capacity(Compiler& compiler, double most_C) {
  const double nominal_C = compiler.launch->cell.nominal_capacity_C;
  if (!(most_C > kWideCapacity * nominal_C) || moves_both_ways(compiler.profile.steps)) return;
  compiler.diagnostics.warning(
      code::kWideCapacity, compiler.profile.safety.capacity.max.where,
      fmt::format("[safety] capacity max {} is more than {} times the cell's {}: it stops no overcharge",
                  text::format_quantity(most_C, text::dimension::kCapacity), kWideCapacity,
                  text::format_quantity(nominal_C, text::dimension::kCapacity)),
      "1.3 * nominal_capacity is usual");
}

void check_sensors(Compiler& compiler) {
  const Launch& launch = *compiler.launch;
  const SafetySyntax& written = compiler.profile.safety;
  if (written.temperature.given && !launch.has_cell_temperature) {
    compiler.diagnostics.error(code::kNoSensor, written.temperature.where,
                               "[safety] limits the cell's temperature, but the channel has no sensor on the cell",
                               "add a sensor to the station file, or limit chamber instead");
  }
  if (written.chamber.given && !launch.has_chamber) {
    compiler.diagnostics.error(code::kNoSensor, written.chamber.where,
                               "[safety] limits the chamber's temperature, but the channel has no chamber",
                               "add a chamber to the station file, or remove the key");
  }
}

// What set-points may ask for: ratings of the cell, range of the device, and the box of station and profile.
void set_bounds(Compiler& compiler, const SafetyLimits& profile) {
  SetpointBounds& b = compiler.bounds;
  const auto box = [&](const SafetyLimits& limits, const char* who, const SafetySyntax* written) {
    const auto place = [&](const Expression& e) { return e.ok() ? e.where : text::Span{}; };
    const SafetySyntax none;
    const SafetySyntax& w = written != nullptr ? *written : none;
    b.voltage_max_V.lower(limits.voltage.max, who, code::kSafetyBox, place(w.voltage.max));
    b.negated_voltage_min_V.lower(-limits.voltage.min, who, code::kSafetyBox, place(w.voltage.min));
    b.charge_A.lower(limits.current.max, who, code::kSafetyBox, place(w.current.max));
    b.discharge_A.lower(-limits.current.min, who, code::kSafetyBox,
                        place(w.current.min.given ? w.current.min : w.current.max));
    b.charge_W.lower(limits.power.max, who, code::kSafetyBox, place(w.power.max));
    b.discharge_W.lower(-limits.power.min, who, code::kSafetyBox, place(w.power.min.given ? w.power.min : w.power.max));
    b.chamber_max_degC.lower(limits.chamber.max, who, code::kSafetyBox, place(w.chamber.max));
    b.negated_chamber_min_degC.lower(-limits.chamber.min, who, code::kSafetyBox, place(w.chamber.min));
  };
  if (compiler.launch != nullptr) {
    const CellSpec& cell = compiler.launch->cell;
    const char* who = "the cell's rating";
    b.voltage_max_V.lower(cell.voltage_max_V, who, code::kCellRating, cell.voltage_max_where);
    b.negated_voltage_min_V.lower(-cell.voltage_min_V, who, code::kCellRating, cell.voltage_min_where);
    b.charge_A.lower(cell.charge_current_max_A, who, code::kCellRating, cell.charge_current_where);
    b.discharge_A.lower(cell.discharge_current_max_A, who, code::kCellRating, cell.discharge_current_where);
    const SafetyLimits trip = trip_limits(cell);
    b.chamber_max_degC.lower(trip.temperature.max, who, code::kChamberRange, cell.temperature_where);
    b.negated_chamber_min_degC.lower(-trip.temperature.min, who, code::kChamberRange, cell.temperature_where);
    const device::Capability& cycler = compiler.launch->cycler;
    who = "the cycler's range";
    b.voltage_max_V.lower(cycler.voltage_max_V, who, code::kDeviceRange, {});
    b.negated_voltage_min_V.lower(-cycler.voltage_min_V, who, code::kDeviceRange, {});
    if (cycler.can_charge != 0) b.charge_A.lower(cycler.current_max_A, who, code::kDeviceRange, {});
    if (cycler.can_discharge != 0) b.discharge_A.lower(-cycler.current_min_A, who, code::kDeviceRange, {});
    if (cycler.power_max_W > 0.0) b.charge_W.lower(cycler.power_max_W, who, code::kDeviceRange, {});
    if (cycler.power_min_W < 0.0) b.discharge_W.lower(-cycler.power_min_W, who, code::kDeviceRange, {});
    if (compiler.launch->has_chamber) {
      who = "the chamber's range";
      b.chamber_max_degC.lower(compiler.launch->chamber.temperature_max_degC, who, code::kChamberRange, {});
      b.negated_chamber_min_degC.lower(-compiler.launch->chamber.temperature_min_degC, who, code::kChamberRange, {});
    }
    box(compiler.launch->station, "the station's limit", nullptr);
  }
  box(profile, "the profile's own [safety]", &compiler.profile.safety);
}

void set_envelope(Compiler& compiler) {
  const Launch& launch = *compiler.launch;
  const SetpointBounds& b = compiler.bounds;
  const SafetyLimits& trip = compiler.program->safety;
  Envelope& envelope = compiler.program->envelope;
  // A limit exactly at the rating must be reachable: the clamp gives way a little, never half-way to the trip.
  const auto room = [](double rating, double trip_at) {
    return std::min(kClampMargin_V, std::fabs(trip_at - rating) / 2);
  };
  const double high = b.voltage_max_V.value;
  const double low = -b.negated_voltage_min_V.value;
  envelope.voltage_max_V = std::min(high + room(high, trip.voltage.max), launch.cycler.voltage_max_V);
  envelope.voltage_min_V = std::max(low - room(low, trip.voltage.min), launch.cycler.voltage_min_V);
  envelope.current_max_A = launch.cycler.can_charge != 0 ? b.charge_A.value : 0.0;
  envelope.current_min_A = launch.cycler.can_discharge != 0 ? -b.discharge_A.value : 0.0;
  envelope.power_max_W = std::min(b.charge_W.value, envelope.voltage_max_V * envelope.current_max_A);
  envelope.power_min_W = std::max(-b.discharge_W.value, envelope.voltage_max_V * envelope.current_min_A);
}

}  // namespace

void check_cell(Compiler& compiler) {
  if (compiler.launch == nullptr) return;
  const CellSpec& cell = compiler.launch->cell;
  const auto& wanted = compiler.profile.chemistries;
  if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), cell.chemistry) == wanted.end()) {
    const auto words = fmt::format("the profile is written for {}, the cell '{}' is {}", fmt::join(wanted, ", "),
                                   cell.name, cell.chemistry);
    if (compiler.launch->simulated) {
      compiler.diagnostics.warning(code::kWrongCell, compiler.profile.chemistry_where, words,
                                   "simulated all the same; on a real cell it would be refused");
    } else {
      compiler.diagnostics.error(code::kWrongCell, compiler.profile.chemistry_where, words,
                                 "launch it on such a cell, or check the profile for this chemistry and add it here");
    }
  }
  const auto capacity = compiler.value(compiler.profile.nominal_capacity);
  if (capacity && std::fabs(*capacity - cell.nominal_capacity_C) > 0.05 * cell.nominal_capacity_C) {
    compiler.diagnostics.warning(
        code::kWrongCell, compiler.profile.nominal_capacity.where,
        fmt::format("the profile is written for {}, the cell '{}' has {}",
                    text::format_quantity(*capacity, text::dimension::kCapacity), cell.name,
                    text::format_quantity(cell.nominal_capacity_C, text::dimension::kCapacity)),
        "its currents in A may not suit this cell");
  }
}

void compile_limits(Compiler& compiler) {
  const SafetySyntax& written = compiler.profile.safety;
  SafetyLimits profile;
  profile.voltage = bound_of(compiler, written.voltage, "voltage", false);
  profile.current = bound_of(compiler, written.current, "current", true);
  profile.power = bound_of(compiler, written.power, "power", true);
  profile.temperature = bound_of(compiler, written.temperature, "temperature", false);
  profile.chamber = bound_of(compiler, written.chamber, "chamber", false);
  profile.capacity = bound_of(compiler, written.capacity, "capacity", false);
  if (const auto after = compiler.value(written.sensor_loss)) {
    profile.sensor_loss = duration_of(*after);
    if (*after <= 0.0 || *after > 60.0) {
      compiler.diagnostics.error(code::kSafetyContradiction, written.sensor_loss.where,
                                 "[safety] sensor_loss: after must lie between 0 s and 60 s", "the usual value is 3 s");
    }
  }
  SafetyLimits merged = profile;
  if (compiler.launch != nullptr) {
    SafetyLimits trip = trip_limits(compiler.launch->cell);
    if (!compiler.launch->has_cell_temperature) trip.temperature = {};
    const SafetyLimits& station = compiler.launch->station;
    for (SafetyBound SafetyLimits::*bound :
         {&SafetyLimits::voltage, &SafetyLimits::current, &SafetyLimits::power, &SafetyLimits::temperature,
          &SafetyLimits::chamber, &SafetyLimits::capacity}) {
      merged.*bound = tightest(tightest(station.*bound, trip.*bound), profile.*bound);
    }
    merged.sensor_loss = std::min(station.sensor_loss, profile.sensor_loss);
    check_safety_against_cell(compiler, profile);
    check_sensors(compiler);
    check_capacity(compiler, profile.capacity.max);
  }
  compiler.program->safety = merged;
  set_bounds(compiler, profile);
  if (compiler.launch != nullptr) set_envelope(compiler);
}

}  // namespace cyclerd::profiles
