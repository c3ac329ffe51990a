#include "tests/unit/profiles/exchange/exchange_bench.hpp"

namespace cyclerd::exchange::test {
namespace {

Imported from_method(const std::string& steps, const std::string& rest = "") {
  return import_text(&import_unicycler, R"({"record": {"time_s": 10}, )" + rest + R"("method": [)" + steps + "]}",
                     "p.json");
}

const std::string kRest = R"({"step": "open_circuit_voltage", "until_time_s": 60})";
std::string rests(int count) {
  std::string list;
  for (int i = 0; i < count; ++i) list += (i == 0 ? "" : ", ") + kRest;
  return list;
}

TEST(Unicycler, every_step_and_setting) {
  const Imported made = import_text(&import_unicycler, foreign_text("unicycler/formation.json"), "formation.json");
  ASSERT_TRUE(made.translation) << made.all();
  for (const char* text :
       {"profile = \"formation\"", "nominal_capacity = \"5000 mAh\"", "every = \"10 s\"", "voltage = \"0.1 V\"",
        "current = \"0.1 mA\"", "for = \"10 s\"", "charge = { current = \"0.1 C\" }",
        "until = [\"voltage >= 4.2 V\", \"time >= 15 h\"]", "hold = { voltage = \"4.2 V\" }",
        "until = [\"abs(current) <= 0.05 C\", \"time >= 6 h\"]", "discharge = { current = \"0.1 C\" }",
        "until = \"voltage <= 3 V\"", "name = \"formation\"", "repeat = { count = 3 }",
        "discharge = { current = \"2.5 A\" }", "ramp = { from = \"3.6 V\", to = \"3.7 V\", rate = \"0.1 mV/s\" }"}) {
    EXPECT_TRUE(made.says(text)) << text << "\n" << made.all();
  }
  text::Diagnostics findings;
  EXPECT_NE(compiled(*made.translation, findings), nullptr) << findings.render();
}

TEST(Unicycler, rates_as_numbers_and_texts) {
  const std::pair<const char*, const char*> rates[] = {{"0.05", "charge = { current = \"0.05 C\" }"},
                                                       {"\" 0.05 \"", "charge = { current = \"0.05 C\" }"},
                                                       {"\"1/20\"", "charge = { current = \"0.05 C\" }"},
                                                       {"\"C/5\"", "charge = { current = \"0.2 C\" }"},
                                                       {"\"D/5\"", "discharge = { current = \"0.2 C\" }"},
                                                       {"\"3D/3\"", "discharge = { current = \"1 C\" }"},
                                                       {"\"C5/25\"", "charge = { current = \"0.2 C\" }"},
                                                       {"\"2e-1\"", "charge = { current = \"0.2 C\" }"},
                                                       {"\"1.23e3 C / 1.23e4\"", "charge = { current = \"0.1 C\" }"},
                                                       {"\" C 3   /    1 0 \"", "charge = { current = \"0.3 C\" }"},
                                                       {"-1", "discharge = { current = \"1 C\" }"},
                                                       {"\"C/3\"", "charge = { current = \"C/3\" }"}};
  for (const auto& [rate, becomes] : rates) {
    const Imported made =
        from_method(std::string(R"({"step": "constant_current", "until_time_s": 60, "rate_C": )") + rate + "}");
    EXPECT_TRUE(made.says(becomes)) << rate << "\n" << made.all();
  }
  for (const char* bad : {"\"invalid\"", "\"1/2/3\"", "\"5C/2D\"", "\"3C/2C\"", "\"C/0\"", "\" 1 . 0 \"", "\"nan\"",
                          "\"inf\"", "true", "[1]", "1e300", "\"C/1e-30\""}) {
    const Imported made =
        from_method(std::string(R"({"step": "constant_current", "until_time_s": 60, "rate_C": )") + bad + "}");
    EXPECT_FALSE(made.translation) << bad;
    EXPECT_EQ(made.findings.error_count(), 1U) << bad << "\n" << made.findings.render();
  }
}

TEST(Unicycler, priorities_and_unset_values) {
  const Imported made = from_method(
      R"({"step": "constant_current", "rate_C": 0, "current_mA": -100, "until_voltage_V": 0, "until_time_s": 5},
         {"step": "constant_current", "rate_C": 1, "current_mA": -100, "until_voltage_V": 4},
         {"step": "constant_voltage", "voltage_V": 4, "until_rate_C": "D/20", "until_current_mA": 3},
         {"step": "constant_voltage", "voltage_V": "4", "until_rate_C": "", "until_current_mA": -3},
         {"step": "impedance_spectroscopy", "amplitude_V": 0.01, "start_frequency_Hz": 1000, "end_frequency_Hz": 0.1})");
  ASSERT_TRUE(made.translation) << made.all();
  for (const char* text : {"discharge = { current = \"0.1 A\" }\nuntil = \"time >= 5 s\"",
                           "charge = { current = \"1 C\" }", "abs(current) <= 0.05 C", "abs(current) <= 3 mA"}) {
    EXPECT_TRUE(made.says(text)) << text << "\n" << made.all();
  }
  EXPECT_NE(made.loss("current_mA = -100"), nullptr);
  EXPECT_NE(made.loss("until_current_mA = 3"), nullptr);
  ASSERT_NE(made.loss("impedance_spectroscopy"), nullptr);
  EXPECT_EQ(made.loss("impedance_spectroscopy")->kind, Loss::Kind::dropped);
}

std::string tag(const char* name) {
  return std::string(R"({"step": "tag", "tag": ")") + name + "\"}";
}
std::string loop(const std::string& to, int count) {
  return R"({"step": "loop", "loop_to": )" + to + R"(, "cycle_count": )" + std::to_string(count) + "}";
}

// The nesting as text: counts with what they hold, "-" for a rest.
std::string shape(const Translation& translation) {
  text::Diagnostics findings;
  const auto program = compiled(translation, findings);
  if (program == nullptr) return findings.render();
  std::string out;
  for (const profiles::Step& step : program->steps) {
    if (step.kind == profiles::StepKind::rest) out += "-";
    if (step.kind == profiles::StepKind::repeat_begin) {
      out += std::to_string(static_cast<int>(program->code[step.count.first].value)) + "(";
    }
    if (step.kind == profiles::StepKind::repeat_end) out += ")";
  }
  return out;
}

TEST(Unicycler, loops_nest_by_tag_and_by_number) {
  const std::string c = ", ";
  const std::pair<std::string, std::string> cases[] = {
      {rests(3) + c + loop("2", 3), "-3(--)"},
      {rests(1) + c + tag("a") + c + kRest + c + loop("\"a\"", 3), "-3(-)"},
      // Numbers count tags; a number that names a tag means the step behind it.
      {rests(2) + c + tag("a") + c + rests(2) + c + loop("3", 4), "--4(--)"},
      {rests(1) + c + tag("1") + c + kRest + c + tag("2") + c + kRest + c + loop("\"2\"", 3) + c + kRest + c +
           loop("\"1\"", 5) + c + kRest,
       "-5(-3(-)-)-"},
      {rests(3) + c + loop("2", 3) + c + kRest + c + loop("1", 2) + c + rests(2) + c + loop("7", 4) + c + kRest + c +
           loop("1", 6),
       "6(2(-3(--)-)4(--)-)"},
      {rests(3) + c + loop("1", 24) + c + kRest + c + loop("1", 20), "20(24(---)-)"},
      // the key's name in older files
      {rests(3) + c + R"({"step": "loop", "start_step": 2, "cycle_count": "3"})", "-3(--)"},
      {rests(2) + c + R"({"step": "loop", "cycle_count": 3})", "3(--)"},
  };
  for (const auto& [method, expected] : cases) {
    const Imported made = from_method(method);
    ASSERT_TRUE(made.translation) << method << "\n" << made.all();
    EXPECT_EQ(shape(*made.translation), expected) << made.all();
  }
}

TEST(Unicycler, what_unicycler_refuses_is_refused) {
  const std::string c = ", ";
  struct Refused {
    std::string method;
    const char* code;
    std::uint32_t count = 1;
  };
  const Refused refused[] = {
      {rests(4) + c + loop("\"missing\"", 3), "X018"},
      {rests(1) + c + loop("\"a\"", 3) + c + kRest + c + tag("a"), "X018"},
      {rests(3) + c + loop("4", 3), "X018"},
      {rests(3) + c + loop("5", 3), "X018"},
      {rests(3) + c + loop("3", 3), "X018"},
      {rests(3) + c + loop("0", 3), "X018"},
      {rests(3) + c + loop("-1", 3), "X018"},
      {rests(3) + c + loop("1.5", 3), "X018"},
      {rests(1) + c + tag("a") + c + loop("\"a\"", 3), "X018"},
      {rests(3) + c + loop("1", 0), "X009"},
      {rests(1) + c + tag("1") + c + kRest + c + tag("2") + c + kRest + c + loop("\"1\"", 3) + c + kRest + c +
           loop("\"2\"", 3),
       "X019"},
      {rests(3) + c + loop("2", 3) + c + kRest + c + loop("1", 3) + c + rests(2) + c + loop("5", 3), "X019"},
      {tag("a") + c + tag("a") + c + kRest, "X020"},
      {R"({"step": "constant_current"})", "X012"},
      {R"({"step": "constant_current", "rate_C": 0, "current_mA": 0, "until_time_s": 3})", "X012"},
      {R"({"step": "constant_current", "rate_C": 0.1})", "X012"},
      {R"({"step": "constant_current", "rate_C": 0.1, "until_time_s": 0, "until_voltage_V": 0})", "X012"},
      {R"({"step": "constant_voltage", "voltage_V": 4.2})", "X012"},
      {R"({"step": "constant_voltage", "until_time_s": 4.2})", "X012"},
      {R"({"step": "open_circuit_voltage", "until_time_s": -5})", "X014", 1},
      {R"({"step": "open_circuit_voltage", "until_time_s": null})", "X012"},
      {R"({"step": "open_circuit_voltage", "until_time_s": 5, "until_voltage_V": 3})", "X012"},
      {R"({"step": "pulse"})", "X012"},
      {R"({"step": ""})", "X012"},
      {R"({"until_time_s": 3})", "X012"},
      {"3", "X013"},
      {R"({"step": "impedance_spectroscopy", "start_frequency_Hz": 1000, "end_frequency_Hz": 0.1})", "X012"},
      {R"({"step": "impedance_spectroscopy", "amplitude_V": 1, "start_frequency_Hz": 1e9, "end_frequency_Hz": 0.1})",
       "X014"},
      {R"({"step": "voltage_scan", "start_voltage_V": 3, "end_voltage_V": 3, "scan_rate_mV_per_s": 1})", "X014"},
      {R"({"step": "voltage_scan", "start_voltage_V": 3, "end_voltage_V": 4, "scan_rate_mV_per_s": -1})", "X014"},
      {"", "X011"},
  };
  for (const Refused& one : refused) {
    const Imported made = from_method(one.method);
    EXPECT_FALSE(made.translation) << one.method;
    ASSERT_EQ(made.findings.error_count(), one.count) << one.method << "\n" << made.findings.render();
    EXPECT_EQ(made.findings.all().front().code, one.code) << one.method << "\n" << made.findings.render();
  }
}

TEST(Unicycler, keys_at_the_top) {
  for (const char* bad :
       {R"("sampel": {}, )", R"("sample": {"capacity_mAh": 0}, )", R"("sample": {"capacity_mAh": -5}, )",
        R"("sample": null, )", R"("safety": {"max_voltage": 3}, )", R"("safety": {"delay_s": -1}, )",
        R"("unicycler": {"versoin": "1"}, )", R"("safety": {"max_voltage_V": "abc"}, )"}) {
    const Imported made = from_method(kRest, bad);
    EXPECT_FALSE(made.translation) << bad;
    EXPECT_EQ(made.findings.error_count(), 1U) << bad << "\n" << made.findings.render();
  }
  for (const char* bad :
       {R"({"method": [{"step": "open_circuit_voltage", "until_time_s": 60}]})",
        R"({"record": {"time_s": 0}, "method": [{"step": "open_circuit_voltage", "until_time_s": 60}]})",
        R"({"record": {}, "method": [{"step": "open_circuit_voltage", "until_time_s": 60}]})",
        R"({"record": {"time_s": 1}})", R"({"cycles": []})", "[]", "3", ""}) {
    const Imported made = import_text(&import_unicycler, bad);
    EXPECT_FALSE(made.translation) << bad;
    EXPECT_EQ(made.findings.error_count(), 1U) << bad << "\n" << made.findings.render();
  }
}

}  // namespace
}  // namespace cyclerd::exchange::test
