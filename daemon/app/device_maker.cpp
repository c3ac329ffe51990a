#include "daemon/app/device_maker.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "protocols/device/scan_plan.hpp"
#include "protocols/device/scripted_device.hpp"
#include "protocols/modbus/modbus_device.hpp"
#include "protocols/scpi/text_device.hpp"

namespace cyclerd::app {
namespace {

using device::Description;

constexpr double kAnything = 1e9;

double value_of(const device::Value& value, const device::SiteParameters& site) {
  if (value.kind != device::Value::Kind::parameter) return value.constant;
  const auto index = static_cast<std::size_t>(value.parameter);
  return index < site.values.size() ? site.values[index] : 0.0;
}

void assume(double& number, double otherwise) {
  if (std::isnan(number)) number = otherwise;
}

std::unexpected<base::Error> other_settings(const std::string& device, const transport::SerialSettings& first) {
  base::FixedText<200> detail{"its description asks for other settings of the line than "};
  detail.append(transport::to_text(first).view()).append("; give the wire baud, parity and stop_bits");
  return base::failure(base::ErrorCode::invalid, device, detail.view());
}

}  // namespace

device::Capability promised_capability(const DeviceConfig& device) {
  using device::SequenceId;
  const Description& description = *device.kind;
  const device::CapabilityText& text = description.capability;
  const auto told = [&device](const device::Told& number) {
    if (number.parameter != device::kNone) return device.site.values[static_cast<std::size_t>(number.parameter)];
    return number.item == device::kNone ? number.constant * number.times : base::kAbsent;
  };
  device::Capability capability;
  capability.kind = description.kind;
  capability.off_means = text.off;
  capability.watchdog = description.watchdog.kind;
  capability.watchdog_timeout =
      base::microseconds(std::llround(value_of(description.watchdog.timeout, device.site) * 1e6));
  capability.native_cv = text.native_cv ? 1 : 0;
  capability.can_charge = description.has(SequenceId::charge) ? 1 : 0;
  capability.can_discharge = description.has(SequenceId::discharge) ? 1 : 0;
  capability.can_power =
      description.has(SequenceId::power_charge) || description.has(SequenceId::power_discharge) ? 1 : 0;
  capability.voltage_min_V = told(text.voltage_min);
  capability.voltage_max_V = told(text.voltage_max);
  capability.current_min_A = told(text.current_min);
  capability.current_max_A = told(text.current_max);
  capability.power_min_W = told(text.power_min);
  capability.power_max_W = told(text.power_max);
  capability.voltage_step_V = told(text.voltage_step);
  capability.current_step_A = told(text.current_step);
  capability.temperature_min_degC = told(text.temperature_min);
  capability.temperature_max_degC = told(text.temperature_max);
  capability.min_scan = text.min_scan;
  return capability;
}

device::Capability assumed_capability(const DeviceConfig& device) {
  device::Capability capability = promised_capability(device);
  assume(capability.voltage_min_V, -kAnything);
  assume(capability.voltage_max_V, kAnything);
  assume(capability.current_min_A, -kAnything);
  assume(capability.current_max_A, kAnything);
  assume(capability.power_min_W, -kAnything);
  assume(capability.power_max_W, kAnything);
  assume(capability.voltage_step_V, 0.0);
  assume(capability.current_step_A, 0.0);
  assume(capability.temperature_min_degC, -kAnything);
  assume(capability.temperature_max_degC, kAnything);
  return capability;
}

bool measures_cell_temperature(const DeviceConfig& device) {
  return device.kind->measure.temperature != device::kNone;
}

int transactions_per_poll(const DeviceConfig& device) {
  return static_cast<int>(device::plan_scan(*device.kind).blocks.size());
}

transport::SerialSettings serial_settings(const Description& description) noexcept {
  transport::SerialSettings out;
  if (!description.serial_line) return out;
  const device::SerialText& text = *description.serial_line;
  out.baud = text.baud;
  out.parity = text.parity == device::SerialParity::even  ? transport::Parity::even
               : text.parity == device::SerialParity::odd ? transport::Parity::odd
                                                          : transport::Parity::none;
  out.data_bits = text.data_bits;
  out.stop_bits = text.stop_bits;
  return out;
}

// What the devices of a wire share, by the wire's index.
struct DeviceFactory::Lines {
  std::map<std::uint32_t, std::shared_ptr<modbus::TcpLine>> tcp;
  std::map<std::uint32_t, std::shared_ptr<modbus::RtuLine>> rtu;
  struct Text {
    std::shared_ptr<scpi::TextLine> line;
    transport::SerialSettings settings;  // of a serial one
  };
  std::map<std::uint32_t, Text> text;
};

DeviceFactory::DeviceFactory(base::Clock& clock) : clock_(clock), lines_(std::make_unique<Lines>()) {}
DeviceFactory::~DeviceFactory() = default;

base::Result<std::unique_ptr<device::Device>> DeviceFactory::make(const StationConfig& station, std::uint32_t index) {
  const DeviceConfig& device = station.devices[index];
  if (!device.kind)
    return base::failure(base::ErrorCode::invalid, device.name, "the station file does not say how to reach it");
  auto link = make_link(station.wires[device.wire], device);
  if (!link) return std::unexpected(std::move(link).error());
  return device::make_scripted_device(device.kind, device.site, std::move(*link), clock_);
}

DeviceFactory::Link DeviceFactory::make_link(const WireConfig& wire, const DeviceConfig& device) {
  switch (wire.transport) {
    case Transport::modbus_tcp: {
      auto& line = lines_->tcp[device.wire];
      if (!line) line = std::make_shared<modbus::TcpLine>(wire.host, wire.port);
      return modbus::make_modbus_link(device.kind, line, static_cast<std::uint8_t>(device.unit), device.site, clock_);
    }
    case Transport::modbus_rtu: return rtu_link(wire, device);
    case Transport::tcp:
    case Transport::serial: return text_link(wire, device);
    default: break;
  }
  return base::failure(base::ErrorCode::unsupported, device.name,
                       fmt::format("no driver for a wire of transport {}", to_string(wire.transport)));
}

DeviceFactory::Link DeviceFactory::rtu_link(const WireConfig& wire, const DeviceConfig& device) {
  auto& line = lines_->rtu[device.wire];
  const auto settings = wire.settings_given ? wire.settings : serial_settings(*device.kind);
  if (!line) line = std::make_shared<modbus::RtuLine>(wire.line, settings, clock_);
  if (line->settings() != settings) return other_settings(device.name, line->settings());
  return modbus::make_modbus_rtu_link(
      device.kind, line, {.unit = static_cast<std::uint8_t>(device.unit), .response_timeout = {}}, device.site, clock_);
}

DeviceFactory::Link DeviceFactory::text_link(const WireConfig& wire, const DeviceConfig& device) {
  auto& [line, in_use] = lines_->text[device.wire];
  if (wire.transport == Transport::tcp) {
    if (!line) line = scpi::make_tcp_text_line(wire.host, wire.port, clock_);
  } else {
    const auto settings = wire.settings_given ? wire.settings : serial_settings(*device.kind);
    if (!line) {
      line = scpi::make_serial_text_line(wire.line, settings, clock_);
      in_use = settings;
    }
    if (in_use != settings) return other_settings(device.name, in_use);
  }
  return scpi::make_text_link(device.kind, line, {}, device.site, clock_);
}

}  // namespace cyclerd::app
