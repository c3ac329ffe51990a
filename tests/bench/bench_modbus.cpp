// Reads of one Modbus TCP server as fast as they go: bare libmodbus, our client, the driver, and a whole port round
// (read, stamp, judge, ring). Slices are interleaved; prints one JSON object. Pinned to a core by whoever starts it.
#include <fmt/core.h>
#include <modbus/modbus.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daemon/io/port.hpp"
#include "protocols/base/clock.hpp"
#include "protocols/device/library.hpp"
#include "protocols/device/scan_plan.hpp"
#include "protocols/device/site.hpp"
#include "protocols/modbus/client.hpp"
#include "protocols/modbus/modbus_device.hpp"

namespace {

using namespace cyclerd;

constexpr int kRegisters = 10;  // input registers 0 to 9: the virtual cycler's whole block of measured values
constexpr int kWarmUp = 200;

[[noreturn]] void fail(const std::string& why) {
  fmt::print(stderr, "bench_modbus: {}\n", why);
  std::exit(1);
}

double cpu_us() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto us = [](timeval t) { return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec); };
  return us(usage.ru_utime) + us(usage.ru_stime);
}

std::int64_t now_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

// One way of reading the block, and what its slices gave.
struct Way {
  std::string name;
  std::function<void()> read_once;
  std::vector<std::int64_t> took_ns;
  std::vector<double> rate_per_slice;
  double cpu_us = 0.0;
};

void run_slice(Way& way, int reads) {
  for (int i = 0; i < kWarmUp; ++i) way.read_once();
  const double cpu_before_us = cpu_us();
  const std::int64_t begin_ns = now_ns();
  std::int64_t last_ns = begin_ns;
  for (int i = 0; i < reads; ++i) {
    way.read_once();
    const std::int64_t now = now_ns();
    way.took_ns.push_back(now - last_ns);
    last_ns = now;
  }
  way.cpu_us += cpu_us() - cpu_before_us;
  way.rate_per_slice.push_back(reads * 1e9 / static_cast<double>(last_ns - begin_ns));
}

double percentile_us(std::vector<std::int64_t>& values_ns, double part) {
  std::sort(values_ns.begin(), values_ns.end());
  const auto at = static_cast<std::size_t>(part * static_cast<double>(values_ns.size() - 1));
  return static_cast<double>(values_ns[at]) * 1e-3;
}

// The device as it is, but always due: the port polls it without a pause.
class Unpaced final : public device::Device {
 public:
  explicit Unpaced(std::unique_ptr<device::Device> inner) : inner_(std::move(inner)) {}
  base::Status open() override {
    base::Status status = inner_->open();
    capability_ = inner_->capability();
    capability_.min_scan = base::microseconds(1);
    return status;
  }
  void close() noexcept override { inner_->close(); }
  bool is_open() const noexcept override { return inner_->is_open(); }
  base::Status read(base::Reading& reading) override { return inner_->read(reading); }
  base::Status apply(const base::Setpoint& setpoint) override { return inner_->apply(setpoint); }
  base::Status apply(const base::ChamberSetpoint& setpoint) override { return inner_->apply(setpoint); }
  base::Status make_safe() override { return inner_->make_safe(); }
  base::Status protect(const device::Protections& protections) override { return inner_->protect(protections); }
  base::Status feed_watchdog() override { return inner_->feed_watchdog(); }
  base::Status release() override { return inner_->release(); }
  const device::Capability& capability() const noexcept override { return capability_; }
  const device::Identity& identity() const noexcept override { return inner_->identity(); }

 private:
  std::unique_ptr<device::Device> inner_;
  device::Capability capability_;
};

// A port with the one device. Its rounds do several polls; one is one reading taken out of the ring.
class PortRound {
 public:
  PortRound(std::unique_ptr<device::Device> device, base::Clock& clock) : lanes_(64, to_cycle_) {
    io::DeviceSlot slot;
    slot.device = std::make_unique<Unpaced>(std::move(device));
    slot.name = "cycler";
    slot.scan = base::microseconds(1);
    slot.safety = &safety_;
    slot.health = &health_;
    slot.limits.sensor_loss = base::seconds(3);
    std::vector<io::DeviceSlot> slots;
    slots.push_back(std::move(slot));
    port_ = std::make_unique<io::Port>("wire", std::move(slots), clock, lanes_);
  }
  void read_once() {
    base::Reading reading;
    for (int round = 0; !lanes_.readings.pop(reading); ++round) {
      if (round > 1000) fail("the port gives no readings: " + std::string(health_.load().error.view()));
      port_->run_once();
      io::Notice notice;
      while (lanes_.notices.pop(notice)) {
      }
    }
    if ((reading.flags & base::flag::kInvalid) != 0) fail("a port reading is not valid");
  }

 private:
  base::Wakeup to_cycle_;
  io::Lanes lanes_;
  io::ChannelSafety safety_;
  base::Published<io::DeviceHealth> health_;
  std::unique_ptr<io::Port> port_;
};

std::unique_ptr<device::Device> make_device(const std::shared_ptr<const device::Description>& description,
                                            std::uint16_t port, base::Clock& clock) {
  const modbus::ModbusTcpEndpoint endpoint{
      .host = "127.0.0.1", .port = port, .unit = 1, .connect_timeout = {}, .response_timeout = {}};
  return modbus::make_modbus_device(description, endpoint, device::default_site(*description), clock);
}

std::function<void()> bare_libmodbus(std::uint16_t port) {
  modbus_t* context = modbus_new_tcp("127.0.0.1", port);
  if (context == nullptr || modbus_connect(context) != 0) fail("libmodbus cannot connect");
  modbus_set_slave(context, 1);
  return [context] {
    std::array<std::uint16_t, kRegisters> words{};
    if (modbus_read_input_registers(context, 0, kRegisters, words.data()) != kRegisters) fail("a bare read failed");
  };
}

std::function<void()> our_client(std::uint16_t port, base::Clock& clock) {
  const modbus::TcpEndpoint endpoint{
      .host = "127.0.0.1", .port = port, .unit = 1, .connect_timeout = base::seconds(1), .min_gap = {}};
  auto client = std::make_shared<modbus::TcpClient>(endpoint, clock);
  if (const auto status = client->connect(); !status) fail(status.error().text());
  return [client] {
    std::array<std::uint16_t, kRegisters> words{};
    if (const auto status = client->read_registers(modbus::Function::input, 0, words); !status)
      fail(status.error().text());
  };
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) fail("usage: bench_modbus PORT [SLICES] [READS]; PORT is that of a virtual-cycler twin");
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  const int slices = argc > 2 ? std::atoi(argv[2]) : 5;
  const int reads = argc > 3 ? std::atoi(argv[3]) : 4000;

  base::SystemClock clock;
  text::Diagnostics diagnostics;
  const auto description =
      device::DescriptionLibrary({CYCLERD_SOURCE_DIR "/protocols/devices"}).find("virtual-cycler", {}, diagnostics);
  if (!description) fail(diagnostics.render());
  std::shared_ptr<device::Device> driver = make_device(description, port, clock);
  if (const auto status = driver->open(); !status) fail(status.error().text());
  PortRound round(make_device(description, port, clock), clock);

  std::vector<Way> ways;
  ways.push_back({"libmodbus", bare_libmodbus(port), {}, {}});
  ways.push_back({"client", our_client(port, clock), {}, {}});
  ways.push_back({"driver",
                  [driver] {
                    base::Reading reading;
                    if (const auto status = driver->read(reading); !status) fail(status.error().text());
                  },
                  {},
                  {}});
  ways.push_back({"port", [&round] { round.read_once(); }, {}, {}});
  for (int slice = 0; slice < slices; ++slice) {
    for (Way& way : ways) run_slice(way, reads);
  }

  fmt::print("{{\"blocks_per_read\": {}", device::plan_scan(*description).blocks.size());
  for (Way& way : ways) {
    std::sort(way.rate_per_slice.begin(), way.rate_per_slice.end());
    const auto count = static_cast<double>(way.took_ns.size());
    fmt::print(", \"{}\": {{\"n\": {}, \"per_s\": {:.0f}, \"cpu_us\": {:.2f}", way.name, way.took_ns.size(),
               way.rate_per_slice[way.rate_per_slice.size() / 2], way.cpu_us / count);
    // A port polls several times a round: one of its readings takes a whole round, the next ones nothing.
    if (way.name != "port") {
      fmt::print(", \"p50_us\": {:.1f}, \"p99_us\": {:.1f}", percentile_us(way.took_ns, 0.5),
                 percentile_us(way.took_ns, 0.99));
    }
    fmt::print("}}");
  }
  fmt::print("}}\n");
  return 0;
}
