// Set-points against what cell, device, station and the profile itself allow.
#include <fmt/format.h>

#include <cmath>

#include "profiles/codes.hpp"
#include "profiles/compile_parts.hpp"

namespace cyclerd::profiles {
namespace {

class SetpointCheck {
 public:
  SetpointCheck(Compiler& compiler, const StepSyntax& step) : compiler_(compiler), step_(step) {}

  void run() {
    switch (step_.kind) {
      case StepKind::current:
      case StepKind::power:
      case StepKind::resistance: regulated(); break;
      case StepKind::voltage: hold(); break;
      case StepKind::ramp: ramp(); break;
      case StepKind::pulse: pulse(); break;
      case StepKind::impedance: impedance(); break;
      case StepKind::follow: follow(); break;
      case StepKind::chamber: soak(); break;
      case StepKind::repeat_begin: repeat(); break;
      default: break;
    }
    chamber();
  }

  void sensors() {
    sensor_in(step_.when);
    for (const Expression* e :
         {&step_.current, &step_.voltage, &step_.power, &step_.resistance, &step_.count, &step_.temperature,
          &step_.scale, &step_.ramp_from, &step_.ramp_to, &step_.ramp_rate, &step_.ramp_over}) {
      sensor_in(*e);
    }
    for (const PulseSyntax& part : step_.pulses) {
      sensor_in(part.current);
      sensor_in(part.power);
    }
    for (const AssignmentSyntax& assignment : step_.assignments) sensor_in(assignment.value);
    for (const ConditionSyntax& condition : step_.until) sensor_in(condition.when);
  }

 private:
  void over(const Expression& written, const char* what, double value, const Ceiling& ceiling, bool is_min,
            text::Dimension dimension) {
    const double bound = is_min ? -ceiling.value : ceiling.value;
    auto& finding = compiler_.diagnostics.error(
        ceiling.code != nullptr ? ceiling.code : code::kCellRating, written.where,
        fmt::format("{} {} of {} is {} {}, {}", what, text::format_quantity(value, dimension), step_label(step_),
                    is_min ? "below" : "above", text::format_quantity(bound, dimension), ceiling.set_by),
        fmt::format("write {} or {}", text::format_quantity(bound, dimension), is_min ? "more" : "less"));
    if (ceiling.where.line != 0) {
      finding.related = ceiling.where;
      finding.related_label = ceiling.set_by;
    }
  }

  // A magnitude: above zero and below the ceiling.
  void magnitude(const Expression& written, const char* what, const Ceiling& ceiling, text::Dimension dimension) {
    const auto value = compiler_.value(written);
    if (!value) return;
    if (*value <= 0.0) {
      compiler_.diagnostics.error(code::kMagnitude, written.where,
                                  fmt::format("{} of {} is {}; it must be above zero", what, step_label(step_),
                                              text::format_quantity(*value, dimension)),
                                  *value < 0.0 ? "charge and discharge say the direction; write it without the minus"
                                               : "use rest for no current");
      return;
    }
    if (*value > ceiling.value) over(written, what, *value, ceiling, false, dimension);
  }

  void voltage() {
    const auto value = compiler_.value(step_.voltage);
    if (!value) return;
    const SetpointBounds& b = compiler_.bounds;
    if (*value > b.voltage_max_V.value) {
      over(step_.voltage, "voltage", *value, b.voltage_max_V, false, text::dimension::kVoltage);
    } else if (-*value > b.negated_voltage_min_V.value) {
      over(step_.voltage, "voltage", *value, b.negated_voltage_min_V, true, text::dimension::kVoltage);
    } else {
      voltage_at_trip(*value);
    }
  }

  // Noise around a level that equals the trip limit opens the output.
  void voltage_at_trip(double value) {
    const SafetyBound& trip = compiler_.program->safety.voltage;
    if (value == trip.max || value == trip.min) {
      compiler_.diagnostics.warning(
          code::kSafetyBox, step_.voltage.where,
          fmt::format("the voltage of {} is exactly the limit of [safety]; noise would trip the test",
                      step_label(step_)),
          "leave some 20 mV between the level and the limit");
    }
  }

  void regulated() {
    const SetpointBounds& b = compiler_.bounds;
    const bool charge = step_.sign > 0;
    magnitude(step_.current, "current", charge ? b.charge_A : b.discharge_A, text::dimension::kCurrent);
    magnitude(step_.power, "power", charge ? b.charge_W : b.discharge_W, text::dimension::kPower);
    magnitude(step_.resistance, "resistance", Ceiling{}, text::dimension::kResistance);
    voltage();
    if (compiler_.launch == nullptr) return;
    const device::Capability& cycler = compiler_.launch->cycler;
    if (charge ? cycler.can_charge == 0 : cycler.can_discharge == 0) {
      cannot(charge ? "charge" : "discharge");
    } else if (step_.power.given && cycler.can_power == 0) {
      cannot("regulate power");
    } else if (step_.resistance.given && step_.voltage.given && cycler.native_cv == 0) {
      cannot("change from constant resistance to constant voltage (capability 'native_cv')");
    }
  }

  void cannot(const char* what) {
    compiler_.diagnostics.error(code::kDeviceCannot, step_.where,
                                fmt::format("the cycler of this channel cannot {}", what),
                                "run the profile on a channel that can");
  }

  void hold() {
    voltage();
    const SetpointBounds& b = compiler_.bounds;
    const Ceiling& wider = b.charge_A.value > b.discharge_A.value ? b.charge_A : b.discharge_A;
    magnitude(step_.current, "current", wider, text::dimension::kCurrent);
  }

  // A level with its sign: charge positive.
  void level(const Expression& written, const Type& type) {
    const auto value = compiler_.value(written);
    if (!value) return;
    const SetpointBounds& b = compiler_.bounds;
    const bool volts = type == type::kVoltage;
    const bool watts = type == type::kPower;
    const Ceiling& above = volts ? b.voltage_max_V : watts ? b.charge_W : b.charge_A;
    const Ceiling& below = volts ? b.negated_voltage_min_V : watts ? b.discharge_W : b.discharge_A;
    if (*value > above.value) {
      over(written, type_name(type).c_str(), *value, above, false, type.dimension);
    } else if (-*value > below.value) {
      over(written, type_name(type).c_str(), *value, below, true, type.dimension);
    }
    if (compiler_.launch == nullptr) return;
    const device::Capability& cycler = compiler_.launch->cycler;
    if (!volts && *value > 0.0 && cycler.can_charge == 0) cannot("charge");
    if (!volts && *value < 0.0 && cycler.can_discharge == 0) cannot("discharge");
    if (watts && cycler.can_power == 0) cannot("regulate power");
  }

  void above_zero(const Expression& written, const char* what) {
    const auto value = compiler_.value(written);
    if (!value || *value > 0.0) return;
    compiler_.diagnostics.error(code::kMagnitude, written.where,
                                fmt::format("{} of {} must be above zero", what, step_label(step_)),
                                "write it without a sign; from and to say the direction");
  }

  void ramp() {
    if (!step_.ramp_from.ok()) return;
    const std::size_t errors_before = compiler_.diagnostics.error_count();
    const Type type = step_.ramp_from.top().type;
    level(step_.ramp_from, type);
    level(step_.ramp_to, type);
    above_zero(step_.ramp_rate, "the rate");
    above_zero(step_.ramp_over, "the time");
    const Ceiling& charge = compiler_.bounds.charge_A;
    const Ceiling& discharge = compiler_.bounds.discharge_A;
    magnitude(step_.current, "current", charge.value > discharge.value ? charge : discharge, text::dimension::kCurrent);
    if (!step_.broken && compiler_.diagnostics.error_count() == errors_before) staircase(type);
  }

  // What the cycler is really given.
  void staircase(const Type& type) {
    const auto from = compiler_.value(step_.ramp_from);
    const auto to = compiler_.value(step_.ramp_to);
    const auto over = compiler_.value(step_.ramp_over);
    const auto rate = compiler_.value(step_.ramp_rate);
    if (compiler_.launch == nullptr || !from || !to || (!over && !rate)) return;
    const double length_s = over ? *over : std::fabs(*to - *from) / *rate;
    const double scan_s = compiler_.launch->scan.seconds();
    if (!(length_s > 0.0) || !(scan_s > 0.0)) return;
    const double stairs = std::max(1.0, std::ceil(length_s / scan_s - 1e-6));
    compiler_.diagnostics.note(
        code::kStaircase, step_.where,
        fmt::format("{} is a staircase of {:.0f} steps of {}, one a scan", step_label(step_), stairs,
                    text::format_quantity(std::fabs(*to - *from) / stairs, type.dimension, 3)));
  }

  void pulse() {
    passes(step_.count, "count");
    for (const PulseSyntax& part : step_.pulses) {
      level(part.current, type::kCurrent);
      level(part.power, type::kPower);
      pulse_time(part.time);
    }
  }

  void pulse_time(const Expression& written) {
    const auto time = compiler_.value(written);
    if (!time) return;
    if (*time <= 0.0) {
      compiler_.diagnostics.error(code::kMagnitude, written.where, "the time of a pulse must be above zero",
                                  "10 s is usual");
      return;
    }
    if (compiler_.launch == nullptr) return;
    const double scan_s = compiler_.launch->scan.seconds();
    if (*time < scan_s) {
      compiler_.diagnostics.error(
          code::kPulseTooFast, written.where,
          fmt::format("a pulse of {} is shorter than the scan period of {}, and the cycler of this channel makes no "
                      "pulses by itself (capability 'native pulses')",
                      text::format_quantity(*time, text::dimension::kTime),
                      text::format_quantity(scan_s, text::dimension::kTime)),
          fmt::format("make it {} or longer, or scan faster", text::format_quantity(scan_s, text::dimension::kTime)));
    } else if (std::fabs(std::remainder(*time, scan_s)) > 1e-6) {
      compiler_.diagnostics.warning(
          code::kPulseEdges, written.where,
          fmt::format("{} is no multiple of the scan period of {}: its edge comes up to one scan late",
                      text::format_quantity(*time, text::dimension::kTime),
                      text::format_quantity(scan_s, text::dimension::kTime)),
          "choose a multiple of the scan period");
    }
  }

  void impedance() {
    if (step_.sweep) {
      if (compiler_.launch != nullptr) cannot("measure spectra (capability 'impedance spectrum')");
      return;
    }
    level(step_.current, type::kCurrent);
    if (const auto current = compiler_.value(step_.current); current && *current == 0.0) {
      compiler_.diagnostics.error(code::kMagnitude, step_.current.where, "a pulse of 0 A measures no resistance",
                                  "write the current of the pulse, charge positive, for instance \"-1 C\"");
    }
    pulse_time(step_.pulse_time);
  }

  void follow() {
    const auto scale = compiler_.value(step_.scale);
    if (scale && (*scale == 0.0 || std::fabs(*scale) > 1e9)) {
      compiler_.diagnostics.error(code::kMagnitude, step_.scale.where, "scale must not be zero",
                                  "scale = 1 plays the file as it is, -1 turns its direction");
    }
    passes(step_.count, "repeat");
  }

  void passes(const Expression& written, const char* what) {
    const auto count = compiler_.value(written);
    if (!count) return;
    if (*count < 1.0 || *count > 1e9 || *count != std::floor(*count)) {
      compiler_.diagnostics.error(code::kMagnitude, written.where,
                                  fmt::format("{} is {}; it must be a whole number from 1 to 1e9", what, *count));
    }
  }

  void repeat() { passes(step_.count, "count"); }

  void soak() {
    const auto within = compiler_.value(step_.soak_within);
    if (within && *within <= 0.0) {
      compiler_.diagnostics.error(code::kMagnitude, step_.soak_within.where, "within must be above 0 K",
                                  "1 K is usual");
    }
    const auto ramp = compiler_.value(step_.chamber_ramp);
    if (ramp && *ramp <= 0.0) {
      compiler_.diagnostics.error(code::kMagnitude, step_.chamber_ramp.where, "ramp must be above 0 K/min",
                                  "write it without a sign; the set-point says the direction");
    }
  }

  void chamber() {
    if (!step_.temperature.given) return;
    if (compiler_.launch != nullptr && !compiler_.launch->has_chamber) {
      compiler_.diagnostics.error(
          code::kNoSensor, step_.temperature.where,
          fmt::format("{} sets a temperature, but the channel has no chamber", step_label(step_)),
          "add a chamber to the station file, or remove the key");
      return;
    }
    const auto value = compiler_.value(step_.temperature);
    if (!value) return;
    const SetpointBounds& b = compiler_.bounds;
    if (*value > b.chamber_max_degC.value) {
      over(step_.temperature, "temperature", *value, b.chamber_max_degC, false, text::dimension::kTemperature);
    } else if (-*value > b.negated_chamber_min_degC.value) {
      over(step_.temperature, "temperature", *value, b.negated_chamber_min_degC, true, text::dimension::kTemperature);
    }
  }

  void sensor_in(const Expression& expression) {
    if (compiler_.launch == nullptr || !expression.ok()) return;
    const Launch& launch = *compiler_.launch;
    const char* missing = nullptr;
    const char* help = "add it to the station file, or use another quantity";
    if (mentions(expression, Live::temperature) && !launch.has_cell_temperature)
      missing = "temperature: no sensor on the cell";
    if (mentions(expression, Live::chamber_temperature) && !launch.has_chamber)
      missing = "chamber_temperature: no chamber";
    if (mentions(expression, Live::soc) && std::isnan(launch.initial_soc)) {
      missing = "soc: the launch gives no state of charge to start from";
      help = "start with --soc, for instance --soc 50%";
    }
    if (missing == nullptr) return;
    compiler_.diagnostics.error(code::kNoSensor, expression.where,
                                fmt::format("this channel does not know {}", missing), help);
  }

  Compiler& compiler_;
  const StepSyntax& step_;
};

}  // namespace

void check_setpoints(Compiler& compiler) {
  compiler.setpoint_wrong.assign(compiler.syntax.size(), 0);
  for (std::size_t i = 0; i < compiler.syntax.size(); ++i) {
    if (compiler.syntax[i] == nullptr) continue;
    compiler.enter(i);
    compiler.binding.measured = false;  // a C of a capacity that is not known yet is judged as one of the nominal
    const std::size_t before = compiler.diagnostics.error_count();
    SetpointCheck check(compiler, *compiler.syntax[i]);
    check.run();
    if (compiler.diagnostics.error_count() != before) compiler.setpoint_wrong[i] = 1;
    check.sensors();
  }
}

}  // namespace cyclerd::profiles
