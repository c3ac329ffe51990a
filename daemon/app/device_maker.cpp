#include "daemon/app/device_maker.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <vector>

#include "protocols/modbus/device.hpp"

namespace cyclerd::app {
namespace {

using device::Description;
using device::Item;

constexpr double kAnything = 1e9;

// Items that a poll needs: what is measured, what the status says, set-points that are compared.
std::vector<int> polled_items(const Description& description) {
  std::vector<int> items = {
      description.measure.voltage,     description.measure.current,   description.measure.power,
      description.measure.temperature, description.measure.chamber,   description.measure.chamber_setpoint,
      description.status.word,         description.status.count,      description.status.output_on.item,
      description.status.remote.item,  description.status.alarm.item, description.status.regulation.bits.item};
  items.insert(items.end(), description.status.compare.begin(), description.status.compare.end());
  std::erase(items, device::kNone);
  return items;
}

double value_of(const device::Value& value, const device::SiteParameters& site) {
  if (value.kind != device::Value::Kind::parameter) return value.constant;
  const auto index = static_cast<std::size_t>(value.parameter);
  return index < site.values.size() ? site.values[index] : 0.0;
}

void assume(double& number, double otherwise) {
  if (std::isnan(number)) number = otherwise;
}

}  // namespace

device::Capability promised_capability(const DeviceConfig& device) {
  using device::SequenceId;
  const Description& description = *device.kind;
  const device::CapabilityText& text = description.capability;
  const auto told = [](const device::Told& number) {
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
  const Description& description = *device.kind;
  std::vector<int> wanted = polled_items(description);
  const auto place = [&](int index) {
    const Item& item = description.item(index);
    return std::tuple(item.function, item.address);
  };
  std::ranges::sort(wanted, {}, place);
  int requests = 0;
  const Item* block = nullptr;  // first item of the block being built
  int end = 0;                  // its end so far
  for (const int index : wanted) {
    const Item& item = description.item(index);
    const bool joins = block != nullptr && block->function == item.function &&
                       item.address <= end + description.max_gap &&
                       item.address + item.count - block->address <= description.max_read;
    if (!joins) {
      ++requests;
      block = &item;
      end = item.address;
    }
    end = std::max(end, item.address + item.count);
  }
  return requests;
}

}  // namespace cyclerd::app
