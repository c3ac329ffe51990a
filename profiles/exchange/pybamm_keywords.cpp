#include "profiles/exchange/pybamm_keywords.hpp"

#include <fmt/format.h>

#include <cmath>

#include "profiles/exchange/exchange_codes.hpp"

namespace cyclerd::exchange::pybamm {
namespace {

text::Span whole(const Scalar& value) {
  return value.place.span(0, std::max<std::size_t>(value.place.length, 1));
}

bool refuse(const char* code, const Scalar& value, std::string message, std::string help = {}) {
  value.place.diagnostics.error(code, whole(value), std::move(message), std::move(help));
  return false;
}

bool set_text(std::string& target, const std::string& name, const Scalar& value) {
  if (value.kind == Scalar::Kind::none) return true;
  if (value.kind != Scalar::Kind::text) return refuse(code::kKind, value, fmt::format("'{}' must be a text", name));
  target = value.text;
  return true;
}

bool set_direction(Step& step, const Scalar& value) {
  if (value.kind == Scalar::Kind::none) return true;
  const std::string word = value.kind == Scalar::Kind::text ? value.text : "";
  if (word != "charge" && word != "discharge" && word != "rest") {
    return refuse(code::kKey, value, fmt::format("the direction '{}' is unknown", word),
                  "\"charge\", \"discharge\" or \"rest\"");
  }
  step.direction = word == "charge" ? Direction::charge : word == "rest" ? Direction::rest : Direction::discharge;
  return true;
}

}  // namespace

std::optional<double> scalar_time(const std::string& name, const Scalar& value) {
  if (value.kind == Scalar::Kind::none) return std::nullopt;
  if (value.kind == Scalar::Kind::text) return read_time(value.text, value.place);
  if (value.kind != Scalar::Kind::number) {
    refuse(code::kKind, value, fmt::format("'{}' must be a number of seconds or a text like \"10 minutes\"", name));
    return std::nullopt;
  }
  if (!(value.number > 0.0) || value.number > 1e10) {
    refuse(code::kTimeText, value, fmt::format("'{}' must be above 0 and below 300 years", name));
    return std::nullopt;
  }
  return value.number;
}

std::optional<double> scalar_temperature(const Scalar& value) {
  if (value.kind == Scalar::Kind::none) return std::nullopt;
  if (value.kind == Scalar::Kind::text) return read_temperature(value.text, value.place);
  if (value.kind != Scalar::Kind::number) {
    refuse(code::kKind, value, "a temperature is a number of kelvin or a text like \"25 oC\"",
           "a temperature that changes with time: a chamber step with 'ramp' in the imported profile");
    return std::nullopt;
  }
  if (!(value.number > 0.0) || value.number > 2000.0) {
    refuse(code::kRange, value, fmt::format("{} K is no temperature of a chamber", value.number));
    return std::nullopt;
  }
  if (value.number < 150.0) {
    refuse(code::kRange, value, fmt::format("a number is in kelvin: {} K is colder than any chamber", value.number),
           fmt::format("\"{} oC\"", value.number));
    return std::nullopt;
  }
  return value.number;
}

std::optional<Termination> make_termination(const std::string& type, const Scalar& value, const std::string& op) {
  Termination end;
  end.where = whole(value);
  if (value.kind != Scalar::Kind::number) {
    refuse(code::kKind, value, "the value of an end must be a number");
    return std::nullopt;
  }
  if (type != "voltage" && type != "current" && type != "c-rate") {
    refuse(code::kEnd, value, fmt::format("an end of the kind '{}' is unknown", type), "voltage, current or c-rate");
    return std::nullopt;
  }
  if (!op.empty() && op != "<" && op != ">") {
    refuse(code::kEnd, value, fmt::format("the operator '{}' is unknown", op), "\"<\" or \">\"");
    return std::nullopt;
  }
  end.value.quantity = type == "voltage" ? Quantity::voltage : type == "current" ? Quantity::current : Quantity::c_rate;
  end.value.number = value.number;
  end.op = op.empty() ? '\0' : op.front();
  return end;
}

bool set_keyword(Step& step, const std::string& name, const Scalar& value, bool& known) {
  known = true;
  const bool given = value.kind != Scalar::Kind::none;
  if (name == "duration" || name == "period") {
    const auto seconds = scalar_time(name, value);
    if (seconds) (name == "duration" ? step.duration_s : step.period_s) = seconds;
    return seconds || !given;
  }
  if (name == "temperature") {
    const auto kelvin = scalar_temperature(value);
    if (kelvin) step.temperature_K = kelvin;
    return kelvin || !given;
  }
  if (name == "start_time") {
    return set_text(step.start_time, name, value);
  }
  if (name == "description") return set_text(step.description, name, value);
  if (name == "direction") return set_direction(step, value);
  if (name == "skip_ok") {
    if (value.kind != Scalar::Kind::boolean) return refuse(code::kKind, value, "'skip_ok' must be true or false");
    step.skip_ok = value.boolean;
    return true;
  }
  known = false;
  return true;
}

bool check_drive_cycle(const Step& step, text::Diagnostics& diagnostics) {
  const auto fail = [&](std::string message, std::string help = {}) {
    diagnostics.error(code::kDriveCycle, step.where, std::move(message), std::move(help));
    return false;
  };
  if (step.drive_cycle.size() < 2) return fail("a drive cycle has at least two points");
  if (step.drive_cycle.front().first != 0.0) return fail("a drive cycle starts at t = 0", "subtract its first time");
  double last = -1.0;
  for (const auto& [time_s, value] : step.drive_cycle) {
    if (!(time_s > last) || time_s > 1e10) {
      return fail(fmt::format("the times of a drive cycle must rise; {} s follows {} s", time_s, last));
    }
    if (!(std::abs(value) <= 1e9)) return fail(fmt::format("{} is no value for a cell", value));
    if (step.value.quantity == Quantity::voltage && value <= 0.0)
      return fail(fmt::format("{} V: no cycler holds", value));
    last = time_s;
  }
  return true;
}

}  // namespace cyclerd::exchange::pybamm
