// What single words of Neware, Maccor and Arbin files become, and what is refused.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "profiles/exchange/flow_blocks.hpp"
#include "profiles/exchange/maccor_parts.hpp"
#include "profiles/exchange/unit_expression.hpp"
#include "tests/unit/profiles/exchange/cycler_files.hpp"

namespace cyclerd::exchange::test {
namespace {

const std::string kHead = R"(<Head_Info><Scale Value="1" /><RateType Value="103" /></Head_Info>)";

std::string neware(const std::string& steps, const std::string& head = kHead, const std::string& whole = "") {
  return fmt::format(
      "<?xml version=\"1.0\"?><root><config type=\"Step File\" version=\"17\">{}<Whole_Prt>{}</Whole_Prt>"
      "<Step_Info>{}</Step_Info></config></root>",
      head, whole, steps);
}
std::string neware_step(int id, int type, const std::string& main, const std::string& other = "") {
  return fmt::format(
      "<Step{0} Step_ID=\"{0}\" Step_Type=\"{1}\"><Limit><Main>{2}</Main><Other>{3}</Other></Limit></Step{0}>", id,
      type, main, other);
}
std::string cycle(int id, int start, int count) {
  return neware_step(id, 5, "", fmt::format("<Start_Step Value=\"{}\" /><Cycle_Count Value=\"{}\" />", start, count));
}
const std::string kRest = "<Time Value=\"60000\" />";

struct Imported {
  std::string text;
  std::vector<Loss> losses;
  text::Diagnostics findings;
  [[nodiscard]] bool has(const std::string& part) const { return text.find(part) != std::string::npos; }
  [[nodiscard]] std::string code() const { return findings.all().empty() ? "" : findings.all().front().code; }
};

Imported imported(const std::string& format, const std::string& bytes) {
  Imported out;
  auto translation = import_as(format, "f", bytes, out.findings);
  if (translation) {
    out.text = translation->text;
    out.losses = translation->losses;
  }
  return out;
}

TEST(Neware, CurrentsAreDividedByTheScaleOfTheHead) {
  const std::string step =
      neware_step(1, 1, "<Curr Value=\"150000\" /><Time Value=\"60000\" /><Cap Value=\"360000000\" />");
  const Imported hundred = imported("neware", neware(step, R"(<Head_Info><Scale Value="100" /></Head_Info>)"));
  EXPECT_TRUE(hundred.has("current = \"1.5 A\"")) << hundred.text << hundred.findings.render();
  EXPECT_TRUE(hundred.has("step_capacity >= 1 Ah"));
  EXPECT_TRUE(imported("neware", neware(step)).has("current = \"150 A\""));
  EXPECT_EQ(imported("neware", neware(step, R"(<Head_Info><Scale Value="0" /></Head_Info>)")).code(), "X046");
  EXPECT_EQ(imported("neware", neware(step, "<Head_Info></Head_Info>")).losses.size(), 1U);
}

TEST(Neware, WhatMayBoundTheCellAndIsNotUnderstoodIsRefused) {
  const auto with = [](const std::string& key) {
    return imported("neware", neware(neware_step(1, 1, "<Curr Value=\"100\" /><Time Value=\"60000\" />" + key)));
  };
  EXPECT_EQ(with("<Mystery Value=\"5\" />").code(), "X051");
  EXPECT_EQ(with("<Mystery Value=\"0\" />").code(), "");
  EXPECT_EQ(with("<Mystery Is_Select=\"0\" Value=\"5\" />").code(), "");
  const auto condition = [](const std::string& attributes) {
    return imported("neware", neware(neware_step(1, 1, "<Curr Value=\"100\" /><Time Value=\"60000\" />",
                                                 "<Cnd1 " + attributes + " />")));
  };
  EXPECT_TRUE(condition("type=\"1\" CmpType=\"3\" Jump_Line=\"65534\" Value=\"43000\"")
                  .has("{ when = \"voltage > 4.3 V\", then = \"fail\""));
  EXPECT_EQ(condition("type=\"9\" CmpType=\"3\" Jump_Line=\"65526\" Value=\"1\"").code(), "X051");
  EXPECT_EQ(condition("type=\"1\" CmpType=\"3\" Jump_Line=\"77\" Value=\"1\"").code(), "X051");
  EXPECT_EQ(condition("type=\"1\" Function=\"2\" CmpType=\"3\" Jump_Line=\"65526\" Value=\"1\"").code(), "X051");
}

TEST(Neware, AdvancedProtectionsAreRefusedUnlessTheySayNothing) {
  const auto with = [](const std::string& part) {
    return imported("neware", neware("<Step1 Step_ID=\"1\" Step_Type=\"4\"><Limit><Main>" + kRest + "</Main></Limit>" +
                                     part + "</Step1>"));
  };
  EXPECT_EQ(with("<AdvancedPrt><CV_Chg><CurrRise Count=\"0\" /></CV_Chg></AdvancedPrt>").code(), "");
  EXPECT_EQ(with("<AdvancedPrt><CV_Chg><CurrRise Count=\"3\" /></CV_Chg></AdvancedPrt>").code(), "X051");
  EXPECT_EQ(with("<Protect><Main><Volt><Slope Value=\"3\" /></Volt></Main></Protect>").code(), "X051");
  EXPECT_EQ(with("<Protect><Aux><Temp Value=\"3\" /></Aux></Protect>").code(), "X051");
}

TEST(Neware, LoopsThatCrossAndJumpsIntoALoopAreRefused) {
  std::string steps;
  for (int i = 1; i <= 4; ++i) steps += neware_step(i, 4, kRest);
  const Imported crossing = imported("neware", neware(neware_step(1, 4, kRest) + neware_step(2, 4, kRest) +
                                                      cycle(3, 1, 2) + neware_step(4, 4, kRest) + cycle(5, 2, 2)));
  EXPECT_EQ(crossing.code(), "X049") << crossing.findings.render();
  EXPECT_EQ(crossing.findings.all().size(), 1U);
  const std::string jump = "<Cnd1 type=\"1\" CmpType=\"3\" Jump_Line=\"3\" Value=\"40000\" />";
  const Imported into = imported("neware", neware(neware_step(1, 4, kRest, jump) + neware_step(2, 4, kRest) +
                                                  neware_step(3, 4, kRest) + cycle(4, 2, 2)));
  EXPECT_EQ(into.code(), "X050") << into.findings.render();
  EXPECT_EQ(imported("neware", neware(neware_step(1, 4, kRest) + cycle(2, 1, 0))).code(), "X049");
  EXPECT_EQ(imported("neware", neware(neware_step(1, 4, kRest) + cycle(2, 2, 5))).code(), "X049");
}

TEST(Neware, AJumpToTheLoopsEndStartsTheNextPass) {
  const std::string jump = "<Cnd1 type=\"1\" CmpType=\"3\" Jump_Line=\"3\" Value=\"40000\" />";
  const Imported next =
      imported("neware", neware(neware_step(1, 4, kRest, jump) + neware_step(2, 4, kRest) + cycle(3, 1, 2)));
  EXPECT_TRUE(next.has("then = \"goto step_3\"")) << next.text << next.findings.render();
  EXPECT_TRUE(next.has("name = \"step_3\"\n  advance_cycle = {}")) << next.text;
}

TEST(Neware, AStepWithoutAnEndIsRefused) {
  EXPECT_EQ(imported("neware", neware(neware_step(1, 1, "<Curr Value=\"100\" />"))).code(), "X047");
  EXPECT_EQ(imported("neware", neware(neware_step(1, 4, ""))).code(), "X047");
  EXPECT_EQ(imported("neware", neware(neware_step(1, 7, "<Curr Value=\"100\" /><Time Value=\"1\" />"))).code(), "X047");
}

TEST(Neware, RateAndCurrentGoByTheRateMode) {
  const std::string step = neware_step(1, 1, "<Curr Value=\"500\" /><Rate Value=\"0.1\" /><Time Value=\"60000\" />");
  const auto with = [&](int mode, int capacity) {
    return imported("neware", neware(step, fmt::format("<Head_Info><Scale Value=\"1\" /><RateType Value=\"{}\" />"
                                                       "<MultCap Value=\"{}\" /></Head_Info>",
                                                       mode, capacity)));
  };
  EXPECT_TRUE(with(103, 18000000).has("current = \"0.5 A\""));
  EXPECT_TRUE(with(105, 18000000).has("current = \"0.1 C\""));
  EXPECT_TRUE(with(105, 18000000).losses.empty());
  EXPECT_EQ(with(105, 36000000).losses.size(), 1U);  // 0.1 C of 10 Ah is not 500 mA
}

TEST(Maccor, TimesAreReadInAllTheirSpellings) {
  EXPECT_EQ(maccor_seconds("03:00:00"), 10800.0);
  EXPECT_EQ(maccor_seconds("::.01"), 0.01);
  EXPECT_EQ(maccor_seconds("00:00:30.5"), 30.5);
  EXPECT_EQ(maccor_seconds("2:00:00:00"), 172800.0);
  EXPECT_EQ(maccor_seconds("120:00:00"), 432000.0);
  EXPECT_EQ(maccor_seconds("90"), 90.0);
  for (const char* bad : {"", "a:b:c", "1:2:3:4:5", "-1:00:00", "1e999:00", "nan"})
    EXPECT_FALSE(maccor_seconds(bad)) << bad;
}

TEST(Maccor, FormulasThatAreStraightLinesAreRead) {
  const auto line = maccor_line("0|4*CRATE*(STIME/3600)");
  ASSERT_TRUE(line);
  EXPECT_TRUE(line->c_rate);
  EXPECT_DOUBLE_EQ(line->per_second * 3600.0, 4.0);
  const auto amperes = maccor_line("0|0.5+2*STIME/60-(-0.5)");
  ASSERT_TRUE(amperes);
  EXPECT_FALSE(amperes->c_rate);
  EXPECT_DOUBLE_EQ(amperes->start, 1.0);
  for (const char* bad : {"0|STIME*STIME", "0|SIN(STIME)", "1|STIME", "0|STIME/0", "0|1/STIME", "0|4*CRATE",
                          "0|CRATE*STIME+1", "", "0|((((((((((((((((((((STIME"}) {
    EXPECT_FALSE(maccor_line(bad)) << bad;
  }
}

TEST(Maccor, EndsKeepTheirSense) {
  EXPECT_EQ(maccor_end("Current", "<=", "0.05C", 1)->text, "abs(current) <= 0.05 C");
  EXPECT_EQ(maccor_end("Voltage", "=", "4.2", 1)->text, "voltage >= 4.2 V");
  EXPECT_EQ(maccor_end("Voltage", "=", "2.7", -1)->text, "voltage <= 2.7 V");
  EXPECT_EQ(maccor_end("StepTime", "=", "00:30:00", 0)->text, "time >= 30 min");
  EXPECT_FALSE(maccor_end("Half Cell", ">=", "1", 1));
  EXPECT_FALSE(maccor_end("Voltage", "?", "1", 1));
  EXPECT_FALSE(maccor_end("Voltage", ">=", "high", 1));
}

std::string maccor(const std::string& steps) {
  return "<MaccorTestProcedure><ProcSteps>" + steps + "</ProcSteps></MaccorTestProcedure>";
}
std::string maccor_step(const std::string& type, const std::string& rest = "") {
  return "<TestStep><StepType> " + type + " </StepType>" + rest + "</TestStep>";
}

TEST(Maccor, LoopsThatDoNotMatchAreRefused) {
  const std::string rest = maccor_step("Rest",
                                       "<Ends><EndEntry><EndType>StepTime</EndType><Oper> = "
                                       "</Oper><Step>003</Step><Value>1:00:00</Value></EndEntry></Ends>");
  EXPECT_EQ(imported("maccor", maccor(maccor_step("Do 1") + rest + maccor_step("End"))).code(), "X049");
  EXPECT_EQ(imported("maccor", maccor(maccor_step("Loop 1"))).code(), "X049");
  EXPECT_EQ(imported("maccor", maccor(maccor_step("Do 1") + rest + maccor_step("Loop 1"))).code(), "X049");
  EXPECT_EQ(imported("maccor", maccor(maccor_step("Do 1") + maccor_step("Do 1") + rest)).code(), "X049");
  EXPECT_EQ(imported("maccor", maccor(maccor_step("Sing"))).code(), "X048");
  EXPECT_EQ(imported("maccor", maccor(maccor_step("Rest"))).code(), "X047");
}

TEST(Maccor, ALoopMayLeadElsewhereAfterItsLastPass) {
  const auto rest = [](int next) {
    return maccor_step("Rest",
                       fmt::format("<Ends><EndEntry><EndType>StepTime</EndType><Oper> = </Oper><Step>{:03}</Step>"
                                   "<Value>1:00:00</Value></EndEntry></Ends>",
                                   next));
  };
  const std::string loop = maccor_step("Loop 1",
                                       "<Ends><EndEntry><EndType>Loop Cnt</EndType><Oper> = </Oper>"
                                       "<Step>005</Step><Value>3</Value></EndEntry></Ends>");
  const Imported made =
      imported("maccor", maccor(maccor_step("Do 1") + rest(3) + loop + rest(5) + rest(6) + maccor_step("End")));
  EXPECT_TRUE(made.has("until = \"time >= 1 h\"")) << made.findings.render();
  EXPECT_EQ(made.losses.size(), 2U);  // step 4 never runs, and the rest before the jump
  EXPECT_TRUE(made.has("{ when = \"time > 0 s\", then = \"goto step_5\" }")) << made.text;
}

TEST(UnitExpression, GivesNumbersTheUnitOfWhatTheyStandBeside) {
  const NameMeaning meaning = [](std::string_view name) -> std::optional<UnitText> {
    if (name == "Q") return UnitText{"step_capacity", "Ah"};
    if (name == "N") return UnitText{"cycle", ""};
    if (name == "half") return UnitText{"0.5", ""};
    return std::nullopt;
  };
  EXPECT_EQ(expression_in("Q - 2.5", "Ah", meaning), "step_capacity - 2.5 Ah");
  EXPECT_EQ(expression_in("0.8*(Q + 1)", "Ah", meaning), "0.8 * (step_capacity + 1 Ah)");
  EXPECT_EQ(expression_in("half*2.5", "A", meaning), "1.25 A");
  EXPECT_EQ(expression_in("60 %*Q", "Ah", meaning), "0.6 * step_capacity");
  EXPECT_EQ(expression_in("Q/Q", "", meaning), "step_capacity / (step_capacity)");
  EXPECT_EQ(expression_in("N + 1", "", meaning), "cycle + 1");
  for (const char* bad : {"Q + N", "Q*Q", "1/Q", "Q -", "X", "(Q", "Q)", "", "1/0", "Q Q"}) {
    EXPECT_FALSE(expression_in(bad, "Ah", meaning)) << bad;
  }
}

TEST(Utf8, IsMadeOfWhateverTheBytesAre) {
  EXPECT_EQ(as_utf8(std::string("\xFF\xFE"
                                "a\0\xE4\0",
                                6)),
            "a\xC3\xA4");
  EXPECT_EQ(as_utf8(std::string("[\0S\0", 4)), "[S");
  EXPECT_EQ(as_utf8("\xEF\xBB\xBF<a/>"), "<a/>");
  EXPECT_EQ(as_utf8("\xE4"), "\xC3\xA4");
  EXPECT_EQ(as_utf8("encoding=\"GB2312\"\xB5\xE7"), "encoding=\"GB2312\"\xE7\x94\xB5");
}

TEST(Manual, NamesEveryCodeOfTheseImporters) {
  const std::string manual = bytes_of(CYCLERD_SOURCE_DIR "/profiles/exchange/README.md");
  for (int number = 40; number <= 53; ++number) {
    const std::string row = fmt::format("| `X{:03}` |", number);
    EXPECT_NE(manual.find(row), std::string::npos) << row;
  }
}

}  // namespace
}  // namespace cyclerd::exchange::test
