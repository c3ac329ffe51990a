#include "hil/app/live_lab.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "hil/peers/ea_psb_twin.hpp"
#include "hil/peers/virtual_chamber_twin.hpp"
#include "hil/peers/virtual_cycler_twin.hpp"

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

base::Status LiveLab::add_twin(const std::string& name, std::uint16_t port, std::unique_ptr<RegisterMap> map) {
  auto twin = std::make_unique<Twin>();
  twin->name = name;
  twin->map = std::move(map);
  auto server = ModbusServer::listen(twin->io, port, *twin->map);
  if (!server) return std::unexpected(std::move(server).error());
  twin->server = std::move(*server);
  twins_.push_back(std::move(twin));
  return {};
}

base::Status LiveLab::start() {
  for (std::size_t i = 0; i < lab_.cyclers.size(); ++i) {
    const LabCycler& c = lab_.cyclers[i];
    std::unique_ptr<RegisterMap> map;
    if (c.twin == CyclerTwin::ea_psb) {
      EaPsbOptions options{c.serial, c.state_low_word_first ? WordOrder::low_first : WordOrder::high_first};
      map = std::make_unique<EaPsbTwin>(world_, i, options);
    } else {
      map = std::make_unique<VirtualCyclerTwin>(world_, i, VirtualCyclerOptions{c.serial});
    }
    TRY(add_twin(c.name, c.port, std::move(map)));
  }
  for (std::size_t i = 0; i < lab_.chambers.size(); ++i) {
    const LabChamber& c = lab_.chambers[i];
    VirtualChamberOptions options{c.serial, c.sensor_on};
    TRY(add_twin(c.name, c.port, std::make_unique<VirtualChamberTwin>(world_, i, options)));
  }
  for (auto& twin : twins_) twin->thread = std::thread([t = twin.get()] { t->io.run(); });
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
  for (auto& twin : twins_) granted = fifo(twin->thread, kTwinPriority) && granted;
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
  for (auto& twin : twins_) twin->io.stop();
  for (auto& twin : twins_) {
    if (twin->thread.joinable()) twin->thread.join();
  }
  if (plant_thread_.joinable()) plant_thread_.join();
}

ModbusServer* LiveLab::server(const std::string& name) {
  for (auto& twin : twins_) {
    if (twin->name == name) return twin->server.get();
  }
  return nullptr;
}

std::map<std::string, std::uint16_t> LiveLab::ports() const {
  std::map<std::string, std::uint16_t> ports;
  for (const auto& twin : twins_) ports[twin->name] = twin->server->port();
  return ports;
}

}  // namespace cyclerd::hil
