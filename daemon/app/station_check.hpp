// What must fit together in a station before anything is energised. Part of station_file.
#pragma once

#include <string>
#include <vector>

#include "daemon/app/station_config.hpp"
#include "daemon/app/station_tables.hpp"
#include "protocols/text/diagnostics.hpp"

namespace cyclerd::app {

// Kinds, watchdog and limits of one channel's devices.
void check_channel(const StationConfig& station, const ChannelConfig& channel, const ChannelTable& table,
                   text::Diagnostics& diagnostics);
// What spans channels: devices by physical address, the budget of each wire, tables that nobody uses. `devices` as in
// station.devices.
void check_station(const StationConfig& station, const std::vector<DeviceTable>& devices,
                   text::Diagnostics& diagnostics);

inline constexpr double kBusBudget = 0.70;  // of a wire's time for polls; the rest is for commands and watchdog feeds

}  // namespace cyclerd::app
