#include "protocols/scpi/codec.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>

namespace cyclerd::scpi {
namespace {

using device::NumberFormat;
using device::TextItem;
using device::TextPiece;
using Notation = NumberFormat::Notation;

std::string formatted(double value, NumberFormat format) {
  std::array<char, 64> text{};
  const auto n = format_number(value, format, text);
  return n ? std::string(text.data(), *n) : "refused";
}

TEST(ParseNumber, TakesNr1Nr2Nr3WithSigns) {
  const std::pair<const char*, double> good[] = {{"5", 5},
                                                 {"+4.2", 4.2},
                                                 {"-1.5E-3", -1.5e-3},
                                                 {".5", 0.5},
                                                 {"5.", 5},
                                                 {"-.25", -0.25},
                                                 {"+5.00000000E-01", 0.5},
                                                 {" 1.234 ", 1.234},
                                                 {"1e+2", 100},
                                                 {"#H1F", 31},
                                                 {"#Q17", 15},
                                                 {"#B101", 5},
                                                 {"-0", 0}};
  for (const auto& [text, value] : good) EXPECT_EQ(parse_number(text).value_or(NAN), value) << text;
}

TEST(ParseNumber, TheWholeInputIsUsedOrItIsAnError) {
  for (const char* text : {"",
                           " ",
                           "+",
                           "-",
                           ".",
                           "e5",
                           "1e",
                           "1.2.3",
                           "4.2V",
                           "4,2",
                           "--1",
                           "+-1",
                           "1 2",
                           "0x10",
                           "nan",
                           "inf",
                           "1e999",
                           "#H",
                           "#HXY",
                           "#Z1",
                           "1_000",
                           "#H-1",
                           "#H20000000000001"})
    EXPECT_FALSE(parse_number(text)) << text;
}

TEST(ParseInteger, FollowsTheRadix) {
  EXPECT_EQ(parse_integer("-17"), -17);
  EXPECT_EQ(parse_integer("+30", 16), 0x30);
  EXPECT_EQ(parse_integer("fF", 16), 255);
  EXPECT_EQ(parse_integer("9007199254740992"), 9007199254740992);
  for (const char* text : {"", "+-5", "1.0", "9007199254740993", "12a", "99999999999999999999"})
    EXPECT_FALSE(parse_integer(text)) << text;
}

TEST(NoValue, IsEverythingFromInfinityOn) {
  EXPECT_TRUE(is_no_value(9.9e37));
  EXPECT_TRUE(is_no_value(-9.9e37));
  EXPECT_TRUE(is_no_value(9.91e37));
  EXPECT_TRUE(is_no_value(9.90000034e37));  // as a float prints it
  EXPECT_TRUE(is_no_value(std::numeric_limits<double>::quiet_NaN()));
  EXPECT_FALSE(is_no_value(9.8e37));
  EXPECT_FALSE(is_no_value(0.0));
}

TEST(Field, CountsFromZeroAndRespectsQuotes) {
  EXPECT_EQ(field("a,b,c", ",", 1), "b");
  EXPECT_EQ(field("a,\"b,c\",d", ",", 2), "d");
  EXPECT_EQ(field("", ",", 0), "");
  EXPECT_EQ(field("a,", ",", 1), "");
  EXPECT_FALSE(field("a,b", ",", 2));
  EXPECT_EQ(field("0050.0  0023.4 01", " ", 1), "0023.4");
  EXPECT_EQ(field("  x y", " ", 0), "x");
  EXPECT_FALSE(field("x ", " ", 1));
  EXPECT_EQ(field("1\xB6"
                  "23.5\xB6",
                  "\xB6", 1),
            "23.5");
}

TEST(ErrorEntry, HasNumberAndText) {
  const auto undefined = parse_error("-113,\"Undefined header;VOL\"\r");
  ASSERT_TRUE(undefined);
  EXPECT_EQ(undefined->number, -113);
  EXPECT_EQ(undefined->text, "Undefined header;VOL");
  EXPECT_EQ(parse_error("+0,\"No error\"")->number, 0);
  EXPECT_EQ(parse_error("0")->number, 0);
  EXPECT_FALSE(parse_error("4.2,\"x\""));
  EXPECT_FALSE(parse_error("No error"));
}

TEST(Frame, EndsAtTheTerminator) {
  using enum Framing::State;
  EXPECT_EQ(frame("4.2", "\n").state, incomplete);
  const Framing crlf = frame("4.2\r\n9", "\n");
  EXPECT_EQ(crlf.state, complete);
  EXPECT_EQ(crlf.size, 3U);
  EXPECT_EQ(crlf.used, 5U);
  EXPECT_EQ(frame("OK\r", "\r").size, 2U);
  const Framing after_empty = frame("\r\n\nOK\r\n", "\r\n");
  EXPECT_EQ(after_empty.begin, 3U);
  EXPECT_EQ(after_empty.size, 2U);
}

TEST(Frame, ABlockMayHoldTerminators) {
  using enum Framing::State;
  EXPECT_EQ(frame("#13a\n", "\n").state, incomplete);
  const Framing block = frame("#13a\nb\n", "\n");
  ASSERT_EQ(block.state, complete);
  EXPECT_EQ(block.begin, 3U);
  EXPECT_EQ(block.size, 3U);
  EXPECT_EQ(block.used, 7U);
  EXPECT_EQ(frame("#0abc\n", "\n").state, garbage);
  EXPECT_EQ(frame("#1xabc\n", "\n").state, garbage);
  EXPECT_EQ(frame("#11abc\n", "\n").state, garbage) << "more data than the header says";
  EXPECT_EQ(frame("#H1F\n", "\n").size, 4U) << "a hexadecimal number is a line";
}

TEST(FormatNumber, FollowsTheNotation) {
  EXPECT_EQ(formatted(4.2, {Notation::fixed, false, 0, 4}), "4.2000");
  EXPECT_EQ(formatted(-0.00001, {Notation::fixed, false, 0, 2}), "0.00");
  EXPECT_EQ(formatted(-40.04, {Notation::fixed, true, 6, 1}), "-040.0");
  EXPECT_EQ(formatted(50, {Notation::fixed, true, 6, 1}), "0050.0");
  EXPECT_EQ(formatted(6, {Notation::integer, true, 2, 0}), "06");
  EXPECT_EQ(formatted(2.5, {Notation::fixed, false, 6, 2}), "  2.50");
  EXPECT_EQ(formatted(0.00012, {Notation::exponent, false, 0, 3}), "1.200e-04");
  EXPECT_EQ(formatted(255, {Notation::hex, false, 0, 0}), "FF");
  EXPECT_EQ(formatted(0.1, {}), "0.1");
  EXPECT_EQ(formatted(-1500, {}), "-1500");
}

TEST(FormatNumber, RefusesWhatIsNoNumber) {
  EXPECT_EQ(formatted(NAN, {}), "refused");
  EXPECT_EQ(formatted(INFINITY, {Notation::fixed, false, 0, 1}), "refused");
  EXPECT_EQ(formatted(1e17, {Notation::integer, false, 0, 0}), "refused");
  EXPECT_EQ(formatted(1e300, {Notation::fixed, false, 0, 3}), "refused");
}

TEST(Render, FillsThePlaces) {
  TextItem mode;
  mode.words = {{"CURR", 1.0}, {"VOLT", 2.0}};
  TextPiece say{TextPiece::Kind::literal, "FUNC ", -1, {}};
  TextPiece value{TextPiece::Kind::value, "", -1, {}};
  TextPiece to{TextPiece::Kind::literal, ", (@", -1, {}};
  TextPiece channel{TextPiece::Kind::channel, "", -1, {}};
  std::array<char, 16> into{};
  const auto n = render({say, value, to, channel}, {2.0, &mode, "3", {}, {}}, into);
  ASSERT_TRUE(n);
  EXPECT_EQ(std::string_view(into.data(), *n), "FUNC VOLT, (@3");
  EXPECT_FALSE(render({say, value}, {7.0, &mode, "", {}, {}}, into)) << "no word for it";
  std::array<char, 4> small{};
  EXPECT_FALSE(render({say, value}, {2.0, &mode, "", {}, {}}, small));
}

TEST(ParseValue, FieldPrefixSuffixAndCharacter) {
  TextItem volts;
  volts.suffix = "V";
  EXPECT_EQ(parse_value("4.200 V", volts, Shape::number), 4.2);
  EXPECT_EQ(parse_value("4.200", volts, Shape::number), 4.2);
  EXPECT_FALSE(parse_value("4.200 A", volts, Shape::number));
  TextItem status;
  status.field = 4;
  status.prefix = "SR(";
  status.suffix = ")";
  status.radix = 16;
  EXPECT_EQ(parse_value("MV(45.201),PV(45),MC(4.3257),PC(10),SR(30),FR(00)", status, Shape::integer), 0x30);
  TextItem running;
  running.field = 2;
  running.separator = " ";
  running.character = 1;
  EXPECT_EQ(parse_value("0050.0 0023.4 0100", running, Shape::boolean), 1.0);
  EXPECT_FALSE(parse_value("0050.0 0023.4 0", running, Shape::boolean));
}

TEST(ParseValue, ShapesAreStrict) {
  TextItem plain;
  EXPECT_EQ(parse_value("1", plain, Shape::boolean), 1.0);
  EXPECT_FALSE(parse_value("2", plain, Shape::boolean));
  EXPECT_EQ(parse_value("+1.28E+02", plain, Shape::integer), 128.0);
  EXPECT_FALSE(parse_value("1.5", plain, Shape::integer));
  EXPECT_TRUE(std::isnan(parse_value("9.91E37", plain, Shape::number).value()));
  EXPECT_TRUE(std::isnan(parse_value("-9.900000E+37", plain, Shape::number).value()));
  EXPECT_TRUE(std::isnan(parse_value("NAN", plain, Shape::number).value()));
  plain.invalid = {-999.0};
  EXPECT_TRUE(std::isnan(parse_value("-999.0", plain, Shape::number).value()));
  EXPECT_FALSE(parse_value("", plain, Shape::number));
  TextItem onoff;
  onoff.words = {{"ON", 1.0}, {"OFF", 0.0}};
  EXPECT_EQ(parse_value("on", onoff, Shape::boolean), 1.0);
  EXPECT_EQ(parse_value("\"OFF\"", onoff, Shape::boolean), 0.0);
  EXPECT_FALSE(parse_value("MAYBE", onoff, Shape::word));
}

}  // namespace
}  // namespace cyclerd::scpi
