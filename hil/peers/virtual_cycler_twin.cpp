#include "hil/peers/virtual_cycler_twin.hpp"

#include <algorithm>
#include <cmath>

namespace cyclerd::hil {
namespace {

constexpr WordOrder kOrder = WordOrder::high_first;

// input registers
constexpr std::uint16_t kVoltage = 0, kCurrent = 2, kPower = 4, kTemperature = 6, kState = 8, kSampleCount = 9;
constexpr std::uint16_t kMaker = 200, kModel = 216, kSerial = 232, kFirmware = 248, kRatings = 300;
// coils
constexpr std::uint16_t kRemote = 0, kOutput = 1, kAcknowledge = 2, kPowerUp = 3;
// holding registers
constexpr std::uint16_t kMode = 100, kSetCurrent = 102, kSetVoltage = 104, kSetPower = 106, kSetResistance = 108,
                        kVoltageMax = 110, kVoltageMin = 112, kCurrentMax = 114, kCurrentMin = 116, kProtectVMax = 130,
                        kProtectVMin = 132, kProtectAMax = 134, kProtectAMin = 136, kWatchdog = 150, kFeed = 151;
constexpr std::uint16_t kModeCurrent = 1, kModeVoltage = 2, kModePower = 3, kModeResistance = 4;
constexpr double kResistanceMax_Ohm = 1e6;
// A float32 of a rating may come out a little above the rating itself.
constexpr double kRounding = 1e-6;

unsigned regulation_code(base::Regulation regulation) {
  switch (regulation) {
    case base::Regulation::current: return kModeCurrent;
    case base::Regulation::voltage: return kModeVoltage;
    case base::Regulation::power: return kModePower;
    case base::Regulation::resistance: return kModeResistance;
    default: return 0;
  }
}

bool inside(double x, double min, double max) {
  const double room = kRounding * std::max(std::abs(min), std::abs(max));
  return x >= min - room && x <= max + room;  // false for NaN
}

}  // namespace

VirtualCyclerTwin::VirtualCyclerTwin(SharedWorld& world, std::size_t plant, const VirtualCyclerOptions& options)
    : world_(world), plant_(plant) {
  const PlantConfig config = world.now([&](World& w) { return w.plant(plant).config(); });
  const StageConfig& stage = config.stage;
  inputs_.add_block(0, 10);
  inputs_.add_block(kMaker, 64);
  inputs_.add_block(kRatings, 16);
  inputs_.set_text(kMaker, 16, "cyclerd");
  inputs_.set_text(kModel, 16, "VC-1");
  inputs_.set_text(kSerial, 16, options.serial);
  inputs_.set_text(kFirmware, 16, "1");
  const double ratings[] = {stage.voltage_max_V,  0.0,
                            stage.current_max_A,  stage.current_min_A,
                            stage.power_max_W,    stage.power_min_W,
                            stage.voltage_step_V, stage.current_step_A};
  std::uint16_t address = kRatings;
  for (double rating : ratings) {
    inputs_.set_f32(address, rating, kOrder);
    address = static_cast<std::uint16_t>(address + 2);
  }
  settings_.add_block(kMode, 18);
  settings_.add_block(kProtectVMax, 8);
  settings_.add_block(kWatchdog, 2);
  settings_.set_word(kMode, kModeCurrent);
  settings_.set_f32(kSetResistance, kResistanceMax_Ohm, kOrder);
  settings_.set_f32(kVoltageMax, stage.voltage_max_V, kOrder);
  settings_.set_f32(kCurrentMax, stage.current_max_A, kOrder);
  settings_.set_f32(kCurrentMin, stage.current_min_A, kOrder);
  settings_.set_f32(kProtectVMax, stage.voltage_max_V, kOrder);
  settings_.set_f32(kProtectAMax, stage.current_max_A, kOrder);
  settings_.set_f32(kProtectAMin, stage.current_min_A, kOrder);
}

void VirtualCyclerTwin::refresh(Plant& plant) {
  const Measurement m = plant.measure();
  inputs_.set_f32(kVoltage, m.voltage_V, kOrder);
  inputs_.set_f32(kCurrent, m.current_A, kOrder);
  inputs_.set_f32(kPower, m.power_W, kOrder);
  inputs_.set_f32(kTemperature, m.temperature_degC, kOrder);
  unsigned state = 0;
  if (m.output_on) state |= 1U | (regulation_code(m.regulation) << 4U);
  if (remote_) state |= 1U << 1U;
  if (m.alarms != 0) state |= 1U << 2U;
  if ((m.alarms & alarm::kWatchdog) != 0) state |= 1U << 3U;
  if ((m.alarms & alarm::kOverVoltage) != 0) state |= 1U << 7U;
  if ((m.alarms & alarm::kUnderVoltage) != 0) state |= 1U << 8U;
  if ((m.alarms & alarm::kOverCurrent) != 0) state |= 1U << 9U;
  inputs_.set_word(kState, static_cast<std::uint16_t>(state));
  // A new measurement each millisecond, as the plant's own beat.
  inputs_.set_word(kSampleCount, static_cast<std::uint16_t>(static_cast<std::uint64_t>(m.time.us / 1000) & 0xFFFFU));
}

Answer VirtualCyclerTwin::read_bits(Table table, std::uint16_t first, std::span<bool> out) {
  if (table != Table::coil) return Answer::illegal_function;
  return world_.now([&](World& w) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      switch (first + i) {
        case kRemote: out[i] = remote_; break;
        case kOutput: out[i] = w.plant(plant_).request().output_on; break;
        case kAcknowledge: out[i] = false; break;
        case kPowerUp: out[i] = output_after_power_up_; break;
        default: return Answer::illegal_address;
      }
    }
    return Answer::ok;
  });
}

Answer VirtualCyclerTwin::read_words(Table table, std::uint16_t first, std::span<std::uint16_t> out) {
  if (table == Table::holding) return world_.now([&](World&) { return settings_.read(first, out); });
  if (table != Table::input) return Answer::illegal_function;
  return world_.now([&](World& w) {
    refresh(w.plant(plant_));
    return inputs_.read(first, out);
  });
}

Answer VirtualCyclerTwin::write_coil(Plant& plant, std::uint16_t address, bool on) {
  switch (address) {
    case kRemote:
      remote_ = on;
      if (!on) plant.open_output();
      return Answer::ok;
    case kOutput:
      if (!on) {
        plant.open_output();
        return Answer::ok;
      }
      if (!remote_ || plant.measure().alarms != 0) return Answer::device_failure;
      return plant.apply(setpoint_of(settings_)) == Refusal::none ? Answer::ok : Answer::illegal_value;
    case kAcknowledge:
      if (on) plant.acknowledge();
      return Answer::ok;
    case kPowerUp: output_after_power_up_ = on; return Answer::ok;
    default: return Answer::illegal_address;
  }
}

Answer VirtualCyclerTwin::write_bits(std::uint16_t first, std::span<const bool> values) {
  if (first + values.size() > kPowerUp + 1U) return Answer::illegal_address;
  return world_.now([&](World& w) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const Answer answer = write_coil(w.plant(plant_), static_cast<std::uint16_t>(first + i), values[i]);
      if (answer != Answer::ok) return answer;
    }
    return Answer::ok;
  });
}

Answer VirtualCyclerTwin::check_settings(const WordImage& next, const StageConfig& stage) const {
  const std::uint16_t mode = next.word(kMode);
  if (mode < kModeCurrent || mode > kModeResistance) return Answer::illegal_value;
  struct Range {
    std::uint16_t address;
    double min, max;
  };
  const Range ranges[] = {{kSetCurrent, stage.current_min_A, stage.current_max_A},
                          {kSetVoltage, 0.0, stage.voltage_max_V},
                          {kSetPower, stage.power_min_W, stage.power_max_W},
                          {kSetResistance, 1e-3, kResistanceMax_Ohm},
                          {kVoltageMax, 0.0, stage.voltage_max_V},
                          {kVoltageMin, 0.0, stage.voltage_max_V},
                          {kCurrentMax, 0.0, stage.current_max_A},
                          {kCurrentMin, stage.current_min_A, 0.0},
                          {kProtectVMax, 0.0, stage.voltage_max_V},
                          {kProtectVMin, 0.0, stage.voltage_max_V},
                          {kProtectAMax, 0.0, stage.current_max_A},
                          {kProtectAMin, stage.current_min_A, 0.0}};
  for (const Range& range : ranges) {
    if (!inside(next.f32(range.address, kOrder), range.min, range.max)) return Answer::illegal_value;
  }
  return Answer::ok;
}

base::Setpoint VirtualCyclerTwin::setpoint_of(const WordImage& settings) {
  base::Setpoint s;
  switch (settings.word(kMode)) {
    case kModeVoltage: s.control = base::Control::voltage; break;
    case kModePower: s.control = base::Control::power; break;
    case kModeResistance: s.control = base::Control::resistance; break;
    default: s.control = base::Control::current;
  }
  s.current_A = settings.f32(kSetCurrent, kOrder);
  s.voltage_V = settings.f32(kSetVoltage, kOrder);
  s.power_W = settings.f32(kSetPower, kOrder);
  s.resistance_Ohm = settings.f32(kSetResistance, kOrder);
  s.voltage_max_V = settings.f32(kVoltageMax, kOrder);
  s.voltage_min_V = settings.f32(kVoltageMin, kOrder);
  s.current_max_A = settings.f32(kCurrentMax, kOrder);
  s.current_min_A = settings.f32(kCurrentMin, kOrder);
  return s;
}

Answer VirtualCyclerTwin::write_words(std::uint16_t first, std::span<const std::uint16_t> values) {
  return world_.now([&](World& w) {
    Plant& plant = w.plant(plant_);
    if (!settings_.has(first, values.size())) return Answer::illegal_address;
    // Feeding is never refused: a watchdog that can be starved by a lost remote flag would be worse than none.
    const bool only_feed = first == kFeed && values.size() == 1;
    if (!remote_ && !only_feed) return Answer::device_failure;
    WordImage next = settings_;
    for (std::size_t i = 0; i < values.size(); ++i) next.set_word(static_cast<std::uint16_t>(first + i), values[i]);
    const Answer answer = check_settings(next, plant.config().stage);
    if (answer != Answer::ok) return answer;
    if (first < kProtectVMax && plant.request().output_on && plant.apply(setpoint_of(next)) != Refusal::none)
      return Answer::illegal_value;
    settings_ = next;
    const std::size_t end = first + values.size();
    if (first >= kProtectVMax && first < kWatchdog) {
      plant.set_protection({next.f32(kProtectVMax, kOrder), next.f32(kProtectVMin, kOrder),
                            next.f32(kProtectAMax, kOrder), next.f32(kProtectAMin, kOrder)});
    }
    if (first == kWatchdog) plant.set_watchdog(base::milliseconds(next.word(kWatchdog)));
    if (end == kFeed + 1U) plant.feed_watchdog();
    return Answer::ok;
  });
}

}  // namespace cyclerd::hil
