#include "hil/peers/watlow_f4_twin.hpp"

#include <algorithm>
#include <cmath>

namespace cyclerd::hil {
namespace {

constexpr std::uint16_t kSave = 25, kAir = 100, kHeat = 103, kCool = 107, kMode = 200, kInputs = 201, kInputStep = 12,
                        kSetpoint = 300, kLow = 602, kHigh = 603, kDecimals = 606, kUnits = 901, kOutputs = 2000,
                        kOutputStep = 10;
constexpr std::uint16_t kDigitalInputs = 4;

}  // namespace

WatlowF4Twin::WatlowF4Twin(SharedWorld& world, std::size_t chamber, const WatlowF4Options& options)
    : HoldingTwin(world, chamber, options.fahrenheit),
      options_(options),
      steps_per_unit_(std::pow(10.0, options.decimals)) {
  for (const std::uint16_t address : {kSave, kAir, kHeat, kCool, kSetpoint, kLow, kHigh, kDecimals, kUnits})
    image_.add_block(address, 1);
  image_.add_block(kMode, 2);  // and the first digital input
  for (std::uint16_t n = 1; n < kDigitalInputs; ++n)
    image_.add_block(static_cast<std::uint16_t>(kInputs + n * kInputStep), 1);
  for (std::uint16_t n = 0; n < outputs_.size(); ++n)
    image_.add_block(static_cast<std::uint16_t>(kOutputs + n * kOutputStep), 1);
}

void WatlowF4Twin::refresh(World& world) {
  const ChamberReadout c = face_.look(world);
  const ChamberConfig& limits = face_.chamber(world).config();
  auto steps = [&](double degC) { return to_i16(steps_per_unit_ * face_.shown(degC)); };
  image_.set_word(kAir, steps(c.reading_degC));
  image_.set_word(kSetpoint, steps(c.setpoint_degC));
  image_.set_word(kLow, steps(limits.setpoint_min_degC));
  image_.set_word(kHigh, steps(limits.setpoint_max_degC));
  image_.set_word(kHeat, to_i16(1e4 * std::max(c.power_W, 0.0) / limits.heating_W));
  image_.set_word(kCool, to_i16(1e4 * std::max(-c.power_W, 0.0) / limits.cooling_max_W));
  image_.set_word(kDecimals, static_cast<std::uint16_t>(options_.decimals));
  image_.set_word(kUnits, face_.shown(0.0) == 0.0 ? 1 : 0);
  image_.set_word(kMode, 0);
  outputs_[options_.run_output - 1] = c.running != options_.run_at_0 ? 1 : 0;
  for (std::uint16_t n = 0; n < outputs_.size(); ++n)
    image_.set_word(static_cast<std::uint16_t>(kOutputs + n * kOutputStep), outputs_[n]);
  for (std::uint16_t n = 0; n < kDigitalInputs; ++n) {
    const bool limit = n + 1U == options_.limit_input;
    const auto idle = static_cast<std::uint16_t>(limit ? options_.limit_tripped ^ 1U : 0U);
    image_.set_word(static_cast<std::uint16_t>(kInputs + n * kInputStep),
                    limit && c.thermostat_tripped ? options_.limit_tripped : idle);
  }
}

Answer WatlowF4Twin::write_one(World& world, std::uint16_t address, std::uint16_t value) {
  if (!image_.has(address, 1)) return Answer::illegal_address;
  if (address == kSetpoint) {
    return face_.set_target(world, from_i16(value) / steps_per_unit_) ? Answer::ok : Answer::illegal_value;
  }
  if (address >= kOutputs) {
    if (value > 1) return Answer::illegal_value;
    const auto n = static_cast<unsigned>((address - kOutputs) / kOutputStep);
    outputs_[n] = value;
    if (n + 1 == options_.run_output) face_.run(world, (value != 0) != options_.run_at_0);
    return Answer::ok;
  }
  return address == kSave && value == 0 ? Answer::ok : Answer::illegal_address;
}

Answer WatlowF4Twin::write(World& world, std::uint16_t first, std::span<const std::uint16_t> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Answer answer = write_one(world, static_cast<std::uint16_t>(first + i), values[i]);
    if (answer != Answer::ok) return answer;
  }
  return Answer::ok;
}

}  // namespace cyclerd::hil
