#include "protocols/remote/bts_frame.hpp"

#include <gtest/gtest.h>

#include <string>

namespace cyclerd::remote {
namespace {

using State = BtsReplyFrame::State;

const std::string kReply = "<?xml version=\"1.0\"?><bts version=\"1.0\"><cmd>connect_resp</cmd></bts>";

TEST(BtsFrame, AReplyEndsWithItsTerminatorAndNotBefore) {
  const std::string whole = kReply + std::string(kBtsTerminator);
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    BtsReplyFrame frame;
    EXPECT_EQ(frame.add(whole.substr(0, cut)), State::incomplete) << cut;
    EXPECT_EQ(frame.add(whole.substr(cut)), State::complete) << cut;
    EXPECT_EQ(frame.document(), kReply + "\n\n") << cut;
  }
}

TEST(BtsFrame, ByteByByteIsTheSame) {
  BtsReplyFrame frame;
  const std::string whole = kReply + std::string(kBtsTerminator);
  for (std::size_t i = 0; i + 1 < whole.size(); ++i) ASSERT_EQ(frame.add(whole.substr(i, 1)), State::incomplete) << i;
  EXPECT_EQ(frame.add("\n"), State::complete);
}

TEST(BtsFrame, TheEmptyLineMayBeMissingBehindTheClosingTag) {
  for (const char* between : {"", "\r\n", "\n", " \t\r\n"}) {
    BtsReplyFrame frame;
    EXPECT_EQ(frame.add(kReply + between + "#\r\n"), State::complete);
  }
}

TEST(BtsFrame, AMarkInsideTheTextEndsNothing) {
  BtsReplyFrame frame;
  EXPECT_EQ(frame.add("<bts><a barcode=\"cell #\r\n12\"/>#\r\n"), State::incomplete);
  EXPECT_EQ(frame.add("</bts>\n\n#\r\n"), State::complete);
}

TEST(BtsFrame, GarbageWithTheWholeTerminatorEndsToo) {
  BtsReplyFrame frame;
  EXPECT_EQ(frame.add("what?\n\n#\r\n"), State::complete);
  EXPECT_EQ(frame.document(), "what?\n\n");
}

TEST(BtsFrame, WhatFollowsTheEndIsOneReplyTooMany) {
  BtsReplyFrame frame;
  EXPECT_EQ(frame.add(kReply + "\n\n#\r\n<"), State::more_than_one);
}

TEST(BtsFrame, TheLongestReplyIsJustLongEnough) {
  BtsReplyFrame frame;
  EXPECT_EQ(frame.add(std::string(kMaxBtsReply, 'x')), State::incomplete);
  EXPECT_EQ(frame.add("x"), State::too_long);
  BtsReplyFrame whole;
  EXPECT_EQ(whole.add(std::string(kMaxBtsReply - kBtsTerminator.size(), 'x') + std::string(kBtsTerminator)),
            State::complete);
}

TEST(BtsFrame, ManyMarksCostNoTime) {
  BtsReplyFrame frame;
  std::string many;
  while (many.size() < (4U << 20U)) many += "   #\r\n";
  EXPECT_EQ(frame.add(many), State::incomplete);
}

}  // namespace
}  // namespace cyclerd::remote
