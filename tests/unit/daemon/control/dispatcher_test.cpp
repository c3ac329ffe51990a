#include "daemon/control/dispatcher.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "tests/unit/daemon/control/fake_station.hpp"

namespace cyclerd::control {
namespace {

struct FakeConnection : Connection {
  Caller who{1, 1000, "ada", "viewer"};
  Role as = Role::viewer;
  bool in_reserve = false;
  int interval_ms = 0;
  [[nodiscard]] const Caller& caller() const override { return who; }
  [[nodiscard]] Role role() const override { return as; }
  [[nodiscard]] bool reserve() const override { return in_reserve; }
  Answer subscribe_status(int ms, const std::string&) override {
    interval_ms = ms;
    return Answer::ok({{"subscription", 1}});
  }
  Answer unsubscribe(std::int64_t n) override { return Answer::ok(n); }
};

struct DispatcherTest : testing::Test {
  FakeStation station;
  FakeConnection connection;
  std::vector<AuditEntry> audit;
  std::mutex mutex;
  Dispatcher dispatcher{station, [this](const AuditEntry& e) { audit.push_back(e); },
                        [this](std::function<void()> f) {
                          const std::lock_guard lock(mutex);
                          f();
                        }};

  Answer call(const std::string& method, const Json& params = Json::object()) {
    std::optional<Answer> answer;
    int answers = 0;
    dispatcher.call(method, params, connection, [&](Answer a) {
      answer = std::move(a);
      ++answers;
    });
    station.join();
    EXPECT_EQ(answers, 1);
    return answer.value_or(Answer::error(Failure::failed, "no answer"));
  }
};

const Json kLaunch{{"profile", "x"}, {"cell", "y"}, {"channel", "ch1"}};

TEST_F(DispatcherTest, AViewerReads) {
  for (const char* method : {"server.info", "status", "devices", "doctor", "tests", "methods"}) {
    EXPECT_EQ(call(method).failure, Failure::none) << method;
  }
  EXPECT_TRUE(audit.empty());
}

TEST_F(DispatcherTest, AViewerMayNotChangeAnythingButMayStop) {
  for (const char* method : {"pause", "resume", "skip", "ack"}) {
    EXPECT_EQ(call(method, {{"channel", "ch1"}}).failure, Failure::permission) << method;
  }
  EXPECT_EQ(call("start", kLaunch).failure, Failure::permission);
  EXPECT_TRUE(station.requests().empty());
  EXPECT_EQ(call("stop", {{"channel", "ch1"}}).failure, Failure::none);
  EXPECT_EQ(station.requests(), std::vector<std::string>{"stop ch1"});
}

TEST_F(DispatcherTest, ACallerWithoutAnyRoleMayStopButNotRead) {
  connection.as = Role::none;
  EXPECT_EQ(call("status").failure, Failure::permission);
  EXPECT_EQ(call("stop", {{"channel", "ch1"}}).failure, Failure::none);
}

TEST_F(DispatcherTest, EveryChangeIsAuditedRefusedOnesToo) {
  EXPECT_EQ(call("pause", {{"channel", "ch1"}}).failure, Failure::permission);
  connection.as = Role::operator_;
  EXPECT_EQ(call("start", kLaunch).failure, Failure::none);
  EXPECT_EQ(call("start", kLaunch).failure, Failure::busy);
  ASSERT_EQ(audit.size(), 3U);
  EXPECT_EQ(audit[0].method, "pause");
  EXPECT_EQ(audit[0].failure, Failure::permission);
  EXPECT_EQ(audit[1].who.user, "ada");
  EXPECT_EQ(audit[1].failure, Failure::none);
  EXPECT_EQ(audit[1].params["profile"], "(1 bytes)");
  EXPECT_EQ(audit[2].failure, Failure::busy);
  EXPECT_NE(audit[2].message.find("running"), std::string::npos);
}

TEST_F(DispatcherTest, ParamsOfTheWrongTypeAreNamed) {
  connection.as = Role::admin;
  EXPECT_EQ(call("stop").failure, Failure::usage);
  EXPECT_EQ(call("stop", {{"channel", 3}}).failure, Failure::usage);
  EXPECT_EQ(call("stop", {{"channel", ""}}).failure, Failure::usage);
  Json launch = kLaunch;
  launch["parameters"] = {{"cycles", 200}};
  const Answer answer = call("start", launch);
  EXPECT_EQ(answer.failure, Failure::usage);
  EXPECT_NE(answer.message.find("`cycles` must be a string"), std::string::npos) << answer.message;
  EXPECT_TRUE(station.requests().empty());
}

TEST_F(DispatcherTest, WaveformsAreTextsAndStayOutOfTheAudit) {
  connection.as = Role::admin;
  Json launch = kLaunch;
  launch["waveforms"] = {{"drive.csv", 3}};
  EXPECT_EQ(call("start", launch).failure, Failure::usage);
  launch["waveforms"] = {{"drive.csv", "time_s,current_A\n"}};
  (void)call("start", launch);
  EXPECT_EQ(audit.back().params["waveforms"]["drive.csv"], "(17 bytes)");
}

TEST_F(DispatcherTest, AnAmendmentNeedsTheRoleOfAStartAndIsAudited) {
  const Json amendment{{"profile", "x"}, {"channel", "ch1"}, {"reason", "longer"}, {"dry_run", true}};
  EXPECT_EQ(call("amend", amendment).failure, Failure::permission);
  connection.as = Role::operator_;
  EXPECT_EQ(call("amend", amendment).failure, Failure::none);
  ASSERT_EQ(audit.size(), 2U);
  EXPECT_EQ(audit[1].params["profile"], "(1 bytes)");
  EXPECT_EQ(audit[1].params["reason"], "longer");
  for (const auto& [name, value] : std::map<std::string, Json>{{"dry_run", "yes"},
                                                               {"cell", "another"},
                                                               {"soc", 0.5},
                                                               {"parameters", {{"cycles", 5}}},
                                                               {"profile", nullptr},
                                                               {"channel", ""}}) {
    Json wrong = amendment;
    wrong[name] = value;
    const Answer answer = call("amend", wrong);
    EXPECT_EQ(answer.failure, Failure::usage) << name;
    EXPECT_NE(answer.message.find("`"), std::string::npos) << answer.message;
  }
}

TEST_F(DispatcherTest, IntervalHasBounds) {
  const auto subscribe = [&](Json interval) {
    return call("subscribe", {{"interval_ms", std::move(interval)}}).failure;
  };
  EXPECT_EQ(subscribe(kMinInterval_ms - 1), Failure::usage);
  EXPECT_EQ(subscribe(kMinInterval_ms), Failure::none);
  EXPECT_EQ(connection.interval_ms, kMinInterval_ms);
  EXPECT_EQ(subscribe(kMaxInterval_ms), Failure::none);
  EXPECT_EQ(subscribe(kMaxInterval_ms + 1), Failure::usage);
  EXPECT_EQ(subscribe(UINT64_MAX), Failure::usage);
  EXPECT_EQ(subscribe("fast"), Failure::usage);
}

TEST_F(DispatcherTest, StatusOfOneChannelAndOfNone) {
  const Answer one = call("status", {{"channel", "ch2"}});
  ASSERT_EQ(one.value["channels"].size(), 1U);
  EXPECT_EQ(one.value["channels"][0]["name"], "ch2");
  const Answer none = call("status", {{"channel", "ch9"}});
  EXPECT_EQ(none.failure, Failure::usage);
  EXPECT_NE(none.message.find("ch1, ch2"), std::string::npos);
}

TEST_F(DispatcherTest, AConnectionOfTheReserveMayStop) {
  connection.in_reserve = true;
  connection.as = Role::admin;
  EXPECT_EQ(call("devices").failure, Failure::busy);
  EXPECT_EQ(call("start", kLaunch).failure, Failure::busy);
  EXPECT_EQ(call("stop", {{"channel", "ch1"}}).failure, Failure::none);
}

struct RudeStation : FakeStation {
  Json status() override { throw std::runtime_error("out of words"); }
  void request(const std::string&, const std::string&, const std::string&, const Caller&, Done done) override {
    done(Answer::ok(1));
    done(Answer::ok(2));
    throw std::runtime_error("after the answer");
  }
};

TEST(DispatcherAndARudeStation, EachCallIsAnsweredOnce) {
  RudeStation station;
  FakeConnection connection;
  Dispatcher dispatcher(station, nullptr, [](std::function<void()> f) { f(); });
  std::vector<Answer> answers;
  dispatcher.call("status", Json::object(), connection, [&](Answer a) { answers.push_back(std::move(a)); });
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].failure, Failure::failed);
  dispatcher.call("stop", {{"channel", "ch1"}}, connection, [&](Answer a) { answers.push_back(std::move(a)); });
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[1].value, 1);
}

}  // namespace
}  // namespace cyclerd::control
