// What people and programs may ask of the running station: the daemon's side of control::StationApi.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "daemon/app/launch.hpp"
#include "daemon/app/resources.hpp"
#include "daemon/app/status_json.hpp"
#include "daemon/app/wiring.hpp"
#include "daemon/control/dispatcher.hpp"
#include "daemon/control/station_api.hpp"
#include "protocols/base/clock.hpp"

namespace cyclerd::app {

// Name, uid and role, for the record.
[[nodiscard]] std::string person(const control::Caller& caller);
// Running or paused.
[[nodiscard]] bool runs_test(const cycle::ChannelStatus& status);

// Calls come from the control thread, poll() and the rest from the main thread, jobs run on a thread of their own; one
// mutex stands between them, and nothing long is done under it. No real-time thread ever takes it: the cycle is reached
// through its rings alone.
class StationService final : public control::StationApi {
 public:
  StationService(Station& station, base::Clock& clock, std::vector<std::string> warnings);
  ~StationService() override;

  // Takes a job for another thread; false when too many wait.
  using Jobs = std::function<bool(std::function<void()>)>;
  // Before the first call. Without it compilations and lists are made on the calling thread.
  void work_on(Jobs jobs) { jobs_ = std::move(jobs); }

  control::Json server_info() override;
  control::Json status() override;
  control::Json devices() override;
  control::Json doctor() override;
  control::Json tests() override;
  control::Answer check(const control::Json& params) override;
  void check_later(const control::Json& params, control::Done done) override;
  void doctor_later(control::Done done) override;
  void tests_later(control::Done done) override;
  void start(const control::Json& params, const control::Caller& caller, control::Done done) override;
  void amend(const control::Json& params, const control::Caller& caller, control::Done done) override;
  void request(const std::string& channel, const std::string& what, const std::string& reason,
               const control::Caller& caller, control::Done done) override;
  void acknowledge(const std::string& channel, const std::string& reason, const control::Caller& caller,
                   control::Done done) override;

  // Takes what the cycle answered, and gives those answers on that have become durable. Often.
  void poll();
  // A line for every channel's record. Lost when the cycle's ring is full.
  void note(base::EventKind kind, const std::string& subject, const std::string& text, double value = 0.0);
  void audit(const control::AuditEntry& entry);
  // Asks every running test to stop; true when none runs. For the orderly end.
  bool stop_all(const std::string& reason);
  [[nodiscard]] bool any_running() const;

 private:
  struct Pending {
    control::Done done;
    control::Json value;
    std::uint32_t channel = 0;
    bool accepted = false;
    std::uint64_t ring_position = 0;
    base::MonoTime asked;
  };
  struct Finished {
    control::Done done;
    control::Answer answer;
  };
  // A start on its way from the request to the cycle.
  struct Launching {
    LaunchRequest request;
    std::uint32_t channel = 0;
    control::Caller caller;
    std::uint64_t stops = 0;  // of its channel, when it was asked
  };
  // An amendment on its way: compiled, held against a look at the test, exchanged. The cycle works on `amend` while an
  // order with it is under way.
  struct Amending {
    std::uint32_t channel = 0;
    std::uint64_t test = 0;
    control::Caller caller;
    control::Done done;
    LaunchRequest request;  // the test's, with the new profile
    std::string reason;
    bool dry_run = false;
    std::shared_ptr<const LaunchedTest> launched;  // of the test when it was asked
    text::SourcePtr source;
    Compiled compiled;
    std::shared_ptr<const profiles::Program> from;
    std::unique_ptr<cycle::Amend> amend;
    std::shared_ptr<const LaunchedTest> next;
    int attempts = 0;
  };

  [[nodiscard]] std::int32_t find_channel(const std::string& name) const;
  [[nodiscard]] ChannelAbility ability(std::uint32_t channel) const;
  [[nodiscard]] std::string not_ready(std::uint32_t channel) const;
  [[nodiscard]] control::Answer no_such_channel(const std::string& name) const;
  // Which channel a launch is for; an error answer when it is none.
  control::Answer read_launch(const control::Json& params, LaunchRequest& request, std::uint32_t& channel) const;
  control::Answer compile(const LaunchRequest& request, std::uint32_t channel, Compiled& compiled) const;
  // Runs `work` as a job and gives its answer to `done`.
  void later(std::function<control::Answer()> work, control::Done done);
  // Everything but the order itself: on the job's thread, without the mutex.
  control::Answer prepare(const Launching& launching, Compiled& compiled, std::unique_ptr<cycle::Run>& run);
  void launch(const Launching& launching, const control::Done& done);
  // station_amend.cpp, in the order of their steps
  control::Answer read_amendment(const control::Json& params, Amending& amending);
  void amend_later(const std::shared_ptr<Amending>& amending,
                   std::function<void(const std::shared_ptr<Amending>&)> work);
  void compile_amendment(const std::shared_ptr<Amending>& amending);
  void look(const std::shared_ptr<Amending>& amending);
  void answered(const std::shared_ptr<Amending>& amending, const cycle::Reply& reply);
  void plan_amendment(const std::shared_ptr<Amending>& amending);
  void exchange(const std::shared_ptr<Amending>& amending, const std::vector<std::string>& lines, control::Json value);
  void take_over(const Amending& amending);
  void refuse_amendment(const Amending& amending, const text::Diagnostics& findings);
  // Hands an order over; the answer comes through poll(). False: the cycle's ring is full.
  bool submit(cycle::Order order, control::Done done, control::Json value);
  void take_replies();
  void settle(std::vector<Finished>& finished);

  Station& station_;
  base::Clock& clock_;
  const Resources resources_;
  const std::vector<std::string> warnings_;
  const base::MonoTime started_;
  Jobs jobs_;

  std::mutex mutex_;
  std::uint64_t next_id_ = 1;
  std::uint64_t last_test_ = 0;
  std::vector<std::uint64_t> stops_;                             // by channel: stops asked for
  std::vector<std::uint32_t> launching_;                         // by channel: starts not yet handed to the cycle
  std::map<std::uint64_t, Pending> pending_;                     // by order id
  std::vector<RunningTest> running_;                             // by channel
  std::map<std::uint64_t, RunningTest> starting_;                // by order id
  std::map<std::uint64_t, std::shared_ptr<Amending>> amending_;  // by order id: looks and exchanges under way
  std::vector<std::pair<std::shared_ptr<Amending>, cycle::Reply>>
      looked_;  // replies to go on with outside of the mutex
};

}  // namespace cyclerd::app
