#include "daemon/app/station_service.hpp"

#include <deque>

#include <gtest/gtest.h>

#include "daemon/app/recompile.hpp"
#include "daemon/app/station_file.hpp"
#include "daemon/record/record_json.hpp"
#include "daemon/record/storage.hpp"
#include "daemon/record/test_folder.hpp"
#include "tests/support/fake_device.hpp"

namespace cyclerd::app {
namespace {

using control::Answer;
using control::Failure;
using control::Json;

constexpr const char* kStation = R"(
name = "s"
[wire.w]
transport = "modbus-tcp"
host = "127.0.0.1"
port = 1
[device.psb]
description = "virtual-cycler"
wire = "w"
[channel.A1]
cycler = "psb"
)";

// A whole station without threads, whose jobs wait until the test does them.
struct StationServiceTest : testing::Test {
  void SetUp() override {
    std::string folder = testing::TempDir() + "cyclerd-service-XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    text::Diagnostics diagnostics;
    LoadOptions options;
    options.state_dir = folder;
    StationConfig config =
        load_station(std::make_shared<const text::Source>(text::Source{"s.toml", kStation}), options, diagnostics);
    ASSERT_FALSE(diagnostics.has_errors()) << diagnostics.render();
    record::RecorderConfig record;
    record.state_dir = folder;
    record.durable = false;
    auto wired = wire_station(
        std::move(config),
        [this](const StationConfig&, std::uint32_t) -> base::Result<std::unique_ptr<device::Device>> {
          return std::make_unique<test::FakeDevice>(clock);
        },
        std::move(record), clock);
    ASSERT_TRUE(wired) << wired.error().text();
    station = std::move(*wired);
    service = std::make_unique<StationService>(*station, clock, std::vector<std::string>{});
    service->work_on([this](std::function<void()> job) {
      jobs.push_back(std::move(job));
      return jobs.size() <= 2;
    });
    turn(20);
  }
  // The cycle gives a run back when it is over.
  void TearDown() override {
    service->stop_all("the end");
    turn(50);
    EXPECT_FALSE(service->any_running());
  }
  void turn(int times) {
    for (int i = 0; i < times; ++i) {
      base::MonoTime next = station->wires[0].port->run_once();
      next = std::min(next, station->cycle->run_once());
      station->recorder->run_once();
      service->poll();
      clock.advance_to(std::max(next, clock.now() + base::milliseconds(1)));
    }
  }
  control::Done keep(Answer& answer) {
    answer.message = "not answered";
    return [&answer](Answer given) { answer = std::move(given); };
  }
  Answer& start() {
    Answer& answer = answers.emplace_back();
    service->start({{"channel", "A1"},
                    {"cell_name", "lg-m50"},
                    {"profile", "profile = \"p\"\nschema = 1\n[[step]]\nrest = {}\nuntil = \"time >= 1 h\"\n"}},
                   {}, keep(answer));
    return answer;
  }
  Answer& stop() {
    Answer& answer = answers.emplace_back();
    service->request("A1", "stop", "", {}, keep(answer));
    return answer;
  }
  void do_jobs() {
    for (; !jobs.empty(); jobs.pop_front()) jobs.front()();
  }

  base::VirtualClock clock;
  std::unique_ptr<Station> station;
  std::unique_ptr<StationService> service;
  std::deque<std::function<void()>> jobs;
  std::deque<Answer> answers;
};

TEST_F(StationServiceTest, AStartIsCompiledElsewhereAndAnsweredWhenItIsDurable) {
  const Answer& answer = start();
  EXPECT_EQ(answer.message, "not answered");
  EXPECT_EQ(jobs.size(), 1U) << "nothing is compiled on the thread of the socket";
  do_jobs();
  turn(50);
  EXPECT_EQ(answer.failure, Failure::none) << answer.message << answer.value;
  EXPECT_TRUE(answer.value.contains("test"));
  EXPECT_NE(answer.value.value("folder", ""), "");
  EXPECT_TRUE(service->any_running());
}

TEST_F(StationServiceTest, AStopCancelsAStartThatIsStillBeingCompiled) {
  const Answer& started = start();
  const Answer& stopped = stop();
  EXPECT_EQ(stopped.failure, Failure::none) << stopped.message;
  EXPECT_EQ(stopped.value.value("cancelled_start", false), true);
  do_jobs();
  turn(50);
  EXPECT_EQ(started.failure, Failure::refused) << started.message;
  EXPECT_FALSE(service->any_running());
  const Answer& again = start();
  do_jobs();
  turn(50);
  EXPECT_EQ(again.failure, Failure::none) << again.message;
  const Answer& last = stop();
  turn(50);
  EXPECT_EQ(last.failure, Failure::none) << last.message;
  EXPECT_FALSE(last.value.contains("cancelled_start"));
  EXPECT_FALSE(service->any_running());
}

TEST_F(StationServiceTest, WhenTooManyJobsWaitTheNextIsBusy) {
  start();
  start();
  EXPECT_EQ(start().failure, Failure::busy);
}

TEST_F(StationServiceTest, ACheckOpensNoFileThatItsClientNames) {
  Answer answer;
  service->check_later({{"channel", "A1"},
                        {"cell_name", "lg-m50"},
                        {"folder", CYCLERD_SOURCE_DIR "/profiles/library/waveforms"},
                        {"profile", "profile = \"p\"\nschema = 1\n[[step]]\nfollow = { waveform = \"README.md\" }\n"}},
                       keep(answer));
  do_jobs();
  EXPECT_EQ(answer.failure, Failure::invalid);
  EXPECT_NE(answer.value.dump().find("P08"), std::string::npos) << answer.value.dump();
}

std::string long_rest(const std::string& name, const std::string& hours, const std::string& behind) {
  return "profile = \"" + name +
         "\"\nschema = 1\n[parameters]\nhours = { default = \"1 h\" }\nmore = { default = 2 }\n" +
         "[[step]]\nname = \"first\"\nrest = {}\nuntil = \"time >= " + hours +
         "\"\n[[step]]\nrepeat = { count = \"more\" }\n" +
         "  [[step.steps]]\n  name = \"behind\"\n  rest = {}\n  until = \"time >= " + behind + "\"\n";
}

struct AmendTest : StationServiceTest {
  void begin(const Json& parameters = Json::object()) {
    Answer& answer = answers.emplace_back();
    service->start({{"channel", "A1"},
                    {"cell_name", "lg-m50"},
                    {"parameters", parameters},
                    {"profile", long_rest("a", "hours", "10 s")}},
                   {}, keep(answer));
    do_jobs();
    turn(50);
    ASSERT_EQ(answer.failure, Failure::none) << answer.message << answer.value;
  }
  Answer amend(const std::string& profile, const Json& more = Json::object()) {
    Answer answer;
    Json params = {{"channel", "A1"}, {"profile", profile}, {"profile_name", "b.toml"}, {"reason", "longer"}};
    params.update(more);
    service->amend(params, {.pid = 1, .uid = 1000, .user = "ada", .role = "operator"}, keep(answer));
    for (int i = 0; i < 5; ++i) {
      do_jobs();
      turn(20);
    }
    return answer;
  }
  Json channel() { return service->status()["channels"][0]; }
  Json about() {
    const std::string folder =
        record::find_test_folder(station->config.state_dir, channel()["test"].get<std::uint64_t>());
    return record::parse_or_null(*record::read_text(folder + "/test.json"));
  }
};

TEST_F(AmendTest, TheNewProfileRunsIsShownAndIsInTheRecordTwiceInARow) {
  begin({{"hours", "2 h"}});
  const std::string before = channel()["profile_sha256"];
  const auto total_s = [&] { return channel()["eta_s"].get<double>() + channel()["time_s"].get<double>(); };
  const double total_before_s = total_s();
  Answer answer = amend(long_rest("b", "hours", "30 s"));
  ASSERT_EQ(answer.failure, Failure::none) << answer.message << answer.value.dump(1);
  EXPECT_EQ(answer.value["unchanged"], false);
  EXPECT_NE(answer.value["changes"].dump().find("changed 'behind' (REST, line 14): until: time >= 10 -> time >= 30"),
            std::string::npos)
      << answer.value["changes"].dump(1);
  EXPECT_NE(answer.value["changes"].dump().find("profile a -> b"), std::string::npos);
  EXPECT_EQ(answer.value["after"]["worst_case_duration_s"], 7260.0) << "hours is still what the test was started with";
  EXPECT_EQ(channel()["profile"], "b");
  EXPECT_NE(channel()["profile_sha256"], before);
  EXPECT_EQ(channel()["amendments"], 1);
  EXPECT_NEAR(total_s() - total_before_s, 40.0, 0.01);
  answer = amend(long_rest("b", "hours", "30 s"), {{"parameters", {{"more", "5"}}}});
  ASSERT_EQ(answer.failure, Failure::none) << answer.message << answer.value.dump(1);
  EXPECT_NE(answer.value["changes"].dump().find("parameter more: default -> 5"), std::string::npos)
      << answer.value["changes"].dump(1);
  const Json test = about();
  ASSERT_EQ(test["amendments"].size(), 2U);
  EXPECT_EQ(test["amendments"][0]["by"], "ada (uid 1000, operator)");
  EXPECT_EQ(test["amendments"][0]["reason"], "longer");
  EXPECT_EQ(test["amendments"][1]["profile"]["parameters"], (Json{{"hours", "2 h"}, {"more", "5"}}));
  EXPECT_EQ(test["metadata"]["profile"]["name"], "a");
  text::Diagnostics findings;
  for (const Json& entry : test["amendments"]) {
    const auto program = program_from_metadata(amended_metadata(test["metadata"].dump(), entry.dump()), findings);
    ASSERT_TRUE(program) << findings.render();
    EXPECT_EQ(program->compiled_sha256, entry["profile"]["compiled_sha256"]);
  }
}

TEST_F(AmendTest, ADryRunAndAProfileThatDoesTheSameLeaveNoTrace) {
  begin();
  const Answer dry = amend(long_rest("b", "hours", "30 s"), {{"dry_run", true}});
  ASSERT_EQ(dry.failure, Failure::none) << dry.message;
  EXPECT_GT(dry.value["changes"].size(), 1U);
  EXPECT_EQ(channel()["profile"], "a");
  const Answer same = amend("# a comment\n" + long_rest("a", "hours", "10000 ms"));
  ASSERT_EQ(same.failure, Failure::none) << same.message;
  EXPECT_EQ(same.value["unchanged"], true);
  EXPECT_EQ(channel()["amendments"], 0);
  EXPECT_FALSE(about().contains("amendments"));
}

TEST_F(AmendTest, WhatCannotBeIsRefusedInWords) {
  EXPECT_EQ(amend(long_rest("b", "hours", "30 s")).failure, Failure::refused) << "nothing runs";
  begin();
  Answer answer = amend(long_rest("b", "3 h", "30 s"));
  EXPECT_EQ(answer.failure, Failure::invalid);
  EXPECT_NE(answer.value.value("text", "").find("P100"), std::string::npos) << answer.value.dump();
  EXPECT_NE(answer.value.value("text", "").find("b.toml:"), std::string::npos) << answer.value.dump();
  answer = amend("profile = \"b\"\nschema = 1\n[[step]]\nrest = {}\n");
  EXPECT_EQ(answer.failure, Failure::invalid);
  EXPECT_NE(answer.value.value("text", "").find("P040"), std::string::npos) << answer.value.dump();
  answer = amend(long_rest("b", "hours", "30 s"), {{"channel", "A7"}});
  EXPECT_EQ(answer.failure, Failure::usage);
  answer = amend(long_rest("b", "hours", "30 s"), {{"parameters", {{"hours", "3 h"}}}});
  EXPECT_EQ(answer.failure, Failure::invalid) << "the running step uses it";
  EXPECT_EQ(channel()["profile"], "a");
  EXPECT_FALSE(about().contains("amendments"));
}

TEST_F(AmendTest, TwoAtOnceBothArriveOneAfterTheOther) {
  begin();
  Answer first;
  Answer second;
  service->amend({{"channel", "A1"}, {"profile", long_rest("b", "hours", "30 s")}}, {}, keep(first));
  service->amend({{"channel", "A1"}, {"profile", long_rest("c", "hours", "40 s")}}, {}, keep(second));
  for (int i = 0; i < 8; ++i) {
    do_jobs();
    turn(20);
  }
  EXPECT_EQ(first.failure, Failure::none) << first.message;
  EXPECT_EQ(second.failure, Failure::none) << second.message;
  EXPECT_EQ(about()["amendments"].size(), 2U);
  EXPECT_EQ(channel()["profile"], about()["amendments"][1]["profile"]["name"]);
}

}  // namespace
}  // namespace cyclerd::app
