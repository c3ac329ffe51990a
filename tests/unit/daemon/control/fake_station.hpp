// A station of two channels for tests of the control side: answers from a second thread, remembers what it was asked.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "daemon/control/station_api.hpp"

namespace cyclerd::control {

class FakeStation : public StationApi {
 public:
  ~FakeStation() override { join(); }

  Json server_info() override { return {{"version", "0.1.0"}, {"station", "bench-1"}, {"warnings", Json::array()}}; }
  Json status() override {
    const std::lock_guard lock(mutex_);
    Json channels = Json::array();
    for (const auto& [name, channel] : channels_) channels.push_back(channel);
    return {{"station", "bench-1"}, {"channels", channels}};
  }
  Json devices() override {
    return Json::array({{{"name", "psb"}, {"link", "open"}, {"maker", "EA"}, {"model", "PSB 9080-120"}}});
  }
  Json doctor() override {
    return Json::array({{{"check", "wires"}, {"verdict", "ok"}, {"detail", "1 of 1 answer"}, {"fix", ""}}});
  }
  Json tests() override { return tests_; }
  Answer check(const Json& params) override {
    if (params["profile"] == "wrong") {
      return Answer::error(Failure::invalid, "1 error", {{"diagnostics", Json::array({{{"message", "no such key"}}})}});
    }
    return Answer::ok({{"steps", 3}});
  }
  void start(const Json& params, const Caller& caller, Done done) override {
    later([this, params, who = caller.user, done] {
      const std::string channel = params["channel"];
      const std::lock_guard lock(mutex_);
      if (!channels_.contains(channel)) return done(Answer::error(Failure::usage, "no channel " + channel));
      if (channels_[channel]["state"] == "running") {
        return done(Answer::error(Failure::busy, channel + " is running test 7"));
      }
      if (params["profile"] == "wrong") {
        return done(Answer::error(Failure::invalid, "the profile has 1 error",
                                  {{"text", "error[P001]: no such key\n --> wrong.toml:1:1\n"}}));
      }
      channels_[channel]["state"] = "running";
      channels_[channel]["test"] = 42;
      requests_.push_back("start " + channel + " by " + who);
      done(Answer::ok({{"test", 42}, {"folder", "/tmp/tests/42"}}));
    });
  }
  void amend(const Json& params, const Caller& caller, Done done) override {
    later([this, params, who = caller.user, done] {
      const std::lock_guard lock(mutex_);
      requests_.push_back("amend " + params["channel"].get<std::string>() + " by " + who);
      if (params["profile"] == "wrong") {
        return done(Answer::error(Failure::invalid, "the test on ch1 cannot be amended so: 1 error",
                                  {{"text", "error[P100]: 'up' is running\n --> wrong.toml:1:1\n"}}));
      }
      done(Answer::ok({{"channel", params["channel"]},
                       {"test", 42},
                       {"dry_run", params.value("dry_run", false)},
                       {"unchanged", params["profile"] == "same"},
                       {"changes", {"changed 'ageing' (LOOP, line 9): count: 3 -> 5", "kept    7 steps"}},
                       {"step", "'up' (CC_CHG, line 11)"},
                       {"test_time_s", 125.0},
                       {"warnings", 0},
                       {"before", {{"name", "a"}, {"worst_case_duration_s", 3600.0}}},
                       {"after", {{"name", "a"}, {"worst_case_duration_s", 7200.0}}}}));
    });
  }
  void request(const std::string& channel, const std::string& what, const std::string& reason, const Caller& caller,
               Done done) override {
    later([this, channel, what, reason, who = caller.user, done] {
      const std::lock_guard lock(mutex_);
      if (!channels_.contains(channel)) return done(Answer::error(Failure::usage, "no channel " + channel));
      requests_.push_back(what + " " + channel + (reason.empty() ? "" : ": " + reason));
      if (what == "stop") {
        channels_[channel]["state"] = "finished";
        channels_[channel]["run_state"] = "stopped";
      }
      if (what == "pause") channels_[channel]["state"] = "paused";
      done(Answer::ok({{"channel", channel}}));
    });
  }
  void acknowledge(const std::string& channel, const std::string& reason, const Caller& caller, Done done) override {
    request(channel, "ack", reason, caller, std::move(done));
  }

  void set(const std::string& channel, const std::string& field, Json value) {
    const std::lock_guard lock(mutex_);
    channels_[channel][field] = std::move(value);
  }
  void set_tests(Json tests) { tests_ = std::move(tests); }
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  // Waits for the answers under way.
  void join() {
    std::vector<std::thread> all;
    {
      const std::lock_guard lock(threads_mutex_);
      all.swap(threads_);
    }
    for (auto& thread : all) thread.join();
  }

 private:
  void later(std::function<void()> work) {
    const std::lock_guard lock(threads_mutex_);
    threads_.emplace_back(std::move(work));
  }

  std::mutex mutex_;
  std::mutex threads_mutex_;
  std::vector<std::thread> threads_;
  std::map<std::string, Json> channels_{{"ch1", {{"name", "ch1"}, {"state", "safe"}, {"voltage_V", 3.7}}},
                                        {"ch2", {{"name", "ch2"}, {"state", "safe"}, {"voltage_V", 3.6}}}};
  Json tests_ = Json::array();
  std::vector<std::string> requests_;
};

}  // namespace cyclerd::control
