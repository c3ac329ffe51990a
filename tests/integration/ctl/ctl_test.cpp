// cyclerctl as a whole against the real server on a real socket, with a station that is made up.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>

#include "daemon/control/server.hpp"
#include "daemon/ctl/commands.hpp"
#include "tests/unit/daemon/control/fake_station.hpp"

namespace cyclerd::ctl {
namespace {

namespace fs = std::filesystem;

struct Ran {
  int code = -1;
  std::string out;
  std::string err;
};

struct CtlTest : testing::Test {
  void SetUp() override {
    char name[] = "/tmp/ctl-test-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder = name;
    config.path = folder + "/control.sock";
    std::ofstream(folder + "/good.toml") << "profile = \"good\"\n[[step]]\nfollow = { waveform = \"drive.csv\" }\n";
    std::ofstream(folder + "/drive.csv") << "a,b";
    std::ofstream(folder + "/wrong.toml") << "wrong";
    std::ofstream(folder + "/cell.toml") << "name = \"c\"\n";
  }
  void TearDown() override {
    stop();
    fs::remove_all(folder);
  }
  void serve() {
    auto opened = control::Server::open(config, station, [this](const control::AuditEntry& e) { audit.push_back(e); });
    ASSERT_TRUE(opened) << opened.error().text();
    server = std::move(*opened);
    thread = std::thread([this] { server->run(); });
  }
  void stop() {
    if (server) server->stop();
    if (thread.joinable()) thread.join();
    station.join();
    server.reset();
  }
  Ran run(std::vector<std::string> arguments, const std::string& typed = "", bool terminal = false) {
    Ran ran;
    char* out = nullptr;
    char* err = nullptr;
    std::size_t out_size = 0;
    std::size_t err_size = 0;
    Io io;
    io.out = open_memstream(&out, &out_size);
    io.err = open_memstream(&err, &err_size);
    std::string input = typed + "\n";
    io.in = fmemopen(input.data(), input.size(), "r");
    io.in_is_terminal = terminal;
    io.width = 120;
    io.interrupted = &interrupted;
    ran.code = ctl::run(arguments, config.path, io);
    for (std::FILE* file : {io.out, io.err, io.in}) std::fclose(file);
    ran.out.assign(out, out_size);
    ran.err.assign(err, err_size);
    std::free(out);
    std::free(err);
    return ran;
  }
  Ran start(const std::string& profile, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"start",  folder + "/" + profile, "--channel", "ch1",
                                       "--cell", folder + "/cell.toml"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }

  control::ServerConfig config;
  control::FakeStation station;
  std::vector<control::AuditEntry> audit;
  std::unique_ptr<control::Server> server;
  std::thread thread;
  std::string folder;
  std::atomic<bool> interrupted{false};
};

TEST_F(CtlTest, WithoutADaemonEveryCommandExitsWith4) {
  for (const char* command : {"status", "tests", "watch"}) {
    const Ran ran = run({command});
    EXPECT_EQ(ran.code, 4) << command;
    EXPECT_EQ(ran.out, "") << command;
    EXPECT_NE(ran.err.find("Is it running?"), std::string::npos) << ran.err;
  }
  EXPECT_EQ(run({"stop", "ch1"}).code, 4);
  EXPECT_EQ(start("good.toml").code, 4);
  // The descriptions are known without it.
  const Ran devices = run({"devices"});
  EXPECT_EQ(devices.code, 4);
  EXPECT_NE(devices.out.find("ea-psb-9000"), std::string::npos) << devices.out;
  EXPECT_NE(devices.err.find("Is it running?"), std::string::npos) << devices.err;
  EXPECT_EQ(run({"devices", "--plain"}).out, "");
}

TEST_F(CtlTest, StatusForPeopleScriptsAndPrograms) {
  serve();
  EXPECT_NE(run({"status"}).out.find("CHANNEL"), std::string::npos);
  const Ran plain = run({"status", "--plain"});
  EXPECT_EQ(plain.out.substr(0, 17), "ch1\tsafe\t3.7000 V");
  const Json json = Json::parse(run({"status", "ch2", "--json"}).out);
  EXPECT_EQ(json["channels"][0]["name"], "ch2");
}

TEST_F(CtlTest, TestsAndDevicesAreObjectsInJsonAndLinesInPlain) {
  station.set_tests(Json::parse(R"([{"test":42,"channel":"ch1","outcome":"completed","folder":"/x"}])"));
  serve();
  EXPECT_EQ(Json::parse(run({"tests", "--json"}).out)["tests"][0]["test"], 42);
  EXPECT_EQ(run({"tests", "--plain"}).out.substr(0, 7), "42\tch1\t");
  EXPECT_EQ(Json::parse(run({"devices", "--json"}).out)["devices"][0]["name"], "psb");
  EXPECT_FALSE(Json::parse(run({"devices", "--json"}).out)["descriptions"].empty());
  EXPECT_EQ(run({"devices", "--plain"}).out.substr(0, 32), "psb\t-\t-\topen\t-\tEA PSB 9080-120\t-");
}

TEST_F(CtlTest, StartPrintsTheTestAloneOnStdout) {
  serve();
  const Ran ran = start("good.toml", {"--sample", "S1"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "42\n");
  EXPECT_EQ(start("good.toml").code, 5);  // it runs
  stop();
  ASSERT_EQ(audit.size(), 2U);
  EXPECT_EQ(audit[0].params["sample_name"], "S1");
  EXPECT_EQ(audit[0].params["waveforms"]["drive.csv"], "(3 bytes)") << "texts travel, not paths";
  EXPECT_FALSE(audit[0].params.contains("folder"));
}

TEST_F(CtlTest, ARefusedProfileShowsTheDaemonsFindings) {
  serve();
  const Ran ran = start("wrong.toml");
  EXPECT_EQ(ran.code, 3);
  EXPECT_EQ(ran.out, "");
  EXPECT_NE(ran.err.find("error[P001]"), std::string::npos) << ran.err;
  const Ran json = start("wrong.toml", {"--json"});
  EXPECT_EQ(Json::parse(json.err)["error"]["exit_code"], 3);
}

TEST_F(CtlTest, AmendShowsWhatChangesAndWhere) {
  serve();
  const auto amend = [&](const std::string& profile, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"amend", "ch1", folder + "/" + profile, "--set", "cycles=5"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  };
  const Ran done = amend("good.toml", {"--reason", "longer"});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out,
            "ch1 amended while 'up' (CC_CHG, line 11) runs, 2 min 05 s into the test\n"
            "  changed 'ageing' (LOOP, line 9): count: 3 -> 5\n  kept    7 steps\n"
            "  the whole test: at most 2 h 00 min; before: at most 1 h 00 min\n");
  EXPECT_EQ(amend("good.toml", {"--plain"}).out, "changed 'ageing' (LOOP, line 9): count: 3 -> 5\nkept    7 steps\n");
  EXPECT_NE(amend("good.toml", {"--dry-run"}).out.find("would be amended"), std::string::npos);
  EXPECT_EQ(Json::parse(amend("good.toml", {"--json"}).out)["test"], 42);
  const Ran refused = amend("wrong.toml");
  EXPECT_EQ(refused.code, 3);
  EXPECT_NE(refused.err.find("error[P100]"), std::string::npos) << refused.err;
  EXPECT_EQ(run({"amend", "ch1"}).code, 2) << "which profile?";
  stop();
  ASSERT_EQ(audit.size(), 5U);
  EXPECT_EQ(audit[0].params["reason"], "longer");
  EXPECT_EQ(audit[0].params["parameters"]["cycles"], "5");
  EXPECT_EQ(audit[0].params["waveforms"]["drive.csv"], "(3 bytes)");
  EXPECT_EQ(audit[2].params["dry_run"], true);
}

TEST_F(CtlTest, FilesThatAreNotThereAreUsageErrors) {
  serve();
  EXPECT_EQ(start("missing.toml").code, 2);
  EXPECT_EQ(run({"start", folder + "/good.toml", "--channel", "ch1"}).code, 2);
  EXPECT_EQ(start("good.toml", {"--set", "cycles"}).code, 2);
  EXPECT_TRUE(station.requests().empty());
}

TEST_F(CtlTest, AWrongChannelIsNamedWithTheNearest) {
  serve();
  const Ran stop_wrong = run({"stop", "ch3"});
  EXPECT_EQ(stop_wrong.code, 2);
  EXPECT_NE(stop_wrong.err.find("did you mean \"ch1\"?"), std::string::npos);
  EXPECT_NE(stop_wrong.err.find("This station has: ch1, ch2"), std::string::npos) << stop_wrong.err;
  EXPECT_EQ(run({"watch", "nope"}).code, 2);
  EXPECT_EQ(run({"status", "nope"}).code, 2);
}

TEST_F(CtlTest, StopNeverAsksAndStopsAll) {
  serve();
  EXPECT_EQ(run({"stop", "ch1", "--reason", "smoke"}, "", true).code, 0);
  const Ran all = run({"stop", "--all"});
  EXPECT_EQ(all.code, 0);
  EXPECT_EQ(all.out, "ch1 stopped\nch2 stopped\n");
  const auto requests = station.requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[0], "stop ch1: smoke");
}

TEST_F(CtlTest, AcknowledgingIsConfirmedByAPersonOrByYes) {
  serve();
  EXPECT_EQ(run({"ack", "ch1"}).code, 2);                // nobody there
  EXPECT_EQ(run({"ack", "ch1"}, "no", true).code, 2);    // somebody declined
  EXPECT_EQ(run({"skip", "ch1"}, "ch2", true).code, 2);  // the wrong channel
  EXPECT_TRUE(station.requests().empty());
  EXPECT_EQ(run({"ack", "ch1"}, "ch1", true).code, 0);
  EXPECT_EQ(run({"ack", "ch1", "--yes", "--reason", "sensor"}).code, 0);
  EXPECT_EQ(run({"pause", "ch1"}).code, 0);
  EXPECT_EQ(station.requests(), (std::vector<std::string>{"ack ch1", "ack ch1: sensor", "pause ch1"}));
}

TEST_F(CtlTest, AViewerIsRefusedWith6AndMayStop) {
  config.roles.root_and_self_admin = false;
  serve();
  EXPECT_EQ(start("good.toml").code, 6);
  EXPECT_EQ(run({"pause", "ch1"}).code, 6);
  EXPECT_EQ(run({"status"}).code, 0);
  EXPECT_EQ(run({"stop", "ch1"}).code, 0);
  EXPECT_EQ(station.requests(), std::vector<std::string>{"stop ch1"});
}

TEST_F(CtlTest, StartWithWaitExitsWithTheOutcome) {
  serve();
  auto waiting = std::async(std::launch::async, [this] { return start("good.toml", {"--wait"}); });
  while (station.requests().empty()) std::this_thread::yield();
  station.set("ch1", "run_state", "finished");
  station.set("ch1", "state", "finished");
  const Ran ran = waiting.get();
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out.substr(0, 3), "42\n");
  EXPECT_NE(ran.err.find("test 42 completed"), std::string::npos) << ran.err;
}

TEST_F(CtlTest, WatchUntilDoneTellsATrip) {
  serve();
  station.set("ch1", "state", "running");
  station.set("ch1", "test", 7);
  auto watching = std::async(std::launch::async, [this] {
    return run({"watch", "ch1", "--until-done", "--interval", "0.05"});
  });
  while (server->clients() == 0) std::this_thread::yield();
  station.set("ch1", "trip", {{"cause", "voltage_high"}, {"text", "4.3 V"}});
  station.set("ch1", "state", "faulted");
  const Ran ran = watching.get();
  EXPECT_EQ(ran.code, 7);
  EXPECT_NE(ran.err.find("voltage_high: 4.3 V"), std::string::npos) << ran.err;
}

TEST_F(CtlTest, WatchIsInterruptedWith130AndSeesTheDaemonGo) {
  serve();
  auto watching = std::async(std::launch::async, [this] { return run({"watch", "--json"}); });
  while (server->clients() == 0) std::this_thread::yield();
  interrupted = true;
  const Ran ran = watching.get();
  EXPECT_EQ(ran.code, 130);
  interrupted = false;
  auto again = std::async(std::launch::async, [this] { return run({"watch"}); });
  while (server->clients() == 0) std::this_thread::yield();
  stop();
  EXPECT_EQ(again.get().code, 4);
}

TEST_F(CtlTest, WatchInJsonIsOneObjectALine) {
  serve();
  station.set("ch1", "state", "running");
  auto watching = std::async(std::launch::async, [this] {
    return run({"watch", "ch1", "--json", "--until-done", "--interval", "0.05"});
  });
  while (server->clients() == 0) std::this_thread::yield();
  station.set("ch1", "run_state", "stopped");
  station.set("ch1", "state", "finished");
  const Ran ran = watching.get();
  EXPECT_EQ(ran.code, 1);
  std::size_t start_of_line = 0;
  int lines = 0;
  while (start_of_line < ran.out.size()) {
    const std::size_t end = ran.out.find('\n', start_of_line);
    EXPECT_EQ(Json::parse(ran.out.substr(start_of_line, end - start_of_line))["channels"].size(), 1U);
    start_of_line = end + 1;
    ++lines;
  }
  EXPECT_GE(lines, 1);
}

TEST_F(CtlTest, DoctorWithoutADaemonStillLooksAtTheMachine) {
  const Ran ran = run({"doctor", "--json"});
  EXPECT_EQ(ran.code, 1);
  const Json findings = Json::parse(ran.out)["findings"];
  EXPECT_GT(findings.size(), 5U);
  EXPECT_EQ(findings[0]["check"], "cyclerd");
  EXPECT_EQ(findings[0]["verdict"], "bad");
}

TEST_F(CtlTest, DoctorWithADaemonAddsOnlyWhatTheDaemonDoesNotKnow) {
  serve();
  const Ran ran = run({"doctor", "--json", "--state-dir", folder});
  EXPECT_EQ(ran.code, 0);
  const Json findings = Json::parse(ran.out)["findings"];
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0]["check"], "wires");
  EXPECT_EQ(findings[1]["check"], "disk sync");
}

TEST_F(CtlTest, VersionTellsWhetherTheDaemonWasReached) {
  EXPECT_TRUE(Json::parse(run({"version", "--json"}).out)["daemon"].is_null());
  serve();
  EXPECT_EQ(Json::parse(run({"version", "--json"}).out)["daemon"]["station"], "bench-1");
}

}  // namespace
}  // namespace cyclerd::ctl
