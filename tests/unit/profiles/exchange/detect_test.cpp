#include "profiles/exchange/detect.hpp"

#include <gtest/gtest.h>

namespace cyclerd::exchange {
namespace {

TEST(DetectFormat, ByWhatStandsInTheFile) {
  EXPECT_EQ(detect_format("<?xml version=\"1.0\"?>\n<!-- x -->\n<MaccorTestProcedure>"), Format::maccor);
  EXPECT_EQ(detect_format("<root><config type=\"Step File\" version=\"17\"><Step_Info Num=\"2\"/>"), Format::neware);
  EXPECT_EQ(detect_format("[Version Section]\r\nm_Version=1\r\n[Schedule]\r\n"), Format::arbin);
  EXPECT_EQ(detect_format("\n[Schedule_Step0]\nm_szLabel=a\n"), Format::arbin);
  EXPECT_EQ(detect_format("{\"unicycler\": {\"version\": \"0.4\"}, \"method\": []}"), Format::unicycler);
  EXPECT_EQ(detect_format("{\"method\": [{\"step\": \"open_circuit_voltage\"}]}"), Format::unicycler);
  EXPECT_EQ(detect_format("{\"cycles\": [[{\"type\": \"rest\"}]], \"period\": 60}"), Format::pybamm);
  EXPECT_EQ(detect_format("[\"Rest for 1 hour\"]"), Format::pybamm);
  EXPECT_EQ(detect_format("# ageing\nDischarge at C/10 until 2.5 V\nRest for 1 hour\n"), Format::pybamm);
}

TEST(DetectFormat, KeysInsideDoNotCount) {
  EXPECT_EQ(detect_format("{\"x\": {\"method\": 1}, \"y\": \"\\\"cycles\\\":\"}"), std::nullopt);
}

TEST(DetectFormat, Utf16AndByteOrderMarks) {
  std::string wide = "\xFF\xFE";
  for (const char c : std::string("<MaccorTestProcedure>")) wide += {c, '\0'};
  EXPECT_EQ(detect_format(wide), Format::maccor);
  EXPECT_EQ(detect_format("\xEF\xBB\xBF[Schedule]\n"), Format::arbin);
}

TEST(DetectFormat, NothingIsNothing) {
  for (const char* text :
       {"", "<", "<!--", "<?", "{", "{\"a", "profile = \"x\"\n", "<html>", "time_s,current_A\n0,1\n"}) {
    EXPECT_EQ(detect_format(text), std::nullopt) << text;
  }
}

TEST(DetectFormat, EveryNameIsFoundAgain) {
  for (const FormatName& known : kFormats) EXPECT_EQ(find_format(format_name(known.format)), known.format);
  EXPECT_EQ(find_format("biologic"), std::nullopt);
}

}  // namespace
}  // namespace cyclerd::exchange
