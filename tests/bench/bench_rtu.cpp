// A serial line: reads of one slave as fast as the silence between frames allows, bare libmodbus with the same silence
// against our client; then a port with eight slaves of which one falls silent. Prints one JSON object. The line is a
// pty: it has no baud rate, so what is measured is what we add, not what a wire takes.
#include <fmt/core.h>
#include <modbus/modbus.h>

#include <algorithm>
#include <array>
#include <asio/io_context.hpp>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "daemon/io/port.hpp"
#include "hil/peers/rtu_server.hpp"
#include "hil/peers/virtual_chamber_twin.hpp"
#include "protocols/device/library.hpp"
#include "protocols/modbus/modbus_device.hpp"

namespace {

using namespace cyclerd;

constexpr int kRegisters = 10;
constexpr std::uint32_t kSlaves = 8, kDead = 3;
constexpr base::Duration kPeriod = base::milliseconds(200);
const transport::SerialSettings kSettings{115200};

[[noreturn]] void fail(const std::string& why) {
  fmt::print(stderr, "bench_rtu: {}\n", why);
  std::exit(1);
}

// Eight virtual chambers on one line, served by a thread of its own.
class Lab {
 public:
  explicit Lab(const base::Clock& clock) : world_(world(clock), clock) {
    auto server = hil::RtuServer::open(io_, clock);
    if (!server) fail(server.error().text());
    server_ = std::move(*server);
    for (std::uint32_t i = 0; i < kSlaves; ++i) {
      hil::VirtualChamberOptions options;
      options.serial = fmt::format("VT-{:04}", i + 1);
      twins_.push_back(std::make_unique<hil::VirtualChamberTwin>(world_, i, options));
      server_->add(static_cast<std::uint8_t>(i + 1), *twins_.back());
    }
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) io_.run_for(std::chrono::milliseconds(50));
    });
  }
  hil::RtuServer& line() { return *server_; }

 private:
  static hil::World world(const base::Clock& clock) {
    hil::World w(clock.now(), 25.0);
    for (std::uint32_t i = 0; i < kSlaves; ++i) w.add_chamber({});
    return w;
  }
  asio::io_context io_;
  hil::SharedWorld world_;
  std::vector<std::unique_ptr<hil::VirtualChamberTwin>> twins_;
  std::unique_ptr<hil::RtuServer> server_;
  std::jthread thread_;
};

struct Cost {
  double per_s = 0.0;
  double cpu_us = 0.0;
};

Cost time_reads(int n, base::Clock& clock, const std::function<bool()>& read) {
  for (int i = 0; i < 20; ++i) {
    if (!read()) fail("a read failed");
  }
  const std::int64_t cpu_before_ns = base::thread_cpu_ns();
  const base::MonoTime begin = clock.now();
  for (int i = 0; i < n; ++i) {
    if (!read()) fail("a read failed");
  }
  return {n / (clock.now() - begin).seconds(), static_cast<double>(base::thread_cpu_ns() - cpu_before_ns) * 1e-3 / n};
}

Cost bare(const std::string& path, int n, base::Clock& clock) {
  modbus_t* m = modbus_new_rtu(path.c_str(), 115200, 'N', 8, 1);
  if (modbus_connect(m) != 0) fail("libmodbus cannot open the line");
  modbus_set_slave(m, 1);
  modbus_set_response_timeout(m, 5, 0);
  base::MonoTime last = clock.now();
  const Cost cost = time_reads(n, clock, [&] {
    std::array<std::uint16_t, kRegisters> words{};
    clock.sleep_until(last + modbus::frame_gap(kSettings));
    const bool good = modbus_read_input_registers(m, 0, 8, words.data()) == 8;
    last = clock.now();
    return good;
  });
  modbus_close(m);
  modbus_free(m);
  return cost;
}

Cost ours(const std::string& path, int n, base::Clock& clock) {
  modbus::RtuSlave slave;
  slave.response_timeout = base::seconds(5);
  slave.probes = {{device::Function::input, 0, 2}, {device::Function::input, 0, 8}};
  modbus::RtuClient client(std::make_shared<modbus::RtuLine>(path, kSettings, clock), slave, clock);
  if (!client.connect()) fail("our client cannot open the line");
  return time_reads(n, clock, [&] {
    std::array<std::uint16_t, 8> words{};
    return client.read_registers(device::Function::input, 0, words).has_value();
  });
}

struct Rates {
  std::array<double, kSlaves> before{}, after{};
};

Rates with_one_dead(Lab& lab, base::Duration each, base::Clock& clock) {
  text::Diagnostics diagnostics;
  const auto description =
      device::DescriptionLibrary({CYCLERD_SOURCE_DIR "/protocols/devices"}).find("virtual-chamber", {}, diagnostics);
  if (!description) fail(diagnostics.render());
  const auto line = std::make_shared<modbus::RtuLine>(lab.line().path(), kSettings, clock);
  base::Wakeup to_cycle;
  io::Lanes lanes(4096, to_cycle);
  std::array<io::ChannelSafety, kSlaves> safety;
  std::array<base::Published<io::DeviceHealth>, kSlaves> health;
  std::vector<io::DeviceSlot> slots(kSlaves);
  for (std::uint32_t i = 0; i < kSlaves; ++i) {
    const modbus::ModbusRtuEndpoint endpoint{static_cast<std::uint8_t>(i + 1), base::milliseconds(500)};
    slots[i].device =
        modbus::make_modbus_rtu_device(description, line, endpoint, device::default_site(*description), clock);
    slots[i].index = slots[i].channel = i;
    slots[i].name = fmt::format("chamber{}", i + 1);
    slots[i].scan = kPeriod;
    slots[i].safety = &safety[i];
    slots[i].health = &health[i];
  }
  io::Port port("line", std::move(slots), clock, lanes);
  const auto run = [&](base::Duration d) {
    std::array<double, kSlaves> good{};
    const base::MonoTime end = clock.now() + d;
    while (clock.now() < end) {
      const base::MonoTime next = port.run_once();
      base::Reading r;
      // The virtual chambers carry no cell's sensor: what counts is the air.
      while (lanes.readings.pop(r)) good[r.device] += std::isfinite(r.chamber_degC) ? 1 : 0;
      io::Notice notice;
      while (lanes.notices.pop(notice)) {
      }
      clock.wait_until(std::min(next, end), lanes.to_port);
    }
    for (double& n : good) n /= d.seconds();
    return good;
  };
  (void)run(base::seconds(3));
  Rates rates;
  for (const auto& h : health) {
    if (h.load().link != io::LinkState::open) fail("a slave did not open: " + std::string(h.load().error.view()));
  }
  rates.before = run(each);
  lab.line().set_mute(kDead + 1, true);
  (void)run(base::seconds(5));  // three time-outs until it counts as lost
  rates.after = run(each);
  (void)port.make_safe_all();
  return rates;
}

}  // namespace

// bench_rtu READS SECONDS
int main(int argc, char** argv) {
  const int reads = argc > 1 ? std::atoi(argv[1]) : 1000;
  const base::Duration each = base::seconds(argc > 2 ? std::atoi(argv[2]) : 60);
  base::SystemClock clock;
  Lab lab(clock);
  const Cost theirs = bare(lab.line().path(), reads, clock);
  const Cost mine = ours(lab.line().path(), reads, clock);
  const Rates rates = with_one_dead(lab, each, clock);
  double least = 1e9;
  double before = 0.0;
  for (std::uint32_t i = 0; i < kSlaves; ++i) {
    if (i == kDead || rates.before[i] <= 0.0) continue;
    least = std::min(least, rates.after[i] / rates.before[i]);
    before += rates.before[i] / (kSlaves - 1);
  }
  fmt::print(
      "{{\"libmodbus\": {{\"per_s\": {:.1f}, \"cpu_us\": {:.2f}}}, \"client\": {{\"per_s\": {:.1f}, \"cpu_us\": "
      "{:.2f}}}, \"n\": {}, \"one_dead\": {{\"before_per_s\": {:.3f}, \"least_share\": {:.4f}, \"dead_per_s\": "
      "{:.3f}}}}}\n",
      theirs.per_s, theirs.cpu_us, mine.per_s, mine.cpu_us, reads, before, least, rates.after[kDead]);
  return 0;
}
