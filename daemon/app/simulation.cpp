#include "daemon/app/simulation.hpp"

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "daemon/app/metadata.hpp"
#include "daemon/app/resources.hpp"
#include "daemon/app/wiring.hpp"
#include "daemon/record/record_json.hpp"
#include "daemon/record/storage.hpp"
#include "daemon/record/test_folder.hpp"
#include "hil/cells/cell_set.hpp"
#include "hil/inprocess/inprocess.hpp"
#include "hil/plant/world.hpp"
#include "protocols/base/clock.hpp"

namespace cyclerd::app {
namespace {

constexpr base::Duration kSettle = base::seconds(30);  // of virtual time, for the self-check
constexpr std::size_t kRingBytes = 8U << 20;
constexpr std::uint64_t kTurnsPerLook = 64;  // at the status, for pauses; a pause lasts at least so many scans

// A station of one channel, made by hand instead of from a file.
StationConfig bench(const SimulationConfig& config) {
  StationConfig station;
  station.name = "simulation";
  station.path = "simulation";
  station.state_dir = config.out;
  station.wires.push_back([] {
    WireConfig wire;
    wire.name = "bench";
    wire.transport = Transport::in_process;
    wire.round_trip = {};
    return wire;
  }());
  ChannelConfig channel;
  channel.name = config.launch.channel.empty() ? "sim" : config.launch.channel;
  channel.scan = config.scan;
  channel.chamber = config.chamber ? 1 : -1;
  station.channels.push_back(channel);
  DeviceConfig cycler;
  cycler.name = "cycler";
  cycler.description = "in-process";
  cycler.scan = config.scan;
  cycler.channel = 0;
  station.devices.push_back(cycler);
  if (config.chamber) {
    DeviceConfig chamber = cycler;
    chamber.name = "chamber";
    // A chamber moves in minutes; its poll need not be finer than the scan, nor slower than its sensor's lag.
    chamber.scan = std::max(config.scan, base::seconds(1));
    station.devices.push_back(chamber);
  }
  return station;
}

// How the record says that the test ended.
std::pair<profiles::TestOutcome, std::string> read_outcome(const std::string& folder) {
  const auto text = record::read_text(folder + "/test.json");
  if (!text) return {profiles::TestOutcome::none, text.error().text()};
  const record::Json about = record::parse_or_null(*text);
  if (!about.is_object()) return {profiles::TestOutcome::none, "test.json cannot be read"};
  using enum profiles::TestOutcome;
  for (const auto outcome : {completed, stopped, failed, tripped, interrupted}) {
    if (about.value("state", "") == profiles::to_string(outcome)) return {outcome, about.value("reason", "")};
  }
  return {none, about.value("reason", "")};
}

class Simulation {
 public:
  explicit Simulation(const SimulationConfig& config) : config_(config), world_(clock_.now(), config.ambient_degC) {}

  SimulationResult run();

 private:
  bool build();
  bool settle();
  bool begin();
  void play();
  void turn();
  void take_replies();
  void order(cycle::Order order);
  void listen_to_model();
  [[nodiscard]] cycle::ChannelStatus status() const { return station_->cycle->status(0).load(); }

  const SimulationConfig& config_;
  base::VirtualClock clock_;
  hil::World world_;
  SimulationResult result_;
  std::unique_ptr<Station> station_;
  std::unique_ptr<cycle::Run> run_;
  LaunchRequest launch_;  // with ratings
  std::size_t plant_ = 0;
  std::uint32_t told_flags_ = 0;
  base::MonoTime began_;  // the order to start
  std::uint64_t test_ = 0;
  bool accepted_ = false;
  bool ended_ = false;
};

bool Simulation::build() {
  launch_ = config_.launch;
  const auto set = load_virtual_cell(config_.cell_set, launch_.cell_name, result_.diagnostics);
  if (!set) return false;
  result_.cell_set = set->name;
  if (launch_.cell.empty() && launch_.cell_name.empty()) {
    launch_.cell = ratings_of(*set, result_.diagnostics);
    if (launch_.cell.empty()) return false;
    launch_.cell_name = set->name + " (ratings made of the virtual cell)";
  }
  hil::ChamberConfig chamber;
  chamber.start_degC = config_.ambient_degC;
  chamber.room_degC = config_.ambient_degC;
  chamber.seed = config_.seed + 1;
  const std::size_t place = config_.chamber ? world_.add_chamber(chamber) : hil::World::kRoom;
  plant_ = world_.add_plant(set->make({.soc = config_.initial_soc, .temperature_degC = config_.ambient_degC}),
                            bench_plant(*set, config_.instruments, config_.seed), place);

  record::RecorderConfig record;
  record.state_dir = config_.out;
  record.durable = false;
  // Nobody reads along: batches are full ones. By age, in virtual time, each would hold a row or two.
  record.batch_age = base::hours(24 * 365);
  auto wired = wire_station(
      bench(config_),
      [this, place](const StationConfig&, std::uint32_t device) -> base::Result<std::unique_ptr<device::Device>> {
        if (device == 0) return std::make_unique<hil::InprocessCycler>(world_, plant_, clock_);
        return std::make_unique<hil::InprocessChamber>(world_, place, clock_);
      },
      record, clock_, kRingBytes);
  if (!wired) {
    result_.error = wired.error().text();
    return false;
  }
  station_ = std::move(*wired);
  return true;
}

// One round of everybody, in the order in which a sample travels; then time jumps to the next moment anybody asked for.
void Simulation::turn() {
  Wire& wire = station_->wires.front();
  base::MonoTime next = wire.port->run_once();
  next = std::min(next, station_->cycle->run_once());
  if (wire.lanes->commands.size() + wire.lanes->limits.size() > 0) next = std::min(next, wire.port->run_once());
  // Nobody waits for the disk here: the recorder works in large portions.
  if (station_->records.used_bytes() > kRingBytes / 4) station_->recorder->run_once();
  if (station_->cycle->replies().size() > 0) take_replies();
  clock_.advance_to(next);
}

void Simulation::order(cycle::Order order) {
  station_->cycle->orders().push(order);
}

void Simulation::take_replies() {
  cycle::Reply reply;
  while (station_->cycle->replies().pop(reply)) {
    switch (reply.kind) {
      case cycle::Reply::Kind::accepted: accepted_ = accepted_ || reply.id == 1; break;
      case cycle::Reply::Kind::refused:
        if (reply.id == 1) {
          result_.error = "the test was refused: " + std::string(reply.text.view());
          ended_ = true;
        }
        break;
      case cycle::Reply::Kind::finished: ended_ = true; break;
    }
  }
}

bool Simulation::settle() {
  const base::MonoTime deadline = clock_.now() + kSettle;
  while (clock_.now() < deadline) {
    turn();
    if (status().state == cycle::ChannelState::safe) return true;
  }
  result_.error = fmt::format("the virtual channel did not become ready; it is {}: {}",
                              cycle::to_string(status().state), status().last_event.text.view());
  return false;
}

bool Simulation::begin() {
  ChannelAbility ability;
  ability.cycler = station_->health[0]->load().capability;
  ability.has_chamber = config_.chamber;
  if (config_.chamber) ability.chamber = station_->health[1]->load().capability;
  ability.has_cell_temperature = true;
  ability.scan = config_.scan;
  const Resources resources = find_resources();
  Compiled compiled = compile_launch(launch_, ability, resources.cells, resources.waveforms, true);
  result_.diagnostics.append(std::move(compiled.diagnostics));
  if (!compiled.program) return false;

  // A folder may hold earlier simulations: each is a test of its own, a virtual day apart.
  while (!record::find_test_folder(config_.out, static_cast<std::uint64_t>(clock_.wall().us)).empty())
    clock_.step_wall(base::hours(24));
  test_ = static_cast<std::uint64_t>(clock_.wall().us);
  run_ = std::make_unique<cycle::Run>(compiled.program);
  run_->test = test_;
  run_->limits = test_limits({}, compiled.cell, *compiled.program);
  // Polled once a scan and never late: with long scans a value is older than a lab would allow, and not for want of
  // one.
  run_->limits.sensor_loss = std::max(run_->limits.sensor_loss, config_.scan * 4);
  run_->limits_before = idle_limits({}, config_.scan);
  run_->metadata_json = metadata_json(*station_, 0, test_, launch_, compiled, clock_);
  cycle::Order start;
  start.kind = cycle::Order::Kind::start;
  start.id = 1;
  start.run = run_.get();
  start.who = "simulation";
  order(start);
  began_ = clock_.now();
  return true;
}

// Once for each thing the model says: into the result and, as a note, into the record.
void Simulation::listen_to_model() {
  const std::uint32_t flags = world_.plant(plant_).cell().flags();
  if (flags == told_flags_) return;
  for (const std::string_view words : model_words(flags & ~told_flags_)) {
    result_.notes.push_back({std::string(words), (clock_.now() - began_).seconds()});
    cycle::Order note;
    note.kind = cycle::Order::Kind::note;
    note.who = "virtual cell";
    note.text.append(words);
    order(note);
  }
  told_flags_ |= flags;
}

void Simulation::play() {
  const base::MonoTime deadline = clock_.now() + config_.max_duration;
  bool resumed = false;
  for (std::uint64_t turns = 1; !ended_; ++turns) {
    turn();
    listen_to_model();
    if (turns % kTurnsPerLook != 0) continue;
    const bool paused = status().run_state == profiles::RunState::paused;
    if (paused && !resumed) {
      cycle::Order resume;
      resume.kind = cycle::Order::Kind::request;
      resume.request = profiles::Request::resume;
      resume.who = "simulation";
      resume.text = "nobody is here to be asked";
      order(resume);
    }
    resumed = paused && !resumed;  // a second pause may follow the first at once
    if (clock_.now() >= deadline) {
      result_.error = fmt::format("not at its end after {:.0f} s of virtual time", config_.max_duration.seconds());
      return;
    }
  }
}

SimulationResult Simulation::run() {
  base::SystemClock system;
  const base::MonoTime began = system.now();
  if (build() && settle() && begin()) {
    play();
    station_->recorder->finish();
    const cycle::ChannelStatus end = status();
    result_.steps = end.row.step_count;
    result_.cycles = end.row.cycle_count;
    result_.scans = end.scans;
    result_.rows = end.rows_kept;
    result_.virtual_s = static_cast<double>(end.row.test_time_us) * 1e-6;
    result_.folder = record::find_test_folder(config_.out, test_);
    if (accepted_) std::tie(result_.outcome, result_.reason) = read_outcome(result_.folder);
  }
  result_.wall_s = (system.now() - began).seconds();
  return std::move(result_);
}

}  // namespace

SimulationResult simulate(const SimulationConfig& config) {
  return Simulation(config).run();
}

}  // namespace cyclerd::app
