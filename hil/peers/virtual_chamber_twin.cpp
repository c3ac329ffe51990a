#include "hil/peers/virtual_chamber_twin.hpp"

#include <limits>

namespace cyclerd::hil {
namespace {

constexpr WordOrder kOrder = WordOrder::low_first;

// input registers
constexpr std::uint16_t kAir = 0, kInForce = 2, kCellTemperature = 4, kState = 6, kAlarms = 7;
constexpr std::uint16_t kMaker = 100, kModel = 116, kSerial = 132, kFirmware = 148, kRatedMin = 200, kRatedMax = 202;
// coils
constexpr std::uint16_t kRun = 0, kAcknowledge = 1;
// holding registers
constexpr std::uint16_t kSetpoint = 0, kRamp = 2;

constexpr unsigned kStateRunning = 1U << 0, kStateRemote = 1U << 1;
constexpr unsigned kAlarmThermostat = 1U << 1, kAlarmSensor = 1U << 2;
constexpr double kRampMax_K_per_min = 60.0;

}  // namespace

VirtualChamberTwin::VirtualChamberTwin(SharedWorld& world, std::size_t chamber, const VirtualChamberOptions& options)
    : world_(world), chamber_(chamber), options_(options) {
  inputs_.add_block(0, 8);
  inputs_.add_block(kMaker, 64);
  inputs_.add_block(kRatedMin, 4);
  inputs_.set_text(kMaker, 16, "cyclerd");
  inputs_.set_text(kModel, 16, "VT-240");
  inputs_.set_text(kSerial, 16, options.serial);
  inputs_.set_text(kFirmware, 16, "1");
  settings_.add_block(0, 4);
  world.now([&](World& w) {
    Chamber& c = w.chamber(chamber);
    inputs_.set_f32(kRatedMin, c.config().setpoint_min_degC, kOrder);
    inputs_.set_f32(kRatedMax, c.config().setpoint_max_degC, kOrder);
    settings_.set_f32(kSetpoint, c.readout().setpoint_degC, kOrder);
  });
}

void VirtualChamberTwin::refresh(World& world) {
  const ChamberReadout c = world.chamber(chamber_).readout();
  inputs_.set_f32(kAir, c.reading_degC, kOrder);
  inputs_.set_f32(kInForce, c.setpoint_in_force_degC, kOrder);
  unsigned alarms = c.thermostat_tripped ? kAlarmThermostat : 0U;
  if (options_.sensor_on) {
    inputs_.set_f32(kCellTemperature, world.plant(*options_.sensor_on).measure().temperature_degC, kOrder);
  } else {
    // No sensor is plugged in: no number, and the chamber says so.
    inputs_.set_f32(kCellTemperature, std::numeric_limits<double>::quiet_NaN(), kOrder);
    alarms |= kAlarmSensor;
  }
  inputs_.set_word(kState, static_cast<std::uint16_t>((c.running ? kStateRunning : 0U) | kStateRemote));
  inputs_.set_word(kAlarms, static_cast<std::uint16_t>(alarms));
}

Answer VirtualChamberTwin::read_bits(Table table, std::uint16_t first, std::span<bool> out) {
  if (table != Table::coil) return Answer::illegal_function;
  if (first + out.size() > kAcknowledge + 1U) return Answer::illegal_address;
  return world_.now([&](World& w) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = first + i == kRun && w.chamber(chamber_).readout().running;
    return Answer::ok;
  });
}

Answer VirtualChamberTwin::read_words(Table table, std::uint16_t first, std::span<std::uint16_t> out) {
  if (table == Table::holding) return world_.now([&](World&) { return settings_.read(first, out); });
  if (table != Table::input) return Answer::illegal_function;
  return world_.now([&](World& w) {
    refresh(w);
    return inputs_.read(first, out);
  });
}

Answer VirtualChamberTwin::follow(Chamber& chamber, const WordImage& settings, bool run) {
  base::ChamberSetpoint s;
  s.run = run ? 1 : 0;
  s.temperature_degC = settings.f32(kSetpoint, kOrder);
  s.ramp_K_per_min = settings.f32(kRamp, kOrder);
  if (!(s.ramp_K_per_min <= kRampMax_K_per_min)) return Answer::illegal_value;
  return chamber.apply(s) ? Answer::ok : Answer::illegal_value;
}

Answer VirtualChamberTwin::write_bits(std::uint16_t first, std::span<const bool> values) {
  if (first + values.size() > kAcknowledge + 1U) return Answer::illegal_address;
  return world_.now([&](World& w) {
    Chamber& chamber = w.chamber(chamber_);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (first + i == kAcknowledge) {
        // Only when its cause is gone; the thermostat itself trips again otherwise.
        if (values[i] && chamber.air_degC() < chamber.config().thermostat_degC) chamber.reset_thermostat();
      } else if (values[i]) {
        const Answer answer = follow(chamber, settings_, true);
        if (answer != Answer::ok) return answer;
      } else {
        chamber.stop();
      }
    }
    return Answer::ok;
  });
}

Answer VirtualChamberTwin::write_words(std::uint16_t first, std::span<const std::uint16_t> values) {
  return world_.now([&](World& w) {
    if (!settings_.has(first, values.size())) return Answer::illegal_address;
    WordImage next = settings_;
    for (std::size_t i = 0; i < values.size(); ++i) next.set_word(static_cast<std::uint16_t>(first + i), values[i]);
    Chamber& chamber = w.chamber(chamber_);
    const Answer answer = follow(chamber, next, chamber.readout().running);
    if (answer == Answer::ok) settings_ = next;
    return answer;
  });
}

}  // namespace cyclerd::hil
