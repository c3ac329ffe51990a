#include "daemon/app/station_service.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

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

profiles::Request request_of(const std::string& what) {
  if (what == "pause") return profiles::Request::pause;
  if (what == "resume") return profiles::Request::resume;
  if (what == "stop") return profiles::Request::stop;
  if (what == "skip_step") return profiles::Request::skip_step;
  return profiles::Request::none;
}

}  // namespace

std::string person(const control::Caller& caller) {
  return fmt::format("{} (uid {}, {})", caller.user, caller.uid, caller.role);
}

bool runs_test(const cycle::ChannelStatus& status) {
  return status.run_state == profiles::RunState::running || status.run_state == profiles::RunState::paused;
}

StationService::StationService(Station& station, base::Clock& clock, std::vector<std::string> warnings)
    : station_(station),
      clock_(clock),
      resources_(find_resources()),
      warnings_(std::move(warnings)),
      started_(clock.now()),
      stops_(station.config.channels.size()),
      launching_(station.config.channels.size()),
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
  std::vector<RunningTest> running;
  {
    const std::scoped_lock lock(mutex_);
    running = running_;
  }
  Json channels = Json::array();
  for (std::uint32_t i = 0; i < running.size(); ++i) channels.push_back(channel_json(station_, i, running[i]));
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
  if (order.request == profiles::Request::stop) {
    ++stops_[order.channel];  // a start that is still being compiled never begins
    const bool handed_over =
        std::ranges::any_of(pending_, [&](const auto& pending) { return pending.second.channel == order.channel; });
    if (launching_[order.channel] > 0 && !handed_over && !runs_test(station_.cycle->status(order.channel).load())) {
      return done(Answer::ok({{"cancelled_start", true}}));
    }
  }
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
    if (const auto amended = amending_.extract(reply.id)) {
      const bool exchanged = entry != pending_.end();  // a look waits for nothing
      if (exchanged && reply.kind == cycle::Reply::Kind::accepted) take_over(*amended.mapped());
      if (!exchanged || reply.moved_on != 0) {
        if (exchanged) pending_.erase(entry);
        looked_.emplace_back(amended.mapped(), reply);
        continue;
      }
    }
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
  decltype(looked_) looked;
  {
    const std::scoped_lock lock(mutex_);
    take_replies();
    settle(finished);
    looked.swap(looked_);
  }
  for (const auto& [amending, reply] : looked) answered(amending, reply);
  for (Finished& one : finished) {
    // A start that is durable has its folder.
    if (one.answer.failure == Failure::none && one.answer.value.contains("test") &&
        !one.answer.value.contains("changes")) {
      one.answer.value["folder"] =
          record::find_test_folder(station_.config.state_dir, one.answer.value["test"].get<std::uint64_t>());
    }
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
    if (runs_test(station_.cycle->status(i).load())) return true;
  }
  return false;
}

bool StationService::stop_all(const std::string& reason) {
  bool idle = true;
  const std::scoped_lock lock(mutex_);
  for (std::uint32_t i = 0; i < station_.config.channels.size(); ++i) {
    if (!runs_test(station_.cycle->status(i).load())) continue;
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
