#include "hil/peers/omega_cn7500_twin.hpp"

namespace cyclerd::hil {
namespace {

constexpr std::uint16_t kAir = 0x1000, kSetpoint = 0x1001, kControlMode = 0x1005, kRun = 0x0814;
constexpr double kMost_tenths = 9999.0;  // four digits

}  // namespace

OmegaCn7500Twin::OmegaCn7500Twin(SharedWorld& world, std::size_t chamber, const OmegaCn7500Options& options)
    : HoldingTwin(world, chamber, options.fahrenheit), control_mode_(options.control_mode) {
  image_.add_block(kAir, 2);
  image_.add_block(kControlMode, 1);
}

void OmegaCn7500Twin::refresh(World& world) {
  const ChamberReadout c = face_.look(world);
  image_.set_word(kAir, to_i16(10.0 * face_.shown(c.reading_degC)));
  image_.set_word(kSetpoint, to_i16(10.0 * face_.shown(c.setpoint_degC)));
  image_.set_word(kControlMode, control_mode_);
}

Answer OmegaCn7500Twin::write(World& world, std::uint16_t first, std::span<const std::uint16_t> values) {
  if (values.size() != 1) return Answer::illegal_value;
  if (first == kControlMode) {
    if (values[0] > 3) return Answer::illegal_value;
    control_mode_ = values[0];
    return Answer::ok;
  }
  if (first != kSetpoint) return Answer::illegal_address;
  const double tenths = from_i16(values[0]);
  return tenths <= kMost_tenths && face_.set_target(world, 0.1 * tenths) ? Answer::ok : Answer::illegal_value;
}

Answer OmegaCn7500Twin::read_bits(Table table, std::uint16_t first, std::span<bool> out) {
  if (table != Table::discrete) return Answer::illegal_function;
  if (first != kRun || out.size() != 1) return Answer::illegal_address;
  return world_.now([&](World& w) {
    out[0] = face_.look(w).running;
    return Answer::ok;
  });
}

Answer OmegaCn7500Twin::write_bits(std::uint16_t first, std::span<const bool> values) {
  if (first != kRun || values.size() != 1) return Answer::illegal_address;
  return world_.now([&](World& w) {
    face_.run(w, values[0]);
    return Answer::ok;
  });
}

}  // namespace cyclerd::hil
