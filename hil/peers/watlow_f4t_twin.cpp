#include "hil/peers/watlow_f4t_twin.hpp"

#include <algorithm>

namespace cyclerd::hil {
namespace {

constexpr std::uint16_t kModeWritten = 2730, kLow = 2774, kHigh = 2776, kSetpoint = 2782, kPower = 2808,
                        kInForce = 2810, kMode = 2814, kAir = 2820, kLoopStep = 160;
constexpr std::uint16_t kAlarms = 1356, kAlarmStep = 100, kAlarmCount = 6;
constexpr std::uint16_t kLimitStatus = 11264, kLimitStep = 60;
constexpr std::uint16_t kEvents = 16594, kEventStep = 2, kProfileState = 16568;
// Words of Watlow's list.
constexpr std::uint16_t kAuto = 10, kManual = 54, kOff = 62, kOn = 63, kNone = 61, kFail = 32, kNotStarted = 251;
constexpr std::uint16_t kSafe = 1667, kCompressorAlarm = 65;

}  // namespace

WatlowF4tTwin::WatlowF4tTwin(SharedWorld& world, std::size_t chamber, const WatlowF4tOptions& options)
    : HoldingTwin(world, chamber, options.fahrenheit), options_(options), mode_(kOff) {
  events_.fill(kOff);
  for (const std::uint16_t address : {kLow, kHigh, kSetpoint, kPower, kInForce, kAir})
    image_.add_block(at_loop(address), 2);
  for (const std::uint16_t address : {kModeWritten, kMode}) image_.add_block(at_loop(address), 1);
  for (std::uint16_t i = 0; i < kAlarmCount; ++i)
    image_.add_block(static_cast<std::uint16_t>(kAlarms + i * kAlarmStep), 1);
  image_.add_block(static_cast<std::uint16_t>(kLimitStatus + (options.limit_slot - 1) * kLimitStep), 1);
  for (std::uint16_t i = 0; i < events_.size(); ++i)
    image_.add_block(static_cast<std::uint16_t>(kEvents + i * kEventStep), 1);
  image_.add_block(kProfileState, 1);
}

std::uint16_t WatlowF4tTwin::at_loop(std::uint16_t address) const noexcept {
  return static_cast<std::uint16_t>(address + (options_.loop - 1) * kLoopStep);
}

void WatlowF4tTwin::refresh(World& world) {
  const ChamberReadout c = face_.look(world);
  const ChamberConfig& limits = face_.chamber(world).config();
  auto put = [&](std::uint16_t address, double value) { image_.set_f32(at_loop(address), value, options_.order); };
  // A controller that came back running by itself has its loop in automatic and its run event on.
  if (c.running) {
    mode_ = mode_ == kOff ? kAuto : mode_;
    events_[options_.run_output - 1] = kOn;
  }
  put(kAir, face_.shown(c.reading_degC));
  put(kSetpoint, face_.shown(c.setpoint_degC));
  put(kInForce, face_.shown(c.setpoint_in_force_degC));
  put(kLow, face_.shown(limits.setpoint_min_degC));
  put(kHigh, face_.shown(limits.setpoint_max_degC));
  put(kPower, std::clamp(100.0 * c.power_W / limits.heating_W, -100.0, 100.0));
  image_.set_word(at_loop(kModeWritten), mode_);
  image_.set_word(at_loop(kMode), c.running ? mode_ : kOff);
  for (std::uint16_t i = 0; i < kAlarmCount; ++i) {
    const bool compressor = i == 0 && c.compressor_tripped;
    image_.set_word(static_cast<std::uint16_t>(kAlarms + i * kAlarmStep), compressor ? kCompressorAlarm : kNone);
  }
  image_.set_word(static_cast<std::uint16_t>(kLimitStatus + (options_.limit_slot - 1) * kLimitStep),
                  c.thermostat_tripped ? kFail : kSafe);
  for (std::uint16_t i = 0; i < events_.size(); ++i)
    image_.set_word(static_cast<std::uint16_t>(kEvents + i * kEventStep), events_[i]);
  image_.set_word(kProfileState, kNotStarted);
}

// Conditions only with the loop in automatic and the run event on.
void WatlowF4tTwin::follow(World& world) {
  face_.run(world, mode_ == kAuto && events_[options_.run_output - 1] == kOn);
}

Answer WatlowF4tTwin::write(World& world, std::uint16_t first, std::span<const std::uint16_t> values) {
  if (first == at_loop(kSetpoint)) {
    if (values.size() != 2) return Answer::illegal_value;
    WordImage number;
    number.add_block(0, 2);
    number.set_word(0, values[0]);
    number.set_word(1, values[1]);
    return face_.set_target(world, number.f32(0, options_.order)) ? Answer::ok : Answer::illegal_value;
  }
  if (values.size() != 1) return Answer::illegal_value;
  if (first == at_loop(kModeWritten)) {
    if (values[0] != kAuto && values[0] != kManual && values[0] != kOff) return Answer::illegal_value;
    mode_ = values[0];
    follow(world);
    return Answer::ok;
  }
  for (std::uint16_t i = 0; i < events_.size(); ++i) {
    if (first != kEvents + i * kEventStep) continue;
    if (values[0] != kOn && values[0] != kOff) return Answer::illegal_value;
    events_[i] = values[0];
    follow(world);
    return Answer::ok;
  }
  return Answer::illegal_address;
}

}  // namespace cyclerd::hil
