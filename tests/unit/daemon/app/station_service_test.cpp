#include "daemon/app/station_service.hpp"

#include <deque>

#include <gtest/gtest.h>

#include "daemon/app/station_file.hpp"
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

}  // namespace
}  // namespace cyclerd::app
