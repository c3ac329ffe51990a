#include "daemon/app/station_service.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "daemon/app/device_maker.hpp"
#include "daemon/app/disk.hpp"
#include "daemon/app/doctor.hpp"
#include "daemon/app/log.hpp"
#include "daemon/app/metadata.hpp"
#include "daemon/app/test_list.hpp"
#include "daemon/record/test_folder.hpp"

namespace cyclerd::app {
namespace {

using control::Answer;
using control::Failure;
using control::Json;

constexpr base::Duration kPatience = base::seconds(15);  // for an order to become durable

std::string person(const control::Caller& caller) {
  return fmt::format("{} (uid {}, {})", caller.user, caller.uid, caller.role);
}

profiles::Request request_of(const std::string& what) {
  if (what == "pause") return profiles::Request::pause;
  if (what == "resume") return profiles::Request::resume;
  if (what == "stop") return profiles::Request::stop;
  if (what == "skip_step") return profiles::Request::skip_step;
  return profiles::Request::none;
}

bool runs(const cycle::ChannelStatus& status) {
  return status.run_state == profiles::RunState::running || status.run_state == profiles::RunState::paused;
}

}  // namespace

StationService::StationService(Station& station, base::Clock& clock, std::vector<std::string> warnings)
    : station_(station),
      clock_(clock),
      resources_(find_resources()),
      warnings_(std::move(warnings)),
      started_(clock.now()),
      running_(station.config.channels.size()) {}

StationService::~StationService() = default;

Json StationService::server_info() {
  return {{"name", "cyclerd"},
          {"version", version()},
          {"build", build_id()},
          {"station", station_.config.name},
          {"station_file", station_.config.path},
          {"state_dir", station_.config.state_dir},
          {"uptime_s", (clock_.now() - started_).seconds()},
          {"recovery_policy", station_.config.recovery_policy},
          {"warnings", warnings_}};
}

Json StationService::status() {
  const std::scoped_lock lock(mutex_);
  Json channels = Json::array();
  for (std::uint32_t i = 0; i < running_.size(); ++i) channels.push_back(channel_json(station_, i, running_[i]));
  const std::string trouble = station_.recorder->trouble();
  return {{"station", station_.config.name},
          {"unix_time_us", clock_.wall().us},
          {"uptime_s", (clock_.now() - started_).seconds()},
          {"record_trouble", trouble.empty() ? Json(nullptr) : Json(trouble)},
          {"channels", std::move(channels)}};
}

Json StationService::devices() {
  Json all = Json::array();
  const base::MonoTime now = clock_.now();
  for (std::uint32_t i = 0; i < station_.config.devices.size(); ++i) all.push_back(device_json(station_, i, now));
  return all;
}

Json StationService::doctor() {
  return examine(station_, warnings_);
}

Json StationService::tests() {
  return list_tests(station_.config.state_dir);
}

std::int32_t StationService::find_channel(const std::string& name) const {
  const auto& channels = station_.config.channels;
  for (std::size_t i = 0; i < channels.size(); ++i) {
    if (channels[i].name == name) return static_cast<std::int32_t>(i);
  }
  return -1;
}

Answer StationService::no_such_channel(const std::string& name) const {
  std::string known;
  for (const ChannelConfig& channel : station_.config.channels) known += (known.empty() ? "" : ", ") + channel.name;
  return Answer::error(Failure::usage, name.empty()
                                           ? fmt::format("name a channel: this station has {}", known)
                                           : fmt::format("no channel \"{}\": this station has {}", name, known));
}

ChannelAbility StationService::ability(std::uint32_t channel) const {
  const ChannelConfig& config = station_.config.channels[channel];
  const auto capability_of = [&](std::int32_t index) {
    const auto i = static_cast<std::size_t>(index);
    const io::DeviceHealth health = station_.health[i]->load();
    // Before the instrument has been opened once, what its description promises stands in.
    return health.polls > 0 ? health.capability : assumed_capability(station_.config.devices[i]);
  };
  ChannelAbility ability;
  ability.cycler = capability_of(static_cast<std::int32_t>(config.cycler));
  ability.has_chamber = config.chamber >= 0;
  if (ability.has_chamber) ability.chamber = capability_of(config.chamber);
  ability.has_cell_temperature =
      config.sensor >= 0 || measures_cell_temperature(station_.config.devices[config.cycler]);
  ability.scan = config.scan;
  ability.limits = config.limits;
  return ability;
}

Answer StationService::compile(const Json& params, LaunchRequest& request, Compiled& compiled,
                               std::int32_t& channel) const {
  if (auto wrong = read_launch_request(params, request); !wrong.empty()) return Answer::error(Failure::usage, wrong);
  channel = request.channel.empty() && station_.config.channels.size() == 1 ? 0 : find_channel(request.channel);
  if (channel < 0) return no_such_channel(request.channel);
  compiled =
      compile_launch(request, ability(static_cast<std::uint32_t>(channel)), resources_.cells, resources_.waveforms);
  Json value = describe_findings(compiled.diagnostics);
  if (!compiled.program) {
    return Answer::error(
        Failure::invalid,
        fmt::format("the profile cannot run on {}: {} error{}",
                    station_.config.channels[static_cast<std::size_t>(channel)].name,
                    compiled.diagnostics.error_count(), compiled.diagnostics.error_count() == 1 ? "" : "s"),
        std::move(value));
  }
  value.update(describe_program(*compiled.program));
  return Answer::ok(std::move(value));
}

Answer StationService::check(const Json& params) {
  LaunchRequest request;
  Compiled compiled;
  std::int32_t channel = -1;
  return compile(params, request, compiled, channel);
}

std::string StationService::not_ready(std::uint32_t channel) const {
  const ChannelConfig& config = station_.config.channels[channel];
  for (const std::int32_t index : {static_cast<std::int32_t>(config.cycler), config.chamber, config.sensor}) {
    if (index < 0) continue;
    const auto i = static_cast<std::size_t>(index);
    const io::DeviceHealth health = station_.health[i]->load();
    if (health.link == io::LinkState::open || health.link == io::LinkState::suspect) continue;
    return fmt::format("device {} of channel {} does not answer: {}", station_.config.devices[i].name, config.name,
                       health.error.empty() ? "not opened yet" : health.error.view());
  }
  return {};
}

void StationService::start(const Json& params, const control::Caller& caller, control::Done done) {
  LaunchRequest request;
  Compiled compiled;
  std::int32_t found = -1;
  Answer checked = compile(params, request, compiled, found);
  if (checked.failure != Failure::none) return done(std::move(checked));
  const auto channel = static_cast<std::uint32_t>(found);
  if (runs(station_.cycle->status(channel).load())) {
    return done(Answer::error(Failure::busy, fmt::format("channel {} runs a test already", request.channel)));
  }
  if (auto why = not_ready(channel); !why.empty()) return done(Answer::error(Failure::device, std::move(why)));
  if (auto trouble = station_.recorder->trouble(); !trouble.empty()) {
    return done(Answer::error(Failure::refused, "no test starts while the record is in trouble: " + trouble));
  }
  if (auto why = disk_refusal(station_.config.state_dir, *compiled.program); !why.empty()) {
    return done(Answer::error(Failure::refused, std::move(why)));
  }

  const std::scoped_lock lock(mutex_);
  auto run = std::make_unique<cycle::Run>(compiled.program);
  run->test = std::max(static_cast<std::uint64_t>(clock_.wall().us), last_test_ + 1);
  last_test_ = run->test;
  run->limits = test_limits(station_.config.channels[channel].limits, compiled.cell, *compiled.program);
  run->limits_before = idle_limits(station_.config.channels[channel].limits, station_.config.channels[channel].scan);
  run->metadata_json = metadata_json(station_, channel, run->test, request, compiled, clock_);

  cycle::Order order;
  order.kind = cycle::Order::Kind::start;
  order.channel = channel;
  order.run = run.get();
  order.who = std::string_view(person(caller));
  order.text = std::string_view(request.note);
  Json value = {{"test", run->test},
                {"channel", station_.config.channels[channel].name},
                {"warnings", checked.value["warnings"]},
                {"text", checked.value["text"]}};
  starting_[next_id_] = {run->test, compiled.program, compiled.cell.name, request.sample_name, request.operator_name};
  if (submit(order, std::move(done), std::move(value))) {
    (void)run.release();  // the cycle's until it says `finished` or refuses
  } else {
    starting_.erase(next_id_);
  }
}

void StationService::request(const std::string& channel, const std::string& what, const std::string& reason,
                             const control::Caller& caller, control::Done done) {
  const std::int32_t found = find_channel(channel);
  if (found < 0) return done(no_such_channel(channel));
  cycle::Order order;
  order.kind = cycle::Order::Kind::request;
  order.request = request_of(what);
  if (order.request == profiles::Request::none) {
    return done(Answer::error(Failure::usage,
                              fmt::format("\"{}\" cannot be asked of a test: pause, resume, stop, skip_step", what)));
  }
  order.channel = static_cast<std::uint32_t>(found);
  order.who = std::string_view(person(caller));
  order.text = std::string_view(reason);
  const std::scoped_lock lock(mutex_);
  submit(order, std::move(done), Json::object());
}

void StationService::acknowledge(const std::string& channel, const std::string& reason, const control::Caller& caller,
                                 control::Done done) {
  const std::int32_t found = find_channel(channel);
  if (found < 0) return done(no_such_channel(channel));
  cycle::Order order;
  order.kind = cycle::Order::Kind::acknowledge;
  order.channel = static_cast<std::uint32_t>(found);
  order.who = std::string_view(person(caller));
  order.text = std::string_view(reason);
  const std::scoped_lock lock(mutex_);
  submit(order, std::move(done), Json::object());
}

bool StationService::submit(cycle::Order order, control::Done done, Json value) {
  order.id = next_id_;
  if (!station_.cycle->orders().push(order)) {
    done(Answer::error(Failure::failed, "the cycle takes no orders; see `cyclerctl doctor`"));
    return false;
  }
  station_.cycle_wakeup.post();
  pending_[next_id_++] = {std::move(done), std::move(value), order.channel, false, 0, clock_.now()};
  return true;
}

void StationService::take_replies() {
  cycle::Reply reply;
  while (station_.cycle->replies().pop(reply)) {
    const auto entry = pending_.find(reply.id);
    const auto started = starting_.find(reply.id);
    switch (reply.kind) {
      case cycle::Reply::Kind::accepted:
        if (started != starting_.end()) {
          running_[reply.channel] = started->second;
          starting_.erase(started);
        }
        if (entry != pending_.end()) {
          entry->second.accepted = true;
          entry->second.ring_position = reply.ring_position;
        }
        break;
      case cycle::Reply::Kind::refused:
        if (started != starting_.end()) starting_.erase(started);
        delete reply.run;  // came out of start()'s unique_ptr
        if (entry != pending_.end()) {
          entry->second.value = Answer::error(Failure::refused, std::string(reply.text.view())).message;
          entry->second.ring_position = UINT64_MAX;
        }
        break;
      case cycle::Reply::Kind::finished: delete reply.run; break;
    }
  }
}

void StationService::settle(std::vector<Finished>& finished) {
  const std::uint64_t durable = station_.recorder->durable_frames();
  const base::MonoTime now = clock_.now();
  for (auto at = pending_.begin(); at != pending_.end();) {
    Pending& pending = at->second;
    if (!pending.accepted && pending.ring_position == UINT64_MAX) {
      finished.push_back({std::move(pending.done), Answer::error(Failure::refused, pending.value.get<std::string>())});
    } else if (pending.accepted && pending.ring_position <= durable) {
      // A start that is durable has its folder.
      if (pending.value.contains("test")) {
        pending.value["folder"] =
            record::find_test_folder(station_.config.state_dir, pending.value["test"].get<std::uint64_t>());
      }
      finished.push_back({std::move(pending.done), Answer::ok(std::move(pending.value))});
    } else if (now - pending.asked > kPatience) {
      const std::string trouble = station_.recorder->trouble();
      finished.push_back(
          {std::move(pending.done),
           Answer::error(Failure::timeout, pending.accepted ? "done, but not yet safe on disk: " +
                                                                  (trouble.empty() ? "the disk is slow" : trouble)
                                                            : "the cycle has not answered yet")});
    } else {
      ++at;
      continue;
    }
    at = pending_.erase(at);
  }
}

void StationService::poll() {
  std::vector<Finished> finished;
  {
    const std::scoped_lock lock(mutex_);
    take_replies();
    settle(finished);
  }
  for (Finished& one : finished) {
    if (one.done) one.done(std::move(one.answer));
  }
}

void StationService::note(base::EventKind kind, const std::string& subject, const std::string& text, double value) {
  const std::scoped_lock lock(mutex_);
  for (std::uint32_t i = 0; i < station_.config.channels.size(); ++i) {
    cycle::Order order;
    order.kind = cycle::Order::Kind::note;
    order.note_kind = kind;
    order.channel = i;
    order.who = std::string_view(subject);
    order.text = std::string_view(text);
    order.value = value;
    station_.cycle->orders().push(order);
  }
  station_.cycle_wakeup.post();
}

void StationService::audit(const control::AuditEntry& entry) {
  const std::string channel = entry.params.is_object() ? entry.params.value("channel", "") : "";
  const std::string text = fmt::format(
      "{} by {}{}{}{}", entry.method, person(entry.who), channel.empty() ? "" : " on " + channel,
      entry.failure == Failure::none ? ": done" : ": not done, ", entry.failure == Failure::none ? "" : entry.message);
  log(LogLevel::notice, text);
}

bool StationService::any_running() const {
  for (std::uint32_t i = 0; i < station_.config.channels.size(); ++i) {
    if (runs(station_.cycle->status(i).load())) return true;
  }
  return false;
}

bool StationService::stop_all(const std::string& reason) {
  bool idle = true;
  const std::scoped_lock lock(mutex_);
  for (std::uint32_t i = 0; i < station_.config.channels.size(); ++i) {
    if (!runs(station_.cycle->status(i).load())) continue;
    idle = false;
    cycle::Order order;
    order.kind = cycle::Order::Kind::request;
    order.request = profiles::Request::stop;
    order.channel = i;
    order.who = "cyclerd";
    order.text = std::string_view(reason);
    submit(order, {}, Json::object());
  }
  return idle;
}

}  // namespace cyclerd::app
