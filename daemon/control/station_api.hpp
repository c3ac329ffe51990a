// What the control side may ask of the running station. Implemented by daemon/app; the control server knows nothing
// else.
#pragma once

#include <functional>
#include <string>

#include <nlohmann/json.hpp>

namespace cyclerd::control {

using Json = nlohmann::json;

// A failed call: a stable exit-code class, and words for the person who asked. See daemon/control/README.md.
enum class Failure : int {
  none = 0,
  failed = 1,
  usage = 2,
  invalid = 3,
  unreachable = 4,
  busy = 5,
  permission = 6,
  refused = 7,
  device = 8,
  timeout = 9
};

struct Answer {
  Failure failure = Failure::none;
  std::string message;
  Json value;  // result, or details of the failure (diagnostics)

  static Answer ok(Json v) { return {Failure::none, {}, std::move(v)}; }
  static Answer error(Failure f, std::string m, Json v = nullptr) { return {f, std::move(m), std::move(v)}; }
};

struct Caller {
  int pid = 0;
  unsigned uid = 0;
  std::string user;
  std::string role;  // viewer, operator, engineer, admin
};

using Done = std::function<void(Answer)>;  // may be called from any thread, exactly once

// Called on the control thread. Calls that change state answer through `done` after they are durable.
class StationApi {
 public:
  virtual ~StationApi() = default;

  virtual Json server_info() = 0;  // version, build, station, uptime, warnings
  virtual Json status() = 0;       // every channel
  virtual Json devices() = 0;      // every device with health and identity
  virtual Json doctor() = 0;       // list of {check, verdict, detail, fix}
  virtual Json tests() = 0;        // known tests, newest first, with their folders
  // params of check and start: {profile: text, profile_name, cell: text, cell_name, channel, parameters: {..},
  // waveforms: {name: text}, sample_name, operator, institution, note}. Texts, never paths.
  virtual Answer check(const Json& params) = 0;
  // The same, but may answer later from another thread: what takes long must not delay somebody's stop.
  virtual void check_later(const Json& params, Done done) { done(check(params)); }
  virtual void doctor_later(Done done) { done(Answer::ok(doctor())); }
  virtual void tests_later(Done done) { done(Answer::ok(tests())); }
  virtual void start(const Json& params, const Caller& caller, Done done) = 0;
  // params: {channel, profile: text, profile_name, parameters, waveforms, reason, dry_run}
  virtual void amend(const Json& params, const Caller& caller, Done done) = 0;
  virtual void request(const std::string& channel, const std::string& what, const std::string& reason,
                       const Caller& caller, Done done) = 0;  // pause, resume, stop, skip_step
  virtual void acknowledge(const std::string& channel, const std::string& reason, const Caller& caller, Done done) = 0;
};

}  // namespace cyclerd::control
