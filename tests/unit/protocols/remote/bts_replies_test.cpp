// Replies written by hand after the shape of real ones.
#include "protocols/remote/bts_replies.hpp"

#include <gmock/gmock.h>

#include <string>

namespace cyclerd::remote::bts {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

const std::vector<BtsChannel> kAsked{{{21, 1, 1}, 27, "127.0.0.1"}, {{21, 2, 1}, 27, "127.0.0.1"}};
const BtsChannel& kFirst = kAsked[0];
const BtsChannel& kSecond = kAsked[1];

std::string reply(const std::string& verb, const std::string& rest) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<bts version=\"1.0\">\r\n  <cmd>" + verb + "_resp</cmd>\r\n" +
         rest + "\r\n</bts>";
}

const std::string kConnect = reply("connect", "<result>ok</result>");
const std::string kDevices =
    reply("getdevinfo",
          R"(<client version="x"/><serverip count="1"><server ip="127.0.0.1" port="3306"/></serverip><middle count="2">
             <channel ip="127.0.0.1" devtype="27" devid="21" subdevid="1" Channelid="1">true</channel>
             <channel ip="10.0.0.9" devtype="26" devid="21" subdevid="2" Channelid="8">false</channel></middle>)");
const std::string kStatus = reply(
    "getchlstatus",
    R"(<list count="2"><status ip="127.0.0.1" devtype="27" devid="21" subdevid="1" chlid="1" reservepause="1">finish</status>
             <status ip="127.0.0.1" devtype="27" devid="21" subdevid="1" chlid="1" reservepause="1">working</status></list>)");
// The count is wrong, as captured.
const std::string kInquire = reply(
    "inquire",
    R"(<list count="1"><inquire dev="27-21-1-1-0" cycle_id="1" step_type="--" workstatus="finish" barcode="A &amp; B" current="0" voltage="3.8834" capacity="0" energy="0" totaltime="0" relativetime="0" open_or_close="0" log_code="0" />
             <inquire dev="27-21-1-1-0" cycle_id="44" step_id="4" step_type="dc" workstatus="working" barcode="" current="-0.0003" voltage="4.6947" capacity="0.001" energy="0.0047" totaltime="3189199.3" relativetime="12319" T1="25.5" /></list>)");
const std::string kStart =
    reply("start",
          R"(<list count="1"><start ip="127.0.0.1" devtype="27" devid="21" subdevid="2" chlid="1">ok</start></list>)");
const std::string kStored = reply(
    "inquiredf",
    R"(<list count="1"><chl devtype="27" devid="21" subdevid="2" chlid="1" testid="143" count="219585">false</chl></list>)");
const std::string kDownload = reply(
    "donwload",
    R"(<download devtype="27" devid="21" subdevid="2" chlid="1" testid="143" startpos="7" count="1000" auxid="0" />
             <list count="2">
             <data seqid="7" stepid="24" cycleid="29" steptype="dc" testtime="36070000" atime="2025-12-28 22:29:05" volt="3.678" curr="-0.000295" cap="0.002956" eng="0.01356" T1="30.5" />
             <data seqid="8" stepid="25" cycleid="29" steptype="rest" testtime="0" atime="2025-12-28 22:29:15" volt="3.7" curr="0" /></list>)");
const std::string kLog = reply("donwloadlog",
                               R"(<download devtype="27" devid="21" subdevid="2" chlid="1" testid="143" log_lever="0" />
             <list count="2"><data seqid="1" log_code="100000" atime="2025-12-03 16:44:02" /><data seqid="9" log_code="100215" atime="x" /></list>)");

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), with);
}

std::string detail(const auto& result) {
  if (result) return "no error";
  return std::string(result.error().detail.view());
}

TEST(BtsReplies, Connect) {
  EXPECT_TRUE(read_connect(kConnect));
  const auto no = read_connect(replaced(kConnect, "ok", "false"));
  ASSERT_FALSE(no);
  EXPECT_EQ(no.error().code, ErrorCode::permission);
  EXPECT_EQ(read_connect(reply("connect", "")).error().code, ErrorCode::permission);
}

TEST(BtsReplies, DevicesAreNamedByADifferentAttribute) {
  const auto devices = read_device_info(kDevices);
  ASSERT_TRUE(devices) << detail(devices);
  ASSERT_EQ(devices->size(), 2U);
  EXPECT_EQ(devices->at(1).id, (ChannelId{21, 2, 8}));
  EXPECT_EQ(devices->at(1).type, 26);
  EXPECT_EQ(devices->at(1).ip, "10.0.0.9");
  EXPECT_TRUE(read_device_info(replaced(kDevices, "Channelid=\"8\"", "chlid=\"8\"")));
  EXPECT_THAT(
      detail(read_device_info(replaced(kDevices, R"(subdevid="2" Channelid="8")", R"(subdevid="1" Channelid="1")"))),
      HasSubstr("twice"));
  EXPECT_THAT(detail(read_device_info(replaced(kDevices, "devid=\"21\"", "devid=\"x\""))), HasSubstr("devid=\"x\""));
  EXPECT_THAT(detail(read_device_info(replaced(kDevices, "devid=\"21\" ", ""))), HasSubstr("devid"));
  const auto none = read_device_info(reply("getdevinfo", "<middle count=\"0\"/>"));
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
}

TEST(BtsReplies, StatusGoesByPlaceWhenSubDevice1IsNamedForEvery) {
  const auto status = read_status(kStatus, kAsked);
  ASSERT_TRUE(status) << detail(status);
  EXPECT_EQ(status->at(0).id, kFirst.id);
  EXPECT_EQ(status->at(0).state, ChannelState::finished);
  EXPECT_EQ(status->at(1).id, kSecond.id);
  EXPECT_EQ(status->at(1).state, ChannelState::working);
}

TEST(BtsReplies, StatusOfOtherChannelsOrTooFewIsRefused) {
  EXPECT_THAT(detail(read_status(replaced(kStatus, "chlid=\"1\"", "chlid=\"2\""), kAsked)),
              HasSubstr("asked about channel 21-1-1, answered about 21-1-2"));
  EXPECT_FALSE(read_status(replaced(kStatus, "devid=\"21\"", "devid=\"22\""), kAsked));
  EXPECT_FALSE(read_status(replaced(kStatus, "subdevid=\"1\"", "subdevid=\"2\""), kAsked));  // neither asked nor 1
  EXPECT_THAT(detail(read_status(kStatus, std::span(kAsked).first(1))),
              HasSubstr("asked about 1 channels, answered about 2"));
}

TEST(BtsReplies, EveryKnownWordAndNoOtherHasAState) {
  EXPECT_EQ(state_of("working"), ChannelState::working);
  EXPECT_EQ(state_of("finish"), ChannelState::finished);
  EXPECT_EQ(state_of("stop"), ChannelState::stopped);
  EXPECT_EQ(state_of("protect"), ChannelState::protection);
  EXPECT_EQ(state_of("pause"), ChannelState::paused);
  for (const char* word : {"synCtrl", "waitStart", "waitTimeOut"}) EXPECT_EQ(state_of(word), ChannelState::waiting);
  for (const char* word : {"", "ligth", "Finish", "finish ", "no"}) EXPECT_EQ(state_of(word), ChannelState::unknown);
  // The only three from which a job may start.
  for (const char* word : {"finish", "stop", "protect"}) EXPECT_TRUE(is_free(state_of(word))) << word;
  for (const char* word : {"working", "pause", "synCtrl", "waitStart", "waitTimeOut", "ligth", ""})
    EXPECT_FALSE(is_free(state_of(word))) << word;
}

TEST(BtsReplies, Inquire) {
  const auto progress = read_inquire(kInquire, kAsked);
  ASSERT_TRUE(progress) << detail(progress);
  const Progress& idle = progress->at(0);
  EXPECT_EQ(idle.barcode, "A & B");
  EXPECT_EQ(idle.step_type, "");
  EXPECT_FALSE(idle.step);
  EXPECT_EQ(idle.voltage_V, 3.8834);
  const Progress& busy = progress->at(1);
  EXPECT_EQ(busy.status.id, kSecond.id);
  EXPECT_EQ(busy.status.state, ChannelState::working);
  EXPECT_EQ(busy.step, 4);
  EXPECT_EQ(busy.cycle, 44);
  EXPECT_EQ(busy.current_A, -0.0003);
  EXPECT_EQ(busy.test_time_s, 3189199.3);
  EXPECT_EQ(busy.step_time_s, 12319.0);
  EXPECT_EQ(busy.step_charge_Ah, 0.001);
  EXPECT_THAT(busy.others, testing::ElementsAre(std::pair<std::string, std::string>("T1", "25.5")));
}

TEST(BtsReplies, NumbersThatAreNoneAreNamed) {
  for (const char* bad : {"4.69.47", "nan", "inf", "1e999", "0x10", "4,6", "4.6947 V", "+4"})
    EXPECT_THAT(detail(read_inquire(replaced(kInquire, "4.6947", bad), kAsked)), HasSubstr("voltage=")) << bad;
  EXPECT_FALSE(read_inquire(replaced(kInquire, "27-21-1-1-0", "27-21-1"), kAsked));
  EXPECT_FALSE(read_inquire(replaced(kInquire, "27-21-1-1-0", ""), kAsked));
  EXPECT_FALSE(read_inquire(replaced(kInquire, "27-21-1-1-0", "27-21-1-x-0"), kAsked));
  const auto dashes = read_inquire(replaced(kInquire, "4.6947", "--"), kAsked);
  ASSERT_TRUE(dashes);
  EXPECT_FALSE(dashes->at(1).voltage_V);
}

TEST(BtsReplies, VerdictIsOkFalseOrAnError) {
  EXPECT_TRUE(read_verdict(kStart, "start", kSecond).value());
  EXPECT_FALSE(read_verdict(replaced(kStart, "ok", "false"), "start", kSecond).value());
  // A refusal may name another channel (captured), a yes may not.
  EXPECT_FALSE(
      read_verdict(replaced(replaced(kStart, "ok", "false"), "chlid=\"1\"", "chlid=\"2\""), "start", kSecond).value());
  EXPECT_FALSE(read_verdict(replaced(kStart, "chlid=\"1\"", "chlid=\"2\""), "start", kSecond));
  EXPECT_THAT(detail(read_verdict(replaced(kStart, "ok", "maybe"), "start", kSecond)), HasSubstr("maybe"));
  EXPECT_FALSE(read_verdict(kStart, "stop", kSecond));
  EXPECT_FALSE(read_verdict(reply("start", "<list count=\"0\"/>"), "start", kSecond));
}

TEST(BtsReplies, Stored) {
  const auto test = read_stored(kStored, kSecond);
  ASSERT_TRUE(test) << detail(test);
  EXPECT_EQ(test->id, "143");
  EXPECT_EQ(test->points, 219585);
  EXPECT_FALSE(test->complete);
  EXPECT_TRUE(read_stored(replaced(kStored, ">false<", ">true<"), kSecond)->complete);
  EXPECT_FALSE(read_stored(replaced(kStored, "219585", "-1"), kSecond));
  EXPECT_FALSE(read_stored(replaced(kStored, "219585", ""), kSecond));
}

TEST(BtsReplies, DownloadMayBeMisspelled) {
  for (const char* verb : {"donwload_resp", "download_resp"}) {
    const auto page = read_download(replaced(kDownload, "donwload_resp", verb), kSecond, 7);
    ASSERT_TRUE(page) << detail(page);
    EXPECT_EQ(page->test_id, "143");
    ASSERT_EQ(page->points.size(), 2U);
    const DataPoint& p = page->points[0];
    EXPECT_EQ(p.number, 7);
    EXPECT_EQ(p.step_time_s, 36070.0);
    EXPECT_EQ(p.voltage_V, 3.678);
    EXPECT_EQ(p.current_A, -0.000295);
    EXPECT_EQ(p.step_charge_Ah, 0.002956);
    EXPECT_EQ(p.step_energy_Wh, 0.01356);
    EXPECT_EQ(p.step, 24);
    EXPECT_EQ(p.cycle, 29);
    EXPECT_EQ(p.step_type, "dc");
    EXPECT_EQ(p.server_time, "2025-12-28 22:29:05");
    EXPECT_THAT(p.others, testing::ElementsAre(std::pair<std::string, std::string>("T1", "30.5")));
    EXPECT_FALSE(page->points[1].step_charge_Ah);
  }
}

TEST(BtsReplies, PointsRiseFromTheOneAskedFor) {
  EXPECT_TRUE(read_download(kDownload, kSecond, 6));
  EXPECT_TRUE(read_download(kDownload, kSecond, 7));
  EXPECT_FALSE(read_download(kDownload, kSecond, 8));
  EXPECT_FALSE(read_download(replaced(kDownload, "seqid=\"8\"", "seqid=\"7\""), kSecond, 7));
  EXPECT_FALSE(read_download(replaced(kDownload, "seqid=\"8\"", "seqid=\"9223372036854775807\""), kSecond, 7));
  EXPECT_FALSE(read_download(replaced(kDownload, "volt=\"3.7\" ", ""), kSecond, 7));
  EXPECT_TRUE(read_download(reply("download", "<list count=\"0\" />"), kSecond, 7)->points.empty());
}

TEST(BtsReplies, Log) {
  const auto log = read_log(kLog, kSecond);
  ASSERT_TRUE(log) << detail(log);
  ASSERT_EQ(log->size(), 2U);
  EXPECT_EQ(log->at(1).number, 9);
  EXPECT_EQ(log->at(1).code, 100215);
  EXPECT_EQ(log->at(0).server_time, "2025-12-03 16:44:02");
  EXPECT_FALSE(read_log(replaced(kLog, "100215", "x"), kSecond));
}

// Every reader on one text: how many accept it.
int accepted(std::string_view text) {
  return static_cast<int>(read_connect(text).has_value()) + static_cast<int>(read_device_info(text).has_value()) +
         static_cast<int>(read_status(text, kAsked).has_value()) +
         static_cast<int>(read_inquire(text, kAsked).has_value()) +
         static_cast<int>(read_verdict(text, "start", kSecond).has_value()) +
         static_cast<int>(read_stored(text, kSecond).has_value()) +
         static_cast<int>(read_download(text, kSecond, 7).has_value()) +
         static_cast<int>(read_log(text, kSecond).has_value());
}

TEST(BtsReplies, CutAtAnyByteIsNoReply) {
  for (const std::string* whole : {&kConnect, &kDevices, &kStatus, &kInquire, &kStart, &kStored, &kDownload, &kLog}) {
    EXPECT_EQ(accepted(*whole), 1) << *whole;
    EXPECT_EQ(accepted(*whole + "\n\n"), 1);
    for (std::size_t cut = 0; cut < whole->size(); ++cut)
      ASSERT_EQ(accepted(std::string_view(*whole).substr(0, cut)), 0) << cut << ": " << *whole;
  }
}

TEST(BtsReplies, ADamagedByteNeverTurnsOneReplyIntoAnother) {
  for (const std::string* whole : {&kConnect, &kStatus, &kInquire, &kStart, &kStored, &kDownload, &kLog}) {
    for (std::size_t i = 0; i < whole->size(); ++i) {
      for (const char wrong : {'<', '>', '"', '\0', '&', ' ', '0', '\xFF'}) {
        std::string text = *whole;
        text[i] = wrong;
        ASSERT_LE(accepted(text), 1) << i;
      }
    }
  }
}

TEST(BtsReplies, DepthHasAnEnd) {
  auto nested = [](int depth) {  // <bts> is the first
    std::string text = "<bts><cmd>connect_resp</cmd><result>ok</result>";
    for (int i = 1; i < depth; ++i) text += "<a>";
    for (int i = 1; i < depth; ++i) text += "</a>";
    return text + "</bts>";
  };
  EXPECT_TRUE(read_connect(nested(kMaxXmlDepth - 1)));
  EXPECT_TRUE(read_connect(nested(kMaxXmlDepth)));
  EXPECT_THAT(detail(read_connect(nested(kMaxXmlDepth + 1))), HasSubstr("nested deeper"));
  EXPECT_FALSE(read_connect(nested(300'000)));
}

TEST(BtsReplies, NoDocumentTypeIsTakenFromTheWire) {
  EXPECT_THAT(
      detail(read_connect("<!DOCTYPE bts [<!ENTITY a \"ok\">]><bts><cmd>connect_resp</cmd><result>&a;</result></bts>")),
      HasSubstr("document type"));
}

TEST(BtsReplies, OtherServersAreRecognised) {
  EXPECT_THAT(detail(read_connect("<html><body>login</body></html>")), HasSubstr("<html>"));
  EXPECT_THAT(detail(read_connect("")), HasSubstr("no XML"));
  EXPECT_THAT(detail(read_connect("\x15\x03\x01")), HasSubstr("no XML"));
}

}  // namespace
}  // namespace cyclerd::remote::bts
