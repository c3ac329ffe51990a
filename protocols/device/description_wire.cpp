// How an instrument is reached: the parts of a description that speak of its wire.
#include <fmt/format.h>

#include <cmath>

#include "protocols/device/loader.hpp"

namespace cyclerd::device::loader {

using text::Diagnostics;
using text::TableReader;
using text::TomlNode;

base::Duration read_duration(TableReader& r, const char* key, base::Duration standard, base::Duration max) {
  const auto value_s = r.optional_quantity(key, text::dimension::kTime);
  if (!value_s) return standard;
  const auto us = std::llround(*value_s * 1e6);
  if (us >= 0 && us <= max.us) return base::microseconds(us);
  r.diagnostics().error("D002", r.node().find(key)->value,
                        fmt::format("'{}' must lie between 0 and {} s", key, max.seconds()));
  return standard;
}

void read_serial(TableReader& reader, Description& description) {
  const TomlNode* node = reader.optional_table("serial");
  if (!node) return;
  TableReader r(*node, "serial", reader.diagnostics());
  SerialText serial;
  serial.baud = static_cast<std::uint32_t>(r.required_integer("baud", 50, 4'000'000).value_or(serial.baud));
  const auto parity = r.optional_word("parity", {"none", "even", "odd"});
  serial.parity = parity == "even" ? SerialParity::even : parity == "odd" ? SerialParity::odd : SerialParity::none;
  serial.data_bits = static_cast<std::uint8_t>(r.optional_integer("data_bits", 7, 8).value_or(8));
  serial.stop_bits = static_cast<std::uint8_t>(r.optional_integer("stop_bits", 1, 2).value_or(1));
  r.finish();
  description.serial_line = serial;
}

namespace {

bool is_address(const TomlNode& node) {
  return node.kind == TomlNode::Kind::integer && node.integer >= 0 && node.integer <= 65535;
}

void read_forbidden(TableReader& r, Description& description) {
  const TomlNode* list = r.optional_array("forbidden");
  if (!list) return;
  for (const auto& range : list->items) {
    const bool good = range.is_array() && range.items.size() == 2 && is_address(range.items[0]) &&
                      is_address(range.items[1]) && range.items[0].integer <= range.items[1].integer;
    if (good) {
      description.forbidden.push_back(
          {static_cast<std::uint16_t>(range.items[0].integer), static_cast<std::uint16_t>(range.items[1].integer)});
    } else {
      r.diagnostics().error("D071", range.value, "a forbidden range is [first, last], two addresses of 0 to 65535",
                            "write forbidden = [[55, 62]]");
    }
  }
}

}  // namespace

void read_modbus(const TomlNode& table, Description& d, Diagnostics& diagnostics) {
  TableReader r(table, "[modbus]", diagnostics);
  d.response_timeout = read_duration(r, "response_timeout", d.response_timeout, base::seconds(30));
  if (d.response_timeout.us < 1000)
    diagnostics.error("D002", table.find("response_timeout")->value, "response_timeout must be at least 1 ms");
  d.worst_response = read_duration(r, "worst_response", {}, base::seconds(60));
  if (const TomlNode* worst = table.find("worst_response"); worst && d.worst_response < d.response_timeout)
    diagnostics.error("D002", worst->value, "worst_response cannot be shorter than response_timeout");
  d.min_gap = read_duration(r, "min_gap", d.min_gap, base::seconds(10));
  d.request_gap = read_duration(r, "request_gap", d.request_gap, base::seconds(10));
  d.max_read = static_cast<std::uint16_t>(r.optional_integer("max_read", 1, kMaxReadRegisters).value_or(d.max_read));
  d.max_gap = static_cast<std::uint16_t>(r.optional_integer("max_gap", 0, kMaxReadRegisters).value_or(d.max_gap));
  read_serial(r, d);
  read_forbidden(r, d);
  r.finish();
}

}  // namespace cyclerd::device::loader
