// The tables of a station file, one reading function each. Part of station_file.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "daemon/app/station_config.hpp"
#include "protocols/text/diagnostics.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::app {

// A name in the file that points to another table.
struct Reference {
  std::string name;  // empty: not given
  text::Span where;
};
struct DeviceTable {
  DeviceConfig config;
  Reference wire;
  Reference description;
  text::Span unit_where;
  text::Span scan_where;
  const text::TomlNode* site = nullptr;  // site parameters, for the description to judge
  const text::TomlNode* limits = nullptr;
};
struct ChannelTable {
  ChannelConfig config;
  Reference cycler, chamber, sensor;
  std::array<Reference, device::kPartCount> parts;  // instead of a cycler
  CompositeConfig composite;                        // without its parts' indices
  text::Span composite_where;
  text::Span scan_where;
  const text::TomlNode* limits = nullptr;
};

[[nodiscard]] RealtimeConfig read_realtime(const text::TomlNode& table, text::Diagnostics& diagnostics);
[[nodiscard]] WireConfig read_wire(const std::string& name, const text::TomlNode& table,
                                   text::Diagnostics& diagnostics);
[[nodiscard]] DeviceTable read_device(const std::string& name, const text::TomlNode& table,
                                      text::Diagnostics& diagnostics);
[[nodiscard]] ChannelTable read_channel(const std::string& name, const text::TomlNode& table,
                                        text::Diagnostics& diagnostics);
[[nodiscard]] profiles::SafetyLimits read_limits(const text::TomlNode& table, const std::string& what,
                                                 text::Diagnostics& diagnostics);

// A duration in [min, max]; nullopt when absent or reported. The place of the value goes to `where`.
[[nodiscard]] std::optional<base::Duration> read_duration(text::TableReader& reader, std::string_view key,
                                                          base::Duration min, base::Duration max, text::Span* where);
// Letters, digits, '-' and '_', at most 32: names become folder names and journal texts.
void check_name(const std::string& name, const text::Span& where, text::Diagnostics& diagnostics);

}  // namespace cyclerd::app
