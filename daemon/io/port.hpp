// One wire's work: poll, stamp, judge, trip, gate, write. Blocking I/O with deadlines; a hung device stalls its own
// wire only.
#pragma once

#include <atomic>
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
  // The cycler's output is on, or may be. Written by the cycler's port, read by the ports of the channel's sensors.
  std::atomic<bool> energised{false};
};

// Trips the channel and wakes every port of it. For whoever is not a port: supervisor, emergency stop. Any thread;
// never blocks. True when this cause is the one that was kept.
bool trip(ChannelSafety& channel, safety::Cause cause) noexcept;

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

// Order of work, one transaction at a time and looked at afresh after each: make_safe, watchdog feed, commands, polls,
// probes of lost devices. See daemon/safety/README.md.
class Port {
 public:
  Port(std::string name, std::vector<DeviceSlot> devices, base::Clock& clock, Lanes& lanes);
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  // Does everything that is due at clock.now(); returns the moment it wants to be called again (earlier when woken), at
  // most kMaxIdle away. Called by the wire's own thread, or by a simulation. Allocates nothing but in Device::open().
  base::MonoTime run_once();

  // Opens every output, whatever the state. Last call before the thread ends. False when one could not be verified.
  bool make_safe_all();

  // The longest that run_once() may be left alone: its heartbeat is no older than this plus the transactions of a
  // round.
  static constexpr base::Duration kMaxIdle = base::seconds(1);

 private:
  struct Entry;

  // port.cpp: the round
  void drain();
  void check_ages();
  bool poll_next();
  bool feed_next();
  bool probe_next(base::Duration patience);
  void poll(Entry& e, base::MonoTime now);
  void receive(Entry& e, base::Reading& reading);
  void open(Entry& e);
  [[nodiscard]] bool shares_wire(const Entry& e) const noexcept;
  [[nodiscard]] base::MonoTime probe_time(const Entry& e) const noexcept;
  [[nodiscard]] base::MonoTime next_call(base::MonoTime now) const noexcept;
  [[nodiscard]] Entry* find(std::uint32_t device) noexcept;

  // port_commands.cpp
  bool command_next();
  void execute(Entry& e, const base::Command& command, std::uint32_t superseded);
  void fail_command(Entry& e, const base::Command& command, const base::FixedText<206>& why, bool trips);

  // port_safety.cpp
  bool make_safe_next();
  void demand_safe(Entry& e) noexcept;
  base::Status write_safe(Entry& e);
  void report_safe(Entry& e, const base::Status& status);
  void trip_on(Entry& e, const safety::Verdict& verdict, base::MonoTime seen);
  void set_energised(Entry& e, bool may_be_on) noexcept;
  void count_failure(Entry& e, const base::Error& error, bool is_read);
  void lose(Entry& e);
  void notify(const Entry& e, Notice::What what, std::uint64_t sequence, base::Event event) noexcept;
  [[nodiscard]] base::Event event(const Entry& e, base::EventKind kind,
                                  const base::FixedText<206>& text) const noexcept;
  void publish(Entry& e) noexcept;

  std::string name_;
  std::vector<std::unique_ptr<Entry>> entries_;  // cyclers first: the order in which outputs are opened
  base::Clock& clock_;
  Lanes& lanes_;
  base::MonoTime probes_allowed_at_;  // keeps probing at 5 % of the bus time
};

}  // namespace cyclerd::io
