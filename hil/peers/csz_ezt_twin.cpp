#include "hil/peers/csz_ezt_twin.hpp"

#include <algorithm>

namespace cyclerd::hil {
namespace {

constexpr std::uint16_t kEvents = 22, kCustomerEvents = 23, kSilence = 54, kSensors = 55, kInputAlarms = 56,
                        kChamberAlarms = 57, kRefrigerationAlarms = 58;
constexpr std::uint16_t kSetpoint = 60, kAir = 61, kOutput = 62, kUpperLimit = 64, kLowerLimit = 65;
constexpr std::uint16_t kLoops = 5, kLoopStep = 12;
constexpr unsigned kChamberOn = 1U << 0;
// Which bit of the alarm words stands for what is not in the sources: the twin takes the first of each.
constexpr std::uint16_t kFirstAlarm = 1;
constexpr std::uint16_t kNonsense = 0x7FFF;  // what stands where no register is

}  // namespace

CszEztTwin::CszEztTwin(SharedWorld& world, std::size_t chamber, const CszEztOptions& options)
    : HoldingTwin(world, chamber, options.fahrenheit), options_(options) {
  image_.add_block(kEvents, 2);
  image_.add_block(kSilence, 5);
  // Loop 1 is the temperature; the others are not fitted and read zero.
  for (std::uint16_t loop = 0; loop < kLoops; ++loop) {
    image_.add_block(static_cast<std::uint16_t>(kSetpoint + loop * kLoopStep), 3);
    image_.add_block(static_cast<std::uint16_t>(kUpperLimit + loop * kLoopStep), 2);
  }
}

bool CszEztTwin::ready(World& world) {
  const base::MonoTime now = world.now();
  const bool soon = asked_ && now - last_ < std::max(options_.pause, options_.exchange);
  asked_ = true;
  last_ = now;
  return !soon;
}

void CszEztTwin::refresh(World& world) {
  const ChamberReadout c = face_.look(world);
  const ChamberConfig& limits = face_.chamber(world).config();
  image_.set_word(kEvents, static_cast<std::uint16_t>((c.running ? kChamberOn : 0U) | other_events_));
  image_.set_word(kCustomerEvents, customer_events_);
  image_.set_word(kChamberAlarms, c.thermostat_tripped ? kFirstAlarm : 0);
  image_.set_word(kRefrigerationAlarms, c.compressor_tripped ? kFirstAlarm : 0);
  image_.set_word(kInputAlarms, 0);
  image_.set_word(kSensors, 0);
  image_.set_word(kSetpoint, to_i16(10.0 * face_.shown(c.setpoint_degC)));
  image_.set_word(kAir, to_i16(10.0 * face_.shown(c.reading_degC)));
  image_.set_word(kOutput, to_i16(100.0 * std::clamp(100.0 * c.power_W / limits.heating_W, -100.0, 100.0)));
  image_.set_word(kUpperLimit, to_i16(10.0 * face_.shown(limits.setpoint_max_degC)));
  image_.set_word(kLowerLimit, to_i16(10.0 * face_.shown(limits.setpoint_min_degC)));
}

Answer CszEztTwin::read_words(Table table, std::uint16_t first, std::span<std::uint16_t> out) {
  if (table != Table::holding) return Answer::silence;
  return world_.now([&](World& w) {
    if (!ready(w)) return Answer::silence;
    refresh(w);
    return read(w, first, out);
  });
}

Answer CszEztTwin::write_words(std::uint16_t first, std::span<const std::uint16_t> values) {
  return world_.now([&](World& w) { return ready(w) ? write(w, first, values) : Answer::silence; });
}

// A question for what is not there is not answered; inside a block stands nonsense.
Answer CszEztTwin::read(World&, std::uint16_t first, std::span<std::uint16_t> out) {
  if (!image_.has(first, 1)) return Answer::silence;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto address = static_cast<std::uint16_t>(first + i);
    out[i] = image_.has(address, 1) ? image_.word(address) : kNonsense;
  }
  return Answer::ok;
}

Answer CszEztTwin::write(World& world, std::uint16_t first, std::span<const std::uint16_t> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto address = static_cast<std::uint16_t>(first + i);
    if (!image_.has(address, 1)) return Answer::silence;
    if (address == kEvents) {
      face_.run(world, (values[i] & kChamberOn) != 0);
      other_events_ = static_cast<std::uint16_t>(values[i] & ~kChamberOn);
    } else if (address == kCustomerEvents) {
      customer_events_ = values[i];
    } else if (address == kSetpoint) {
      // Beyond the limits it stays where it was; the reply says nothing of that.
      (void)face_.set_target(world, 0.1 * from_i16(values[i]));
    }
  }
  return Answer::ok;
}

}  // namespace cyclerd::hil
