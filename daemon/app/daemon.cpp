#include "daemon/app/daemon.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "daemon/app/device_maker.hpp"
#include "daemon/app/log.hpp"
#include "daemon/app/realtime.hpp"
#include "daemon/app/resources.hpp"
#include "daemon/app/signals.hpp"
#include "daemon/app/state_lock.hpp"
#include "daemon/app/station_service.hpp"
#include "daemon/app/threads.hpp"
#include "daemon/app/watch.hpp"
#include "daemon/app/wiring.hpp"
#include "daemon/control/server.hpp"

namespace cyclerd::app {
namespace {

constexpr base::Duration kHeartbeat = base::milliseconds(100);  // the longest that a real-time thread sleeps
constexpr base::Duration kSelfCheckPatience = base::seconds(10);
constexpr base::Duration kStopPatience = base::seconds(5);
constexpr std::size_t kRecorderStack_bytes = 512 * 1024;  // compression
constexpr std::size_t kControlStack_bytes = 512 * 1024;
constexpr std::size_t kWorkerStack_bytes = 1024 * 1024;  // compiles profiles, whose nesting is bounded
constexpr std::size_t kMaxWaitingJobs = 32;

std::string socket_path(const DaemonOptions& options) {
  if (!options.socket.empty()) return options.socket;
  if (const char* path = std::getenv("CYCLERD_SOCKET"); path != nullptr && *path != '\0') return path;
  if (const char* folder = std::getenv("RUNTIME_DIRECTORY"); folder != nullptr && *folder != '\0') {
    return std::string(folder) + "/control.sock";
  }
  return "/run/cyclerd/control.sock";
}

// The threads of a wired station and the flags that end them, in the order in which they must end.
class Threads {
 public:
  Threads(Station& station, base::Clock& clock) : station_(station), clock_(clock) {}
  ~Threads() {
    end_control();
    end_ports();
    end_cycle();
    end_recorder();
  }

  base::Status start();
  base::Status start_control(control::Server& server, StationService& service);
  void end_control();
  void end_ports();  // opens every output
  void end_cycle();
  void end_recorder();
  [[nodiscard]] std::vector<std::string> warnings() const;

 private:
  [[nodiscard]] ThreadOptions realtime(const std::string& name, int priority) const {
    return {.name = name, .fifo_priority = priority, .affinity = station_.config.realtime.affinity};
  }

  Station& station_;
  base::Clock& clock_;
  std::atomic<bool> stop_ports_{false};
  std::atomic<bool> stop_cycle_{false};
  std::atomic<bool> stop_recorder_{false};
  base::Wakeup recorder_wakeup_;
  control::Server* server_ = nullptr;
  std::vector<std::unique_ptr<Thread>> ports_;
  std::unique_ptr<Thread> cycle_, recorder_, control_;
  std::unique_ptr<Worker> worker_;
};

base::Status Threads::start() {
  const int priority = station_.config.realtime.priority;
  TRY_ASSIGN(recorder_,
             Thread::start(
                 {.name = "recorder", .fifo_priority = 0, .affinity = {}, .stack_bytes = kRecorderStack_bytes}, [this] {
                   while (!stop_recorder_.load(std::memory_order_acquire)) {
                     clock_.wait_until(station_.recorder->run_once(), recorder_wakeup_);
                   }
                   station_.recorder->finish();
                 }));
  TRY_ASSIGN(cycle_, Thread::start(realtime("cycle", priority - 10), [this] {
               while (!stop_cycle_.load(std::memory_order_acquire)) {
                 const base::MonoTime next = station_.cycle->run_once();
                 clock_.wait_until(std::min(next, clock_.now() + kHeartbeat), station_.cycle_wakeup);
               }
             }));
  for (Wire& wire : station_.wires) {
    TRY_ASSIGN(auto thread, Thread::start(realtime("wire-" + wire.name, priority), [this, &wire] {
                 while (!stop_ports_.load(std::memory_order_acquire)) {
                   const base::MonoTime next = wire.port->run_once();
                   clock_.wait_until(std::min(next, clock_.now() + kHeartbeat), wire.lanes->to_port);
                 }
                 wire.port->make_safe_all();
               }));
    ports_.push_back(std::move(thread));
  }
  return {};
}

base::Status Threads::start_control(control::Server& server, StationService& service) {
  TRY_ASSIGN(worker_,
             Worker::start({.name = "worker", .fifo_priority = 0, .affinity = {}, .stack_bytes = kWorkerStack_bytes},
                           kMaxWaitingJobs));
  service.work_on([this](std::function<void()> job) { return worker_->post(std::move(job)); });
  TRY_ASSIGN(control_,
             Thread::start({.name = "control", .fifo_priority = 0, .affinity = {}, .stack_bytes = kControlStack_bytes},
                           [&server] { server.run(); }));
  server_ = &server;
  return {};
}

void Threads::end_control() {
  if (server_ == nullptr) return;
  server_->stop();
  control_->join();
  worker_.reset();
  server_ = nullptr;
}

void Threads::end_ports() {
  stop_ports_.store(true, std::memory_order_release);
  for (Wire& wire : station_.wires) wire.lanes->to_port.post();
  for (auto& port : ports_) port->join();
}

void Threads::end_cycle() {
  stop_cycle_.store(true, std::memory_order_release);
  station_.cycle_wakeup.post();
  if (cycle_) cycle_->join();
}

void Threads::end_recorder() {
  stop_recorder_.store(true, std::memory_order_release);
  recorder_wakeup_.post();
  if (recorder_) recorder_->join();
}

std::vector<std::string> Threads::warnings() const {
  bool fifo_refused = cycle_->fifo_refused();
  bool affinity_refused = cycle_->affinity_refused();
  for (const auto& port : ports_) {
    fifo_refused |= port->fifo_refused();
    affinity_refused |= port->affinity_refused();
  }
  std::vector<std::string> warnings;
  if (fifo_refused) {
    warnings.push_back(
        fmt::format("SCHED_FIFO {} is refused: scans may come late under load. Permit it with LimitRTPRIO={} in "
                    "the unit (or ulimit -r)",
                    station_.config.realtime.priority, std::max(80, station_.config.realtime.priority)));
  }
  if (affinity_refused) {
    warnings.push_back(
        "the CPUs of [realtime] affinity cannot be used: the threads run on any. List CPUs that this machine has");
  }
  return warnings;
}

base::Result<std::unique_ptr<control::Server>> open_server(const DaemonOptions& options, StationService& service) {
  control::ServerConfig config;
  config.path = socket_path(options);
  config.group = options.socket_group;
  return control::Server::open(std::move(config), service,
                               [&service](const control::AuditEntry& entry) { service.audit(entry); });
}

int fail(const base::Error& error) {
  log(LogLevel::error, error.text());
  return error.code == base::ErrorCode::busy ? exit_code::kBusy : exit_code::kFailed;
}

void wait_for_self_check(Watch& watch, base::Clock& clock, base::Wakeup& wakeup) {
  const base::MonoTime deadline = clock.now() + kSelfCheckPatience;
  while (!watch.self_check_attempted() && clock.now() < deadline && !end_was_asked()) {
    clock.wait_until(watch.run_once(), wakeup);
  }
  watch.notifier().ready(watch.status_text());
}

// Tests are stopped through the cycle, so that their records say so; what does not stop in time is opened all the same
// when the ports end.
void stop_tests(StationService& service, Watch& watch, base::Clock& clock) {
  const base::MonoTime deadline = clock.now() + kStopPatience;
  bool idle = service.stop_all("cyclerd is stopping");
  while (!idle && clock.now() < deadline) {
    clock.sleep_until(watch.run_once());
    idle = !service.any_running();
  }
  if (!idle) log(LogLevel::warning, "a test did not stop in time; its output is opened now");
}

}  // namespace

int run_daemon(StationConfig config, const DaemonOptions& options) {
  // Outlives everything: a signal may come until the process ends.
  static base::Wakeup wakeup;
  catch_end_signals(wakeup);
  auto lock = StateLock::take(config.state_dir);
  if (!lock) return fail(lock.error());

  base::SystemClock clock;
  RealtimeProcess process(config.realtime);
  const RealtimeConfig realtime = config.realtime;
  record::RecorderConfig record;
  record.state_dir = config.state_dir;
  record.commit_interval = config.commit;
  DeviceFactory devices(clock);
  auto wired = wire_station(
      std::move(config),
      [&devices](const StationConfig& station, std::uint32_t device) { return devices.make(station, device); },
      std::move(record), clock);
  if (!wired) return fail(wired.error());
  Station& station = **wired;
  for (const std::string& line : station.recorder->recovery_report()) log(LogLevel::notice, "record: " + line);
  station.recorder->on_commit([] { wakeup.post(); });

  Threads threads(station, clock);
  if (auto started = threads.start(); !started) return fail(started.error());
  std::vector<std::string> warnings = process.warnings();
  for (std::string& warning : threads.warnings()) warnings.push_back(std::move(warning));
  for (const std::string& warning : warnings) log(LogLevel::warning, warning);

  StationService service(station, clock, std::move(warnings));
  auto server = open_server(options, service);
  if (!server) return fail(server.error());
  if (auto started = threads.start_control(**server, service); !started) return fail(started.error());
  // Below the cycle, above everything else: a busy machine must not starve the one who feeds the watchdog.
  make_this_thread_realtime({.name = "cyclerd", .fifo_priority = realtime.priority - 20, .affinity = {}});

  Watch watch(station, service, clock);
  log(LogLevel::info, fmt::format("{}: station {}, {} channel(s), {} wire(s), record in {}, socket {}", version(),
                                  station.config.name, station.config.channels.size(), station.wires.size(),
                                  station.config.state_dir, socket_path(options)));
  wait_for_self_check(watch, clock, wakeup);
  while (!end_was_asked()) clock.wait_until(watch.run_once(), wakeup);

  watch.notifier().stopping();
  log(LogLevel::info, "stopping: tests end, every output opens");
  threads.end_control();
  stop_tests(service, watch, clock);
  threads.end_ports();
  threads.end_cycle();
  threads.end_recorder();
  service.poll();
  log(LogLevel::info, "stopped");
  return exit_code::kOk;
}

}  // namespace cyclerd::app
