// The names that expressions know, with their types. README.md has a row for each; a test compares.
#include "profiles/cell_spec.hpp"
#include "profiles/expression.hpp"

namespace cyclerd::profiles {

const std::vector<ResultName>& result_names() {
  static const std::vector<ResultName> names = {
      {"capacity", ResultOf::capacity, type::kCapacity, true},
      {"charge_capacity", ResultOf::charge_capacity, type::kCapacity, true},
      {"discharge_capacity", ResultOf::discharge_capacity, type::kCapacity, true},
      {"energy", ResultOf::energy, type::kEnergy, true},
      {"charge_energy", ResultOf::charge_energy, type::kEnergy, true},
      {"discharge_energy", ResultOf::discharge_energy, type::kEnergy, true},
      {"duration", ResultOf::duration, type::kTime, true},
      {"cv_duration", ResultOf::cv_duration, type::kTime, false},
      {"start_voltage", ResultOf::start_voltage, type::kVoltage, false},
      {"end_voltage", ResultOf::end_voltage, type::kVoltage, false},
      {"end_current", ResultOf::end_current, type::kCurrent, false},
      {"min_temperature", ResultOf::min_temperature, type::kTemperature, false},
      {"max_temperature", ResultOf::max_temperature, type::kTemperature, false},
      {"mean_temperature", ResultOf::mean_temperature, type::kTemperature, false},
      {"resistance", ResultOf::resistance, type::kResistance, false},
  };
  return names;
}

const std::vector<RatingName>& rating_names() {
  static const std::vector<RatingName> names = {
      {"voltage_max", type::kVoltage, &CellSpec::voltage_max_V},
      {"voltage_min", type::kVoltage, &CellSpec::voltage_min_V},
      {"charge_current_max", type::kCurrent, &CellSpec::charge_current_max_A},
      {"discharge_current_max", type::kCurrent, &CellSpec::discharge_current_max_A},
      {"charge_temperature_min", type::kTemperature, &CellSpec::charge_temperature_min_degC},
      {"charge_temperature_max", type::kTemperature, &CellSpec::charge_temperature_max_degC},
      {"discharge_temperature_min", type::kTemperature, &CellSpec::discharge_temperature_min_degC},
      {"discharge_temperature_max", type::kTemperature, &CellSpec::discharge_temperature_max_degC},
  };
  return names;
}

const std::vector<LiveName>& live_names() {
  static const std::vector<LiveName> names = {
      {"voltage", Live::voltage, type::kVoltage},
      {"current", Live::current, type::kCurrent},
      {"power", Live::power, type::kPower},
      {"temperature", Live::temperature, type::kTemperature},
      {"chamber_temperature", Live::chamber_temperature, type::kTemperature},
      {"time", Live::time, type::kTime},
      {"test_time", Live::test_time, type::kTime},
      {"cycle", Live::cycle, type::kNumber},
      {"step_capacity", Live::step_capacity, type::kCapacity},
      {"step_energy", Live::step_energy, type::kEnergy},
      {"charge_capacity", Live::charge_capacity, type::kCapacity},
      {"discharge_capacity", Live::discharge_capacity, type::kCapacity},
      {"charge_energy", Live::charge_energy, type::kEnergy},
      {"discharge_energy", Live::discharge_energy, type::kEnergy},
      {"soc", Live::soc, type::kNumber},
      {"nominal_capacity", Live::nominal_capacity, type::kCapacity},
      {"measured_capacity", Live::measured_capacity, type::kCapacity},
  };
  return names;
}

}  // namespace cyclerd::profiles
