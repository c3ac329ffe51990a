// Register numbers and scales: sigrok's rdtech-dps driver, ShayBox/Riden and the register list of Baldanos/rd6006,
// which agree. What no source says is marked "assumed" in hil/README.md.
#include "hil/peers/riden_twin.hpp"

#include <algorithm>
#include <cmath>

namespace cyclerd::hil {
namespace {

constexpr std::uint16_t kModel = 0, kSerial = 1, kFirmware = 3, kInsideSign = 4, kInside = 5, kSetVoltage = 8,
                        kSetCurrent = 9, kVoltage = 10, kCurrent = 11, kPower = 13, kInlet = 14, kProtection = 16,
                        kRegulation = 17, kOutput = 18, kRange = 20, kOutsideSign = 34, kOutside = 35, kOvp = 82,
                        kOcp = 83;
constexpr std::uint16_t kCalibrationFirst = 55, kCalibrationLast = 62;
constexpr std::uint16_t kRegisters = 120;
constexpr std::uint16_t kTrippedByVoltage = 1, kTrippedByCurrent = 2;
constexpr double kInletVolts = 65.0;  // assumed

std::uint16_t raw_of(double value, double per_unit) {
  return static_cast<std::uint16_t>(std::clamp(std::round(value * per_unit), 0.0, 65535.0));
}

}  // namespace

RidenTwin::RidenTwin(SharedWorld& world, std::size_t plant, const RidenOptions& options)
    : world_(world), plant_(plant), model_id_(options.model_id) {
  image_.add_block(0, kRegisters);
  image_.set_word(kModel, model_id_);
  image_.set_u32(kSerial, options.serial, WordOrder::high_first);
  image_.set_word(kFirmware, 132);
  world_.now([&](World& w) {
    const StageConfig stage = w.plant(plant_).config().stage;
    image_.set_word(kOvp, raw_of(1.03 * stage.voltage_max_V, steps().per_volt));  // assumed
    image_.set_word(kOcp, raw_of(1.03 * stage.current_max_A, steps().per_ampere));
    image_.set_word(kInlet, raw_of(kInletVolts, steps().per_volt));
    set_protection(w.plant(plant_));
  });
}

RidenTwin::Steps RidenTwin::steps() const noexcept {
  if (model_id_ == 60065) return {1000.0, 10000.0};
  if (model_id_ >= 60125 && model_id_ <= 60129) return {1000.0, image_.word(kRange) == 0 ? 10000.0 : 1000.0};
  if (model_id_ >= 60060 && model_id_ <= 60064) return {100.0, 1000.0};
  return {100.0, 100.0};
}

void RidenTwin::switch_range(std::uint16_t range) {
  world_.now([&](World&) {
    const double before = steps().per_ampere;
    image_.set_word(kRange, range);
    const double factor = steps().per_ampere / before;
    for (const std::uint16_t a : {kSetCurrent, kCurrent, kOcp}) image_.set_word(a, raw_of(image_.word(a), factor));
  });
}

void RidenTwin::set_protection(Plant& plant) const noexcept {
  Protection protection;
  protection.voltage_max_V = image_.word(kOvp) / steps().per_volt;
  protection.current_max_A = image_.word(kOcp) / steps().per_ampere;
  plant.set_protection(protection);
}

void RidenTwin::refresh(Plant& plant) {
  const Measurement m = plant.measure();
  image_.set_word(kVoltage, raw_of(std::max(0.0, m.voltage_V), steps().per_volt));
  image_.set_word(kCurrent, raw_of(std::max(0.0, m.current_A), steps().per_ampere));
  image_.set_word(kPower, raw_of(std::max(0.0, m.power_W), 100.0));
  image_.set_word(kRegulation, m.regulation == base::Regulation::current ? 1 : 0);
  image_.set_word(kOutput, m.output_on ? 1 : 0);
  const std::uint16_t tripped = (m.alarms & alarm::kOverVoltage) != 0   ? kTrippedByVoltage
                                : (m.alarms & alarm::kOverCurrent) != 0 ? kTrippedByCurrent
                                                                        : std::uint16_t{0};
  image_.set_word(kProtection, tripped);
  image_.set_word(kInsideSign, 0);
  image_.set_word(kInside, 31);
  image_.set_word(kOutsideSign, m.temperature_degC < 0.0 ? 1 : 0);
  image_.set_word(kOutside, raw_of(std::abs(m.temperature_degC), 1.0));
}

bool RidenTwin::touches_calibration(std::uint16_t first, std::size_t count) noexcept {
  const bool touched = first <= kCalibrationLast && first + count > kCalibrationFirst;
  calibration_touched_ = calibration_touched_ || touched;
  return touched;
}

Answer RidenTwin::read_bits(Table, std::uint16_t, std::span<bool>) {
  return Answer::illegal_function;
}

Answer RidenTwin::write_bits(std::uint16_t, std::span<const bool>) {
  return Answer::illegal_function;
}

Answer RidenTwin::read_words(Table table, std::uint16_t first, std::span<std::uint16_t> out) {
  if (table != Table::holding) return Answer::illegal_function;
  return world_.now([&](World& w) {
    (void)touches_calibration(first, out.size());
    refresh(w.plant(plant_));
    return image_.read(first, out);
  });
}

// The set-points as one request to the stage, which only sources.
Answer RidenTwin::follow(Plant& plant) {
  StageRequest request;
  request.output_on = image_.word(kOutput) != 0;
  request.voltage_V = image_.word(kSetVoltage) / steps().per_volt;
  request.current_max_A = image_.word(kSetCurrent) / steps().per_ampere;
  request.current_min_A = 0.0;
  request.power_max_W = plant.config().stage.power_max_W;
  request.power_min_W = 0.0;
  return plant.apply(request) == Refusal::none ? Answer::ok : Answer::illegal_value;
}

Answer RidenTwin::write_word(Plant& plant, std::uint16_t address, std::uint16_t value) {
  const StageConfig& stage = plant.config().stage;
  const bool too_much = (address == kSetVoltage && value / steps().per_volt > stage.voltage_max_V) ||
                        (address == kSetCurrent && value / steps().per_ampere > stage.current_max_A);
  if (too_much) return Answer::illegal_value;  // assumed
  switch (address) {
    case kOutput:
      if (value > 1) return Answer::illegal_value;
      image_.set_word(kOutput, value);
      if (value == 0) {
        plant.open_output();
        return Answer::ok;
      }
      plant.acknowledge();  // switching on again clears the protection (assumed)
      return follow(plant);
    case kSetVoltage:
    case kSetCurrent: image_.set_word(address, value); return image_.word(kOutput) != 0 ? follow(plant) : Answer::ok;
    case kOvp:
    case kOcp:
      image_.set_word(address, value);
      set_protection(plant);
      return Answer::ok;
    default: return Answer::illegal_address;
  }
}

Answer RidenTwin::write_words(std::uint16_t first, std::span<const std::uint16_t> values) {
  return world_.now([&](World& w) {
    if (touches_calibration(first, values.size())) return Answer::ok;  // as a real one: it obeys
    Plant& plant = w.plant(plant_);
    refresh(plant);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const Answer answer = write_word(plant, static_cast<std::uint16_t>(first + i), values[i]);
      if (answer != Answer::ok) return answer;
    }
    return Answer::ok;
  });
}

}  // namespace cyclerd::hil
