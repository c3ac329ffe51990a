#include "daemon/record/table.hpp"

#include <array>
#include <cmath>
#include <cstring>

namespace cyclerd::record {
namespace {

#define AT(member) offsetof(TableRow, member)
constexpr std::array kColumns = {
    Column{"Record Index / 1", "rows kept, from 1", "1", ColumnType::i64, false, AT(record_index)},
    Column{"Test Time / s", "monotonic time since the test began", "s", ColumnType::f64, false, AT(test_time_s)},
    Column{"Unix Time / s", "UTC", "s", ColumnType::f64, false, AT(unix_time_s)},
    Column{"Voltage / V", "cell voltage", "V", ColumnType::f64, true, AT(voltage_V)},
    Column{"Current / A", "cell current, charge positive", "A", ColumnType::f64, true, AT(current_A)},
    Column{"Surface Temperature / degC", "cell temperature", "degC", ColumnType::f64, true, AT(temperature_degC)},
    Column{"Ambient Temperature / degC", "chamber air", "degC", ColumnType::f64, true, AT(chamber_degC)},
    Column{"Cycle Count / 1", "cycle, from 1", "1", ColumnType::u32, false, AT(cycle_count)},
    Column{"Step Count / 1", "executed steps, from 1, never repeats", "1", ColumnType::u32, false, AT(step_count)},
    Column{"Step ID", "place of the step in the compiled profile", "", ColumnType::u32, false, AT(step_index)},
    Column{"Step Time / s", "time since the step began", "s", ColumnType::f64, false, AT(step_time_s)},
    Column{"Charging Capacity / Ah", "since the test began", "Ah", ColumnType::f64, false, AT(test.charging_Ah)},
    Column{"Discharging Capacity / Ah", "since the test began", "Ah", ColumnType::f64, false, AT(test.discharging_Ah)},
    Column{"Charging Energy / Wh", "since the test began", "Wh", ColumnType::f64, false, AT(test.charging_Wh)},
    Column{"Discharging Energy / Wh", "since the test began", "Wh", ColumnType::f64, false, AT(test.discharging_Wh)},
    Column{"Step Charging Capacity / Ah", "since the step began", "Ah", ColumnType::f64, false, AT(step.charging_Ah)},
    Column{"Step Discharging Capacity / Ah", "since the step began", "Ah", ColumnType::f64, false,
           AT(step.discharging_Ah)},
    Column{"Step Charging Energy / Wh", "since the step began", "Wh", ColumnType::f64, false, AT(step.charging_Wh)},
    Column{"Step Discharging Energy / Wh", "since the step began", "Wh", ColumnType::f64, false,
           AT(step.discharging_Wh)},
    Column{"Cycle Charging Capacity / Ah", "since the cycle began", "Ah", ColumnType::f64, false,
           AT(cycle.charging_Ah)},
    Column{"Cycle Discharging Capacity / Ah", "since the cycle began", "Ah", ColumnType::f64, false,
           AT(cycle.discharging_Ah)},
    Column{"Cycle Charging Energy / Wh", "since the cycle began", "Wh", ColumnType::f64, false, AT(cycle.charging_Wh)},
    Column{"Cycle Discharging Energy / Wh", "since the cycle began", "Wh", ColumnType::f64, false,
           AT(cycle.discharging_Wh)},
    Column{"Setpoint / 1", "wish sent to the instrument, in A, V, W or ohm as Control says", "", ColumnType::f64, false,
           AT(setpoint)},
    Column{"Control / 1", "0 rest, 1 current, 2 voltage, 3 power, 4 resistance", "", ColumnType::u8, false,
           AT(control)},
    Column{"Regulation / 1",
           "what the instrument says it regulates: 0 unknown, 1 off, 2 current, 3 voltage, 4 power, 5 resistance", "",
           ColumnType::u8, false, AT(regulation)},
    Column{"Flags / 1",
           "sum of 1 stale, 2 limit, 4 pre-trigger, 8 interrupted, 16 repeated, 32 invalid, 64 paused, 128 software CV",
           "", ColumnType::u32, false, AT(flags)},
    Column{"Time Uncertainty / s", "the moment of the row is known to +- this", "s", ColumnType::f64, false,
           AT(uncertainty_s)},
};
#undef AT

TableThroughput to_table(const profiles::Throughput& t) noexcept {
  return {t.charge_C / 3600.0, t.discharge_C / 3600.0, t.charge_J / 3600.0, t.discharge_J / 3600.0};
}

double to_seconds(std::int64_t us) noexcept {
  return static_cast<double>(us) / 1e6;
}

}  // namespace

std::span<const Column> columns() noexcept {
  return kColumns;
}

TableRow to_table(const profiles::Row& row) noexcept {
  TableRow t;
  t.record_index = static_cast<std::int64_t>(row.record_index);
  t.test_time_s = to_seconds(row.test_time_us);
  t.unix_time_s = to_seconds(row.unix_time_us);
  t.step_time_s = to_seconds(row.step_time_us);
  t.uncertainty_s = to_seconds(row.uncertainty_us);
  t.voltage_V = row.voltage_V;
  t.current_A = row.current_A;
  t.temperature_degC = row.temperature_degC;
  t.chamber_degC = row.chamber_degC;
  t.setpoint = row.setpoint;
  t.flags = row.flags;
  t.step_count = row.step_count;
  t.step_index = row.step_index;
  t.cycle_count = row.cycle_count;
  t.control = static_cast<std::uint8_t>(row.control);
  t.regulation = static_cast<std::uint8_t>(row.regulation);
  t.test = to_table(row.test);
  t.step = to_table(row.step);
  t.cycle = to_table(row.cycle);
  return t;
}

bool identical(const TableRow& a, const TableRow& b) noexcept {
  const auto* pa = reinterpret_cast<const std::byte*>(&a);
  const auto* pb = reinterpret_cast<const std::byte*>(&b);
  for (const Column& c : kColumns) {
    if (std::memcmp(pa + c.offset, pb + c.offset, width(c.type)) == 0) continue;
    if (c.type != ColumnType::f64) return false;
    double x = 0;
    double y = 0;
    std::memcpy(&x, pa + c.offset, sizeof x);
    std::memcpy(&y, pb + c.offset, sizeof y);
    if (!(std::isnan(x) && std::isnan(y))) return false;
  }
  return true;
}

}  // namespace cyclerd::record
