#include "protocols/text/quantity.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "protocols/text/diagnostics.hpp"

namespace cyclerd::text {

namespace {

using namespace dimension;
constexpr Dimension kFrequency{0, 0, -1, 0};

struct Row {
  std::string_view name;
  Unit unit;
  bool listed = true;  // offered as a hint
};

constexpr std::array kUnits{
    Row{"V", {kVoltage, 1.0}},
    Row{"mV", {kVoltage, 1e-3}},
    Row{"uV", {kVoltage, 1e-6}},
    Row{"kV", {kVoltage, 1e3}},
    Row{"A", {kCurrent, 1.0}},
    Row{"mA", {kCurrent, 1e-3}},
    Row{"uA", {kCurrent, 1e-6}},
    Row{"nA", {kCurrent, 1e-9}},
    Row{"kA", {kCurrent, 1e3}},
    Row{"C", {kCurrent, 1.0, true}},
    Row{"W", {kPower, 1.0}},
    Row{"mW", {kPower, 1e-3}},
    Row{"uW", {kPower, 1e-6}},
    Row{"kW", {kPower, 1e3}},
    Row{"MW", {kPower, 1e6}},
    Row{"Ohm", {kResistance, 1.0}},
    Row{"mOhm", {kResistance, 1e-3}},
    Row{"uOhm", {kResistance, 1e-6}},
    Row{"kOhm", {kResistance, 1e3}},
    Row{"s", {kTime, 1.0}},
    Row{"ms", {kTime, 1e-3}},
    Row{"us", {kTime, 1e-6}},
    Row{"min", {kTime, 60.0}},
    Row{"h", {kTime, 3600.0}},
    Row{"d", {kTime, 86400.0}},
    Row{"degC", {kTemperature, 1.0}},
    Row{"K", {kTemperature, 1.0}},
    Row{"mK", {kTemperature, 1e-3}},
    Row{"Ah", {kCapacity, 3600.0}},
    Row{"mAh", {kCapacity, 3.6}},
    Row{"uAh", {kCapacity, 3.6e-3}},
    Row{"kAh", {kCapacity, 3.6e6}},
    Row{"As", {kCapacity, 1.0}},
    Row{"Wh", {kEnergy, 3600.0}},
    Row{"mWh", {kEnergy, 3.6}},
    Row{"kWh", {kEnergy, 3.6e6}},
    Row{"J", {kEnergy, 1.0}},
    Row{"kJ", {kEnergy, 1e3}},
    Row{"Hz", {kFrequency, 1.0}},
    Row{"mHz", {kFrequency, 1e-3}},
    Row{"kHz", {kFrequency, 1e3}},
    Row{"%", {kNone, 0.01}},
    Row{"\xC2\xB0"
        "C",
        {kTemperature, 1.0},
        false},                                  // degree sign
    Row{"\xCE\xA9", {kResistance, 1.0}, false},  // Greek omega
    Row{"m\xCE\xA9", {kResistance, 1e-3}, false},
    Row{"\xC2\xB5"
        "A",
        {kCurrent, 1e-6},
        false},  // micro sign
    Row{"\xC2\xB5"
        "V",
        {kVoltage, 1e-6},
        false},
    Row{"\xC2\xB5s", {kTime, 1e-6}, false},
};

std::optional<Unit> find_simple(std::string_view text) noexcept {
  for (const auto& row : kUnits) {
    if (row.name == text) return row.unit;
  }
  return std::nullopt;
}

struct Named {
  Dimension dimension;
  std::string_view name;
  std::string_view example;
};
constexpr std::array kNames{
    Named{kNone, "plain number", ""},
    Named{kVoltage, "voltage", "V"},
    Named{kCurrent, "current", "A"},
    Named{kPower, "power", "W"},
    Named{kResistance, "resistance", "Ohm"},
    Named{kTime, "time", "s"},
    Named{kTemperature, "temperature", "degC"},
    Named{kCapacity, "capacity", "Ah"},
    Named{kEnergy, "energy", "Wh"},
    Named{kFrequency, "frequency", "Hz"},
    Named{kTemperatureRate, "temperature rate", "K/min"},
    Named{kVoltageRate, "voltage rate", "mV/s"},
    Named{kCurrentRate, "current rate", "A/s"},
    Named{kPowerRate, "power rate", "W/s"},
};

std::string base_units(Dimension d) {
  std::string over;
  std::string under;
  auto add = [&](std::string_view name, int exponent) {
    if (exponent == 0) return;
    auto& side = exponent > 0 ? over : under;
    const int n = exponent > 0 ? exponent : -exponent;
    if (!side.empty()) side += " ";
    side += n == 1 ? std::string{name} : fmt::format("{}^{}", name, n);
  };
  add("V", d.volt);
  add("A", d.ampere);
  add("s", d.second);
  add("K", d.kelvin);
  if (over.empty()) over = "1";
  return under.empty() ? over : over + "/" + under;
}

struct Display {
  double factor;
  std::string_view unit;
};

template <std::size_t N>
Display pick(double value, const std::array<Display, N>& from_large_to_small, double least = 1.0) {
  for (const auto& d : from_large_to_small) {
    // The tolerance keeps 0.9999999999 V from being shown as 1000 mV.
    if (std::abs(value) >= least * d.factor * (1 - 1e-9)) return d;
  }
  return from_large_to_small.back();
}

Display display_unit(double value, Dimension d) {
  const bool zero = value == 0.0;
  if (d == kVoltage)
    return zero ? Display{1, "V"}
                : pick(value, std::array<Display, 4>{{{1e3, "kV"}, {1, "V"}, {1e-3, "mV"}, {1e-6, "uV"}}});
  if (d == kCurrent) {
    return zero
               ? Display{1, "A"}
               : pick(value, std::array<Display, 5>{{{1e3, "kA"}, {1, "A"}, {1e-3, "mA"}, {1e-6, "uA"}, {1e-9, "nA"}}});
  }
  if (d == kPower)
    return zero ? Display{1, "W"}
                : pick(value, std::array<Display, 5>{{{1e6, "MW"}, {1e3, "kW"}, {1, "W"}, {1e-3, "mW"}, {1e-6, "uW"}}});
  if (d == kResistance) {
    return zero ? Display{1, "Ohm"}
                : pick(value, std::array<Display, 4>{{{1e3, "kOhm"}, {1, "Ohm"}, {1e-3, "mOhm"}, {1e-6, "uOhm"}}});
  }
  if (d == kCapacity)
    return zero ? Display{3600, "Ah"}
                : pick(value, std::array<Display, 3>{{{3600, "Ah"}, {3.6, "mAh"}, {3.6e-3, "uAh"}}}, 0.1);
  if (d == kEnergy)
    return zero ? Display{3600, "Wh"}
                : pick(value, std::array<Display, 3>{{{3.6e6, "kWh"}, {3600, "Wh"}, {3.6, "mWh"}}}, 0.1);
  if (d == kFrequency)
    return zero ? Display{1, "Hz"} : pick(value, std::array<Display, 3>{{{1e3, "kHz"}, {1, "Hz"}, {1e-3, "mHz"}}});
  if (d == kTemperature) return {1, "degC"};
  if (d == kTemperatureRate) return {1.0 / 60.0, "K/min"};
  if (d == kVoltageRate)
    return zero ? Display{1, "V/s"} : pick(value, std::array<Display, 3>{{{1, "V/s"}, {1e-3, "mV/s"}, {1e-6, "uV/s"}}});
  if (d == kCurrentRate) return {1, "A/s"};
  if (d == kPowerRate) return {1, "W/s"};
  if (d == kTime) {
    const double t = std::abs(value);
    if (zero) return {1, "s"};
    if (t < 1e-3 * (1 - 1e-9)) return {1e-6, "us"};
    if (t < 1 - 1e-9) return {1e-3, "ms"};
    if (t < 120 * (1 - 1e-9)) return {1, "s"};
    if (t < 120 * 60 * (1 - 1e-9)) return {60, "min"};
    if (t < 48 * 3600.0 * (1 - 1e-9)) return {3600, "h"};
    return {86400, "d"};
  }
  return {1, ""};
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

std::string_view trim(std::string_view text, std::size_t& offset) {
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
    ++offset;
  }
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// A finite decimal number at the front; the number of bytes read, 0 when there is none.
std::size_t read_number(std::string_view text, double& value) {
  std::size_t sign = 0;
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-' && text[1] != '+') sign = 1;
  const std::string_view body = text.substr(sign);
  const std::size_t first = body.starts_with('-') ? 1 : 0;
  if (body.size() <= first || !(body[first] == '.' || (body[first] >= '0' && body[first] <= '9'))) return 0;
  const auto r = std::from_chars(body.data(), body.data() + body.size(), value, std::chars_format::general);
  if (r.ec != std::errc{} || !std::isfinite(value)) return 0;
  return sign + static_cast<std::size_t>(r.ptr - body.data());
}

// "C/20" and "2 C/3": the rate that fills the cell in so many hours.
bool read_c_fraction(std::string_view unit, double& divisor) {
  if (!unit.starts_with('C')) return false;
  std::size_t ignored = 0;
  std::string_view rest = trim(unit.substr(1), ignored);
  if (!rest.starts_with('/')) return false;
  rest = trim(rest.substr(1), ignored);
  return read_number(rest, divisor) == rest.size() && !rest.empty() && divisor > 0;
}

}  // namespace

std::optional<Unit> find_unit(std::string_view text) noexcept {
  if (const auto simple = find_simple(text)) return simple;
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto over = find_simple(text.substr(0, slash));
  const auto under = find_simple(text.substr(slash + 1));
  if (!over || !under || under->c_rate) return std::nullopt;
  return Unit{over->dimension / under->dimension, over->factor / under->factor, over->c_rate};
}

std::vector<std::string_view> unit_names() {
  std::vector<std::string_view> names;
  for (const auto& row : kUnits) {
    if (row.listed) names.push_back(row.name);
  }
  return names;
}

std::string nearest_unit(std::string_view text) {
  std::vector<std::string> names;
  for (const auto& row : kUnits) {
    if (row.listed) names.emplace_back(row.name);
  }
  // Letter case is the usual slip ("v", "MA", "ohm"), and the words people write out.
  auto lower = [](std::string_view s) {
    std::string out{s};
    for (auto& c : out) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
  };
  const std::string wanted = lower(text);
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 17> kWords{{{"sec", "s"},
                                                                                         {"secs", "s"},
                                                                                         {"second", "s"},
                                                                                         {"seconds", "s"},
                                                                                         {"minute", "min"},
                                                                                         {"minutes", "min"},
                                                                                         {"mins", "min"},
                                                                                         {"hour", "h"},
                                                                                         {"hours", "h"},
                                                                                         {"hr", "h"},
                                                                                         {"day", "d"},
                                                                                         {"days", "d"},
                                                                                         {"volt", "V"},
                                                                                         {"volts", "V"},
                                                                                         {"amp", "A"},
                                                                                         {"amps", "A"},
                                                                                         {"celsius", "degC"}}};
  for (const auto& [written, unit] : kWords) {
    if (wanted == written) return std::string{unit};
  }
  for (const auto& name : names) {
    if (lower(name) == wanted) return name;
  }
  return text.size() < 2 ? std::string{} : nearest(text, names);
}

std::string dimension_name(Dimension dimension) {
  for (const auto& row : kNames) {
    if (row.dimension == dimension) return std::string{row.name};
  }
  return base_units(dimension);
}

std::string example_unit(Dimension dimension) {
  for (const auto& row : kNames) {
    if (row.dimension == dimension) return std::string{row.example};
  }
  return base_units(dimension);
}

std::optional<QuantityValue> parse_quantity(std::string_view text, QuantityError& error) {
  std::size_t offset = 0;
  const std::string_view body = trim(text, offset);
  const std::string shown{body};
  double number = 1.0;
  std::size_t used = read_number(body, number);
  if (used == 0 && !body.starts_with('C')) {
    error = {offset, std::max<std::size_t>(1, body.size()),
             body.empty() ? "a number with a unit is missing" : "'" + shown + "' does not start with a number",
             "write a number and a unit, such as \"4.2 V\""};
    return std::nullopt;
  }
  std::size_t unit_offset = offset + used;
  const std::string_view unit_text = trim(body.substr(used), unit_offset);
  if (unit_text.empty()) return QuantityValue{number, kNone, false};
  double divisor = 1.0;
  if (read_c_fraction(unit_text, divisor)) return QuantityValue{number / divisor, kCurrent, true};
  const auto unit = used == 0 ? std::nullopt : find_unit(unit_text);
  if (!unit) {
    const std::string near = nearest_unit(unit_text);
    error = {unit_offset, unit_text.size(), "unknown unit '" + std::string{unit_text} + "'",
             near.empty() ? "units look like V, mA, Ah, min, degC, %, C, mV/min" : "did you mean '" + near + "'?"};
    return std::nullopt;
  }
  const double value = number * unit->factor;
  if (!std::isfinite(value)) {
    error = {offset, body.size(), "'" + shown + "' is too large", ""};
    return std::nullopt;
  }
  return QuantityValue{value, unit->dimension, unit->c_rate};
}

std::string format_quantity(double value_SI, Dimension dimension, int significant) {
  if (dimension == kNone) return fmt::format("{:.{}g}", value_SI, significant);
  const Display d = display_unit(value_SI, dimension);
  const std::string unit = d.unit.empty() ? base_units(dimension) : std::string{d.unit};
  return fmt::format("{:.{}g} {}", value_SI / d.factor, significant, unit);
}

}  // namespace cyclerd::text
