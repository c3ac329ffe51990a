#include "hil/inprocess/inprocess.hpp"

#include <cmath>

namespace cyclerd::hil {
namespace {

constexpr std::uint32_t kStatusOutputOn = 1U << 16;  // above the alarm bits
constexpr std::uint32_t kStatusRunning = 1U << 16;
constexpr std::uint32_t kStatusThermostat = 1U << 0;

base::Status unsupported(const char* what) {
  return base::failure(base::ErrorCode::unsupported, "simulated device", what);
}

}  // namespace

base::Status InprocessDevice::there() {
  if (!open_)
    return base::failure(base::ErrorCode::disconnected, "simulated device", "called while closed; call open() first");
  if (silent_) {
    clock_.advance(options_.time_out);
    world_.advance_to(clock_.now());
    return base::failure(base::ErrorCode::timeout, "simulated device", "no answer: the simulation made it fall silent");
  }
  clock_.advance(options_.round_trip / 2);
  world_.advance_to(clock_.now());
  return {};
}

base::Status InprocessDevice::open() {
  open_ = true;
  base::Status status = there();
  if (!status) open_ = false;
  return status;
}

InprocessCycler::InprocessCycler(World& world, std::size_t plant, base::VirtualClock& clock,
                                 const InprocessOptions& options)
    : InprocessDevice(world, clock, options), plant_(plant) {
  const StageConfig& stage = world_.plant(plant).config().stage;
  capability_.kind = device::DeviceKind::cycler;
  capability_.off_means = device::OffMeans::open;
  capability_.watchdog =
      options.watchdog_timeout.us > 0 ? device::WatchdogKind::programmable : device::WatchdogKind::none;
  capability_.watchdog_timeout = options.watchdog_timeout;
  capability_.native_cv = 1;
  capability_.can_charge = stage.current_max_A > 0.0 ? 1 : 0;
  capability_.can_discharge = stage.current_min_A < 0.0 ? 1 : 0;
  capability_.can_power = 1;
  capability_.voltage_max_V = stage.voltage_max_V;
  capability_.current_max_A = stage.current_max_A;
  capability_.current_min_A = stage.current_min_A;
  capability_.power_max_W = stage.power_max_W;
  capability_.power_min_W = stage.power_min_W;
  capability_.voltage_step_V = options.voltage_step_V;
  capability_.current_step_A = options.current_step_A;
  capability_.min_scan = base::microseconds(100);
  identity_.maker = "cyclerd";
  identity_.model = "simulated cycler";
  identity_.serial.append("sim-cycler-").append(static_cast<std::int64_t>(plant));
}

base::Status InprocessCycler::open() {
  TRY(InprocessDevice::open());
  plant().open_output();
  plant().acknowledge();
  plant().set_watchdog(options_.watchdog_timeout);
  back();
  return {};
}

base::Status InprocessCycler::read(base::Reading& reading) {
  reading.sent = clock_.now();
  TRY(there());
  const Measurement m = plant().measure();
  back();
  reading.received = clock_.now();
  reading.flags = 0;
  reading.voltage_V = m.voltage_V;
  reading.current_A = m.current_A;
  reading.power_W = m.power_W;
  reading.temperature_degC = options_.reports_temperature ? m.temperature_degC : base::kAbsent;
  reading.chamber_degC = base::kAbsent;
  reading.chamber_setpoint_degC = base::kAbsent;
  reading.status = m.alarms | (m.output_on ? kStatusOutputOn : 0U);
  reading.regulation = m.regulation;
  reading.output_on = m.output_on ? 1 : 0;
  reading.alarm = m.alarms != 0 ? 1 : 0;
  reading.remote = 1;
  return {};
}

base::Status InprocessCycler::apply(const base::Setpoint& setpoint) {
  TRY(there());
  const Refusal refusal = plant().apply(setpoint);
  const bool on = plant().request().output_on;
  back();
  if (refusal != Refusal::none) return base::failure(base::ErrorCode::refused, "simulated cycler", to_string(refusal));
  if (setpoint.control != base::Control::rest && !on)
    return base::failure(base::ErrorCode::refused, "simulated cycler",
                         "the output stays open: an alarm is latched; open the device again to clear it");
  return {};
}

base::Status InprocessCycler::apply(const base::ChamberSetpoint& /*setpoint*/) {
  return unsupported("a cycler has no temperature to set");
}

base::Status InprocessCycler::make_safe() {
  TRY(there());
  plant().open_output();
  back();
  return {};
}

base::Status InprocessCycler::protect(const device::Protections& p) {
  TRY(there());
  Protection protection;
  if (!std::isnan(p.voltage_max_V)) protection.voltage_max_V = p.voltage_max_V;
  if (!std::isnan(p.voltage_min_V)) protection.voltage_min_V = p.voltage_min_V;
  if (!std::isnan(p.current_max_A)) protection.current_max_A = p.current_max_A;
  if (!std::isnan(p.current_min_A)) protection.current_min_A = p.current_min_A;
  plant().set_protection(protection);
  back();
  return {};
}

base::Status InprocessCycler::feed_watchdog() {
  TRY(there());
  plant().feed_watchdog();
  back();
  return {};
}

base::Status InprocessCycler::release() {
  return make_safe();
}

InprocessChamber::InprocessChamber(World& world, std::size_t chamber, base::VirtualClock& clock,
                                   const InprocessOptions& options)
    : InprocessDevice(world, clock, options), chamber_(chamber) {
  const ChamberConfig& config = world_.chamber(chamber).config();
  capability_.kind = device::DeviceKind::chamber;
  capability_.off_means = device::OffMeans::open;
  capability_.temperature_min_degC = config.setpoint_min_degC;
  capability_.temperature_max_degC = config.setpoint_max_degC;
  capability_.min_scan = base::milliseconds(1);
  identity_.maker = "cyclerd";
  identity_.model = "simulated chamber";
  identity_.serial.append("sim-chamber-").append(static_cast<std::int64_t>(chamber));
}

base::Status InprocessChamber::open() {
  TRY(InprocessDevice::open());
  chamber().stop();
  back();
  return {};
}

base::Status InprocessChamber::read(base::Reading& reading) {
  reading.sent = clock_.now();
  TRY(there());
  const ChamberReadout c = chamber().readout();
  reading.temperature_degC = base::kAbsent;
  if (options_.sensor_on) reading.temperature_degC = world_.plant(*options_.sensor_on).measure().temperature_degC;
  back();
  reading.received = clock_.now();
  reading.flags = 0;
  reading.voltage_V = reading.current_A = reading.power_W = base::kAbsent;
  reading.chamber_degC = c.reading_degC;
  reading.chamber_setpoint_degC = c.setpoint_in_force_degC;
  reading.status = (c.thermostat_tripped ? kStatusThermostat : 0U) | (c.running ? kStatusRunning : 0U);
  reading.regulation = base::Regulation::unknown;
  reading.output_on = c.running ? 1 : 0;
  reading.alarm = c.thermostat_tripped ? 1 : 0;
  reading.remote = 1;
  return {};
}

base::Status InprocessChamber::apply(const base::Setpoint& /*setpoint*/) {
  return unsupported("a chamber carries no current");
}

base::Status InprocessChamber::apply(const base::ChamberSetpoint& setpoint) {
  TRY(there());
  const bool accepted = chamber().apply(setpoint);
  back();
  if (!accepted)
    return base::failure(base::ErrorCode::refused, "simulated chamber",
                         "the set-point lies outside the chamber's range or is no number");
  return {};
}

base::Status InprocessChamber::make_safe() {
  TRY(there());
  chamber().stop();
  back();
  return {};
}

base::Status InprocessChamber::protect(const device::Protections& /*protections*/) {
  return unsupported("a chamber has no electrical protections");
}

base::Status InprocessChamber::feed_watchdog() {
  return {};
}

base::Status InprocessChamber::release() {
  return make_safe();
}

}  // namespace cyclerd::hil
