#include "daemon/app/station_tables.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "protocols/text/quantity.hpp"

namespace cyclerd::app {
namespace {

using text::TableReader;
using text::TomlNode;

std::string show(base::Duration d) {
  return text::format_quantity(d.seconds(), text::dimension::kTime);
}

Reference read_reference(TableReader& reader, std::string_view key, bool required) {
  Reference reference;
  const TomlNode* node = required ? reader.required(key) : reader.optional(key);
  if (node == nullptr) return reference;
  reference.where = node->value;
  if (!node->is_string() || node->string.empty()) {
    reader.diagnostics().error("S010", node->value, fmt::format("{} of {} is a name in quotes", key, reader.what()),
                               fmt::format("write {} = \"NAME\"", key));
    return reference;
  }
  reference.name = node->string;
  return reference;
}

struct BoundKey {
  const char* key;
  profiles::SafetyBound profiles::SafetyLimits::*bound;
  text::Dimension dimension;
};
constexpr BoundKey kBounds[] = {
    {"voltage", &profiles::SafetyLimits::voltage, text::dimension::kVoltage},
    {"current", &profiles::SafetyLimits::current, text::dimension::kCurrent},
    {"power", &profiles::SafetyLimits::power, text::dimension::kPower},
    {"temperature", &profiles::SafetyLimits::temperature, text::dimension::kTemperature},
    {"chamber", &profiles::SafetyLimits::chamber, text::dimension::kTemperature},
    {"capacity", &profiles::SafetyLimits::capacity, text::dimension::kCapacity},
};

// A C-rate means nothing here: a station does not know the cell.
std::optional<double> read_bound(TableReader& reader, std::string_view key, text::Dimension dimension) {
  const TomlNode* node = reader.node().find(key);
  if (node != nullptr && node->is_string() && dimension == text::dimension::kCurrent) {
    text::QuantityError error;
    const auto value = text::parse_quantity(node->string, error);
    if (value && value->c_rate) {
      (void)reader.optional(key);
      reader.diagnostics().error(
          "S034", node->value,
          fmt::format("{} of {} is a C-rate, and a station does not know the cell", key, reader.what()),
          "write the current in A");
      return std::nullopt;
    }
  }
  return reader.optional_quantity(key, dimension);
}

profiles::SafetyBound read_safety_bound(const TomlNode& table, const std::string& what, const BoundKey& row,
                                        text::Diagnostics& diagnostics) {
  profiles::SafetyBound bound;
  TableReader reader(table, what, diagnostics);
  if (const auto min = read_bound(reader, "min", row.dimension)) bound.min = *min;
  if (const auto max = read_bound(reader, "max", row.dimension)) bound.max = *max;
  if (const auto dwell = read_duration(reader, "for", base::Duration{}, base::hours(1), nullptr)) bound.dwell = *dwell;
  reader.finish();
  const bool is_current = row.bound == &profiles::SafetyLimits::current;
  if (is_current && std::isnan(bound.min) && bound.max > 0)
    bound.min = -bound.max;  // one figure limits both directions
  if (std::isnan(bound.min) && std::isnan(bound.max)) {
    diagnostics.error("S033", table.value, fmt::format("{} limits nothing", what), "give min, max, or both");
  } else if (bound.min >= bound.max) {
    diagnostics.error(
        "S033", table.value,
        fmt::format("{} is empty: min {} is not below max {}", what, text::format_quantity(bound.min, row.dimension),
                    text::format_quantity(bound.max, row.dimension)),
        is_current ? "discharge current is negative: min = \"-10 A\", max = \"10 A\"" : "swap min and max");
  }
  return bound;
}

}  // namespace

void check_name(const std::string& name, const text::Span& where, text::Diagnostics& diagnostics) {
  const bool fits = !name.empty() && name.size() <= 32 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  if (!fits) {
    diagnostics.error("S011", where, fmt::format("\"{}\" is no name", name),
                      "use 1 to 32 letters, digits, '-' and '_': names become folders of the record");
  }
}

std::optional<base::Duration> read_duration(TableReader& reader, std::string_view key, base::Duration min,
                                            base::Duration max, text::Span* where) {
  const TomlNode* node = reader.node().find(key);
  const auto value_s = reader.optional_quantity(key, text::dimension::kTime);
  if (!value_s) return std::nullopt;
  if (where != nullptr) *where = node->value;
  // Compared in seconds: a huge value must not overflow the microseconds.
  if (*value_s < min.seconds() || *value_s > max.seconds()) {
    reader.diagnostics().error(
        "S012", node->value,
        fmt::format("{} = {} of {} is outside {} to {}", key, text::format_quantity(*value_s, text::dimension::kTime),
                    reader.what(), show(min), show(max)));
    return std::nullopt;
  }
  return base::microseconds(std::llround(*value_s * 1e6));
}

RealtimeConfig read_realtime(const TomlNode& table, text::Diagnostics& diagnostics) {
  RealtimeConfig config;
  TableReader reader(table, "[realtime]", diagnostics);
  config.priority = static_cast<int>(reader.optional_integer("priority", 11, 98).value_or(config.priority));
  config.lock_memory = reader.optional_bool("lock_memory").value_or(true);
  if (const TomlNode* cpus = reader.optional_array("affinity")) {
    for (const TomlNode& cpu : cpus->items) {
      if (cpu.kind != TomlNode::Kind::integer || cpu.integer < 0 || cpu.integer > 1023) {
        diagnostics.error("S013", cpu.value, "affinity lists CPU numbers, 0 to 1023", "for example affinity = [2, 3]");
      } else {
        config.affinity.push_back(static_cast<int>(cpu.integer));
      }
    }
  }
  reader.finish();
  return config;
}

namespace {

constexpr std::array<std::pair<const char*, Transport>, 6> kTransports{{{"modbus-tcp", Transport::modbus_tcp},
                                                                        {"modbus-rtu", Transport::modbus_rtu},
                                                                        {"tcp", Transport::tcp},
                                                                        {"serial", Transport::serial},
                                                                        {"can", Transport::can},
                                                                        {"slcan", Transport::slcan}}};

void read_line(TableReader& reader, WireConfig& wire) {
  wire.line = reader.required_string("line");
  const auto baud = reader.optional_integer("baud", 300, 4'000'000);
  const auto parity = reader.optional_word("parity", {"none", "even", "odd"});
  const auto data_bits = reader.optional_integer("data_bits", 7, 8);
  const auto stop_bits = reader.optional_integer("stop_bits", 1, 2);
  wire.settings_given = baud || parity || data_bits || stop_bits;
  if (baud) wire.settings.baud = static_cast<std::uint32_t>(*baud);
  if (parity == "even") wire.settings.parity = transport::Parity::even;
  if (parity == "odd") wire.settings.parity = transport::Parity::odd;
  if (data_bits) wire.settings.data_bits = static_cast<std::uint8_t>(*data_bits);
  if (stop_bits) wire.settings.stop_bits = static_cast<std::uint8_t>(*stop_bits);
  if (wire.settings_given && !baud) {
    reader.diagnostics().error("S035", wire.where,
                               fmt::format("{} gives some of the line's settings, but no baud rate", reader.what()),
                               "add baud = 9600, or leave parity, data_bits and stop_bits to the description");
  }
}

void read_host(TableReader& reader, WireConfig& wire, std::optional<std::uint16_t> standard_port) {
  wire.host = reader.required_string("host");
  const auto port =
      standard_port ? reader.optional_integer("port", 1, 65535) : reader.required_integer("port", 1, 65535);
  wire.port = static_cast<std::uint16_t>(port.value_or(standard_port.value_or(0)));
}

std::uint32_t read_bitrate(TableReader& reader, bool needed) {
  const auto bitrate = needed ? reader.required_integer("bitrate", 10'000, 1'000'000)
                              : reader.optional_integer("bitrate", 10'000, 1'000'000);
  return static_cast<std::uint32_t>(bitrate.value_or(0));
}

}  // namespace

std::string_view to_string(Transport transport) noexcept {
  for (const auto& [name, value] : kTransports) {
    if (value == transport) return name;
  }
  return "in-process";
}

device::Dialect dialect_of(Transport transport) noexcept {
  switch (transport) {
    case Transport::tcp:
    case Transport::serial: return device::Dialect::text;
    case Transport::can:
    case Transport::slcan: return device::Dialect::can;
    default: return device::Dialect::modbus;
  }
}

WireConfig read_wire(const std::string& name, const TomlNode& table, text::Diagnostics& diagnostics) {
  WireConfig wire;
  wire.name = name;
  wire.where = table.key;
  check_name(name, table.key, diagnostics);
  TableReader reader(table, fmt::format("[wire.{}]", name), diagnostics);
  std::vector<std::string> words;
  for (const auto& transport : kTransports) words.emplace_back(transport.first);
  const auto word = reader.required_word("transport", words);
  for (const auto& [known, value] : kTransports) {
    if (word == known) wire.transport = value;
  }
  switch (wire.transport) {
    case Transport::modbus_tcp: read_host(reader, wire, 502); break;
    case Transport::tcp: read_host(reader, wire, std::nullopt); break;
    case Transport::modbus_rtu:
    case Transport::serial: read_line(reader, wire); break;
    case Transport::can:
      wire.interface = reader.required_string("interface");
      wire.bitrate = read_bitrate(reader, false);
      wire.flexible_rate = reader.optional_bool("fd").value_or(false);
      break;
    case Transport::slcan:
      read_line(reader, wire);
      wire.bitrate = read_bitrate(reader, true);
      break;
    case Transport::in_process: break;
  }
  if (const auto d = read_duration(reader, "round_trip", base::microseconds(10), base::seconds(5), nullptr)) {
    wire.round_trip = *d;
  }
  reader.finish();
  return wire;
}

DeviceTable read_device(const std::string& name, const TomlNode& table, text::Diagnostics& diagnostics) {
  DeviceTable device;
  device.config.name = name;
  device.config.where = table.key;
  device.unit_where = table.key;
  device.scan_where = table.key;
  check_name(name, table.key, diagnostics);
  TableReader reader(table, fmt::format("[device.{}]", name), diagnostics);
  device.description = read_reference(reader, "description", true);
  device.config.description = device.description.name;
  device.wire = read_reference(reader, "wire", true);
  device.config.unit = static_cast<int>(reader.optional_integer("unit", 0, 255).value_or(1));
  if (const TomlNode* unit = table.find("unit")) device.unit_where = unit->value;
  if (const auto d = read_duration(reader, "scan", base::milliseconds(1), base::seconds(60), &device.scan_where)) {
    device.config.scan = *d;
    device.config.scan_given = true;
  }
  device.config.allow_no_watchdog = reader.optional_bool("allow_no_watchdog").value_or(false);
  device.site = reader.optional_table("site");
  device.limits = reader.optional_table("limits");
  reader.finish();
  return device;
}

namespace {

Plausibility read_plausibility(const TomlNode& table, const std::string& what, text::Diagnostics& diagnostics) {
  Plausibility plausibility;
  TableReader reader(table, what, diagnostics);
  if (const auto current_A = read_bound(reader, "current", text::dimension::kCurrent)) {
    if (*current_A > 0.0) {
      plausibility.current_A = *current_A;
    } else {
      diagnostics.error("S033", reader.optional("current")->value, fmt::format("{} current is not above 0 A", what),
                        "give the largest deviation from the set-point that is normal, for example \"0.5 A\"");
    }
  }
  if (const auto d = read_duration(reader, "for", base::Duration{}, base::hours(1), nullptr))
    plausibility.current_for = *d;
  if (const auto n = reader.optional_integer("frozen_readings", 2, 1'000'000)) {
    plausibility.frozen_readings = static_cast<std::uint32_t>(*n);
  }
  reader.finish();
  return plausibility;
}

}  // namespace

namespace {

void read_agreement(TableReader& reader, const char* key, text::Dimension dimension, device::Agreement& agreement) {
  const TomlNode* node = reader.node().find(key);
  const auto tolerance = reader.optional_quantity(key, dimension);
  if (!tolerance) return;
  agreement.tolerance = *tolerance;
  if (!(*tolerance > 0.0)) {
    reader.diagnostics().error("S059", node->value, fmt::format("{} of {} is not above 0", key, reader.what()),
                               "no two meters agree to the last bit; leave it out to compare nothing");
  }
}

void read_composite(const TomlNode& table, const std::string& what, ChannelTable& channel,
                    text::Diagnostics& diagnostics) {
  TableReader reader(table, what, diagnostics);
  CompositeConfig& c = channel.composite;
  if (const auto d = read_duration(reader, "dead_time", base::milliseconds(1), base::seconds(10), nullptr))
    c.dead_time = *d;
  read_agreement(reader, "voltage_agreement", text::dimension::kVoltage, c.voltage);
  read_agreement(reader, "current_agreement", text::dimension::kCurrent, c.current);
  if (const auto d = read_duration(reader, "agreement_for", base::Duration{}, base::hours(1), nullptr))
    c.voltage.dwell = c.current.dwell = *d;
  c.disagreement_trips = reader.optional_word("on_disagreement", {"trip", "warn"}).value_or("trip") == "trip";
  reader.finish();
}

// A cycler, or a source and a sink.
void read_power(TableReader& reader, ChannelTable& channel) {
  using device::Part;
  for (const Part part : {Part::source, Part::sink, Part::relay, Part::voltmeter, Part::shunt}) {
    channel.parts[static_cast<std::size_t>(part)] = read_reference(reader, device::to_string(part), false);
  }
  const bool parted = std::ranges::any_of(channel.parts, [](const Reference& part) { return !part.name.empty(); });
  channel.cycler = read_reference(reader, "cycler", !parted);
  const TomlNode* composite = reader.optional_table("composite");
  channel.composite_where = composite != nullptr ? composite->key : channel.config.where;
  if (composite != nullptr)
    read_composite(*composite, fmt::format("[channel.{}.composite]", channel.config.name), channel,
                   reader.diagnostics());
  if (!parted && composite == nullptr) return;
  if (!channel.cycler.name.empty()) {
    reader.diagnostics().error("S050", channel.cycler.where,
                               fmt::format("{} has a cycler and parts of a composite as well", reader.what()),
                               "name `cycler` alone, or `source` and `sink`");
    return;
  }
  for (const Part part : {Part::source, Part::sink}) {
    if (!channel.parts[static_cast<std::size_t>(part)].name.empty()) continue;
    reader.diagnostics().error(
        "S051", channel.config.where,
        fmt::format("{} is made of parts, but has no {}", reader.what(), device::to_string(part)),
        "a composite charges by a `source` and discharges by a `sink`; one instrument that does "
        "either is a `cycler`");
  }
}

}  // namespace

ChannelTable read_channel(const std::string& name, const TomlNode& table, text::Diagnostics& diagnostics) {
  ChannelTable channel;
  channel.config.name = name;
  channel.config.where = table.key;
  channel.scan_where = table.key;
  check_name(name, table.key, diagnostics);
  TableReader reader(table, fmt::format("[channel.{}]", name), diagnostics);
  read_power(reader, channel);
  channel.chamber = read_reference(reader, "chamber", false);
  channel.sensor = read_reference(reader, "sensor", false);
  if (const auto d = read_duration(reader, "scan", base::milliseconds(1), base::seconds(10), &channel.scan_where)) {
    channel.config.scan = *d;
  }
  channel.config.chamber_loss_trips =
      reader.optional_word("on_chamber_loss", {"pause", "trip"}).value_or("pause") == "trip";
  channel.limits = reader.optional_table("limits");
  if (const TomlNode* plausibility = reader.optional_table("plausibility")) {
    channel.config.plausibility =
        read_plausibility(*plausibility, fmt::format("[channel.{}.plausibility]", name), diagnostics);
  }
  reader.finish();
  return channel;
}

profiles::SafetyLimits read_limits(const TomlNode& table, const std::string& what, text::Diagnostics& diagnostics) {
  profiles::SafetyLimits limits;
  TableReader reader(table, what, diagnostics);
  for (const BoundKey& row : kBounds) {
    if (const TomlNode* bound = reader.optional_table(row.key)) {
      limits.*row.bound = read_safety_bound(*bound, fmt::format("{} {}", what, row.key), row, diagnostics);
    }
  }
  if (const TomlNode* loss = reader.optional_table("sensor_loss")) {
    TableReader inner(*loss, what + " sensor_loss", diagnostics);
    const auto after = read_duration(inner, "after", base::milliseconds(100), base::hours(1), nullptr);
    if (after) limits.sensor_loss = *after;
    inner.finish();
  }
  reader.finish();
  return limits;
}

}  // namespace cyclerd::app
