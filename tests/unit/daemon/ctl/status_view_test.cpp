#include "daemon/ctl/status_view.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace cyclerd::ctl {
namespace {

Json running() {
  return Json::parse(
      R"({"name":"A1","state":"running","run_state":"running","test":1764000000000000,"cell":"LGM50-0042",
    "profile":"cycle-life","step":{"index":3,"count":17,"name":"charge","type":"CCCV_CHG","time_s":512.4,"path":["ageing 12/500","charge"]},
    "cycle":12,"time_s":86012.3,"voltage_V":3.8712,"current_A":2.5001,"temperature_degC":26.1,"chamber_degC":25.0,
    "control":"current","setpoint":2.5,"regulation":"current","output_on":true,"trip":null,"eta_s":7200.0,"progress":0.34,
    "last_event":{"unix_time_us":1764000000000000,"kind":"step_start","subject":"charge","text":""},
    "flags":[],"badges":["no watchdog"]})");
}

struct StatusView : testing::Test {
  void SetUp() override {
    setenv("TZ", "UTC", 1);
    tzset();
  }
};

TEST_F(StatusView, ThePageOfARunningChannel) {
  EXPECT_EQ(channel_page(running(), "bench-1", 80, false),
            "bench-1 A1                                                               RUNNING\n"
            "cycle-life   cell LGM50-0042   test 1764000000000000\n"
            "cycle 12   step 17 charge (CCCV_CHG)   in it 8 min 32 s\n"
            "  ageing 12/500 > charge\n"
            "\n"
            "  voltage       3.8712 V    set point  +2.5000 A\n"
            "  current      +2.5001 A    regulating current\n"
            "  cell         26.1 degC    output     ON\n"
            "  chamber      25.0 degC\n"
            "\n"
            "[#######.............]  34 %   elapsed 23 h 53 min   at most 2 h 00 min left\n"
            "last: 16:00:00 step_start: charge\n"
            "! no watchdog\n");
}

TEST_F(StatusView, ATripIsABannerWithTheWayOut) {
  Json channel = running();
  channel["state"] = "faulted";
  channel["output_on"] = false;
  channel["trip"] = {{"cause", "voltage_high"}, {"text", "4.262 V is above 4.25 V"}};
  const std::string page = channel_page(channel, "bench-1", 60, false);
  EXPECT_NE(page.find(" TRIPPED: voltage_high: 4.262 V is above 4.25 V"), std::string::npos) << page;
  EXPECT_NE(page.find("cyclerctl ack A1"), std::string::npos);
  EXPECT_NE(channel_page(channel, "bench-1", 60, true).find("\033[1;37;41m TRIPPED"), std::string::npos);
}

TEST_F(StatusView, NoLineIsWiderThanTheTerminal) {
  Json channel = running();
  channel["last_event"]["text"] = std::string(300, 'x');
  channel["trip"] = {{"cause", std::string(300, 'y')}, {"text", ""}};
  for (const int width : {40, 80, 200}) {
    std::string page = channel_page(channel, "a station with a very long name of its own", width, true);
    std::size_t start = 0;
    while (start < page.size()) {
      const std::size_t end = page.find('\n', start);
      // The title may push the state out when both do not fit; nothing else may.
      if (start != 0) {
        EXPECT_LE(display_width(page.substr(start, end - start)), width);
      }
      start = end + 1;
    }
  }
}

TEST_F(StatusView, AnIdleChannelHasNoStepAndNoProgress) {
  const Json idle =
      Json::parse(R"({"name":"A1","state":"safe","run_state":"ready","test":null,"step":null,"voltage_V":3.7,
    "current_A":0.0,"temperature_degC":null,"chamber_degC":null,"control":"rest","setpoint":null,"regulation":"off","output_on":false,
    "trip":null,"last_event":null,"badges":[]})");
  EXPECT_EQ(channel_page(idle, "bench-1", 60, false),
            "bench-1 A1                                              SAFE\n"
            "no test\n"
            "\n"
            "  voltage       3.7000 V    set point  rest\n"
            "  current      +0.0000 A    regulating off\n"
            "  cell                 -    output     off\n"
            "  chamber              -\n"
            "\n");
  EXPECT_EQ(channel_line(idle), "A1 safe  3.7000 V  +0.0000 A  -");
}

TEST_F(StatusView, ALineForALog) {
  EXPECT_EQ(
      channel_line(running()),
      "A1 running  23 h 53 min  cycle 12  step 17 charge (CCCV_CHG) 8 min 32 s  3.8712 V  +2.5001 A  26.1 degC  34 %");
}

TEST_F(StatusView, SurvivesAnyShapeOfStatus) {
  for (const char* text :
       {"null", "3", "[]", "{}", R"({"channels":7})", R"({"channels":[1,{"name":3,"step":[]}]})",
        R"({"channels":[{"trip":"x","badges":[1],"last_event":3,"progress":"a","step":{"path":4}}]})"}) {
    const Json status = Json::parse(text);
    EXPECT_NO_THROW({
      (void)status_table(status).render(80, true);
      for (const Json& channel : member(status, "channels")) {
        (void)channel_page(channel, "s", 80, true);
        (void)channel_line(channel);
        (void)change_key(channel);
        (void)outcome_code(channel);
      }
    }) << text;
  }
}

TEST_F(StatusView, TheTableOfAStation) {
  const Json status{{"channels", {running()}}};
  EXPECT_EQ(status_table(status).plain(),
            "A1\trunning\t3.8712 V\t+2.5001 A\t26.1 degC\t25.0 degC\t12\tcharge "
            "(CCCV_CHG)\tcycle-life\t1764000000000000\tno watchdog\n");
}

TEST_F(StatusView, OutcomesHaveExitCodes) {
  Json channel = running();
  EXPECT_TRUE(is_running(channel));
  channel["state"] = "paused";
  EXPECT_TRUE(is_running(channel));
  channel["state"] = "finished";
  for (const auto& [run_state, code] : {std::pair{"finished", 0}, {"stopped", 1}, {"failed", 1}}) {
    channel["run_state"] = run_state;
    EXPECT_FALSE(is_running(channel));
    EXPECT_EQ(outcome_code(channel), code) << run_state;
  }
  channel["trip"] = {{"cause", "voltage_high"}};
  EXPECT_EQ(outcome_code(channel), 7);
  channel["trip"] = nullptr;
  channel["state"] = "faulted";
  EXPECT_EQ(outcome_code(channel), 7);
  EXPECT_FALSE(is_running(channel));
}

TEST_F(StatusView, OnlyWhatMattersIsAChange) {
  Json channel = running();
  const std::string before = change_key(channel);
  channel["voltage_V"] = 3.9;
  channel["step"]["time_s"] = 513.0;
  EXPECT_EQ(change_key(channel), before);
  channel["step"]["count"] = 18;
  EXPECT_NE(change_key(channel), before);
}

TEST(ProgressBar, IsFullOnlyAtTheEnd) {
  EXPECT_EQ(progress_bar(0.0, 4), "....");
  EXPECT_EQ(progress_bar(0.5, 4), "##..");
  EXPECT_EQ(progress_bar(1.0, 4), "####");
  EXPECT_EQ(progress_bar(7.0, 4), "####");
  EXPECT_EQ(progress_bar(-1.0, 4), "....");
}

}  // namespace
}  // namespace cyclerd::ctl
