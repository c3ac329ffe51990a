// The client against a server of other hands: whole jobs, and every bad manner at every question.
#include "protocols/remote/neware_bts.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/support/bts_bench.hpp"

namespace cyclerd::remote {
namespace {

using base::ErrorCode;
using hil::BtsManner;
using test::kCapacityTest;
using testing::HasSubstr;
using testing::Not;

const ChannelId kA{21, 1, 1};
const ChannelId kB{21, 2, 1};

struct Bts : testing::Test {
  NewareBts make(const std::string& password = test::kPassword, std::function<bool()> cancelled = {}) {
    BtsEndpoint endpoint;
    endpoint.host = "127.0.0.1";
    endpoint.port = bench.server->port();
    endpoint.user = "admin";
    endpoint.password = Password(password);
    endpoint.response_timeout = timeout;
    return NewareBts(std::move(endpoint), clock, std::move(cancelled));
  }
  NewareBts connected() {
    NewareBts client = make();
    const auto done = client.connect();
    EXPECT_TRUE(done) << done.error().text();
    return client;
  }
  static Progress poll(NewareBts& client, const ChannelId& id) {
    auto progress = client.poll(std::span(&id, 1));
    if (progress) return progress->front();
    ADD_FAILURE() << progress.error().text();
    return {};
  }
  static std::vector<DataPoint> fetch(NewareBts& client, const PointRange& range, const ChannelId& id = kA) {
    std::vector<DataPoint> all;
    const auto test = client.fetch(id, range, [&](std::span<const DataPoint> page) {
      all.insert(all.end(), page.begin(), page.end());
      return base::Status{};
    });
    EXPECT_TRUE(test) << test.error().text();
    return all;
  }
  // Runs the capacity test on A to its end.
  void run_to_the_end(NewareBts& client) {
    const auto started = client.start({kA, kCapacityTest, "cell 1", "D:\\data"});
    ASSERT_TRUE(started) << started.error().text();
    for (int minutes = 0; minutes < 300; ++minutes) {
      const Progress now = poll(client, kA);
      if (now.status.state == ChannelState::finished) return;
      ASSERT_EQ(now.status.state, ChannelState::working);
      bench.pass(base::seconds(60));
    }
    FAIL() << "the test does not end";
  }

  base::Duration timeout = base::seconds(20);
  test::BtsBench bench;
  base::SystemClock clock;
};

TEST_F(Bts, ListsItsChannelsByPlaceThoughTheServerNamesSubDevice1) {
  NewareBts client = connected();
  const auto channels = client.channels();
  ASSERT_TRUE(channels) << channels.error().text();
  ASSERT_EQ(channels->size(), 2U);
  EXPECT_EQ(channels->at(0).id, kA);
  EXPECT_EQ(channels->at(1).id, kB);
  EXPECT_EQ(channels->at(1).state, ChannelState::finished);
  EXPECT_EQ(channels->at(1).word, "finish");
}

TEST_F(Bts, AWrongPasswordIsSaidAndNotShown) {
  NewareBts client = make("guessed-secret");
  const auto done = client.connect();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::permission);
  EXPECT_THAT(done.error().text(), Not(HasSubstr("guessed")));
  EXPECT_FALSE(client.is_connected());
}

TEST_F(Bts, AJobRunsToItsEndAndEveryPointComesBackAsItWas) {
  NewareBts client = connected();
  run_to_the_end(client);
  EXPECT_EQ(poll(client, kB).status.state, ChannelState::finished);
  EXPECT_EQ(poll(client, kA).barcode, "cell 1");
  const auto kept = bench.server->look([](const hil::BtsFace& face) { return face.job(0).points(); });
  ASSERT_GT(kept.size(), 1001U);  // more than one page
  const auto got = fetch(client, {});
  ASSERT_EQ(got.size(), kept.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].number, static_cast<std::int64_t>(i) + 1);
    ASSERT_EQ(got[i].voltage_V, kept[i].voltage_V);
    ASSERT_EQ(got[i].current_A, kept[i].current_A);
    ASSERT_EQ(got[i].step_charge_Ah, kept[i].charge_Ah);
    ASSERT_EQ(got[i].step_energy_Wh, kept[i].energy_Wh);
    ASSERT_EQ(got[i].step, kept[i].step);
    ASSERT_EQ(std::llround(got[i].step_time_s * 1e3), kept[i].step_time_ms);
  }
  // The physics behind it: constant current until 3150 s, signed current, discharge of all that was there.
  const DataPoint& in_cc = got[300];
  EXPECT_EQ(in_cc.step_type, "cccv");
  EXPECT_NEAR(*in_cc.step_charge_Ah, 2.5 * in_cc.step_time_s / 3600.0, 1e-9);
  EXPECT_LT(got[314].voltage_V, 4.2 - 1e-4);
  EXPECT_NEAR(got[316].voltage_V, 4.2, 1e-9);
  const DataPoint& last = got.back();
  EXPECT_EQ(last.step_type, "dc");
  EXPECT_LT(last.current_A, 0.0);
  EXPECT_NEAR(last.voltage_V, 3.0, 1e-3);
  // From 4.2 V less 0.1 A over 30 mOhm down to 3.0 V and 2.5 A over 30 mOhm: 93.5 % of 5 Ah.
  EXPECT_NEAR(*last.step_charge_Ah, 4.675, 1e-3);
}

TEST_F(Bts, PointsAreFetchedFromTheEndAndByRange) {
  NewareBts client = connected();
  run_to_the_end(client);
  const auto total = client.stored(kA)->points;
  for (const std::int64_t n : {std::int64_t{1}, std::int64_t{999}, std::int64_t{1000}, std::int64_t{1001}, total,
                               total + 1, std::int64_t{1} << 62}) {
    const auto got = fetch(client, {0, n});
    ASSERT_EQ(static_cast<std::int64_t>(got.size()), std::min(n, total)) << n;
    EXPECT_EQ(got.back().number, total);
    EXPECT_EQ(got.front().number, total - static_cast<std::int64_t>(got.size()) + 1);
  }
  auto numbers = [&](const PointRange& range) {
    const auto got = fetch(client, range);
    return got.empty() ? std::pair<std::int64_t, std::int64_t>{0, 0} : std::pair{got.front().number, got.back().number};
  };
  EXPECT_EQ(numbers({1, 1}), std::pair(std::int64_t{1}, std::int64_t{1}));
  EXPECT_EQ(numbers({5, 1000}), std::pair(std::int64_t{5}, std::int64_t{1004}));
  EXPECT_EQ(numbers({total, 0}), std::pair(total, total));
  EXPECT_EQ(numbers({total, 7}), std::pair(total, total));
  EXPECT_EQ(numbers({total + 1, 7}), std::pair(std::int64_t{0}, std::int64_t{0}));
  EXPECT_EQ(numbers({std::numeric_limits<std::int64_t>::max(), 0}), std::pair(std::int64_t{0}, std::int64_t{0}));
  EXPECT_EQ(client.fetch(kA, {-1, 0}, {}).error().code, ErrorCode::invalid);
  EXPECT_EQ(client.fetch(kA, {0, -1}, {}).error().code, ErrorCode::invalid);
  EXPECT_TRUE(fetch(client, {}, kB).empty());  // nothing ever ran
}

TEST_F(Bts, StopInTheMiddleOpensTheOutputAndKeepsThePoints) {
  NewareBts client = connected();
  ASSERT_TRUE(client.start({kB, kCapacityTest, "b", ""}));
  bench.pass(base::seconds(600));
  const Progress running = poll(client, kB);
  EXPECT_EQ(running.status.state, ChannelState::working);
  EXPECT_EQ(running.step_type, "cccv");
  EXPECT_NEAR(*running.current_A, 2.5, 1e-3);
  EXPECT_NEAR(*running.test_time_s, 600.0, 1e-9);
  EXPECT_EQ(poll(client, kA).status.state, ChannelState::finished);  // B alone
  ASSERT_TRUE(client.stop(kB));
  EXPECT_EQ(poll(client, kB).status.state, ChannelState::stopped);
  EXPECT_EQ(*poll(client, kB).current_A, 0.0);
  EXPECT_FALSE(bench.world.now([](hil::World& w) { return w.plant(1).truth().output_on; }));
  EXPECT_TRUE(client.stop(kB)) << "a channel that is free already is no error";
  EXPECT_EQ(fetch(client, {}, kB).back().step_time_s, 600.0);
  const auto log = client.log(kB);
  ASSERT_TRUE(log);
  EXPECT_EQ(log->front().code, hil::bts_log::kStarted);
  EXPECT_EQ(log->back().code, hil::bts_log::kStopped);
  EXPECT_TRUE(client.start({kB, kCapacityTest, "", ""})) << "stop is a state to start from";
}

TEST_F(Bts, AWorkingChannelIsNotEvenAskedToStart) {
  NewareBts client = connected();
  ASSERT_TRUE(client.start({kA, kCapacityTest, "first", ""}));
  const auto before = bench.server->requests();
  const auto again = client.start({kA, kCapacityTest, "second", ""});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::busy);
  EXPECT_THAT(again.error().text(), HasSubstr("\"working\""));
  EXPECT_EQ(bench.server->requests(), before + 1);  // its state alone
  EXPECT_EQ(poll(client, kA).barcode, "first");
}

TEST_F(Bts, TheServersNoIsAnErrorThatSaysWhatToLookAt) {
  NewareBts client = connected();
  const auto missing = client.start({kA, "C:\\tests\\nothing.xml", "", ""});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::refused);
  EXPECT_THAT(missing.error().text(), HasSubstr("schedule"));
  EXPECT_TRUE(client.is_connected());
  EXPECT_EQ(client.clear_flag(kA).error().code, ErrorCode::refused);
  EXPECT_TRUE(client.is_connected());
}

TEST_F(Bts, ProtectIsAStateToStartFromAndItsMarkCanBeTakenBack) {
  NewareBts client = connected();
  ASSERT_TRUE(client.start({kA, test::kTooMuch, "", ""}));
  EXPECT_EQ(poll(client, kA).status.state, ChannelState::protection);
  EXPECT_TRUE(client.clear_flag(kA));
  EXPECT_TRUE(client.start({kA, kCapacityTest, "", ""}));
  EXPECT_EQ(poll(client, kA).status.state, ChannelState::working);
}

TEST_F(Bts, TextGoesThereAndBackWhatEverItHolds) {
  NewareBts client = connected();
  const std::string odd = "<b>\"1\" & 2's \xC3\xBC \xE5\xB7\xA5\xE6\xAD\xA5";
  ASSERT_TRUE(client.start({kA, kCapacityTest, odd, ""}));
  EXPECT_EQ(poll(client, kA).barcode, odd);
  const auto before = bench.server->requests();
  for (const Job& bad :
       {Job{kB, "a\nb", "", ""}, Job{kB, kCapacityTest, "\xFF", ""}, Job{kB, kCapacityTest, "", "x\x01"},
        Job{kB, "", "", ""}, Job{kB, std::string(1025, 'x'), "", ""}})
    EXPECT_EQ(client.start(bad).error().code, ErrorCode::invalid);
  EXPECT_EQ(bench.server->requests(), before);  // nothing was sent
  EXPECT_EQ(client.start({kB, std::string(1024, 'x'), "", ""}).error().code, ErrorCode::refused);
}

TEST_F(Bts, AnUnknownChannelIsNamedWithThoseThatAre) {
  NewareBts client = connected();
  const ChannelId other{21, 1, 2};
  for (const auto& error : {client.stop(other).error(), client.start({other, "x", "", ""}).error(),
                            client.poll(std::span(&other, 1)).error(), client.log(other).error()}) {
    EXPECT_EQ(error.code, ErrorCode::not_found);
    EXPECT_THAT(error.text(), HasSubstr("no channel 21-1-2; the server has 21-1-1, 21-2-1"));
  }
}

TEST_F(Bts, AnotherTestInTheMiddleOfAFetchIsNoticed) {
  NewareBts client = connected();
  run_to_the_end(client);
  NewareBts somebody = connected();
  std::size_t got = 0;
  const auto test = client.fetch(kA, {}, [&](std::span<const DataPoint> page) {
    got += page.size();
    auto started = somebody.start({kA, kCapacityTest, "next", ""});
    bench.pass(base::seconds(10));
    return started;
  });
  ASSERT_FALSE(test);
  EXPECT_EQ(test.error().code, ErrorCode::mismatch);
  EXPECT_EQ(got, 1000U);
}

TEST_F(Bts, ASinkThatFailsEndsTheFetch) {
  NewareBts client = connected();
  run_to_the_end(client);
  int calls = 0;
  const auto test = client.fetch(kA, {}, [&](std::span<const DataPoint>) -> base::Status {
    ++calls;
    return base::failure(ErrorCode::io, "out.csv", "disk full");
  });
  EXPECT_EQ(test.error().detail.view(), "disk full");
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(client.is_connected());
}

struct BadManner {
  BtsManner manner;
  ErrorCode code;  // none: the client gets by
};

void PrintTo(const BadManner& b, std::ostream* out) {
  *out << "manner " << static_cast<int>(b.manner);
}

struct BtsManners : Bts, testing::WithParamInterface<BadManner> {};

// Whatever the server does to any reply: an error of the right kind, a closed link, no wrong data, and all is well
// after connecting again.
TEST_P(BtsManners, AreSurvivedAtEveryQuestion) {
  const BadManner bad = GetParam();
  if (bad.code == ErrorCode::timeout) timeout = base::milliseconds(150);
  NewareBts client = make();
  using Action = std::function<ErrorCode(NewareBts&)>;
  auto code_of = [](const auto& result) { return result ? ErrorCode::none : result.error().code; };
  const std::vector<Action> actions = {
      [&](NewareBts& c) { return code_of(c.connect()); },
      [&](NewareBts& c) { return code_of(c.channels()); },
      [&](NewareBts& c) { return code_of(c.poll({})); },
      [&](NewareBts& c) {
        return code_of(c.start({kA, kCapacityTest, "", ""}));
      },
      [&](NewareBts& c) { return code_of(c.stored(kA)); },
      [&](NewareBts& c) { return code_of(c.log(kA)); },
      [&](NewareBts& c) { return code_of(c.stop(kA)); },
      [&](NewareBts& c) { return code_of(c.fetch(kA, {}, [](auto) { return base::Status{}; })); },
  };
  for (std::size_t i = 0; i < actions.size(); ++i) {
    if (i > 0) {
      const auto again = client.connect();
      ASSERT_TRUE(again) << again.error().text();
    }
    bench.server->misbehave(bad.manner);
    const ErrorCode seen = actions[i](client);
    bench.server->misbehave(BtsManner::good, 0);
    if (bad.manner == BtsManner::twice && seen == ErrorCode::none) {
      // The second reply came later than the first: the next question finds it.
      const auto next = client.channels();
      if (client.is_connected()) continue;
      ASSERT_FALSE(next);
      continue;
    }
    EXPECT_EQ(seen, bad.code) << "question " << i;
    EXPECT_EQ(client.is_connected(), bad.code == ErrorCode::none) << "question " << i;
  }
  ASSERT_TRUE(client.connect());
  const auto channels = client.channels();
  ASSERT_TRUE(channels) << channels.error().text();
  EXPECT_EQ(channels->size(), 2U);
}

INSTANTIATE_TEST_SUITE_P(
    All, BtsManners,
    testing::Values(BadManner{BtsManner::deaf, ErrorCode::timeout}, BadManner{BtsManner::mute, ErrorCode::timeout},
                    BadManner{BtsManner::drop, ErrorCode::disconnected},
                    BadManner{BtsManner::drop_in_reply, ErrorCode::disconnected},
                    BadManner{BtsManner::garbage, ErrorCode::protocol},
                    BadManner{BtsManner::endless, ErrorCode::protocol}, BadManner{BtsManner::cut, ErrorCode::protocol},
                    BadManner{BtsManner::twice, ErrorCode::protocol},
                    BadManner{BtsManner::wrong_verb, ErrorCode::protocol},
                    BadManner{BtsManner::short_end, ErrorCode::none}, BadManner{BtsManner::trickle, ErrorCode::none}));

TEST_F(Bts, AStartWithoutAnAnswerSaysThatNobodyKnows) {
  timeout = base::milliseconds(150);
  NewareBts client = connected();
  bench.server->misbehave(BtsManner::mute, 1, 1);  // its state is told, its start is not
  const auto started = client.start({kA, kCapacityTest, "", ""});
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::timeout);
  EXPECT_THAT(started.error().text(), HasSubstr("whether channel 21-1-1 runs is not known"));
  ASSERT_TRUE(client.connect());
  EXPECT_EQ(poll(client, kA).status.state, ChannelState::working);  // it does
}

TEST_F(Bts, AServerThatIsGoneIsSaidSo) {
  NewareBts client = connected();
  bench.shut();
  const auto gone = client.channels();
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ErrorCode::disconnected);
  EXPECT_FALSE(client.is_connected());
  EXPECT_EQ(client.connect().error().code, ErrorCode::disconnected);
  EXPECT_EQ(client.stop(kA).error().code, ErrorCode::disconnected);
  EXPECT_EQ(client.poll({}).error().code, ErrorCode::disconnected);
}

TEST_F(Bts, AWaitCanBeCancelled) {
  std::atomic<bool> enough{false};
  NewareBts client = make(test::kPassword, [&] { return enough.load(); });
  ASSERT_TRUE(client.connect());
  bench.server->misbehave(BtsManner::mute);
  enough = true;
  const auto cancelled = client.channels();
  ASSERT_FALSE(cancelled);
  EXPECT_THAT(cancelled.error().text(), HasSubstr("interrupted"));
  EXPECT_FALSE(client.is_connected());
}

TEST_F(Bts, NothingIsAskedBeforeConnecting) {
  NewareBts client = make();
  EXPECT_EQ(client.channels().error().code, ErrorCode::disconnected);
  EXPECT_EQ(client.start({kA, "x", "", ""}).error().code, ErrorCode::disconnected);
  EXPECT_EQ(bench.server->requests(), 0U);
}

}  // namespace
}  // namespace cyclerd::remote
