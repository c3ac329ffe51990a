#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "daemon/app/device_maker.hpp"
#include "daemon/app/disk.hpp"
#include "daemon/app/expansion_json.hpp"
#include "daemon/app/metadata.hpp"
#include "daemon/app/station_service.hpp"

// What takes long: compilations, lists, and the way of a start from a request to the cycle.
namespace cyclerd::app {
namespace {

using control::Answer;
using control::Failure;
using control::Json;

constexpr const char* kTooManyJobs = "too many checks and starts wait already: try again in a moment";

}  // namespace

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

Answer StationService::read_launch(const Json& params, LaunchRequest& request, std::uint32_t& channel) const {
  if (auto wrong = read_launch_request(params, request); !wrong.empty()) return Answer::error(Failure::usage, wrong);
  const std::int32_t found =
      request.channel.empty() && station_.config.channels.size() == 1 ? 0 : find_channel(request.channel);
  if (found < 0) return no_such_channel(request.channel);
  channel = static_cast<std::uint32_t>(found);
  const DiskRoom room = disk_room(station_.config.state_dir);
  if (room.total_bytes > 0.0) request.free_bytes = room.free_bytes;
  return {};
}

Answer StationService::compile(const LaunchRequest& request, std::uint32_t channel, Compiled& compiled) const {
  compiled = compile_launch(request, ability(channel), resources_.cells, resources_.waveforms);
  Json value = describe_findings(compiled.diagnostics);
  if (!compiled.program) {
    return Answer::error(
        Failure::invalid,
        fmt::format("the profile cannot run on {}: {} error{}", station_.config.channels[channel].name,
                    compiled.diagnostics.error_count(), compiled.diagnostics.error_count() == 1 ? "" : "s"),
        std::move(value));
  }
  value.update(describe_program(*compiled.program));
  return Answer::ok(std::move(value));
}

void StationService::later(std::function<Answer()> work, control::Done done) {
  auto job = [work = std::move(work), done] {
    Answer answer;
    try {
      answer = work();
    } catch (const std::exception& e) {
      answer = Answer::error(Failure::failed, fmt::format("failed inside the daemon: {}", e.what()));
    }
    done(std::move(answer));
  };
  if (!jobs_) return job();
  if (!jobs_(std::move(job))) done(Answer::error(Failure::busy, kTooManyJobs));
}

Answer StationService::check(const Json& params) {
  LaunchRequest request;
  Compiled compiled;
  std::uint32_t channel = 0;
  if (Answer wrong = read_launch(params, request, channel); wrong.failure != Failure::none) return wrong;
  Answer answer = compile(request, channel, compiled);
  // `expand`: the flat program as well, for this channel's instruments.
  const auto wanted = params.find("expand");
  if (answer.failure != Failure::none || wanted == params.end() || *wanted != true) return answer;
  PreparedLaunch prepared;
  if (prepare_launch(request, ability(channel), resources_.cells, resources_.waveforms, false, prepared)) {
    if (const auto expansion = profiles::expand_profile(prepared.profile, prepared.launch, prepared.diagnostics)) {
      answer.value["expansion"] = describe_expansion(*expansion);
      answer.value["expansion_text"] = profiles::to_text(*expansion);
    }
  }
  return answer;
}

void StationService::check_later(const Json& params, control::Done done) {
  later([this, params] { return check(params); }, std::move(done));
}

void StationService::doctor_later(control::Done done) {
  later([this] { return Answer::ok(doctor()); }, std::move(done));
}

void StationService::tests_later(control::Done done) {
  later([this] { return Answer::ok(tests()); }, std::move(done));
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
  auto launching = std::make_shared<Launching>();
  launching->caller = caller;
  if (Answer wrong = read_launch(params, launching->request, launching->channel); wrong.failure != Failure::none) {
    return done(std::move(wrong));
  }
  {
    const std::scoped_lock lock(mutex_);
    launching->stops = stops_[launching->channel];
    ++launching_[launching->channel];
  }
  auto job = [this, launching, done] {
    try {
      launch(*launching, done);
    } catch (const std::exception& e) {
      done(Answer::error(Failure::failed, fmt::format("the start failed inside the daemon: {}", e.what())));
    }
    const std::scoped_lock lock(mutex_);
    --launching_[launching->channel];
  };
  if (!jobs_) return job();
  if (jobs_(std::move(job))) return;
  const std::scoped_lock lock(mutex_);
  --launching_[launching->channel];
  done(Answer::error(Failure::busy, kTooManyJobs));
}

Answer StationService::prepare(const Launching& launching, Compiled& compiled, std::unique_ptr<cycle::Run>& run) {
  const LaunchRequest& request = launching.request;
  const std::uint32_t channel = launching.channel;
  const ChannelConfig& config = station_.config.channels[channel];
  Answer checked = compile(request, channel, compiled);
  if (checked.failure != Failure::none) return checked;
  if (runs_test(station_.cycle->status(channel).load())) {
    return Answer::error(Failure::busy, fmt::format("channel {} runs a test already", config.name));
  }
  if (auto why = not_ready(channel); !why.empty()) return Answer::error(Failure::device, std::move(why));
  if (auto trouble = station_.recorder->trouble(); !trouble.empty()) {
    return Answer::error(Failure::refused, "no test starts while the record is in trouble: " + trouble);
  }
  if (auto why = disk_refusal(station_.config.state_dir, *compiled.program); !why.empty()) {
    return Answer::error(Failure::refused, std::move(why));
  }
  run = std::make_unique<cycle::Run>(compiled.program);
  {
    const std::scoped_lock lock(mutex_);
    run->test = std::max(static_cast<std::uint64_t>(clock_.wall().us), last_test_ + 1);
    last_test_ = run->test;
  }
  run->limits = test_limits(config.limits, compiled.cell, *compiled.program);
  run->limits_before = idle_limits(config.limits, config.scan);
  for (safety::LimitTable* table : {&run->limits, &run->limits_before}) add_plausibility(*table, config.plausibility);
  run->metadata_json = metadata_json(station_, channel, run->test, request, compiled, clock_);
  if (const std::size_t most = station_.records.capacity_bytes() / 8; run->metadata_json.size() > most) {
    return Answer::error(Failure::refused,
                         fmt::format("profile, cell and waveforms make {} bytes of metadata, the record takes {}: thin "
                                     "the waveforms out, or install them among the shipped ones",
                                     run->metadata_json.size(), most));
  }
  return Answer::ok({{"test", run->test},
                     {"channel", config.name},
                     {"warnings", checked.value["warnings"]},
                     {"text", checked.value["text"]}});
}

void StationService::launch(const Launching& launching, const control::Done& done) {
  Compiled compiled;
  std::unique_ptr<cycle::Run> run;
  Answer prepared = prepare(launching, compiled, run);
  if (prepared.failure != Failure::none) return done(std::move(prepared));

  cycle::Order order;
  order.kind = cycle::Order::Kind::start;
  order.channel = launching.channel;
  order.run = run.get();
  order.who = std::string_view(person(launching.caller));
  order.text = std::string_view(launching.request.note);
  const std::scoped_lock lock(mutex_);
  if (stops_[launching.channel] != launching.stops) {
    return done(Answer::error(Failure::refused, "a stop was asked for while the start was being prepared"));
  }
  auto launched = std::make_shared<LaunchedTest>(LaunchedTest{launching.request, compiled.ability});
  launched->request.cell = compiled.cell_text;  // the shipped one may change
  starting_[next_id_] = {run->test,
                         compiled.program,
                         compiled.cell.name,
                         launching.request.sample_name,
                         launching.request.operator_name,
                         std::move(launched),
                         0};
  if (submit(order, done, std::move(prepared.value))) {
    (void)run.release();  // the cycle's until it says `finished` or refuses
  } else {
    starting_.erase(next_id_);
  }
}

}  // namespace cyclerd::app
