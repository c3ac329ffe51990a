// Every finding of the checker: what provokes it, its code, the place of its caret.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "tests/unit/profiles/language/bench.hpp"

namespace cyclerd::profiles::test {
namespace {

const std::string kRest = "[[step]]\nrest = {}\nuntil = \"time >= 1 s\"\n";

struct Mistake {
  std::string body;
  std::string code;
  std::string marked;  // the text under the caret
  text::Severity severity = text::Severity::error;
};

const text::Severity kWarning = text::Severity::warning;

std::vector<Mistake> mistakes() {
  const std::string charge = "[[step]]\ncharge = ";
  const std::string guard = "until = \"time >= 1 h\"\n";
  return {
      // structure
      {"stepp = 1\n" + kRest, "T012", "stepp"},
      {kRest + "untill = \"time > 1 s\"\n", "T012", "untill"},
      {"[[step]]\nuntil = \"time > 1 s\"\n", "P030", ""},
      {"[[step]]\nrest = {}\ncharge = { current = \"1 A\" }\n" + guard, "P030", "rest"},
      {"[[step]]\nramp = { from = \"0 A\", to = \"1 A\" }\n", "P032", "ramp"},
      {"[[step]]\nramp = { from = \"0 A\", to = \"1 A\", over = \"1 s\", rate = \"1 A/s\" }\n", "P032", "ramp"},
      {"[[step]]\nramp = { from = \"0 A\", to = \"1 V\", over = \"1 s\" }\n", "P024", "1 V"},
      {"[[step]]\nramp = { from = \"0 A\", to = \"1 A\", rate = \"1 V/s\" }\n", "P024", "1 V/s"},
      {"[[step]]\nramp = { from = \"0 s\", to = \"1 s\", over = \"1 s\" }\n", "P024", "0 s"},
      {"[[step]]\nramp = { from = \"0 A\", to = \"5.1 A\", over = \"1 s\" }\n", "P050", "5.1 A"},
      {"[[step]]\nramp = { from = \"-10.1 A\", to = \"5 A\", over = \"1 s\" }\n", "P050", "-10.1 A"},
      {"[[step]]\nramp = { from = \"3 V\", to = \"4.21 V\", over = \"1 s\" }\n", "P050", "4.21 V"},
      {"[[step]]\nramp = { from = \"3 V\", to = \"4 V\", rate = \"-1 V/s\" }\n", "P052", "-1 V/s"},
      {"[[step]]\nramp = { from = \"1 W\", to = \"2 W\", over = \"1 s\", current = \"1 A\" }\n", "P032", "1 A"},
      {"[[step]]\npulse = { pulses = [] }\n", "P032", "pulses"},
      {"[[step]]\npulse = { pulses = [{ time = \"1 s\" }] }\n", "P032", "{ time = \"1 s\" }"},
      {"[[step]]\npulse = { pulses = [{ current = \"-10.1 A\", time = \"1 s\" }] }\n", "P050", "-10.1 A"},
      {"[[step]]\npulse = { pulses = [{ power = \"1001 W\", time = \"1 s\" }] }\n", "P051", "1001 W"},
      {"[[step]]\npulse = { pulses = [{ current = \"1 A\", time = \"0 s\" }] }\n", "P052", "0 s"},
      {"[[step]]\npulse = { pulses = [{ current = \"1 A\", time = \"99 ms\" }] }\n", "P057", "99 ms"},
      {"[[step]]\npulse = { pulses = [{ current = \"1 A\", time = \"150 ms\" }] }\n", "P058", "150 ms", kWarning},
      {"[[step]]\npulse = { pulses = [{ current = \"1 A\", time = \"1 s\" }], count = 1.5 }\n", "P052", "1.5"},
      {"[[step]]\nimpedance = {}\n", "P032", "impedance"},
      {"[[step]]\nimpedance = { dcir = { current = \"0 A\", time = \"1 s\" } }\n", "P052", "0 A"},
      {"[[step]]\nimpedance = { dcir = { current = \"1 A\", time = \"1 ms\" } }\n", "P057", "1 ms"},
      {"[[step]]\nimpedance = { sweep = { from = \"1 kHz\", to = \"1 mHz\", amplitude = \"0.1 A\" } }\n", "P053",
       "impedance"},
      {"[[step]]\nset = {}\n", "P032", "set"},
      {"[[step]]\nset = { a = 1, b = \"a + 1\" }\n", "P032", "a + 1"},
      {"[[step]]\nset = { a = \"a + 1\" }\n", "P022", "a + 1"},
      {"[[step]]\nset = { a = 1 }\n[[step]]\nset = { a = \"1 V\" }\n", "P024", "1 V"},
      {"[[step]]\nset = { voltage = 1 }\n", "P011", "voltage"},
      {"[[step]]\nset = { mark = \"a b\" }\n", "P011", "a b"},
      {"[procedure.x]\n" + kRest, "P012", "x"},
      {"[[step]]\ncall = { procedure = \"nothing\" }\n", "P038", "nothing"},
      {charge + "{ current = \"1 A\", power = \"1 W\" }\n" + guard, "P032", "charge"},
      {charge + "{}\n" + guard, "P032", "charge"},
      {charge + "{ resistance = \"1 Ohm\" }\n" + guard, "P032", "1 Ohm"},
      {"[[step]]\nadvance_cycle = {}\n" + guard, "P032", "until"},
      {"[[step]]\nrepeat = { count = 2, until = { when = \"soc < 10 %\", for = \"1 s\" } }\n[[step.steps]]\nrest = "
       "{}\n" +
           guard,
       "P032", "1 s"},
      {"[[step]]\nrest = {}\nsteps = []\n" + guard, "P032", "steps"},
      {"[[step]]\nrepeat = { count = 2 }\nuntil = \"time > 1 s\"\n[[step.steps]]\nrest = {}\n" + guard, "P032",
       "until"},
      {"[[step]]\nrepeat = { count = 2 }\n", "P012", "repeat"},
      {"[[step]]\nname = \"a b\"\nrest = {}\n" + guard, "P011", "a b"},
      {"[[step]]\nname = \"a\"\nrest = {}\n" + guard + "[[step]]\nname = \"a\"\nrest = {}\n" + guard, "P033", "a"},
      // units and names
      {"[[step]]\nrest = {}\nuntil = \"time >= 1 V\"\n", "P023", "1 V"},
      {"[[step]]\nrest = {}\nuntil = \"tim >= 1 s\"\n", "P022", "tim"},
      {"[[step]]\nrest = {}\nuntil = \"time >= 1 hr\"\n", "P021", "hr"},
      {"[[step]]\nrest = {}\nuntil = \"time\"\n", "P024", "time"},
      {charge + "{ current = 2.5 }\n" + guard, "P024", "2.5"},
      {charge + "{ current = \"2 V\" }\n" + guard, "P024", "2 V"},
      {"[[step]]\nrest = {}\ntemperature = \"25 K\"\n" + guard, "P024", "25 K"},
      {"[[step]]\nrest = {}\ntemperature = \"25 C\"\n" + guard, "P024", "25 C"},
      {"[safety]\nvoltage = { max = \"voltage\" }\n" + kRest, "P025", "voltage"},
      // until
      {"[[step]]\nrest = {}\nuntil = { when = \"time > 1 s\", then = \"stop\" }\n", "P034", "stop"},
      {"[[step]]\nrest = {}\nuntil = [1]\n", "P034", "1"},
      {"[[step]]\nrest = {}\nuntil = { when = \"time > 1 s\", then = \"goto y\" }\n", "P035", "y"},
      {"[[step]]\nrest = {}\nuntil = [{ when = \"time > 1 s\", then = \"goto inside\", for = \"1 s\" }, \"time > 2 "
       "s\"]\n"
       "[[step]]\nrepeat = { count = 2 }\n[[step.steps]]\nname = \"inside\"\nrest = {}\n" +
           guard,
       "P036", "inside"},
      {"[[step]]\nrest = {}\nuntil = { when = \"time > 1 s\", then = \"break\" }\n", "P037", "break"},
      // ends
      {"[[step]]\nrest = {}\n", "P040", "rest"},
      {charge + "{ current = \"1 A\" }\nuntil = \"voltage >= 4.1 V\"\n", "P041", "charge", kWarning},
      {"[[step]]\nchamber = { temperature = \"25 degC\", soak = { within = \"1 K\", for = \"1 min\" } }\n", "P041",
       "chamber", kWarning},
      {"[[step]]\nrest = {}\nuntil = { when = \"time > 1 s\", then = \"end\" }\n" + kRest, "P042", "rest"},
      {"[[step]]\nrepeat = {}\n[[step.steps]]\nrest = {}\n" + guard, "P043", "repeat"},
      {"[[step]]\nname = \"a\"\nrest = {}\nuntil = { when = \"time > 1 s\", then = \"goto a\" }\n", "P043", "rest"},
      {"[[step]]\nrepeat = { count = 5 }\n[[step.steps]]\nadvance_cycle = {}\n", "P044", "repeat"},
      {charge + "{ current = \"1 A\", voltage = \"4.1 V\" }\nuntil = [\"voltage >= 4.15 V\", \"time > 1 h\"]\n", "P045",
       "voltage >= 4.15 V"},
      {charge + "{ current = \"1 A\" }\nuntil = [\"voltage >= 4.3 V\", \"time > 1 h\"]\n", "P045", "voltage >= 4.3 V"},
      {"[[step]]\ndischarge = { current = \"1 A\" }\nuntil = [\"voltage <= 2 V\", \"time > 1 h\"]\n", "P045",
       "voltage <= 2 V"},
      {"[[step]]\nrest = {}\nuntil = [\"step_capacity > 1 Ah\", \"time > 1 h\"]\n", "P045", "step_capacity > 1 Ah"},
      {"[[step]]\ndischarge = { current = \"1 A\" }\nuntil = [\"current <= 0.1 A\", \"time > 1 h\"]\n", "P046",
       "current <= 0.1 A"},
      {"[[step]]\nrest = {}\nuntil = \"1 s < 2 s\"\n", "P046", "1 s < 2 s"},
      {"[[step]]\nrest = {}\nuntil = [\"time > 1 h\", \"time > 2 h\"]\n", "P047", "time > 2 h", kWarning},
      {charge + "{ current = \"1 A\", voltage = \"4.1 V\" }\nuntil = [\"voltage >= 4.1 V\", \"time > 1 h\"]\n", "P048",
       "voltage >= 4.1 V", kWarning},
      // ranges
      {charge + "{ current = \"5.1 A\" }\n" + guard, "P050", "5.1 A"},
      {charge + "{ current = \"1 A\", voltage = \"4.21 V\" }\n" + guard, "P050", "4.21 V"},
      {"[[step]]\ndischarge = { current = \"1 A\", voltage = \"2.4 V\" }\n" + guard, "P050", "2.4 V"},
      {"[[step]]\ndischarge = { power = \"1001 W\" }\n" + guard, "P051", "1001 W"},
      {charge + "{ current = \"-1 A\" }\n" + guard, "P052", "-1 A"},
      {charge + "{ current = \"0 A\" }\n" + guard, "P052", "0 A"},
      {"[[step]]\nrepeat = { count = 0 }\n[[step.steps]]\nrest = {}\n" + guard, "P052", "0"},
      {"[[step]]\nrepeat = { count = 2.5 }\n[[step.steps]]\nrest = {}\n" + guard, "P052", "2.5"},
      {"[safety]\ncurrent = { max = \"2 A\" }\n" + charge + "{ current = \"2.1 A\" }\n" + guard, "P054", "2.1 A"},
      {"[safety]\nvoltage = { max = \"4.1 V\" }\n" + charge + "{ current = \"1 A\", voltage = \"4.1 V\" }\n" + guard,
       "P054", "4.1 V", kWarning},
      {"[[step]]\nchamber = { temperature = \"61 degC\" }\n", "P055", "61 degC"},
      {"[[step]]\nchamber = { temperature = \"-30 degC\" }\n", "P055", "-30 degC"},
      // safety
      {"[safety]\nvoltage = { max = \"4.3 V\" }\n" + kRest, "P060", "4.3 V"},
      {"[safety]\nvoltage = { min = \"2.4 V\" }\n" + kRest, "P060", "2.4 V"},
      {"[safety]\ncurrent = { max = \"11 A\" }\n" + kRest, "P060", "11 A"},
      {"[safety]\ntemperature = { max = \"61 degC\" }\n" + kRest, "P060", "61 degC"},
      {"[safety]\nvoltage = { min = \"4 V\", max = \"3 V\" }\n" + kRest, "P061", "voltage"},
      {"[safety]\nvoltage = {}\n" + kRest, "P061", "voltage"},
      {"[safety]\nsensor_loss = { after = \"2 h\" }\n" + kRest, "P061", "2 h"},
      // parameters
      {"[parameters]\na = { default = 5, max = 4 }\n" + kRest, "P070", "a"},
      {"[parameters]\nvoltage = { default = 5 }\n" + kRest, "P072", "voltage"},
      {"[parameters]\na = { default = 5, max = \"4 V\" }\n" + kRest, "P072", "4 V"},
      {"[parameters]\na = { default = 5, min = 5, max = 4 }\n" + kRest, "P072", "4"},
      {"[parameters]\na = { default = \"2 * voltage\" }\n" + kRest, "P072", "2 * voltage"},
      {"[parameters]\na = { default = \"2 > 3\" }\n" + kRest, "P072", "2 > 3"},
      {"[parameters]\na = { default = 5 }\nb = { default = \"2 * a\" }\n" + kRest, "P022", "a"},
      {"[parameters]\na = { default = \"4.2 V\", min = \"cell.voltage_max + 1 mV\" }\n" + kRest, "P070", "a"},
      {"[parameters]\na = { default = \"cell.voltage_max\", max = \"4.19 V\" }\n" + kRest, "P070", "a"},
      {"[parameters]\na = { default = \"1 C\", min = \"4 V\" }\n" + kRest, "P072", "4 V"},
      {"[parameters]\na = { default = \"2 V\", min = \"cell.voltage_max\", max = \"4 V\" }\n" + kRest, "P072", "4 V"},
      {"[parameters]\ncell = { default = 1 }\n" + kRest, "P072", "cell"},
      {"[parameters]\na = { default = \"cell.voltage_mx\" }\n" + kRest, "P022", "voltage_mx"},
      {"[[step]]\nname = \"cell\"\nrest = {}\nuntil = \"time >= 1 s\"\n", "P011", "cell"},
      {"[[step]]\nset = { mark = \"cell\" }\n", "P011", "cell"},
      {"[[step]]\nrest = {}\nuntil = [\"voltage < cell.discharge_capacity\", \"time >= 1 s\"]\n", "P022",
       "discharge_capacity"},
      {"[[step]]\nrest = {}\nuntil = [\"voltage < cell\", \"time >= 1 s\"]\n", "P022", "cell"},
      // waveforms
      {"[[step]]\nfollow = { waveform = \"nothing.csv\" }\n", "P080", "nothing.csv"},
      {"[[step]]\nfollow = { waveform = \"../cells/lg-m50.toml\" }\n", "P080", "../cells/lg-m50.toml"},
      {"[[step]]\nfollow = { waveform = \"\" }\n", "P080", ""},
      {"[[step]]\nfollow = { waveform = \"/etc/passwd\" }\n", "P080", "/etc/passwd"},
      {"[[step]]\nfollow = { waveform = \"us06.csv\", scale = 1.2 }\n", "P082", "us06.csv"},
      {"[[step]]\nfollow = { waveform = \"us06.csv\", scale = 2, clamp = \"limit\" }\n", "P082", "us06.csv", kWarning},
      {"[[step]]\nfollow = { waveform = \"us06.csv\", speed = 20 }\n", "P083", "us06.csv", kWarning},
      // cell
      {"[cell]\nchemistry = \"lfp-graphite\"\n" + kRest, "P090", "lfp-graphite"},
      {"[cell]\nnominal_capacity = \"2.3 Ah\"\n" + kRest, "P090", "2.3 Ah", kWarning},
  };
}

TEST(Diagnostics, EachMistakeHasItsCodeAndItsPlace) {
  for (const Mistake& mistake : mistakes()) {
    const Compiled c = compile_body(mistake.body);
    const text::Diagnostic* found = nullptr;
    for (const auto& d : c.diagnostics.all()) {
      if (d.code == mistake.code && d.severity == mistake.severity) found = &d;
    }
    ASSERT_NE(found, nullptr) << mistake.body << "wants " << mistake.code << "\n" << c.diagnostics.render();
    EXPECT_EQ(c.diagnostics.all().size(), 1U) << mistake.body << c.diagnostics.render();
    if (!mistake.marked.empty()) {
      EXPECT_EQ(marked(*found), mistake.marked) << c.diagnostics.render();
    }
    EXPECT_FALSE(found->message.empty());
    EXPECT_EQ(c.program == nullptr, mistake.severity == text::Severity::error) << mistake.body;
  }
}

TEST(Diagnostics, LimitsHoldJustAtTheBound) {
  // Just at: no finding. Just above is in the table of mistakes.
  for (const char* body :
       {"[[step]]\ncharge = { current = \"5 A\", voltage = \"4.2 V\" }\nuntil = \"time >= 1 h\"\n",
        "[[step]]\ndischarge = { current = \"10 A\", voltage = \"2.5 V\" }\nuntil = \"time >= 1 h\"\n",
        "[[step]]\nchamber = { temperature = \"60 degC\" }\n", "[[step]]\nchamber = { temperature = \"-20 degC\" }\n",
        "[safety]\nvoltage = { min = \"2.45 V\", max = \"4.25 V\" }\ncurrent = { max = \"10.5 A\" }\n"
        "[[step]]\nrest = {}\nuntil = \"time >= 1 s\"\n",
        "[[step]]\ncharge = { current = \"1 A\" }\nuntil = [\"voltage >= 4.2 V\", \"time >= 1 h\"]\n",
        "[[step]]\ndischarge = { current = \"1 A\" }\nuntil = [\"voltage <= 2.5 V\", \"time >= 1 h\"]\n"}) {
    const Compiled c = compile_body(body);
    EXPECT_TRUE(c.diagnostics.all().empty()) << body << c.diagnostics.render();
  }
}

TEST(Diagnostics, LaunchParametersAreHeldAgainstTheirBounds) {
  const std::string text = kHead + "[parameters]\ncycles = { default = 500, min = 1, max = 1000 }\n" + kRest;
  const auto codes_with = [&](const std::string& name, const std::string& value) {
    Launch launch = roomy_launch();
    launch.parameters[name] = value;
    return compile(text, launch).codes();
  };
  EXPECT_THAT(codes_with("cycles", "1"), testing::IsEmpty());
  EXPECT_THAT(codes_with("cycles", "1000"), testing::IsEmpty());
  EXPECT_THAT(codes_with("cycles", "0"), testing::ElementsAre("P070"));
  EXPECT_THAT(codes_with("cycles", "1001"), testing::ElementsAre("P070"));
  EXPECT_THAT(codes_with("cycles", "5 V"), testing::ElementsAre("P070"));
  EXPECT_THAT(codes_with("cycles", "many"), testing::ElementsAre("P070"));
  EXPECT_THAT(codes_with("cycle", "5"), testing::ElementsAre("P071"));
}

TEST(Diagnostics, HintsNameTheNearest) {
  EXPECT_THAT(compile_body("[[step]]\nrest = {}\nuntil = \"voltge >= 4 V\"\n").diagnostics.all().at(0).help,
              testing::HasSubstr("voltage"));
  EXPECT_THAT(
      compile_body("[[step]]\nchrge = { current = \"1 A\" }\nuntil = \"time >= 1 s\"\n").diagnostics.all().at(0).help,
      testing::HasSubstr("charge"));
  EXPECT_THAT(compile_body("[[step]]\nname = \"formation\"\nrest = {}\nuntil = [{ when = \"time > 1 s\", then = \"goto "
                           "formaton\" }, \"time > 2 s\"]\n")
                  .diagnostics.all()
                  .at(0)
                  .help,
              testing::HasSubstr("formation"));
}

TEST(Diagnostics, DeviceAndSensorsThatAreNotThere) {
  const std::string guard = "until = \"time >= 1 h\"\n";
  Launch launch = roomy_launch();
  launch.cycler.can_discharge = 0;
  launch.cycler.can_power = 0;
  launch.has_chamber = false;
  launch.has_cell_temperature = false;
  launch.initial_soc = base::kAbsent;
  const auto codes = [&](const std::string& body) { return compile_body(body, launch).codes(); };
  EXPECT_THAT(codes("[[step]]\ndischarge = { current = \"1 A\" }\n" + guard), testing::ElementsAre("P053"));
  EXPECT_THAT(codes("[[step]]\ncharge = { power = \"1 W\" }\n" + guard), testing::ElementsAre("P053"));
  EXPECT_THAT(codes("[[step]]\nchamber = { temperature = \"25 degC\" }\n"), testing::ElementsAre("P056"));
  EXPECT_THAT(codes("[[step]]\nrest = {}\nuntil = [\"temperature > 30 degC\", \"time > 1 s\"]\n"),
              testing::ElementsAre("P056"));
  EXPECT_THAT(codes("[[step]]\nrest = {}\nuntil = [\"chamber_temperature > 30 degC\", \"time > 1 s\"]\n"),
              testing::ElementsAre("P056"));
  EXPECT_THAT(codes("[[step]]\nrest = {}\nuntil = [\"soc > 30 %\", \"time > 1 s\"]\n"), testing::ElementsAre("P056"));
  EXPECT_THAT(codes("[safety]\ntemperature = { max = \"50 degC\" }\n" + kRest), testing::ElementsAre("P056"));
}

TEST(Diagnostics, AGuardThatFailsTheTestMayBeOutOfReach) {
  const Compiled c = compile_body(
      "[[step]]\ncharge = { current = \"1 A\", voltage = \"4.1 V\" }\n"
      "until = [\"abs(current) <= 50 mA\", { when = \"voltage >= 4.19 V\", then = \"fail\" }, \"time >= 9 h\"]\n");
  EXPECT_TRUE(c.diagnostics.all().empty()) << c.diagnostics.render();
}

TEST(Diagnostics, SchemaNameAndNesting) {
  EXPECT_THAT(compile("profile = \"p\"\nschema = 2\n" + kRest).codes(), testing::ElementsAre("P010"));
  EXPECT_THAT(compile("profile = \"a b\"\nschema = 1\n" + kRest).codes(), testing::ElementsAre("P011"));
  EXPECT_THAT(compile("profile = \"p\"\nschema = 1\n").codes(), testing::ElementsAre("P012"));
}

TEST(Diagnostics, CountsAndDepthsAreBounded) {
  std::string list;
  for (int i = 0; i < 10'000; ++i) list += "{rest={}},";
  const Compiled most = compile(kHead + "step = [" + list + "]\n");
  EXPECT_EQ(most.find("P013"), nullptr);
  const Compiled one_more = compile(kHead + "step = [" + list + "{rest={}}]\n");
  EXPECT_NE(one_more.find("P013"), nullptr) << "10 000 steps are the most";
  std::string sum = "1";
  for (int i = 0; i < 600; ++i) sum += "+1";
  EXPECT_THAT(compile_body("[[step]]\nrest = {}\nuntil = \"time > 1 s * (" + sum + ")\"\n").codes(),
              testing::ElementsAre("P027"));
}

TEST(Diagnostics, SixteenConditionsAreTheMost) {
  const auto with = [](int n) {
    std::string list;
    for (int i = 0; i < n; ++i)
      list += (i != 0 ? ", " : "") + std::string("\"time > ") + std::to_string(n - i) + " s\"";
    return compile_body("[[step]]\nrest = {}\nuntil = [" + list + "]\n");
  };
  EXPECT_TRUE(with(16).program);
  EXPECT_FALSE(with(17).program);
  EXPECT_THAT(with(17).codes(), testing::Contains("P034"));
}

// The promise to the technician: ten mistakes, one run, ten findings.
TEST(Diagnostics, TenMistakesGiveTenFindings) {
  const auto source = text::read_source(CYCLERD_SOURCE_DIR "/tests/unit/profiles/language/ten_mistakes.toml");
  ASSERT_TRUE(source);
  text::Diagnostics diagnostics;
  Launch launch = roomy_launch();
  EXPECT_FALSE(compile_profile(*source, launch, diagnostics));
  EXPECT_EQ(diagnostics.all().size(), 10U) << diagnostics.render();
  std::set<std::string> codes;
  for (const auto& d : diagnostics.all()) {
    codes.insert(d.code);
    EXPECT_GT(d.where.line, 0U);
    EXPECT_FALSE(d.help.empty()) << d.message;
  }
  EXPECT_EQ(codes.size(), 10U) << "ten different ones:\n" << diagnostics.render();
}

// Every code of codes.hpp has its row in the reference, and is provoked by a test of this folder.
TEST(Diagnostics, EveryCodeIsDocumentedAndTested) {
  const auto slurp = [](const std::string& path) {
    std::ifstream file(std::string(CYCLERD_SOURCE_DIR "/") + path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  };
  const std::string codes = slurp("profiles/codes.hpp");
  const std::string readme = slurp("profiles/README.md");
  const std::string tests =
      slurp("tests/unit/profiles/language/diagnostics_test.cpp") +
      slurp("tests/unit/profiles/language/expression_test.cpp") +
      slurp("tests/unit/profiles/language/waveform_test.cpp") +
      slurp("tests/unit/profiles/language/cell_spec_test.cpp") +
      slurp("tests/unit/profiles/language/hostile_test.cpp") +
      slurp("tests/unit/profiles/language/procedures_test.cpp") +
      slurp("tests/unit/profiles/language/shapes_test.cpp") + slurp("tests/unit/profiles/language/proof_test.cpp") +
      slurp("tests/unit/profiles/language/estimate_test.cpp") + slurp("tests/unit/profiles/language/results_test.cpp") +
      slurp("tests/unit/profiles/language/amend_test.cpp");
  const std::regex pattern("\"(P[0-9]{3})\"");
  int count = 0;
  for (auto it = std::sregex_iterator(codes.begin(), codes.end(), pattern); it != std::sregex_iterator();
       ++it, ++count) {
    const std::string code = (*it)[1];
    EXPECT_NE(readme.find("`" + code + "`"), std::string::npos) << code << " has no row in profiles/README.md";
    EXPECT_NE(tests.find(code), std::string::npos) << code << " is provoked by no test";
  }
  EXPECT_GT(count, 30);
}

}  // namespace
}  // namespace cyclerd::profiles::test
