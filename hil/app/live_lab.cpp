#include "hil/app/live_lab.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace cyclerd::hil {
namespace {

constexpr base::Duration kBeat = base::milliseconds(1);
constexpr int kPlantPriority = 40, kTwinPriority = 35;  // below the daemon's own

}  // namespace

LiveLab::LiveLab(Lab lab, base::Clock& clock)
    : lab_(std::move(lab)), clock_(clock), world_(build_world(lab_, clock.now()), clock) {}

LiveLab::~LiveLab() {
  stop();
}

std::vector<TwinOrder> LiveLab::orders() const {
  std::vector<TwinOrder> orders;
  for (std::size_t i = 0; i < lab_.cyclers.size(); ++i) {
    const LabCycler& c = lab_.cyclers[i];
    orders.push_back({c.name, c.place, {i, c.place.unit, c.serial, c.state_low_word_first, std::nullopt}});
  }
  for (std::size_t i = 0; i < lab_.chambers.size(); ++i) {
    const LabChamber& c = lab_.chambers[i];
    orders.push_back({c.name, c.place, {i, c.place.unit, c.serial, false, c.sensor_on}});
  }
  return orders;
}

base::Status LiveLab::start() {
  const std::vector<TwinOrder> all = orders();
  for (const TwinOrder& host : all) {
    if (!host.place.shares.empty()) continue;
    std::vector<TwinOrder> together{host};
    for (const TwinOrder& guest : all) {
      if (guest.place.shares == host.name) together.push_back(guest);
    }
    auto connection = std::make_unique<Connection>();
    TRY(open_connection(*connection, together, world_, clock_));
    connections_.push_back(std::move(connection));
  }
  for (auto& connection : connections_) connection->thread = std::thread([c = connection.get()] { c->io.run(); });
  plant_thread_ = std::thread([this] { beat(); });
  return {};
}

void LiveLab::beat() {
  base::MonoTime next = clock_.now() + kBeat;
  while (!stopping_) {
    clock_.sleep_until(next);
    world_.now([](World&) {});
    ++beats_;
    const base::MonoTime now = clock_.now();
    worst_beat_us_ = std::max(worst_beat_us_.load(), (now - next).us);
    next = next + kBeat;
    if (now <= next) continue;
    // Late by a whole beat or more: counted, never caught up. The world itself has lost nothing, it moves to the clock.
    const std::int64_t missed = (now - next).us / kBeat.us + 1;
    overruns_ += static_cast<std::uint64_t>(missed);
    next = next + kBeat * missed;
  }
}

std::vector<std::string> LiveLab::ask_for_real_time() {
  std::vector<std::string> refused;
  auto fifo = [](std::thread& thread, int priority) {
    const sched_param parameters{priority};
    return pthread_setschedparam(thread.native_handle(), SCHED_FIFO, &parameters) == 0;
  };
  bool granted = fifo(plant_thread_, kPlantPriority);
  for (auto& connection : connections_) granted = fifo(connection->thread, kTwinPriority) && granted;
  if (!granted)
    refused.push_back(
        fmt::format("SCHED_FIFO {} is refused: beats may come late under load. Allow it with `ulimit -r "
                    "{}`, LimitRTPRIO= in a unit, or CAP_SYS_NICE",
                    kPlantPriority, kPlantPriority));
  // With a limit on locked memory a later allocation would fail instead of being paged.
  rlimit limit{};
  const bool unlimited = geteuid() == 0 || (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY);
  if (!unlimited || mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
    refused.push_back(
        "memory is not locked: a page fault may delay a beat. Allow it with `ulimit -l unlimited`, "
        "LimitMEMLOCK=infinity "
        "in a unit, or CAP_IPC_LOCK");
  return refused;
}

double LiveLab::real_time_factor() {
  const SharedWorld::Effort effort = world_.effort();
  return effort.cpu_ns > 0 ? static_cast<double>(effort.moved.us) * 1000.0 / static_cast<double>(effort.cpu_ns) : 0.0;
}

void LiveLab::stop() {
  stopping_ = true;
  for (auto& connection : connections_) connection->io.stop();
  for (auto& connection : connections_) {
    if (connection->thread.joinable()) connection->thread.join();
  }
  if (plant_thread_.joinable()) plant_thread_.join();
}

TwinServer* LiveLab::server(const std::string& name) {
  for (auto& connection : connections_) {
    for (auto& [twin, server] : connection->twins) {
      if (twin == name) return server.get();
    }
  }
  return nullptr;
}

std::map<std::string, std::uint16_t> LiveLab::ports() const {
  std::map<std::string, std::uint16_t> ports;
  for (const auto& connection : connections_) {
    for (const auto& [twin, server] : connection->twins) {
      if (server->port() != 0) ports[twin] = server->port();
    }
  }
  return ports;
}

std::map<std::string, std::string> LiveLab::ttys() const {
  std::map<std::string, std::string> ttys;
  for (const auto& connection : connections_) {
    for (const auto& [twin, server] : connection->twins) {
      if (server->port() == 0) ttys[twin] = server->path();
    }
  }
  return ttys;
}

}  // namespace cyclerd::hil
