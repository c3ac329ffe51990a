// Files that are cut, bent or made to harm: each ends in findings or in a profile that parses, soon.
#include <gtest/gtest.h>

#include <random>

#include "profiles/exchange/import_parts.hpp"
#include "profiles/syntax.hpp"
#include "tests/unit/profiles/exchange/cycler_files.hpp"

namespace cyclerd::exchange::test {
namespace {

constexpr const char* kFormats[] = {"neware", "maccor", "arbin"};

// Either errors and nothing, or a profile; returns whether it was refused.
bool refused(const std::string& format, const std::string& bytes) {
  text::Diagnostics findings;
  const auto translation = import_as(format, "f", bytes, findings);
  EXPECT_EQ(translation.has_value(), !findings.has_errors()) << format << findings.render();
  for (const text::Diagnostic& finding : findings.all()) EXPECT_NE(finding.code, code::kResult) << finding.message;
  if (!translation) {
    (void)findings.render();
    return true;
  }
  text::Diagnostics again;
  EXPECT_TRUE(
      profiles::parse_profile(std::make_shared<const text::Source>(text::Source{"f", translation->text}), again));
  EXPECT_FALSE(again.has_errors()) << again.render();
  return false;
}

TEST(HostileFiles, CutAnywhereAreRefused) {
  for (const ForeignFile& file : foreign_files()) {
    const std::string whole = bytes_of(file.path);
    // After the last step and its limits an Arbin file may end without harm; XML is closed by its last character.
    const std::size_t vital =
        file.format == "arbin" ? as_utf8(whole).find("[Schedule_UserDefineSafety0]") : whole.rfind('>');
    const std::size_t bytes_a_character = file.path.ends_with("counters.sdu") ? 2 : 1;
    const std::size_t stride = whole.size() < 4000 ? 1 : 5;
    for (std::size_t length = 0; length < whole.size(); length += stride) {
      const bool no = refused(file.format, whole.substr(0, length));
      const std::size_t last_line = 12;  // a limit's last key is empty in these files
      if ((length + last_line) / bytes_a_character < vital) {
        EXPECT_TRUE(no) << file.path << " cut at " << length;
      }
    }
  }
}

TEST(HostileFiles, WithFlippedBytesDoNoHarm) {
  std::mt19937 random(7);
  for (const ForeignFile& file : foreign_files()) {
    const std::string whole = bytes_of(file.path);
    for (int round = 0; round < 400; ++round) {
      std::string bent = whole;
      for (int k = 0; k <= round % 4; ++k) bent[random() % bent.size()] = static_cast<char>(random());
      (void)refused(file.format, bent);
    }
  }
}

TEST(HostileFiles, OfAnotherKindGetOneFinding) {
  for (const char* format : kFormats) {
    for (const std::string& bytes :
         {std::string(), std::string("  \n"), std::string("<html></html>"), std::string("{\"a\": 1}"),
          std::string(3, '\0'), std::string("profile = \"x\"\n"), std::string("<root/>"),
          std::string("<root><config type=\"Step File\"/></root>"), std::string("<MaccorTestProcedure/>"),
          std::string("<MaccorTestProcedure><ProcSteps><TestStep><StepType>End</StepType></TestStep></ProcSteps>"
                      "</MaccorTestProcedure>"),
          std::string("[Schedule]\n"), std::string("\xFF\xFE")}) {
      text::Diagnostics findings;
      EXPECT_FALSE(import_as(format, "f", bytes, findings)) << format << bytes;
      EXPECT_EQ(findings.all().size(), 1U) << format << " " << bytes << findings.render();
    }
  }
}

TEST(HostileFiles, NestedDeeplyAreRefused) {
  const std::string deep = [] {
    std::string text;
    for (int i = 0; i < 200'000; ++i) text += "<a>";
    for (int i = 0; i < 200'000; ++i) text += "</a>";
    return text;
  }();
  for (const char* format : {"neware", "maccor"}) EXPECT_TRUE(refused(format, deep));
  // Loops within loops, as deep as they may be and one deeper.
  for (const int depth : {30, 31}) {
    std::string steps;
    for (int i = 1; i <= depth; ++i) steps += "<TestStep><StepType>Do " + std::to_string(i) + "</StepType></TestStep>";
    steps += "<TestStep><StepType>Rest</StepType><Ends><EndEntry><EndType>StepTime</EndType><Oper>=</Oper><Step>" +
             std::to_string(depth + 2) + "</Step><Value>1</Value></EndEntry></Ends></TestStep>";
    for (int i = depth; i >= 1; --i) {
      steps += "<TestStep><StepType>Loop " + std::to_string(i) +
               "</StepType><Ends><EndEntry><EndType>Loop Cnt</EndType><Oper>=</Oper><Step>" +
               std::to_string(2 * depth + 3 - i) + "</Step><Value>2</Value></EndEntry></Ends></TestStep>";
    }
    steps += "<TestStep><StepType>End</StepType></TestStep>";
    const bool no =
        refused("maccor", "<MaccorTestProcedure><ProcSteps>" + steps + "</ProcSteps></MaccorTestProcedure>");
    EXPECT_EQ(no, depth > 30) << depth;
  }
}

TEST(HostileFiles, EntitiesAreNotReplaced) {
  std::string bomb = "<?xml version=\"1.0\"?><!DOCTYPE r [<!ENTITY a \"aaaaaaaaaa\">";
  for (char c = 'b'; c <= 'j'; ++c) {
    bomb += std::string("<!ENTITY ") + c + " \"";
    for (int k = 0; k < 10; ++k) bomb += std::string("&") + static_cast<char>(c - 1) + ";";
    bomb += "\">";
  }
  bomb +=
      "]><MaccorTestProcedure><header><ProcDesc><desc>&j;</desc></ProcDesc></"
      "header><ProcSteps><TestStep><StepType>Rest</StepType>"
      "<Ends><EndEntry><EndType>StepTime</EndType><Oper>=</Oper><Step>1</Step><Value>1</Value></EndEntry></Ends></"
      "TestStep>"
      "</ProcSteps></MaccorTestProcedure>";
  text::Diagnostics findings;
  const auto translation = import_as("maccor", "f", bomb, findings);
  ASSERT_TRUE(translation) << findings.render();
  EXPECT_LT(translation->text.size(), 1000U);
}

TEST(HostileFiles, TooLargeAreRefused) {
  for (const char* format : kFormats) EXPECT_TRUE(refused(format, std::string(kMaxImportBytes + 1, ' ')));
  std::string steps;
  for (std::size_t i = 0; i <= kMaxImportSteps; ++i) steps += "<TestStep><StepType>AdvCycle</StepType></TestStep>";
  EXPECT_TRUE(refused("maccor", "<MaccorTestProcedure><ProcSteps>" + steps + "</ProcSteps></MaccorTestProcedure>"));
  std::string schedule = "[Schedule]\n";
  for (std::size_t i = 0; i <= kMaxImportSteps; ++i)
    schedule += "[Schedule_Step" + std::to_string(i) + "]\nm_szStepCtrlType=Rest\n";
  EXPECT_TRUE(refused("arbin", schedule));
}

TEST(HostileFiles, NumbersOfAnySizeDoNoHarm) {
  for (const char* number :
       {"1e308", "-1e308", "1e-308", "1e999", "nan", "inf", "9999999999999999999999", "-0", "0x10", "1,5", "--1"}) {
    for (const ForeignFile& file : foreign_files()) {
      const std::string whole = as_utf8(bytes_of(file.path));
      // Every number of the file in turn, as far as the beginning goes.
      std::size_t at = 0;
      for (int n = 0; n < 60; ++n) {
        at = whole.find_first_of("0123456789", at + 1);
        if (at == std::string::npos) break;
        const std::size_t end = whole.find_first_not_of("0123456789.", at);
        (void)refused(file.format, whole.substr(0, at) + number + whole.substr(end));
        at = end;
      }
    }
  }
}

}  // namespace
}  // namespace cyclerd::exchange::test
