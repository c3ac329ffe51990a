// Experiment strings. They are taken apart in the order in which PyBaMM does it (pybamm/experiment/step/steps.py,
// base_step.py), so that both accept the same.
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "profiles/exchange/exchange_codes.hpp"
#include "profiles/exchange/json_text.hpp"
#include "profiles/exchange/pybamm_experiment.hpp"

namespace cyclerd::exchange::pybamm {
namespace {

constexpr const char* kExamples =
    "\"Charge at 1C until 4.2 V\", \"Discharge at C/3 for 2 hours or until 2.5 V\", \"Hold at 4.2 V until C/50\", "
    "\"Rest for 10 minutes\"";

// A stretch of the string, with its place in it.
struct Piece {
  std::string_view text;
  std::size_t at = 0;
};

// What stands before and after `word`, which must be there exactly once.
std::optional<std::pair<Piece, Piece>> split(Piece piece, std::string_view word) {
  const std::size_t at = piece.text.find(word);
  if (at == std::string_view::npos || piece.text.find(word, at + word.size()) != std::string_view::npos) {
    return std::nullopt;
  }
  return std::pair{Piece{piece.text.substr(0, at), piece.at},
                   Piece{piece.text.substr(at + word.size()), piece.at + at + word.size()}};
}

class StringReader {
 public:
  StringReader(const TextPlace& place, StringOptions options) : place_(place), options_(options) {}

  std::optional<Step> read(const std::string& text);

 private:
  bool fail(const char* code, Piece piece, std::string message, std::string help = {}) {
    place_.diagnostics.error(code, place_.span(piece.at, std::max<std::size_t>(piece.text.size(), 1)),
                             std::move(message), std::move(help));
    return false;
  }
  bool take_period(Piece& rest);
  bool take_until(Piece& rest);
  bool take_duration(Piece& rest);
  bool instruction(Piece rest);

  const TextPlace& place_;
  StringOptions options_;
  Step step_;
};

bool StringReader::take_period(Piece& rest) {
  if (rest.text.find("period)") == std::string_view::npos) return true;
  if (options_.period_given) {
    return fail(code::kPhrase, rest, "the period is given in the string and as a keyword", "keep one of the two");
  }
  const auto parts = split(rest, " (");
  const auto period = parts ? split(parts->second, " period)") : std::nullopt;
  if (!period) {
    return fail(code::kPhrase, rest, "a period is written ' (TIME period)', once, at the end",
                "\"Discharge at C/20 for 1h (2 minute period)\"");
  }
  const auto seconds = read_time(std::string(period->first.text), place_, period->first.at);
  if (!seconds) return false;
  step_.period_s = *seconds;
  rest = parts->first;
  return true;
}

bool StringReader::take_until(Piece& rest) {
  if (rest.text.find("until") == std::string_view::npos) return true;
  const auto parts = split(rest, " until ");
  if (!parts) {
    return fail(code::kPhrase, rest, "one ' until ' is allowed in a string, with a space on both sides",
                "more ends than one: pybamm.step.string(..., termination=[...]) or a to_config file");
  }
  const auto end = read_termination(std::string(parts->second.text), place_, parts->second.at);
  if (!end) return false;
  step_.terminations.push_back(*end);
  rest = parts->first;
  return true;
}

bool StringReader::take_duration(Piece& rest) {
  if (rest.text.find("for") == std::string_view::npos) return true;
  const auto parts = split(rest, " for ");
  if (!parts) {
    return fail(code::kPhrase, rest, "one ' for ' is allowed in a string, with a space on both sides",
                "\"Rest for 10 minutes\"");
  }
  Piece duration = parts->second;
  // PyBaMM drops every " or"; one can only stand at the end here.
  if (!step_.terminations.empty() && duration.text.ends_with(" or")) duration.text.remove_suffix(3);
  const auto seconds = read_time(std::string(duration.text), place_, duration.at);
  if (!seconds) return false;
  step_.duration_s = *seconds;
  rest = parts->first;
  return true;
}

// PyBaMM's own parts of "C/2", "0.5 C", "200mA". `at`: where the text stands in the string.
std::optional<Value> read_value(std::string_view text, const TextPlace& place, std::size_t at, std::size_t length) {
  const auto fail = [&](std::string message) {
    place.diagnostics.error(code::kQuantity, place.span(at, std::max<std::size_t>(length, 1)), std::move(message),
                            "a number and A, mA, V, mV, W, mW, Ohm, mOhm or C: \"200 mA\", \"0.5 C\", \"C/20\"");
    return std::nullopt;
  };
  Value value;
  if (text.starts_with('C')) {
    const auto divisor = python_float(text.substr(std::min<std::size_t>(2, text.size())));
    if (!divisor || *divisor == 0.0) return fail(fmt::format("'{}' is not a C-rate", text));
    value = {Quantity::c_rate, 1.0 / *divisor};
    if (!std::isfinite(value.number)) return fail(fmt::format("'{}' is not a C-rate", text));
    return value;
  }
  const std::size_t unit_at = std::min(text.find_first_not_of("0123456789.-eE "), text.size());
  std::string_view unit = text.substr(unit_at);
  const auto number = python_float(text.substr(0, unit_at));
  if (unit.empty()) return fail(fmt::format("'{}' has no unit", text));
  if (!number) return fail(fmt::format("'{}' does not begin with a number", text));
  value.number = *number;
  if (unit.starts_with('m')) {
    unit.remove_prefix(1);
    value.number /= 1000.0;
  }
  constexpr std::array<std::pair<std::string_view, Quantity>, 5> kUnits{{{"C", Quantity::c_rate},
                                                                         {"A", Quantity::current},
                                                                         {"V", Quantity::voltage},
                                                                         {"W", Quantity::power},
                                                                         {"Ohm", Quantity::resistance}}};
  for (const auto& [name, quantity] : kUnits) {
    if (unit == name) {
      value.quantity = quantity;
      return value;
    }
  }
  return fail(fmt::format("'{}' is not a unit of PyBaMM", text.substr(unit_at)));
}

bool StringReader::instruction(Piece rest) {
  if (rest.text.starts_with("Rest")) {
    step_.value = {Quantity::current, 0.0};
    return true;
  }
  if (rest.text.starts_with("Run")) {
    return fail(code::kPhrase, rest, "'Run' is no longer a step of PyBaMM, and the drive cycle is not in the string",
                "put the data into a waveform file and write a follow step");
  }
  const auto parts = split(rest, " at ");
  if (!parts) {
    return fail(code::kPhrase, rest, fmt::format("'{}' is not 'Charge at VALUE' or the like", rest.text), kExamples);
  }
  const std::string_view word = parts->first.text;
  if (word != "Charge" && word != "Discharge" && word != "Hold") {
    return fail(code::kPhrase, parts->first,
                fmt::format("'{}' is not one of Charge, Discharge, Hold, Rest (case matters)", word), kExamples);
  }
  const auto value = read_value(parts->second.text, place_, parts->second.at, parts->second.text.size());
  if (!value) return false;
  step_.value = *value;
  if (word == "Charge") step_.value.number = -step_.value.number;
  return true;
}

std::optional<Step> StringReader::read(const std::string& text) {
  Piece rest{text, 0};
  step_.where = place_.span(0, text.size());
  step_.description = text;
  if (const std::size_t at = text.find("oC"); at != std::string::npos) {
    fail(code::kPhrase, {rest.text.substr(at, 2), at}, "PyBaMM takes no temperature in a string",
         "pybamm.step.string(\"...\", temperature=\"25 oC\"), or the temperature of the experiment");
    return std::nullopt;
  }
  if (!take_period(rest) || !take_until(rest)) return std::nullopt;
  if (!step_.terminations.empty() && rest.text.ends_with(" or") && rest.text.find("for") == std::string_view::npos) {
    rest.text.remove_suffix(3);
  }
  if (!take_duration(rest)) return std::nullopt;
  if (step_.terminations.empty() && !step_.duration_s) {
    fail(code::kPhrase, rest, "the step says neither 'for' how long nor 'until' when", kExamples);
    return std::nullopt;
  }
  if (!instruction(rest) || !check_step(step_, place_.diagnostics)) return std::nullopt;
  return step_;
}

}  // namespace

text::Span TextPlace::span(std::size_t at, std::size_t size) const {
  return exact ? span_at(source, offset + at, size) : span_at(source, offset, length);
}

std::optional<double> python_float(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return std::nullopt;
  text = text.substr(first, text.find_last_not_of(kSpace) - first + 1);
  std::string digits;  // 1_000 is a number in Python
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](std::size_t k) { return k < text.size() && text[k] >= '0' && text[k] <= '9'; };
    if (text[i] == '_' && i > 0 && digit(i - 1) && digit(i + 1)) continue;
    digits += text[i];
  }
  std::string_view number = digits;
  if (number.starts_with('+')) number.remove_prefix(1);
  double value = 0.0;
  const auto [end, failure] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (failure != std::errc() || end != number.data() + number.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<double> read_time(const std::string& text, const TextPlace& place, std::size_t at) {
  const std::size_t unit_at = std::min(text.find_first_not_of("0123456789.-eE "), text.size());
  const std::string_view unit = std::string_view(text).substr(unit_at);
  double factor = 0.0;
  for (const char* name : {"second", "seconds", "s", "sec"}) factor = unit == name ? 1.0 : factor;
  for (const char* name : {"minute", "minutes", "m", "min"}) factor = unit == name ? 60.0 : factor;
  for (const char* name : {"hour", "hours", "h", "hr"}) factor = unit == name ? 3600.0 : factor;
  const auto number = python_float(std::string_view(text).substr(0, unit_at));
  const char* const help = "a number and s, sec, second(s), m, min, minute(s), h, hr or hour(s)";
  const text::Span where = place.span(at, std::max<std::size_t>(text.size(), 1));
  if (factor == 0.0 || !number) {
    place.diagnostics.error(code::kTimeText, where, fmt::format("'{}' is not a time of PyBaMM", text), help);
    return std::nullopt;
  }
  if (!(*number > 0.0) || !std::isfinite(*number * factor) || *number * factor > 1e10) {
    place.diagnostics.error(code::kTimeText, where,
                            fmt::format("a time must be above 0 and below 300 years, this is '{}'", text), help);
    return std::nullopt;
  }
  return *number * factor;
}

std::optional<double> read_temperature(const std::string& text, const TextPlace& place) {
  const std::size_t unit_at = std::min(text.find_first_not_of("0123456789.-eE "), text.size());
  const std::string_view unit = std::string_view(text).substr(unit_at);
  const auto number = python_float(std::string_view(text).substr(0, unit_at));
  const double kelvin = number.value_or(0.0) + (unit == "oC" ? 273.15 : 0.0);
  if (number && (unit == "K" || unit == "oC") && kelvin > 0.0 && kelvin < 2000.0) return kelvin;
  place.diagnostics.error(code::kQuantity, place.span(0, std::max<std::size_t>(text.size(), 1)),
                          fmt::format("'{}' is not a temperature of PyBaMM", text), "\"25 oC\" or \"298.15 K\"");
  return std::nullopt;
}

std::optional<Termination> read_termination(const std::string& text, const TextPlace& place, std::size_t at) {
  std::string_view rest = text;
  while (rest.starts_with(' ')) {
    rest.remove_prefix(1);
    ++at;
  }
  Termination end;
  end.where = place.span(at, std::max<std::size_t>(rest.size(), 1));
  if (rest.starts_with('<') || rest.starts_with('>')) {
    end.op = rest.front();
    rest.remove_prefix(1);
    ++at;
  }
  std::string packed;  // spaces do not count here
  for (const char c : rest) {
    if (c != ' ') packed += c;
  }
  if (packed.empty()) {
    place.diagnostics.error(code::kEnd, end.where, "until what?", "\"until 4.2 V\", \"until 50 mA\", \"until C/20\"");
    return std::nullopt;
  }
  const auto value = read_value(packed, place, at, rest.size());
  if (!value) return std::nullopt;
  end.value = *value;
  if (value->quantity == Quantity::power || value->quantity == Quantity::resistance) {
    place.diagnostics.error(code::kEnd, end.where,
                            fmt::format("PyBaMM ends a step by voltage, current or C-rate, not by '{}'", text));
    return std::nullopt;
  }
  return end;
}

std::optional<Stop> read_stop(const std::string& text, const TextPlace& place) {
  Stop stop;
  stop.text = text;
  const auto refuse = [&]() -> std::optional<Stop> {
    place.diagnostics.error(code::kTermination, place.span(0, std::max<std::size_t>(text.size(), 1)),
                            fmt::format("'{}' does not say when an experiment ends", text),
                            "\"80% capacity\", \"4 Ah capacity\", \"2.5 V\" or \"10 h\"");
    return std::nullopt;
  };
  std::string_view rest = text;
  const auto take_end = [&rest](std::string_view end) {
    while (rest.ends_with(' ')) rest.remove_suffix(1);
    if (!rest.ends_with(end)) return false;
    rest.remove_suffix(end.size());
    return true;
  };
  if (take_end("capacity")) {
    if (take_end("%")) {
      stop.kind = Stop::Kind::capacity_share;
    } else if (take_end("Ah") || take_end("A.h")) {
      stop.kind = Stop::Kind::capacity_Ah;
    } else {
      return refuse();
    }
  } else if (take_end("V")) {
    stop.kind = Stop::Kind::voltage_V;
  } else {
    const auto seconds = read_time(text, place);
    if (!seconds) return std::nullopt;
    stop.value = *seconds;
    return stop;
  }
  const auto number = python_float(rest);
  if (!number || *number <= 0.0) return refuse();
  stop.value = stop.kind == Stop::Kind::capacity_share ? *number / 100.0 : *number;
  return stop;
}

Direction Step::runs() const noexcept {
  if (value.quantity == Quantity::voltage) return direction;
  const double first = drive_cycle.empty() ? value.number : drive_cycle.front().second;
  return first == 0.0 ? Direction::rest : first > 0.0 ? Direction::discharge : Direction::charge;
}

bool check_step(Step& step, text::Diagnostics& diagnostics) {
  const auto refuse = [&](const char* code, std::string message, std::string help) {
    diagnostics.error(code, step.where, std::move(message), std::move(help));
    return false;
  };
  const bool voltage = step.value.quantity == Quantity::voltage;
  if (voltage && step.drive_cycle.empty() && step.value.number <= 0.0) {
    return refuse(code::kNoCounterpart, fmt::format("the step holds {} V: no cycler does", step.value.number),
                  "PyBaMM gives what follows 'Charge at' a minus: write \"Hold at 4.2 V until C/20\"");
  }
  if (step.value.quantity == Quantity::resistance && !step.drive_cycle.empty()) {
    return refuse(code::kNoCounterpart, "a resistance that changes with time has no counterpart here", "");
  }
  if (step.value.quantity == Quantity::resistance && step.value.number <= 0.0) {
    return refuse(code::kNoCounterpart,
                  fmt::format("a charge against {} Ohm: a resistance only discharges", step.value.number),
                  "\"Discharge at 2 Ohm for 1 hour\", or a charge by current or power");
  }
  if (std::abs(step.value.number) > 1e9 || (step.value.number != 0.0 && std::abs(step.value.number) < 1e-12)) {
    return refuse(code::kRange, fmt::format("{} is no value for a cell", step.value.number), "");
  }
  for (const Termination& end : step.terminations) {
    if (std::abs(end.value.number) > 1e9) {
      return refuse(code::kRange, fmt::format("{} is no limit for a cell", end.value.number), "");
    }
  }
  return true;
}

std::optional<Step> read_step(const std::string& text, const TextPlace& place, StringOptions options) {
  return StringReader(place, options).read(text);
}

std::optional<Experiment> read_lines(const text::SourcePtr& source, text::Diagnostics& diagnostics) {
  Experiment experiment;
  experiment.where = span_at(source, 0, 1);
  const std::string& text = source->text;
  bool good = true;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::size_t first = at;
    std::size_t last = end;
    const auto blank = [&text](std::size_t i) { return text[i] == ' ' || text[i] == '\t' || text[i] == '\r'; };
    while (first < last && blank(first)) ++first;
    while (last > first && blank(last - 1)) --last;
    at = end + 1;
    if (first == last || text[first] == '#') continue;
    const std::string line = text.substr(first, last - first);
    const TextPlace place{source, first, true, line.size(), diagnostics};
    Part cycle;
    cycle.cycle = true;
    cycle.parts.emplace_back();
    cycle.parts.back().step = read_step(line, place);
    good = good && cycle.parts.back().step.has_value();
    experiment.cycles.push_back(std::move(cycle));
    if (diagnostics.error_count() > 20) break;
  }
  if (!good) return std::nullopt;
  return experiment;
}

}  // namespace cyclerd::exchange::pybamm
