// Channels that are made of a supply and a load: from the station file to one cycler, and the check of its parts.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "daemon/app/station_config.hpp"
#include "daemon/app/station_tables.hpp"

namespace cyclerd::app {

// Adds the composite of `channel` to the station's devices; its index, or -1 after reporting what does not fit (S051 to
// S057). `parts`: the indices of what the file names, -1 where it names none.
[[nodiscard]] std::int32_t add_composite(StationConfig& station, const ChannelConfig& channel,
                                         const ChannelTable& table,
                                         const std::array<std::int32_t, device::kPartCount>& parts,
                                         text::Diagnostics& diagnostics);

// For every wire the wire whose port drives it: its own, or for the wires of one composite the first of them. One
// thread drives all parts, so that one side is never switched on before the other is known to be off.
[[nodiscard]] std::vector<std::uint32_t> port_of_wires(const StationConfig& station);

// A wire of a composite that other channels use, too: they wait while one of its parts hangs (S058).
void check_shared_ports(const StationConfig& station, text::Diagnostics& diagnostics);

}  // namespace cyclerd::app
