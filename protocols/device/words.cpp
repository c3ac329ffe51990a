#include "protocols/device/words.hpp"

namespace cyclerd::device {

namespace {

using namespace text::dimension;

constexpr std::array<FieldFacts, kFieldCount> kFields{{
    {"current_A", kCurrent, 1.0},
    {"voltage_V", kVoltage, 1.0},
    {"power_W", kPower, 1.0},
    {"resistance_Ohm", kResistance, 1.0},
    {"voltage_max_V", kVoltage, 1.0},
    {"voltage_min_V", kVoltage, 1.0},
    {"current_max_A", kCurrent, 1.0},
    {"current_min_A", kCurrent, 1.0},
    {"temperature_degC", kTemperature, 1.0},
    {"ramp_K_per_min", kTemperatureRate, 1.0 / 60.0},
    {"protect_voltage_max_V", kVoltage, 1.0},
    {"protect_voltage_min_V", kVoltage, 1.0},
    {"protect_current_max_A", kCurrent, 1.0},
    {"protect_current_min_A", kCurrent, 1.0},
}};

constexpr std::uint32_t kWindow = bit(Field::voltage_max_V) | bit(Field::voltage_min_V);
constexpr std::uint32_t kClamps = bit(Field::current_max_A) | bit(Field::current_min_A);
constexpr std::uint32_t kCurrentFields = bit(Field::current_A) | kWindow;
constexpr std::uint32_t kPowerFields = bit(Field::power_W) | kWindow | kClamps;
constexpr std::uint32_t kProtectFields = bit(Field::protect_voltage_max_V) | bit(Field::protect_voltage_min_V) |
                                         bit(Field::protect_current_max_A) | bit(Field::protect_current_min_A);

constexpr std::array<SequenceFacts, kSequenceCount> kSequences{{
    {"claim", 0, false, false},
    {"connect", 0, true, true},
    {"protect", kProtectFields, false, false},
    {"charge", kCurrentFields, true, false},
    {"discharge", kCurrentFields, true, false},
    {"voltage", bit(Field::voltage_V) | kClamps, false, false},
    {"power_charge", kPowerFields, false, false},
    {"power_discharge", kPowerFields, false, false},
    {"resistance", bit(Field::resistance_Ohm) | kWindow | kClamps, false, false},
    {"rest", 0, true, false},
    {"off", 0, true, true},
    {"make_safe", 0, true, true},
    {"release", 0, false, false},
    {"feed", 0, false, false},
    {"condition", bit(Field::temperature_degC) | bit(Field::ramp_K_per_min), false, true},
    {"close", 0, false, false},
}};

}  // namespace

const FieldFacts& facts(Field field) noexcept {
  return kFields[static_cast<std::size_t>(field)];
}
const SequenceFacts& facts(SequenceId id) noexcept {
  return kSequences[static_cast<std::size_t>(id)];
}
std::string_view to_string(SequenceId id) noexcept {
  return facts(id).name;
}
std::string_view to_string(Field field) noexcept {
  return facts(field).name;
}

std::string_view to_string(Mark mark) noexcept {
  switch (mark) {
    case Mark::own: return "own";
    case Mark::two_sources: return "V2";
    case Mark::one_source: return "V1";
    case Mark::conflict: return "C";
    case Mark::unconfirmed: return "G";
  }
  return "G";
}

std::string_view to_string(Function function) noexcept {
  switch (function) {
    case Function::coil: return "coil";
    case Function::discrete: return "discrete";
    case Function::holding: return "holding";
    case Function::input: return "input";
  }
  return "holding";
}

bool matches_pattern(std::string_view text, std::string_view pattern) noexcept {
  while (!pattern.empty() && pattern.front() != '*') {
    if (text.empty() || text.front() != pattern.front()) return false;
    text.remove_prefix(1);
    pattern.remove_prefix(1);
  }
  if (pattern.empty()) return text.empty();
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (matches_pattern(text.substr(i), pattern.substr(1))) return true;
  }
  return false;
}

std::vector<std::string> sequence_names() {
  std::vector<std::string> names;
  for (const auto& s : kSequences) names.emplace_back(s.name);
  return names;
}

std::vector<std::string> field_names() {
  std::vector<std::string> names;
  for (const auto& f : kFields) names.emplace_back(f.name);
  return names;
}

}  // namespace cyclerd::device
