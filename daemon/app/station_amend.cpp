// Another profile for the test that runs: compiled as at its start, held against where the test is, and handed to the
// cycle. When the test goes on in the meantime, planned again.
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "daemon/app/disk.hpp"
#include "daemon/app/metadata.hpp"
#include "daemon/app/station_service.hpp"
#include "profiles/amend_plan.hpp"
#include "profiles/step_text.hpp"

namespace cyclerd::app {
namespace {

using control::Answer;
using control::Failure;
using control::Json;

constexpr int kAttempts = 10;
constexpr std::size_t kMaxChangeLines = 200;

std::string change_line(const profiles::StepChange& change, const profiles::Program& from,
                        const profiles::Program& to) {
  switch (change.kind) {
    case profiles::StepChange::Kind::added: return "added   " + profiles::step_words(to, change.to);
    case profiles::StepChange::Kind::removed: return "removed " + profiles::step_words(from, change.from);
    case profiles::StepChange::Kind::changed: break;
  }
  return fmt::format("changed {}: {}", profiles::step_words(to, change.to), fmt::join(change.differences, "; "));
}

// For a person: parameters, then steps.
std::vector<std::string> change_lines(const LaunchRequest& before, const LaunchRequest& after,
                                      const profiles::Program& from, const profiles::Program& to) {
  std::vector<std::string> lines;
  if (from.name != to.name) lines.push_back(fmt::format("profile {} -> {}", from.name, to.name));
  std::map<std::string, std::pair<std::string, std::string>> parameters;
  for (const auto& [name, value] : before.parameters) parameters[name].first = value;
  for (const auto& [name, value] : after.parameters) parameters[name].second = value;
  for (const auto& [name, values] : parameters) {
    if (values.first == values.second) continue;
    const auto word = [](const std::string& value) { return value.empty() ? std::string("default") : value; };
    lines.push_back(fmt::format("parameter {}: {} -> {}", name, word(values.first), word(values.second)));
  }
  const profiles::ProgramChanges changes = profiles::compare_programs(from, to);
  for (const profiles::StepChange& change : changes.steps) lines.push_back(change_line(change, from, to));
  if (lines.size() > kMaxChangeLines) {
    const std::size_t more = lines.size() - kMaxChangeLines;
    lines.resize(kMaxChangeLines);
    lines.push_back(fmt::format("and {} more", more));
  }
  lines.push_back(fmt::format("kept    {} steps", changes.kept));
  return lines;
}

Json in_short(const profiles::Program& program) {
  Json json = describe_program(program);
  json.erase("steps");
  return json;
}

bool flag(const Json& params, const char* name) {
  const auto found = params.find(name);
  return found != params.end() && found->is_boolean() && found->get<bool>();
}

}  // namespace

Answer StationService::read_amendment(const Json& params, Amending& amending) {
  LaunchRequest wanted;
  if (auto wrong = read_launch_request(params, wanted, false); !wrong.empty())
    return Answer::error(Failure::usage, wrong);
  const std::int32_t found = find_channel(wanted.channel);
  if (found < 0) return no_such_channel(wanted.channel);
  amending.channel = static_cast<std::uint32_t>(found);
  amending.reason = params.value("reason", "");
  amending.dry_run = flag(params, "dry_run");
  const std::scoped_lock lock(mutex_);
  const RunningTest& running = running_[amending.channel];
  if (!runs_test(station_.cycle->status(amending.channel).load()) || running.launched == nullptr)
    return Answer::error(Failure::refused, fmt::format("no test runs on channel {}", wanted.channel));
  amending.test = running.test;
  amending.launched = running.launched;
  amending.request = running.launched->request;
  amending.request.profile = wanted.profile;
  amending.request.profile_name = wanted.profile_name;
  amending.request.parameters = wanted.parameters;
  for (const auto& [name, text] : wanted.waveforms) amending.request.waveforms[name] = text;
  return Answer::ok(nullptr);
}

void StationService::amend(const Json& params, const control::Caller& caller, control::Done done) {
  auto amending = std::make_shared<Amending>();
  amending->caller = caller;
  amending->done = std::move(done);
  if (Answer wrong = read_amendment(params, *amending); wrong.failure != Failure::none)
    return amending->done(std::move(wrong));
  amend_later(amending, [this](const std::shared_ptr<Amending>& a) { compile_amendment(a); });
}

void StationService::amend_later(const std::shared_ptr<Amending>& amending,
                                 std::function<void(const std::shared_ptr<Amending>&)> work) {
  auto job = [amending, work = std::move(work)] {
    try {
      work(amending);
    } catch (const std::exception& e) {
      amending->done(
          Answer::error(Failure::failed, fmt::format("the amendment failed inside the daemon: {}", e.what())));
    }
  };
  if (!jobs_) return job();
  if (!jobs_(std::move(job)))
    amending->done(Answer::error(Failure::busy, "too many checks and starts wait already: try again in a moment"));
}

void StationService::compile_amendment(const std::shared_ptr<Amending>& amending) {
  Amending& a = *amending;
  a.source = std::make_shared<const text::Source>(text::Source{a.request.profile_name, a.request.profile});
  text::Diagnostics findings;
  a.request.parameters =
      profiles::amended_parameters(a.launched->request.parameters, a.request.parameters, a.source, findings);
  a.compiled = compile_launch(a.request, a.launched->ability, resources_.cells, resources_.waveforms);
  findings.append(std::move(a.compiled.diagnostics));
  a.compiled.diagnostics = std::move(findings);
  if (!a.compiled.program) return refuse_amendment(a, a.compiled.diagnostics);
  look(amending);
}

void StationService::refuse_amendment(const Amending& a, const text::Diagnostics& findings) {
  a.done(Answer::error(
      Failure::invalid,
      fmt::format("the test on {} cannot be amended so: {} error{}", station_.config.channels[a.channel].name,
                  findings.error_count(), findings.error_count() == 1 ? "" : "s"),
      describe_findings(findings)));
}

// Asks the cycle where the test is; the answer comes through poll().
void StationService::look(const std::shared_ptr<Amending>& amending) {
  if (++amending->attempts > kAttempts) {
    return amending->done(Answer::error(Failure::busy,
                                        "the test goes from step to step faster than it can be amended: pause it, "
                                        "amend it, resume it"));
  }
  amending->amend = std::make_unique<cycle::Amend>();
  cycle::Order order;
  order.kind = cycle::Order::Kind::look;
  order.channel = amending->channel;
  order.amend = amending->amend.get();
  bool asked = false;
  {
    const std::scoped_lock lock(mutex_);
    order.id = next_id_;
    asked = station_.cycle->orders().push(order);
    if (asked) amending_[next_id_++] = amending;
  }
  if (!asked)
    return amending->done(Answer::error(Failure::failed, "the cycle takes no orders; see `cyclerctl doctor`"));
  station_.cycle_wakeup.post();
}

void StationService::answered(const std::shared_ptr<Amending>& amending, const cycle::Reply& reply) {
  if (reply.moved_on != 0) return look(amending);
  if (reply.kind == cycle::Reply::Kind::refused)
    return amending->done(Answer::error(Failure::refused, std::string(reply.text.view())));
  amend_later(amending, [this](const std::shared_ptr<Amending>& a) { plan_amendment(a); });
}

void StationService::plan_amendment(const std::shared_ptr<Amending>& amending) {
  Amending& a = *amending;
  const profiles::ExecutorState& seen = a.amend->seen;
  std::shared_ptr<const LaunchedTest> launched;
  {
    const std::scoped_lock lock(mutex_);
    if (running_[a.channel].test != a.test) return a.done(Answer::error(Failure::refused, "the test is over"));
    a.from = running_[a.channel].program;
    launched = running_[a.channel].launched;
  }
  // Another amendment's reply may still be under way.
  const auto scratch = std::make_unique<profiles::ExecutorState>();
  if (!profiles::can_amend(seen) || !profiles::restore(*a.from, profiles::snapshot(seen), *scratch))
    return look(amending);
  const profiles::Program& to = *a.compiled.program;
  text::Diagnostics findings = a.compiled.diagnostics;
  const auto plan = profiles::plan_amendment(*a.from, seen, to, a.source, findings);
  if (!plan) return refuse_amendment(a, findings);
  const std::vector<std::string> lines = change_lines(launched->request, a.request, *a.from, to);
  const bool unchanged = a.from->compiled_sha256 == to.compiled_sha256;
  Json value = describe_findings(findings);
  value.update({{"channel", station_.config.channels[a.channel].name},
                {"test", a.test},
                {"dry_run", a.dry_run},
                {"unchanged", unchanged},
                {"changes", lines},
                {"step", profiles::step_words(*a.from, seen.step_index)},
                {"test_time_s", static_cast<double>(seen.last_input_us) / 1e6},
                {"before", in_short(*a.from)},
                {"after", in_short(to)}});
  if (a.dry_run || unchanged) return a.done(Answer::ok(std::move(value)));
  if (auto why = disk_refusal(station_.config.state_dir, to); !why.empty())
    return a.done(Answer::error(Failure::refused, std::move(why)));
  a.amend->plan = *plan;
  exchange(amending, lines, std::move(value));
}

void StationService::exchange(const std::shared_ptr<Amending>& amending, const std::vector<std::string>& lines,
                              Json value) {
  Amending& a = *amending;
  cycle::Amend& wanted = *a.amend;
  wanted.test = a.test;
  wanted.from = a.from.get();
  wanted.program = a.compiled.program;
  wanted.rows = std::make_unique<profiles::RowSelector>(*a.compiled.program);
  wanted.metadata_json = amendment_json(a.request, a.compiled, person(a.caller), a.reason, lines);
  if (const std::size_t most = station_.records.capacity_bytes() / 8; wanted.metadata_json.size() > most) {
    return a.done(Answer::error(Failure::refused, fmt::format("the new profile and its waveforms make {} bytes, the "
                                                              "record takes {}: thin the waveforms out",
                                                              wanted.metadata_json.size(), most)));
  }
  auto next = std::make_shared<LaunchedTest>();
  next->request = a.request;
  next->ability = a.launched->ability;
  a.next = std::move(next);
  cycle::Order order;
  order.kind = cycle::Order::Kind::amend;
  order.channel = a.channel;
  order.amend = &wanted;
  order.who = std::string_view(person(a.caller));
  order.text = std::string_view(a.reason);
  const std::scoped_lock lock(mutex_);
  const std::uint64_t id = next_id_;
  if (submit(order, a.done, std::move(value))) amending_[id] = amending;
}

// Under the mutex, when the cycle has exchanged the programs: what status and the next amendment go by.
void StationService::take_over(const Amending& amending) {
  RunningTest& running = running_[amending.channel];
  if (running.test != amending.test) return;
  running.program = amending.compiled.program;
  running.launched = amending.next;
  ++running.amendments;
}

}  // namespace cyclerd::app
