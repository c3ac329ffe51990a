// Many channels at a fixed pace over loopback: a port and a thread for each wire, as in the daemon, against a thread
// for each wire that only calls libmodbus. Both on the same grid, slices in turn; counts readings, periods that were
// missed and CPU. The server is one process of its own: every connection talks to the same virtual cycler. Prints one
// JSON object.
#include <fmt/core.h>
#include <modbus/modbus.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "daemon/io/port.hpp"
#include "hil/lab/lab.hpp"
#include "hil/peers/modbus_answer.hpp"
#include "hil/peers/shared_world.hpp"
#include "hil/peers/virtual_cycler_twin.hpp"
#include "protocols/base/clock.hpp"
#include "protocols/device/library.hpp"
#include "protocols/device/site.hpp"
#include "protocols/modbus/modbus_device.hpp"

namespace {

using namespace cyclerd;

constexpr int kRegisters = 10;  // the block that the description's scan reads

[[noreturn]] void fail(const std::string& why) {
  fmt::print(stderr, "bench_fleet: {}\n", why);
  std::exit(1);
}

std::int64_t now_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

double cpu_us() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto us = [](timeval t) { return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec); };
  return us(usage.ru_utime) + us(usage.ru_stime);
}

// Whatever several threads do to the timer, they do it with the resolution of the daemon's real-time threads.
void as_a_port() {
  prctl(PR_SET_TIMERSLACK, 1UL);
  sched_param parameters{};
  parameters.sched_priority = 70;
  (void)pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters);
}

// --- the server

struct Peer {
  int fd = -1;
  std::array<std::uint8_t, hil::kMaxAdu> bytes{};
  std::size_t used = 0;
};

bool serve_once(Peer& peer, hil::RegisterMap& map) {
  const ssize_t n = recv(peer.fd, peer.bytes.data() + peer.used, peer.bytes.size() - peer.used, 0);
  if (n <= 0) return false;
  peer.used += static_cast<std::size_t>(n);
  for (;;) {
    const auto frame = hil::next_frame(std::span(peer.bytes).first(peer.used));
    if (frame.state == hil::Frame::State::broken) return false;
    if (frame.state == hil::Frame::State::incomplete) return true;
    std::array<std::uint8_t, hil::kMaxAdu> reply{};
    const std::size_t size = hil::answer_frame(std::span(peer.bytes).first(frame.length), map, reply);
    if (send(peer.fd, reply.data(), size, MSG_NOSIGNAL) != static_cast<ssize_t>(size)) return false;
    std::copy(peer.bytes.begin() + static_cast<std::ptrdiff_t>(frame.length),
              peer.bytes.begin() + static_cast<std::ptrdiff_t>(peer.used), peer.bytes.begin());
    peer.used -= frame.length;
  }
}

[[noreturn]] void serve(int listener) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_TIMERSLACK, 1UL);
  base::SystemClock clock;
  text::Diagnostics diagnostics;
  const auto source = text::read_source(CYCLERD_SOURCE_DIR "/hil/labs/virtual.toml");
  const auto lab = source ? hil::load_lab(*source, diagnostics) : std::nullopt;
  if (!lab) fail("the lab cannot be read: " + diagnostics.render());
  hil::SharedWorld world(hil::build_world(*lab, clock.now()), clock);
  hil::VirtualCyclerTwin twin(world, 0, {"VC-0001"});
  const int poll = epoll_create1(0);
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  wanted.data.ptr = nullptr;
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &wanted);
  for (;;) {
    std::array<epoll_event, 64> events{};
    const int count = epoll_wait(poll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      auto* peer = static_cast<Peer*>(events[static_cast<std::size_t>(i)].data.ptr);
      if (peer == nullptr) {
        peer = new Peer();  // lives as long as its connection
        peer->fd = accept(listener, nullptr, nullptr);
        const int on = 1;
        setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        wanted.data.ptr = peer;
        epoll_ctl(poll, EPOLL_CTL_ADD, peer->fd, &wanted);
      } else if (!serve_once(*peer, twin)) {
        close(peer->fd);
        delete peer;
      }
    }
  }
}

std::uint16_t start_server(pid_t& child) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener, 1024) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    fail("no port to listen on");
  child = fork();
  if (child == 0) serve(listener);
  close(listener);
  return ntohs(address.sin_port);
}

// --- the two fleets

struct Fleet {
  int wires = 64;
  int units = 1;  // channels on one connection
  base::Duration period;
  std::uint16_t port = 0;
};

struct Count {
  std::uint64_t readings = 0;
  std::uint64_t missed = 0;
  std::uint64_t invalid = 0;
  double cpu_us = 0.0;
  double seconds = 0.0;
};

// One wire with its port, as daemon/app makes them.
struct Wire {
  explicit Wire(base::Wakeup& cycle) : lanes(8192, cycle) {}
  io::Lanes lanes;
  std::vector<io::ChannelSafety> safety;
  std::vector<base::Published<io::DeviceHealth>> health;
  std::unique_ptr<io::Port> port;
};

std::unique_ptr<Wire> make_wire(const Fleet& fleet, const std::shared_ptr<const device::Description>& description,
                                base::Wakeup& cycle, base::Clock& clock) {
  auto wire = std::make_unique<Wire>(cycle);
  wire->safety = std::vector<io::ChannelSafety>(static_cast<std::size_t>(fleet.units));
  wire->health = std::vector<base::Published<io::DeviceHealth>>(static_cast<std::size_t>(fleet.units));
  const auto line = std::make_shared<modbus::TcpLine>("127.0.0.1", fleet.port);
  std::vector<io::DeviceSlot> slots;
  for (int unit = 0; unit < fleet.units; ++unit) {
    const auto at = static_cast<std::size_t>(unit);
    io::DeviceSlot slot;
    slot.device = modbus::make_modbus_device(description, line, static_cast<std::uint8_t>(unit + 1),
                                             device::default_site(*description), clock);
    slot.index = static_cast<std::uint32_t>(unit);
    slot.channel = slot.index;
    slot.name = fmt::format("cycler{}", unit);
    slot.scan = fleet.period;
    slot.safety = &wire->safety[at];
    slot.health = &wire->health[at];
    slot.limits.sensor_loss = base::seconds(30);
    slots.push_back(std::move(slot));
  }
  wire->port = std::make_unique<io::Port>("wire", std::move(slots), clock, wire->lanes);
  return wire;
}

void drain(std::vector<std::unique_ptr<Wire>>& wires, Count& count) {
  for (auto& wire : wires) {
    base::Reading reading;
    while (wire->lanes.readings.pop(reading)) {
      ++count.readings;
      if ((reading.flags & base::flag::kInvalid) != 0) ++count.invalid;
    }
    io::Notice notice;
    while (wire->lanes.notices.pop(notice)) {
    }
  }
}

std::uint64_t overruns(const std::vector<std::unique_ptr<Wire>>& wires) {
  std::uint64_t sum = 0;
  for (const auto& wire : wires) {
    for (const auto& health : wire->health) sum += health.load().overruns;
  }
  return sum;
}

Count run_ports(const Fleet& fleet, const std::shared_ptr<const device::Description>& description,
                base::Duration length) {
  base::SystemClock clock;
  base::Wakeup cycle;
  std::vector<std::unique_ptr<Wire>> wires;
  for (int i = 0; i < fleet.wires; ++i) wires.push_back(make_wire(fleet, description, cycle, clock));
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (auto& wire : wires) {
    threads.emplace_back([&wire, &clock, &stop] {
      as_a_port();
      while (!stop) clock.wait_until(wire->port->run_once(), wire->lanes.to_port);
    });
  }
  const auto pause = [&clock](base::Duration time) { clock.sleep_until(clock.now() + time); };
  Count ignored;
  for (int i = 0; i < 100; ++i) {  // opening, and the first rounds
    pause(base::milliseconds(20));
    drain(wires, ignored);
  }
  Count count;
  count.missed = overruns(wires);
  const double cpu_before_us = cpu_us();
  const base::MonoTime begin = clock.now();
  while (clock.now() < begin + length) {
    pause(base::milliseconds(10));
    drain(wires, count);
  }
  count.seconds = (clock.now() - begin).seconds();
  count.cpu_us = cpu_us() - cpu_before_us;
  count.missed = overruns(wires) - count.missed;
  stop = true;
  for (auto& wire : wires) wire->lanes.to_port.post();
  for (auto& thread : threads) thread.join();
  return count;
}

struct BareWire {
  modbus_t* context = nullptr;
  std::uint64_t readings = 0;
  std::uint64_t missed = 0;
};

// Every unit of the wire in each period; a period that begins when the one after it is due is missed.
void read_bare(BareWire& wire, const Fleet& fleet, const std::atomic<bool>& stop) {
  as_a_port();
  const std::int64_t period_ns = fleet.period.us * 1000;
  std::int64_t due_ns = now_ns() / period_ns * period_ns + period_ns;
  while (!stop) {
    const timespec at{due_ns / 1'000'000'000, due_ns % 1'000'000'000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
    for (int unit = 0; unit < fleet.units; ++unit) {
      modbus_set_slave(wire.context, unit + 1);
      std::array<std::uint16_t, kRegisters> words{};
      if (modbus_read_input_registers(wire.context, 0, kRegisters, words.data()) != kRegisters)
        fail("a bare read failed");
      ++wire.readings;
    }
    due_ns += period_ns;
    while (now_ns() >= due_ns) {
      wire.missed += static_cast<std::uint64_t>(fleet.units);
      due_ns += period_ns;
    }
  }
}

Count run_bare(const Fleet& fleet, base::Duration length) {
  std::vector<BareWire> wires(static_cast<std::size_t>(fleet.wires));
  std::atomic<bool> stop{false};
  for (BareWire& wire : wires) {
    wire.context = modbus_new_tcp("127.0.0.1", fleet.port);
    if (wire.context == nullptr || modbus_connect(wire.context) != 0) fail("libmodbus cannot connect");
  }
  const double cpu_before_us = cpu_us();
  const std::int64_t begin_ns = now_ns();
  std::vector<std::thread> threads;
  for (BareWire& wire : wires) threads.emplace_back([&] { read_bare(wire, fleet, stop); });
  std::this_thread::sleep_for(std::chrono::microseconds(length.us));
  stop = true;
  for (auto& thread : threads) thread.join();
  Count count;
  count.seconds = static_cast<double>(now_ns() - begin_ns) * 1e-9;
  count.cpu_us = cpu_us() - cpu_before_us;
  for (BareWire& wire : wires) {
    count.readings += wire.readings;
    count.missed += wire.missed;
    modbus_close(wire.context);
    modbus_free(wire.context);
  }
  return count;
}

void add(Count& sum, const Count& slice) {
  sum.readings += slice.readings;
  sum.missed += slice.missed;
  sum.invalid += slice.invalid;
  sum.cpu_us += slice.cpu_us;
  sum.seconds += slice.seconds;
}

std::string json(const char* name, const Count& c) {
  const auto n = static_cast<double>(c.readings);
  return fmt::format("\"{}\": {{\"n\": {}, \"per_s\": {:.1f}, \"missed\": {}, \"invalid\": {}, \"cpu_us\": {:.2f}}}",
                     name, c.readings, n / c.seconds, c.missed, c.invalid, c.cpu_us / n);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) fail("usage: bench_fleet WIRES UNITS_PER_WIRE PERIOD_MS SLICES SECONDS_PER_SLICE");
  Fleet fleet;
  fleet.wires = std::atoi(argv[1]);
  fleet.units = std::atoi(argv[2]);
  fleet.period = base::milliseconds(std::atoi(argv[3]));
  const int slices = std::atoi(argv[4]);
  const base::Duration length = base::seconds(std::atoi(argv[5]));

  pid_t server = 0;
  fleet.port = start_server(server);
  text::Diagnostics diagnostics;
  const auto description =
      device::DescriptionLibrary({CYCLERD_SOURCE_DIR "/protocols/devices"}).find("virtual-cycler", {}, diagnostics);
  if (!description) fail(diagnostics.render());
  Count ports;
  Count bare;
  for (int slice = 0; slice < slices; ++slice) {
    add(ports, run_ports(fleet, description, length));
    add(bare, run_bare(fleet, length));
  }
  kill(server, SIGKILL);
  fmt::print("{{{}, {}}}\n", json("ports", ports), json("libmodbus", bare));
  return 0;
}
