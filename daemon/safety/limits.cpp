#include "daemon/safety/limits.hpp"

#include <algorithm>
#include <cmath>

namespace cyclerd::safety {

namespace {

using enum Cause;
using Q = Quantity;
using S = Side;

// In the order of the enum; a test compares.
constexpr std::array<CauseInfo, kCauseCount> kCauses{{
    {none, Q::none, S::none, "none", "", "no cause"},
    {voltage_high, Q::voltage, S::upper, "voltage_high", "V", "the cell voltage is above its limit"},
    {voltage_low, Q::voltage, S::lower, "voltage_low", "V", "the cell voltage is below its limit"},
    {charge_current_high, Q::current, S::upper, "charge_current_high", "A", "the charge current is above its limit"},
    {discharge_current_high, Q::current, S::lower, "discharge_current_high", "A",
     "the discharge current (negative) is beyond its limit"},
    {power_high, Q::power, S::upper, "power_high", "W", "the charge power is above its limit"},
    {power_low, Q::power, S::lower, "power_low", "W", "the discharge power (negative) is beyond its limit"},
    {temperature_high, Q::temperature, S::upper, "temperature_high", "degC", "the cell is hotter than its limit"},
    {temperature_low, Q::temperature, S::lower, "temperature_low", "degC", "the cell is colder than its limit"},
    {chamber_high, Q::chamber, S::upper, "chamber_high", "degC", "the chamber air is hotter than its limit"},
    {chamber_low, Q::chamber, S::lower, "chamber_low", "degC", "the chamber air is colder than its limit"},
    {capacity_high, Q::capacity, S::upper, "capacity_high", "A s", "the step moved more charge than its limit"},
    {stale_cycler, Q::age, S::none, "stale_cycler", "s", "no believable voltage and current for too long"},
    {stale_chamber, Q::age, S::none, "stale_chamber", "s", "no believable chamber temperature for too long"},
    {stale_temperature, Q::age, S::none, "stale_temperature", "s", "no believable cell temperature for too long"},
    {current_sign, Q::current, S::none, "current_sign", "A", "the current flows against the command"},
    {current_deviation, Q::current, S::none, "current_deviation", "A", "the current is not the commanded one"},
    {frozen_value, Q::count, S::none, "frozen_value", "readings",
     "the instrument repeats the same values to the last bit"},
    {device_alarm, Q::none, S::none, "device_alarm", "", "the instrument reports an alarm"},
    {foreign_control, Q::none, S::none, "foreign_control", "", "somebody else controls the instrument (front panel?)"},
    {output_mismatch, Q::none, S::none, "output_mismatch", "", "the output is not in the commanded state"},
    {device_lost, Q::none, S::none, "device_lost", "", "the instrument does not answer"},
    {command_failed, Q::none, S::none, "command_failed", "", "a set-point could not be written and read back"},
    {operator_stop, Q::none, S::none, "operator_stop", "", "emergency stop by a person"},
    {supervisor, Q::none, S::none, "supervisor", "", "a part of the daemon is late"},
    {self_check, Q::none, S::none, "self_check", "", "the self-check has not passed since the start"},
}};

// Is bound `a` at least as tight as `b`?
constexpr bool as_tight(Side side, double a, double b) noexcept {
  return !beyond(side, a, b);
}

// A limit on both directions when only the maximum is given.
profiles::SafetyBound both_directions(profiles::SafetyBound b) noexcept {
  if (std::isnan(b.min) && !std::isnan(b.max)) b.min = -std::abs(b.max);
  return b;
}

void merge_bound(LimitTable& table, Cause high, Cause low, const profiles::SafetyBound& b) noexcept {
  table.tighten(high, b.max, b.dwell);
  table.tighten(low, b.min, b.dwell);
}

}  // namespace

std::span<const CauseInfo> causes() noexcept RT_NONBLOCKING {
  return kCauses;
}

const CauseInfo& describe(Cause cause) noexcept RT_NONBLOCKING {
  const auto n = static_cast<std::uint32_t>(cause);
  return kCauses[n < kCauseCount ? n : 0];
}

std::string_view to_string(Cause cause) noexcept RT_NONBLOCKING {
  return describe(cause).name;
}

void LimitTable::tighten(Cause cause, double bound, base::Duration dwell) noexcept RT_NONBLOCKING {
  const Side side = describe(cause).side;
  if (side == Side::none || std::isnan(bound)) return;
  Limit wanted{cause, bound, dwell};
  std::uint32_t rows = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (limits[i].cause != cause) continue;
    if (as_tight(side, limits[i].bound, bound) && limits[i].dwell <= dwell) return;
    ++rows;
  }
  // Only when more layers are merged than there are: one row, the strictest in both respects.
  const bool collapse = rows >= kRowsPerCause;
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const Limit row = limits[i];
    if (row.cause == cause) {
      if (collapse) {
        if (as_tight(side, row.bound, wanted.bound)) wanted.bound = row.bound;
        wanted.dwell = std::min(wanted.dwell, row.dwell);
        continue;
      }
      if (as_tight(side, bound, row.bound) && dwell <= row.dwell) continue;
    }
    limits[kept++] = row;
  }
  limits[kept++] = wanted;
  count = kept;
}

double LimitTable::bound(Cause cause) const noexcept RT_NONBLOCKING {
  const Side side = describe(cause).side;
  double tightest = base::kAbsent;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (limits[i].cause != cause) continue;
    if (std::isnan(tightest) || as_tight(side, limits[i].bound, tightest)) tightest = limits[i].bound;
  }
  return tightest;
}

void merge(LimitTable& table, const profiles::SafetyLimits& layer) noexcept {
  merge_bound(table, voltage_high, voltage_low, layer.voltage);
  merge_bound(table, charge_current_high, discharge_current_high, both_directions(layer.current));
  merge_bound(table, power_high, power_low, both_directions(layer.power));
  merge_bound(table, temperature_high, temperature_low, layer.temperature);
  merge_bound(table, chamber_high, chamber_low, layer.chamber);
  table.tighten(capacity_high, layer.capacity.max, layer.capacity.dwell);
  table.sensor_loss = std::min(table.sensor_loss, layer.sensor_loss);
}

}  // namespace cyclerd::safety
