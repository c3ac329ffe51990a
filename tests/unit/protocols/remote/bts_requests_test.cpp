// Requests, spelled out by hand.
#include "protocols/remote/bts_requests.hpp"

#include <gtest/gtest.h>

namespace cyclerd::remote::bts {
namespace {

const BtsChannel kChannel{{21, 2, 4}, 27, "127.0.0.1"};
const std::string kHead = R"(<?xml version="1.0" encoding="UTF-8" ?><bts version="1.0">)";

TEST(BtsRequests, ConnectCarriesNamePasswordAndType) {
  EXPECT_EQ(connect("me", "se<c>\"r&t"),
            kHead +
                "<cmd>connect</cmd><username>me</username><password>se&lt;c&gt;&quot;r&amp;"
                "t</password><type>bfgs</type></bts>");
}

TEST(BtsRequests, AboutChannels) {
  const std::vector<BtsChannel> two{kChannel, {{21, 1, 4}, 27, "10.0.0.9"}};
  EXPECT_EQ(about("getchlstatus", two),
            kHead + R"(<cmd>getchlstatus</cmd><list count="2">)"
                    R"(<status ip="127.0.0.1" devtype="27" devid="21" subdevid="2" chlid="4">true</status>)"
                    R"(<status ip="10.0.0.9" devtype="27" devid="21" subdevid="1" chlid="4">true</status>)"
                    "</list></bts>");
  EXPECT_EQ(about("stop", std::span(&kChannel, 1)),
            kHead + R"(<cmd>stop</cmd><list count="1">)"
                    R"(<stop ip="127.0.0.1" devtype="27" devid="21" subdevid="2" chlid="4">true</stop></list></bts>)");
  EXPECT_EQ(inquire(std::span(&kChannel, 1)),
            kHead + R"(<cmd>inquire</cmd><list count="1"><inquire ip="127.0.0.1" devtype="27" devid="21" subdevid="2" )"
                    R"(chlid="4" aux="0" barcode="1">true</inquire></list></bts>)");
}

TEST(BtsRequests, StartWithAndWithoutBackup) {
  Job job{kChannel.id, R"(C:\tests\a&b.xml)", "cell \"1\"", ""};
  EXPECT_EQ(start(kChannel, job), kHead + R"(<cmd>start</cmd><list count="1"><start ip="127.0.0.1" devtype="27" )"
                                          R"(devid="21" subdevid="2" chlid="4" barcode="cell &quot;1&quot;">)"
                                          R"(C:\tests\a&amp;b.xml</start></list></bts>)");
  job.backup_folder = R"(D:\data)";
  EXPECT_NE(start(kChannel, job).find(R"(</start><backup backupdir="D:\data" remotedir="" filenametype="0")"),
            std::string::npos);
}

TEST(BtsRequests, StoredPointsAndLog) {
  EXPECT_EQ(stored(kChannel), kHead +
                                  R"(<cmd>inquiredf</cmd><list count="1"><chl devtype="27" devid="21" subdevid="2" )"
                                  R"(chlid="4" testid="0" /></list></bts>)");
  EXPECT_EQ(download(kChannel, 17, 1000),
            kHead +
                R"(<cmd>download</cmd><download devtype="27" devid="21" subdevid="2" chlid="4" auxid="0" testid="0" )"
                R"(startpos="17" count="1000"/></bts>)");
  EXPECT_EQ(download_log(kChannel), kHead + R"(<cmd>downloadlog</cmd><download devtype="27" devid="21" subdevid="2" )"
                                            R"(chlid="4" testid="0"/></bts>)");
}

TEST(BtsRequests, OnlyTextThatXmlCanCarryIsSent) {
  EXPECT_TRUE(can_be_sent(""));
  EXPECT_TRUE(can_be_sent("Prüfplan 工步.xml \xF0\x9F\x94\x8B"));
  for (const char* bad : {"a\nb", "\x7F", "\x80", "\xC0\x80", "\xC3", "\xC3x", "\xE0\x80\x80", "\xED\xA0\x80",
                          "\xEF\xBF\xBF", "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC2\x85"})
    EXPECT_FALSE(can_be_sent(bad)) << bad;
}

TEST(ChannelIdText, ReadsWhatItWritesAndNothingElse) {
  EXPECT_EQ(parse_channel_id("13-5-8"), (ChannelId{13, 5, 8}));
  EXPECT_EQ(to_text({13, 5, 8}), "13-5-8");
  for (const char* bad :
       {"", "13", "13-5", "13-5-", "13-5-8-1", "-1-5-8", "13--5-8", "13-5-8 ", "a-b-c", "13-5-+8", "99999999999-1-1"})
    EXPECT_FALSE(parse_channel_id(bad)) << bad;
}

}  // namespace
}  // namespace cyclerd::remote::bts
