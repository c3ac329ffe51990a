// A port with fake devices on a virtual clock, driven as its thread would.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "daemon/io/port.hpp"
#include "tests/support/fake_device.hpp"

namespace cyclerd::io {

using base::milliseconds;
using base::MonoTime;
using base::seconds;
using device::DeviceKind;
using safety::Cause;
using test::Called;
using test::FakeDevice;

class PortFixture : public testing::Test {
 protected:
  // Devices are numbered in the order of their making.
  FakeDevice& add(DeviceKind kind = DeviceKind::cycler, base::Duration scan = milliseconds(100),
                  std::uint32_t channel = 0) {
    auto device = std::make_unique<FakeDevice>(clock, kind);
    FakeDevice& fake = *device;
    fake.journal = &journal;
    fake.on_read.cost = milliseconds(1);
    DeviceSlot slot;
    slot.device = std::move(device);
    slot.index = static_cast<std::uint32_t>(slots.size());
    slot.channel = channel;
    slot.name = "device" + std::to_string(slot.index);
    slot.scan = scan;
    slot.safety = &channels[channel];
    slot.limits = limits;
    healths.push_back(std::make_unique<base::Published<DeviceHealth>>());
    slot.health = healths.back().get();
    slots.push_back(std::move(slot));
    return fake;
  }
  void build() { port = std::make_unique<Port>("wire", std::move(slots), clock, lanes); }

  // As the wire's thread does, until `end`.
  void run_until(MonoTime end) {
    while (clock.now() < end) {
      const MonoTime next = port->run_once();
      clock.wait_until(std::min(next, end), lanes.to_port);
      collect();
    }
  }
  void run_for(base::Duration d) { run_until(clock.now() + d); }
  void collect() {
    Notice notice;
    while (lanes.notices.pop(notice)) notices.push_back(notice);
    base::Reading reading;
    while (lanes.readings.pop(reading)) readings.push_back(reading);
  }
  void round() {
    port->run_once();
    collect();
  }

  void send(std::uint32_t device, const base::Setpoint& setpoint, std::uint64_t sequence = 1, std::uint32_t step = 1) {
    base::Command c;
    c.device = device;
    c.sequence = sequence;
    c.step_count = step;
    c.setpoint = setpoint;
    lanes.commands.push(c);
    lanes.to_port.post();
  }
  void send(std::uint32_t device, const base::ChamberSetpoint& setpoint, std::uint64_t sequence = 1) {
    base::Command c;
    c.kind = base::Command::Kind::chamber;
    c.device = device;
    c.sequence = sequence;
    c.chamber = setpoint;
    lanes.commands.push(c);
    lanes.to_port.post();
  }
  void order_safe(std::uint32_t device, std::uint64_t sequence) {
    base::Command c;
    c.kind = base::Command::Kind::make_safe;
    c.device = device;
    c.sequence = sequence;
    lanes.commands.push(c);
    lanes.to_port.post();
  }
  static base::Setpoint charge(double current_A = 2.0) {
    return {.control = base::Control::current, .current_A = current_A, .voltage_max_V = 4.2, .voltage_min_V = 2.5};
  }
  static base::Setpoint rest() { return {}; }

  [[nodiscard]] std::vector<Notice> of(Notice::What what) const {
    std::vector<Notice> found;
    for (const Notice& n : notices) {
      if (n.what == what) found.push_back(n);
    }
    return found;
  }
  [[nodiscard]] std::size_t readings_of(std::uint32_t device, MonoTime from = {}) const {
    std::size_t n = 0;
    for (const base::Reading& r : readings) n += r.device == device && r.sent >= from ? 1 : 0;
    return n;
  }
  [[nodiscard]] DeviceHealth health(std::uint32_t device) const { return healths[device]->load(); }
  [[nodiscard]] Cause cause(std::uint32_t channel = 0) { return static_cast<Cause>(channels[channel].latch.cause()); }

  base::VirtualClock clock{MonoTime{1'000'000}};
  base::Wakeup to_cycle;
  Lanes lanes{4096, to_cycle};
  ChannelSafety channels[8];
  safety::LimitTable limits;
  std::vector<test::Call> journal;
  std::vector<std::unique_ptr<base::Published<DeviceHealth>>> healths;
  std::vector<DeviceSlot> slots;
  std::unique_ptr<Port> port;
  std::vector<Notice> notices;
  std::vector<base::Reading> readings;
};

inline std::string text(const Notice& n) {
  return std::string{n.event.text.view()};
}

}  // namespace cyclerd::io
