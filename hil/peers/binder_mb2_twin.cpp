#include "hil/peers/binder_mb2_twin.hpp"

namespace cyclerd::hil {
namespace {

constexpr WordOrder kOrder = WordOrder::low_first;
constexpr std::uint16_t kInForce = 0x10B2, kHumidityInForce = 0x10B4, kAir = 0x10D2, kHumidity = 0x10D6,
                        kAirToo = 0x1004, kHumidityToo = 0x100A, kOperationRead = 0x1292;
constexpr std::uint16_t kSetpoint = 0x114C, kHumiditySetpoint = 0x114E, kFan = 0x1150, kOperation = 0x1158;
constexpr unsigned kIdle = 1U << 1;

}  // namespace

BinderMb2Twin::BinderMb2Twin(SharedWorld& world, std::size_t chamber) : HoldingTwin(world, chamber, false) {
  // What is written cannot be read in its own place.
  for (const std::uint16_t address : {kInForce, kHumidityInForce, kAir, kHumidity, kAirToo, kHumidityToo})
    image_.add_block(address, 2);
  image_.add_block(kOperationRead, 1);
}

void BinderMb2Twin::refresh(World& world) {
  const ChamberReadout c = face_.look(world);
  image_.set_f32(kAir, c.reading_degC, kOrder);
  image_.set_f32(kAirToo, c.reading_degC, kOrder);
  image_.set_f32(kInForce, c.setpoint_degC, kOrder);
  image_.set_word(kOperationRead, static_cast<std::uint16_t>((c.running ? 0U : kIdle) | other_bits_));
}

Answer BinderMb2Twin::write(World& world, std::uint16_t first, std::span<const std::uint16_t> values) {
  if (first == kOperation && values.size() == 1) {
    face_.run(world, (values[0] & kIdle) == 0);
    other_bits_ = static_cast<std::uint16_t>(values[0] & ~kIdle);
    return Answer::ok;
  }
  if (values.size() != 2) return Answer::illegal_value;
  if (first == kHumiditySetpoint || first == kFan) return Answer::ok;
  if (first != kSetpoint) return Answer::illegal_address;
  WordImage number;
  number.add_block(0, 2);
  number.set_word(0, values[0]);
  number.set_word(1, values[1]);
  return face_.set_target(world, number.f32(0, kOrder)) ? Answer::ok : Answer::illegal_value;
}

}  // namespace cyclerd::hil
