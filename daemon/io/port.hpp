// One wire's work: poll, stamp, judge, trip, gate, write. Blocking I/O with deadlines; a hung device stalls its own
// wire only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/io/lanes.hpp"
#include "daemon/safety/gate.hpp"
#include "daemon/safety/judge.hpp"
#include "protocols/base/clock.hpp"
#include "protocols/base/latch.hpp"
#include "protocols/device/device.hpp"

namespace cyclerd::io {

// A channel as its ports see it: shared by every port that serves the channel.
struct ChannelSafety {
  base::Latch latch;
  std::vector<base::Wakeup*> ports;  // of every wire of the channel; posted on a trip. Fixed after wiring.
};

struct DeviceSlot {
  std::unique_ptr<device::Device> device;
  std::uint32_t index = 0;  // in the station
  std::uint32_t channel = 0;
  std::string name;
  base::Duration scan;              // poll period
  device::Protections protections;  // to program at open
  ChannelSafety* safety = nullptr;
  safety::LimitTable limits;  // until a test brings its own
  base::Published<DeviceHealth>* health = nullptr;
};

class Port {
 public:
  Port(std::string name, std::vector<DeviceSlot> devices, base::Clock& clock, Lanes& lanes);
  ~Port();

  // Does everything that is due at clock.now(); returns the moment it wants to be called again (earlier when woken).
  // Called by the wire's own thread, or by a simulation.
  base::MonoTime run_once();

  // Opens every output, whatever the state. Last call before the thread ends.
  void make_safe_all();

 private:
  struct Entry;
  std::string name_;
  std::vector<std::unique_ptr<Entry>> entries_;
  base::Clock& clock_;
  Lanes& lanes_;
};

}  // namespace cyclerd::io
