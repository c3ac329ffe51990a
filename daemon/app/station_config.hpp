// What a station file says, checked: names resolved to indices, units resolved to SI.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "profiles/program.hpp"
#include "protocols/base/time.hpp"
#include "protocols/device/composite_device.hpp"
#include "protocols/device/description.hpp"
#include "protocols/device/site.hpp"
#include "protocols/text/diagnostics.hpp"
#include "protocols/transport/serial.hpp"

namespace cyclerd::app {

struct RealtimeConfig {
  int priority = 70;          // SCHED_FIFO of the ports; the cycle runs 10 below
  std::vector<int> affinity;  // CPUs of the ports and the cycle; empty: any
  bool lock_memory = true;
};

enum class Transport : std::uint8_t { modbus_tcp, modbus_rtu, tcp, serial, can, slcan, in_process };
[[nodiscard]] std::string_view to_string(Transport transport) noexcept;
// Registers, lines of text or frames: what an instrument must speak on this wire. Not for in_process.
[[nodiscard]] device::Dialect dialect_of(Transport transport) noexcept;

struct WireConfig {
  std::string name;
  Transport transport = Transport::modbus_tcp;
  std::string host;  // modbus-tcp, tcp
  std::uint16_t port = 502;
  std::string line;                    // modbus-rtu, serial, slcan: the tty
  transport::SerialSettings settings;  // of the line
  bool settings_given = false;         // otherwise those of the description of the first instrument on it
  std::string interface;               // can
  std::uint32_t bitrate = 0;           // can, slcan; 0: can as the interface is
  bool flexible_rate = false;          // can: CAN FD
  base::Duration round_trip = base::milliseconds(1);  // assumed for the bus budget
  text::Span where;
};

// What a channel of a supply and a load is made of: indices of its parts, -1 where there is none.
struct CompositeConfig {
  std::array<std::int32_t, device::kPartCount> parts{-1, -1, -1, -1, -1};
  base::Duration dead_time = base::milliseconds(100);
  device::Agreement voltage;
  device::Agreement current;
  bool disagreement_trips = true;

  [[nodiscard]] std::int32_t part(device::Part which) const noexcept { return parts[static_cast<std::size_t>(which)]; }
};

struct DeviceConfig {
  std::string name;
  std::string description;                          // as written
  std::shared_ptr<const device::Description> kind;  // never null in an accepted station
  device::SiteParameters site;
  std::uint32_t wire = 0;
  int unit = 1;
  base::Duration scan;
  bool scan_given = false;
  bool allow_no_watchdog = false;
  profiles::SafetyLimits limits;
  std::int32_t channel = -1;  // which channel uses it; -1: none, the device is not opened
  // Of a channel's composite, which stands behind the file's own devices: its description is made of its parts'.
  std::optional<CompositeConfig> composite;
  bool is_part = false;  // of a composite: opened and polled by it
  text::Span where;
};

// What the judge holds against the command, besides limits. Off where a channel does not ask for it.
struct Plausibility {
  double current_A = base::kAbsent;  // |I - I_set| at the most, while the instrument regulates current
  base::Duration current_for = base::seconds(2);
  std::uint32_t frozen_readings = 0;  // identical voltage and current in a row while energised; 0: not judged
};

struct ChannelConfig {
  std::string name;
  std::uint32_t cycler = 0;
  std::int32_t chamber = -1;
  std::int32_t sensor = -1;
  base::Duration scan = base::milliseconds(100);
  bool chamber_loss_trips = false;
  profiles::SafetyLimits limits;  // of the channel, with its devices' limits merged in
  Plausibility plausibility;
  text::Span where;
};

struct StationConfig {
  std::string name;
  std::string path;    // of the file
  std::string folder;  // of the file: relative paths start here
  std::string state_dir;
  std::string text_sha256;
  RealtimeConfig realtime;
  base::Duration commit = base::milliseconds(200);
  std::string recovery_policy = "ask";
  std::vector<WireConfig> wires;
  std::vector<DeviceConfig> devices;
  std::vector<ChannelConfig> channels;
};

}  // namespace cyclerd::app
