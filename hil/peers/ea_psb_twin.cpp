// Register numbers, scaling and state bits: EA programming guide KE220 as cited by public drivers
// (ElectroAutomatikGmbHPy register list; PSB 10000 LabWindows library). What no source says is marked "assumed" in
// hil/README.md.
#include "hil/peers/ea_psb_twin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cyclerd::hil {
namespace {

constexpr double kFullScale = 52428.0;           // 0xCCCC: 100 % of the nominal value
constexpr std::uint16_t kMaxRaw = 0xD0E5;        // 102 %
constexpr std::uint16_t kMaxThreshold = 0xE147;  // 110 %, protection thresholds (assumed)

// registers
constexpr std::uint16_t kDeviceClass = 0, kModel = 1, kMaker = 21, kNominalV = 121, kNominalA = 123, kNominalW = 125,
                        kSerial = 151, kUserText = 171, kFirmwareKe = 191, kFirmwareHmi = 211, kFirmwareDr = 231;
constexpr std::uint16_t kPowerUp = 408;
constexpr std::uint16_t kSinkPower = 498, kSinkCurrent = 499, kVoltage = 500, kSourceCurrent = 501, kSourcePower = 502,
                        kSourceResistance = 503, kSinkResistance = 504, kState = 505, kActualV = 507, kActualA = 508,
                        kActualW = 509;
constexpr std::uint16_t kOvp = 550, kOcp = 553, kOpp = 556;
constexpr std::uint16_t kLimitVMax = 9000, kLimitVMin = 9001, kLimitAMax = 9002, kLimitAMin = 9003, kLimitWMax = 9004,
                        kLimitSinkWMax = 9005, kLimitSinkAMax = 9008, kLimitSinkAMin = 9009;
// coils
constexpr std::uint16_t kRemote = 402, kOutput = 405, kResistanceMode = 409, kAcknowledge = 411;

// state bits
constexpr std::uint32_t kBitOutput = 1U << 7, kBitRemote = 1U << 11, kBitSink = 1U << 12, kBitAlarm = 1U << 15;
constexpr unsigned kRegulationShift = 9;
constexpr std::uint32_t kRegulationCv = 0, kRegulationCr = 1, kRegulationCc = 2, kRegulationCp = 3;

constexpr std::uint16_t kDeviceClassPsb = 35;  // assumed

std::uint32_t regulation_bits(base::Regulation regulation) {
  switch (regulation) {
    case base::Regulation::current: return kRegulationCc;
    case base::Regulation::power: return kRegulationCp;
    case base::Regulation::resistance: return kRegulationCr;
    default: return kRegulationCv;
  }
}

std::uint16_t raw_of(double value, double nominal) {
  const double raw = std::round(std::abs(value) * kFullScale / nominal);
  if (!(raw < 65535.0)) return 65535;
  return static_cast<std::uint16_t>(raw);
}

}  // namespace

// Which adjustment limits hold for a set-point.
struct EaPsbTwin::Limit {
  std::uint16_t setpoint;
  std::uint16_t max;
  std::uint16_t min;  // 0: none
};

EaPsbTwin::EaPsbTwin(SharedWorld& world, std::size_t plant, const EaPsbOptions& options)
    : world_(world), plant_(plant), state_order_(options.state_order) {
  const StageConfig stage = world.now([&](World& w) { return w.plant(plant).config().stage; });
  nominal_V_ = stage.voltage_max_V;
  nominal_A_ = stage.current_max_A;
  nominal_W_ = stage.power_max_W;
  image_.add_block(0, 41);
  image_.add_block(kNominalV, 6);
  image_.add_block(kSerial, 100);
  image_.add_block(kPowerUp, 1);
  image_.add_block(kSinkPower, 12);
  image_.add_block(kOvp, 7);
  image_.add_block(kLimitVMax, 10);
  image_.set_word(kDeviceClass, kDeviceClassPsb);
  image_.set_text(kModel, 20, fmt::format("PSB 9{:03.0f}-{:.0f} virtual", nominal_V_, nominal_A_));
  image_.set_text(kMaker, 20, "EA Elektro-Automatik");
  image_.set_f32(kNominalV, nominal_V_, WordOrder::high_first);
  image_.set_f32(kNominalA, nominal_A_, WordOrder::high_first);
  image_.set_f32(kNominalW, nominal_W_, WordOrder::high_first);
  image_.set_text(kSerial, 20, options.serial);
  image_.set_text(kUserText, 20, "virtual lab");
  image_.set_text(kFirmwareKe, 20, "KE: twin 1");
  image_.set_text(kFirmwareHmi, 20, "HMI: none");
  image_.set_text(kFirmwareDr, 20, "DR: none");
  // Set values after power-up (assumed): no voltage, everything else open. A driver that trusts them learns better
  // here.
  for (std::uint16_t a : {kSinkPower, kSinkCurrent, kSourceCurrent, kSourcePower}) image_.set_word(a, 52428);
  for (std::uint16_t a : {kOvp, kOcp, kOpp}) image_.set_word(a, kMaxThreshold);
  for (std::uint16_t a : {kLimitVMax, kLimitAMax, kLimitWMax, kLimitSinkWMax, kLimitSinkAMax})
    image_.set_word(a, kMaxRaw);
  world.now([&](World& w) { set_protection(w.plant(plant_)); });
}

double EaPsbTwin::value_of(std::uint16_t address, double nominal) const noexcept {
  return image_.word(address) * nominal / kFullScale;
}

void EaPsbTwin::set_protection(Plant& plant) const noexcept {
  Protection protection;
  protection.voltage_max_V = value_of(kOvp, nominal_V_);
  protection.current_max_A = value_of(kOcp, nominal_A_);
  protection.current_min_A = -value_of(kOcp, nominal_A_);
  plant.set_protection(protection);
}

void EaPsbTwin::refresh(Plant& plant) {
  const Measurement m = plant.measure();
  if (!m.output_on) output_wanted_ = false;  // a protection opened it
  std::uint32_t state = 0;
  if (m.output_on) state |= kBitOutput | (regulation_bits(m.regulation) << kRegulationShift);
  if (remote_) state |= kBitRemote;
  if (m.current_A < 0.0) state |= kBitSink;
  if (m.alarms != 0) state |= kBitAlarm;
  image_.set_u32(kState, state, state_order_);
  image_.set_word(kActualV, raw_of(std::max(0.0, m.voltage_V), nominal_V_));
  image_.set_word(kActualA, raw_of(m.current_A, nominal_A_));
  image_.set_word(kActualW, raw_of(m.power_W, nominal_W_));
}

Answer EaPsbTwin::read_bits(Table table, std::uint16_t first, std::span<bool> out) {
  if (table != Table::coil) return Answer::illegal_function;
  return world_.now([&](World& w) {
    refresh(w.plant(plant_));
    for (std::size_t i = 0; i < out.size(); ++i) {
      switch (first + i) {
        case kRemote: out[i] = remote_; break;
        case kOutput: out[i] = w.plant(plant_).request().output_on; break;
        case kPowerUp: out[i] = image_.word(kPowerUp) != 0; break;
        case kResistanceMode: out[i] = false; break;
        default: return Answer::illegal_address;
      }
    }
    return Answer::ok;
  });
}

Answer EaPsbTwin::read_words(Table table, std::uint16_t first, std::span<std::uint16_t> out) {
  if (table != Table::holding) return Answer::illegal_function;
  return world_.now([&](World& w) {
    refresh(w.plant(plant_));
    return image_.read(first, out);
  });
}

Answer EaPsbTwin::write_coil(Plant& plant, std::uint16_t address, bool on) {
  if (address == kRemote) {
    remote_ = on;
    if (!on) {  // control goes back to the panel: output off (assumed, the safe setting)
      output_wanted_ = false;
      plant.open_output();
    }
    return Answer::ok;
  }
  if (address != kOutput && address != kPowerUp && address != kResistanceMode && address != kAcknowledge)
    return Answer::illegal_address;
  if (!remote_) return Answer::device_failure;
  if (address == kPowerUp) image_.set_word(kPowerUp, on ? 0xFF00 : 0x0000);
  if (address == kResistanceMode && on) return Answer::illegal_value;  // the twin has no UIR mode
  if (address == kAcknowledge && on) plant.acknowledge();
  if (address == kOutput) {
    if (on && plant.measure().alarms != 0) return Answer::device_failure;  // acknowledge first
    output_wanted_ = on;
    if (!on) plant.open_output();
    if (on) return follow(plant);
  }
  return Answer::ok;
}

Answer EaPsbTwin::write_bits(std::uint16_t first, std::span<const bool> values) {
  if (values.size() != 1) return Answer::illegal_value;
  return world_.now([&](World& w) { return write_coil(w.plant(plant_), first, values[0]); });
}

// The set-points as one request to the stage.
Answer EaPsbTwin::follow(Plant& plant) {
  StageRequest request;
  request.output_on = output_wanted_;
  request.voltage_V = value_of(kVoltage, nominal_V_);
  request.current_max_A = value_of(kSourceCurrent, nominal_A_);
  request.current_min_A = -value_of(kSinkCurrent, nominal_A_);
  request.power_max_W = value_of(kSourcePower, nominal_W_);
  request.power_min_W = -value_of(kSinkPower, nominal_W_);
  return plant.apply(request) == Refusal::none ? Answer::ok : Answer::illegal_value;
}

Answer EaPsbTwin::write_word(Plant& plant, std::uint16_t address, std::uint16_t value) {
  static constexpr Limit kSetpoints[] = {{kSinkPower, kLimitSinkWMax, 0},
                                         {kSinkCurrent, kLimitSinkAMax, kLimitSinkAMin},
                                         {kVoltage, kLimitVMax, kLimitVMin},
                                         {kSourceCurrent, kLimitAMax, kLimitAMin},
                                         {kSourcePower, kLimitWMax, 0}};
  for (const Limit& limit : kSetpoints) {
    if (limit.setpoint != address) continue;
    const std::uint16_t lowest = limit.min == 0 ? std::uint16_t{0} : image_.word(limit.min);
    if (value > image_.word(limit.max) || value < lowest) return Answer::illegal_value;
    image_.set_word(address, value);
    return output_wanted_ ? follow(plant) : Answer::ok;
  }
  if (address == kOvp || address == kOcp || address == kOpp) {
    if (value > kMaxThreshold) return Answer::illegal_value;
    image_.set_word(address, value);
    set_protection(plant);
    return Answer::ok;
  }
  if (address == kSourceResistance || address == kSinkResistance ||
      (address >= kLimitVMax && address <= kLimitSinkAMin)) {
    if (value > kMaxRaw) return Answer::illegal_value;
    image_.set_word(address, value);
    return Answer::ok;
  }
  return Answer::illegal_address;
}

Answer EaPsbTwin::write_words(std::uint16_t first, std::span<const std::uint16_t> values) {
  return world_.now([&](World& w) {
    Plant& plant = w.plant(plant_);
    refresh(plant);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto address = static_cast<std::uint16_t>(first + i);
      // Not writable at all is said before "not in remote control".
      const bool known = image_.has(address, 1) && address >= kSinkPower && !(address >= kState && address <= kActualW);
      if (!known) return Answer::illegal_address;
      if (!remote_) return Answer::device_failure;
      const Answer answer = write_word(plant, address, values[i]);
      if (answer != Answer::ok) return answer;
    }
    return Answer::ok;
  });
}

}  // namespace cyclerd::hil
