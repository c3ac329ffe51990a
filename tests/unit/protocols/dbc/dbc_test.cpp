#include "protocols/dbc/dbc.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocols/dbc/signal.hpp"

namespace cyclerd::dbc {
namespace {

using testing::HasSubstr;

text::SourcePtr source_of(std::string text) {
  return std::make_shared<const text::Source>(text::Source{"bus.dbc", std::move(text)});
}

Database read(const std::string& text) {
  text::Diagnostics diagnostics;
  auto database = read_dbc(source_of(text), diagnostics);
  EXPECT_TRUE(database) << diagnostics.render();
  EXPECT_TRUE(diagnostics.all().empty()) << diagnostics.render();
  return database.value_or(Database{});
}

constexpr const char* kBus = R"(VERSION ""


NS_ :
	NS_DESC_
	CM_
	BA_DEF_
	BO_TX_BU_
	SG_MUL_VAL_

BS_:

BU_: BMS Tool Vector__XXX
VAL_TABLE_ OnOff 1 "on; really" 0 "off" ;

BO_ 3221225472 VECTOR__INDEPENDENT_SIG_MSG: 0 Vector__XXX
 SG_ Unused : 0|8@1+ (1,0) [0|0] "" Vector__XXX

BO_ 849 Limits: 8 BMS
 SG_ ChargeVoltage : 0|16@1+ (0.1,0) [0|6553.5] "V"  Tool
 SG_ ChargeCurrent : 16|16@1- (0.1,0) [-3276.8|3276.7] "A" Tool,Vector__XXX

BO_ 2566848512 Extended: 8 BMS
SG_ Number : 7|16@0- (1,-40) [0|0] "" Tool

BO_ 592 Cells: 8 BMS
 SG_ Group M : 7|8@0+ (1,0) [0|0] "" Tool
 SG_ Cell0 m0 : 12|13@0+ (1,0) [0|0] "mV" Tool
 SG_ Cell1 m1 : 12|13@0+ (1,0) [0|0] "mV" Tool
 SG_ Inner m2M : 15|4@0+ (1,0) [0|0] "" Tool
 SG_ Deep m3 : 23|8@0+ (1,0) [0|0] "" Tool

BO_ 100 Wide: 16 BMS
 SG_ Single : 0|32@1- (1,0) [0|0] "%" Tool
 SG_ Double : 64|64@1- (1,0) [0|0] "" Tool

CM_ SG_ 849 ChargeVoltage "A text
over lines; with "
CM_ BO_ 849 "BO_ 1 No: 8 X";
BA_DEF_ BO_ "GenMsgCycleTime" INT 0 65535;
BA_DEF_DEF_ "GenMsgCycleTime" 0;
BA_ "GenMsgCycleTime" BO_ 849 100;
BA_ "VFrameFormat" BO_ 100 14;
BA_ "BusType" "CAN";
VAL_ 849 ChargeCurrent 1 "one" -2 "minus two" ;
VAL_ Variable 1 "x" ;
SIG_VALTYPE_ 100 Single : 1;
SIG_VALTYPE_ 100 Double : 2;
SG_MUL_VAL_ 592 Deep Inner 1-1, 3-5;
)";

TEST(Dbc, SaysWhatIsOnTheBus) {
  // A comment's semicolon is missing above on purpose: the next section begins all the same.
  const Database bus = read(kBus);
  ASSERT_EQ(bus.messages.size(), 4U);
  const Message* limits = bus.find("Limits");
  ASSERT_NE(limits, nullptr);
  EXPECT_EQ(limits->id, 849U);
  EXPECT_FALSE(limits->extended);
  EXPECT_EQ(limits->cycle, base::milliseconds(100));
  EXPECT_EQ(limits->sender, "BMS");
  const Signal* current = limits->find("ChargeCurrent");
  ASSERT_NE(current, nullptr);
  EXPECT_EQ(current->kind, NumberKind::signed_integer);
  EXPECT_EQ(current->factor, 0.1);
  EXPECT_EQ(current->unit, "A");
  EXPECT_EQ(current->min, -3276.8);
  ASSERT_EQ(current->descriptions.size(), 2U);
  EXPECT_EQ(current->descriptions[1], (std::pair<std::int64_t, std::string>{-2, "minus two"}));
  const Message* extended = bus.find(0x18FF0000U, true);
  ASSERT_NE(extended, nullptr);
  EXPECT_EQ(extended->find("Number")->order, ByteOrder::motorola);
  EXPECT_EQ(extended->find("Number")->offset, -40.0);
  const Message* wide = bus.find("Wide");
  EXPECT_TRUE(wide->flexible_rate);
  EXPECT_EQ(wide->find("Single")->kind, NumberKind::float32);
  EXPECT_EQ(wide->find("Double")->kind, NumberKind::float64);
}

TEST(Dbc, SwitchedSignalsAreThereWhenTheirSwitchesSaySo) {
  const Database bus = read(kBus);
  const Message& cells = *bus.find("Cells");
  const auto present = [&cells](const char* signal, std::vector<std::uint8_t> frame) {
    frame.resize(8);
    return is_present(cells, *cells.find(signal), frame);
  };
  EXPECT_TRUE(present("Group", {9}));
  EXPECT_TRUE(present("Cell0", {0}));
  EXPECT_FALSE(present("Cell0", {1}));
  EXPECT_TRUE(present("Cell1", {1}));
  EXPECT_TRUE(present("Inner", {2}));
  for (int inner = 0; inner < 8; ++inner) {
    const bool wanted = inner == 1 || (inner >= 3 && inner <= 5);
    EXPECT_EQ(present("Deep", {2, static_cast<std::uint8_t>(inner << 4)}), wanted) << inner;
    EXPECT_FALSE(present("Deep", {0, static_cast<std::uint8_t>(inner << 4)})) << "its switch is not there";
  }
}

TEST(Dbc, OldFilesAreWindows1252) {
  const Database bus = read(
      "BO_ 1 A: 8 X\n SG_ T : 0|8@1+ (1,0) [0|0] \"\xB0"
      "C\" X\n SG_ E : 8|8@1+ (1,0) [0|0] \"\x80\" X\n");
  EXPECT_EQ(bus.find("A")->find("T")->unit,
            "\xC2\xB0"
            "C");
  EXPECT_EQ(bus.find("A")->find("E")->unit, "\xE2\x82\xAC");
  EXPECT_EQ(utf8_of("\xEF\xBB\xBF"
                    "\xC2\xB0"),
            "\xC2\xB0");
}

struct Flaw {
  const char* name;
  const char* text;
  const char* code;
  const char* words;
  std::uint32_t line;
};

class Flaws : public testing::TestWithParam<Flaw> {};

TEST_P(Flaws, AreToldWithTheirPlace) {
  text::Diagnostics diagnostics;
  const auto bus = read_dbc(source_of(GetParam().text), diagnostics);
  ASSERT_FALSE(diagnostics.all().empty());
  const text::Diagnostic& first = diagnostics.all().front();
  EXPECT_EQ(first.code, GetParam().code) << diagnostics.render();
  EXPECT_THAT(first.message, HasSubstr(GetParam().words));
  EXPECT_EQ(first.where.line, GetParam().line);
  EXPECT_EQ(bus.has_value(), !diagnostics.has_errors());
  EXPECT_EQ(diagnostics.has_errors(), first.code == "D090" || first.code == "D094");
}

INSTANTIATE_TEST_SUITE_P(
    All, Flaws,
    testing::Values(
        Flaw{"no_colon", "BO_ 1 A 8 X\n", "D090", "':'", 1}, Flaw{"no_number", "BO_ x A: 8 X\n", "D090", "a number", 1},
        Flaw{"half_a_bit", "BO_ 1 A: 8 X\n SG_ S : 0.5|8@1+ (1,0) [0|0] \"\" X\n", "D090", "whole number", 2},
        Flaw{"no_bits", "BO_ 1 A: 8 X\n SG_ S : 0|0@1+ (1,0) [0|0] \"\" X\n", "D090", "between 1 and 64", 2},
        Flaw{"order", "BO_ 1 A: 8 X\n SG_ S : 0|8@2+ (1,0) [0|0] \"\" X\n", "D090", "between 0 and 1", 2},
        Flaw{"no_sign", "BO_ 1 A: 8 X\n SG_ S : 0|8@1 (1,0) [0|0] \"\" X\n", "D090", "'+' or '-'", 2},
        Flaw{"unit_without_quotes", "BO_ 1 A: 8 X\n SG_ S : 0|8@1+ (1,0) [0|0] V X\n", "D090", "in quotes", 2},
        Flaw{"open_text", "BO_ 1 A: 8 X\nCM_ \"never ends\n", "D090", "does not end", 2},
        Flaw{"orphan", "SG_ S : 0|8@1+ (1,0) [0|0] \"\" X\n", "D090", "belongs to no message", 1},
        Flaw{"switch_word", "BO_ 1 A: 8 X\n SG_ S x3 : 0|8@1+ (1,0) [0|0] \"\" X\n", "D090", "M, m0 or m0M", 2},
        Flaw{"no_dbc", "<xml/>\n", "D090", "", 1},
        Flaw{"too_long", "BO_ 1 A: 8 X\n SG_ S : 57|8@1+ (1,0) [0|0] \"\" X\n", "D091", "reaches beyond", 2},
        Flaw{"too_long_motorola", "BO_ 1 A: 8 X\n SG_ S : 56|8@0+ (1,0) [0|0] \"\" X\n", "D091", "reaches beyond", 2},
        Flaw{"factor", "BO_ 1 A: 8 X\n SG_ S : 0|8@1+ (0,0) [0|0] \"\" X\n", "D091", "factor 0", 2},
        Flaw{"eleven_bits", "BO_ 2048 A: 8 X\n", "D091", "11 bits", 1},
        Flaw{"long_frame", "BO_ 1 A: 65 X\n", "D091", "at most 64", 1},
        Flaw{"float", "BO_ 1 A: 8 X\n SG_ S : 0|31@1- (1,0) [0|0] \"\" X\nSIG_VALTYPE_ 1 S : 1;\n", "D091", "no float",
             3},
        Flaw{"twice", "BO_ 1 A: 8 X\nBO_ 1 B: 8 X\n", "D092", "before", 2},
        Flaw{"signal_twice", "BO_ 1 A: 8 X\n SG_ S : 0|8@1+ (1,0) [0|0] \"\" X\n SG_ S : 8|8@1+ (1,0) [0|0] \"\" X\n",
             "D092", "twice", 3},
        Flaw{"no_such_switch", "BO_ 1 A: 8 X\n SG_ S m1 : 0|8@1+ (1,0) [0|0] \"\" X\nSG_MUL_VAL_ 1 S T 1-1;\n", "D093",
             "which its message does not have", 3}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Dbc, ASwitchThatHangsOnItselfIsLeftOut) {
  text::Diagnostics diagnostics;
  const auto bus = read_dbc(
      source_of("BO_ 1 A: 8 X\n SG_ S m1M : 0|8@1+ (1,0) [0|0] \"\" X\n SG_ T m1M : 8|8@1+ (1,0) [0|0] \"\" X\n"
                " SG_ U : 16|8@1+ (1,0) [0|0] \"\" X\nSG_MUL_VAL_ 1 S T 1-1;\nSG_MUL_VAL_ 1 T S 1-1;\n"),
      diagnostics);
  ASSERT_TRUE(bus) << diagnostics.render();
  EXPECT_EQ(diagnostics.warning_count(), 2U) << diagnostics.render();
  ASSERT_EQ(bus->find("A")->signals.size(), 1U);
  EXPECT_EQ(bus->find("A")->signals[0].name, "U");
}

}  // namespace
}  // namespace cyclerd::dbc
