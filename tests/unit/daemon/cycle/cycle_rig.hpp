// A cycle on a virtual clock with wires fed by hand: one wire a cycler, one wire for the chamber, a bench cell behind
// each cycler.
#pragma once

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/cycle/cycle.hpp"
#include "profiles/replay.hpp"
#include "tests/support/bench_cell.hpp"
#include "tests/support/program_builder.hpp"

namespace cyclerd::test {

struct Frame {
  profiles::RecordHeader header;
  std::vector<std::byte> payload;

  template <class T>
  [[nodiscard]] T as() const {
    T value;
    ENSURE(payload.size() >= sizeof value, "frame too short");
    std::memcpy(static_cast<void*>(&value), payload.data(), sizeof value);
    return value;
  }
};

struct RigOptions {
  std::size_t channels = 1;
  bool chamber = false;  // one, shared by all channels
  bool chamber_loss_trips = false;
  std::size_t ring_bytes = 4U << 20;
  std::size_t command_wires = 8;
};

class CycleRig {
 public:
  static constexpr base::Duration kScan = base::milliseconds(100);

  struct Unit {
    std::unique_ptr<io::Lanes> lanes;
    base::Latch latch;
    BenchCell cell;
    std::uint64_t readings = 0;
    bool silent = false;   // no readings at all
    bool confirms = true;  // says command_done
    std::uint32_t flags = 0;
    std::uint8_t output_stuck_on = 0;
    std::vector<base::Command> commands;
    std::vector<io::LimitUpdate> limits;
  };

  explicit CycleRig(RigOptions options = {}) : ring(options.ring_bytes), options_(options) {
    std::vector<cycle::ChannelConfig> configs;
    std::vector<io::Lanes*> wires;
    if (options.chamber) chamber_lanes = std::make_unique<io::Lanes>(64, wakeup);
    for (std::size_t i = 0; i < options.channels; ++i) {
      units.push_back(std::make_unique<Unit>());
      Unit& u = *units.back();
      u.lanes = std::make_unique<io::Lanes>(64, wakeup);
      cycle::ChannelConfig c;
      c.index = static_cast<std::uint32_t>(i);
      c.name = "channel-" + std::to_string(i + 1);
      c.cycler = c.index;
      c.cycler_lanes = u.lanes.get();
      c.latch = &u.latch;
      c.scan = kScan;
      c.chamber_loss_trips = options.chamber_loss_trips;
      if (options.chamber) {
        c.chamber = static_cast<std::int32_t>(options.channels);
        c.chamber_lanes = chamber_lanes.get();
      }
      configs.push_back(c);
      wires.push_back(u.lanes.get());
    }
    if (options.chamber) wires.push_back(chamber_lanes.get());
    cycle = std::make_unique<cycle::Cycle>(configs, wires, ring, clock);
  }
  ~CycleRig() { take_replies(); }

  // One scan period: the instruments answer, the cycle runs, the instruments obey.
  void round() {
    feed();
    cycle->run_once();
    obey();
    if (draining) drain();
    take_replies();
  }
  void rounds(int n) {
    for (int i = 0; i < n; ++i) round();
  }
  void feed() {
    clock.advance(kScan);
    for (std::uint32_t i = 0; i < units.size(); ++i) {
      units[i]->cell.advance(kScan.seconds());
      if (!units[i]->silent) read(i);
    }
    if (chamber_lanes && !chamber_silent) read_chamber();
  }
  void read(std::uint32_t i) {
    Unit& u = *units[i];
    const base::Sample s = u.cell.sample(clock.now());
    base::Reading r;
    r.device = i;
    r.sequence = ++u.readings;
    r.sent = clock.now() - base::microseconds(600);
    r.received = clock.now();
    r.wall = clock.wall();
    r.flags = u.flags;
    r.voltage_V = s.voltage_V;
    r.current_A = s.current_A;
    r.temperature_degC = s.temperature_degC;
    r.regulation = s.regulation;
    r.output_on = s.output_on | u.output_stuck_on;
    u.lanes->readings.push(r);
  }
  void read_chamber() {
    base::Reading r;
    r.device = static_cast<std::uint32_t>(units.size());
    r.sequence = ++chamber_readings;
    r.sent = r.received = clock.now();
    r.chamber_degC = chamber_degC;
    chamber_lanes->readings.push(r);
  }
  void obey() {
    base::Command command;
    io::LimitUpdate limits;
    for (auto& u : units) {
      while (u->lanes->limits.pop(limits)) u->limits.push_back(limits);
      while (u->lanes->commands.pop(command)) {
        u->commands.push_back(command);
        u->cell.apply(command.kind == base::Command::Kind::make_safe ? base::Setpoint{} : command.setpoint);
        if (u->confirms) notify(command.device, *u->lanes, io::Notice::What::command_done, command.sequence);
      }
    }
    if (!chamber_lanes) return;
    while (chamber_lanes->limits.pop(limits)) chamber_limits.push_back(limits);
    while (chamber_lanes->commands.pop(command)) {
      chamber_commands.push_back(command);
      chamber_degC = command.chamber.temperature_degC;
    }
  }
  void notify(std::uint32_t device, io::Lanes& lanes, io::Notice::What what, std::uint64_t sequence = 0) {
    io::Notice notice;
    notice.what = what;
    notice.device = device;
    notice.command_sequence = sequence;
    notice.time = clock.now();
    notice.event.time = clock.now();
    notice.event.kind = what == io::Notice::What::lost ? base::EventKind::fault : base::EventKind::setpoint;
    lanes.notices.push(notice);
  }
  void drain() {
    for (auto bytes = ring.peek(); !bytes.empty(); bytes = ring.peek()) {
      Frame f;
      std::memcpy(static_cast<void*>(&f.header), bytes.data(), sizeof f.header);
      f.payload.assign(bytes.begin() + sizeof f.header, bytes.end());
      frames.push_back(std::move(f));
      ring.release();
    }
  }
  void take_replies() {
    cycle::Reply reply;
    while (cycle->replies().pop(reply)) {
      if (reply.run != nullptr && reply.kind != cycle::Reply::Kind::accepted) {
        for (auto& run : runs) {
          if (run.get() == reply.run) given_back.push_back(reply.run);
        }
      }
      replies.push_back(reply);
    }
  }

  std::uint64_t start(const std::shared_ptr<const Program>& program, std::uint32_t channel = 0) {
    runs.push_back(std::make_unique<cycle::Run>(program));
    cycle::Run& run = *runs.back();
    run.test = 1000 + runs.size();
    run.metadata_json = R"({"cell":"bench"})";
    run.limits.tighten(safety::Cause::voltage_high, 4.25, {});
    run.limits.tighten(safety::Cause::temperature_high, 55.0, {});
    cycle::Order order;
    order.kind = cycle::Order::Kind::start;
    order.channel = channel;
    order.run = &run;
    order.who = "ada";
    return push(order);
  }
  std::uint64_t ask(profiles::Request request, std::uint32_t channel = 0) {
    cycle::Order order;
    order.kind = cycle::Order::Kind::request;
    order.request = request;
    order.channel = channel;
    order.who = "ada";
    order.text = "because";
    return push(order);
  }
  std::uint64_t acknowledge(std::uint32_t channel = 0) {
    cycle::Order order;
    order.kind = cycle::Order::Kind::acknowledge;
    order.channel = channel;
    order.who = "grace";
    order.text = "looked at it";
    return push(order);
  }
  std::uint64_t push(cycle::Order order) {
    order.id = ++last_order;
    cycle->orders().push(order);
    return order.id;
  }
  [[nodiscard]] std::optional<cycle::Reply> reply_to(std::uint64_t id) const {
    for (const auto& r : replies) {
      if (r.id == id) return r;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::string refusal(std::uint64_t id) const {
    const auto reply = reply_to(id);
    if (!reply) return "no reply";
    return reply->kind == cycle::Reply::Kind::refused ? std::string(reply->text.view()) : "not refused";
  }
  [[nodiscard]] bool accepted(std::uint64_t id) const {
    const auto reply = reply_to(id);
    return reply && reply->kind == cycle::Reply::Kind::accepted;
  }
  [[nodiscard]] cycle::ChannelStatus status(std::uint32_t channel = 0) const { return cycle->status(channel).load(); }
  [[nodiscard]] cycle::ChannelState state(std::uint32_t channel = 0) const { return status(channel).state; }
  void run_to_end(std::uint32_t channel = 0, int limit = 100'000) {
    for (int i = 0; i < limit && (i == 0 || !profiles::is_over(status(channel).run_state)); ++i) round();
    rounds(2);
  }

  template <class T>
  [[nodiscard]] std::vector<T> all(profiles::RecordKind kind, std::uint64_t test = 0) const {
    std::vector<T> out;
    for (const Frame& f : frames) {
      if (f.header.kind == kind && (test == 0 || f.header.test == test)) out.push_back(f.as<T>());
    }
    return out;
  }
  [[nodiscard]] std::vector<std::string> events(base::EventKind kind) const {
    std::vector<std::string> out;
    for (const auto& e : all<base::Event>(profiles::RecordKind::event)) {
      if (e.kind == kind) out.emplace_back(e.text.view());
    }
    return out;
  }

  base::VirtualClock clock{{10'000'000}};
  base::Wakeup wakeup;
  base::FrameRing ring;
  std::vector<std::unique_ptr<Unit>> units;
  std::unique_ptr<io::Lanes> chamber_lanes;
  double chamber_degC = 25.0;
  std::uint64_t chamber_readings = 0;
  bool chamber_silent = false;
  bool draining = true;
  std::vector<base::Command> chamber_commands;
  std::vector<io::LimitUpdate> chamber_limits;
  std::vector<Frame> frames;
  std::vector<cycle::Reply> replies;
  std::vector<std::unique_ptr<cycle::Run>> runs;
  std::vector<cycle::Run*> given_back;
  std::uint64_t last_order = 0;
  std::unique_ptr<cycle::Cycle> cycle;

 private:
  RigOptions options_;
};

inline std::shared_ptr<const Program> short_charge(double seconds = 5.0) {
  ProgramBuilder b;
  profiles::RecordRule rule;
  rule.every = base::seconds(1);
  rule.pretrigger = base::milliseconds(300);
  b.record(rule);
  b.charge("up", 2.0).with(&Step::voltage, num(4.2)).for_seconds(seconds);
  b.rest("relax").for_seconds(1);
  b.discharge("down", 2.0).for_seconds(seconds);
  b.advance_cycle();
  return b.build();
}

}  // namespace cyclerd::test
