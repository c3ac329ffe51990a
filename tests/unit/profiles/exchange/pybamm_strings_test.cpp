// Every phrase of PyBaMM's grammar, and what PyBaMM refuses.
#include "tests/unit/profiles/exchange/exchange_bench.hpp"

namespace cyclerd::exchange::test {
namespace {

struct Phrase {
  const char* text;
  const char* becomes;  // in the profile
  const char* ends;     // the until
};

constexpr const char* kDay =
    "{ when = \"time >= 1 d\", then = \"fail\", reason = \"longer than a step without a duration may take in PyBaMM\" "
    "}";

TEST(PybammStrings, what_pybamm_accepts_comes_in_with_its_meaning) {
  const Phrase phrases[] = {
      // from PyBaMM's own list of examples
      {"Discharge at 1C for 0.5 hours", "discharge = { current = \"1 C\" }", "until = \"time >= 30 min\""},
      {"Discharge at C/20 for 0.5 hours", "discharge = { current = \"0.05 C\" }", "until = \"time >= 30 min\""},
      {"Charge at 0.5 C for 45 minutes", "charge = { current = \"0.5 C\" }", "until = \"time >= 45 min\""},
      {"Discharge at 1 A for 0.5 hours", "discharge = { current = \"1 A\" }", "until = \"time >= 30 min\""},
      {"Charge at 200 mA for 45 minutes", "charge = { current = \"0.2 A\" }", "until = \"time >= 45 min\""},
      {"Discharge at 1W for 0.5 hours", "discharge = { power = \"1 W\" }", "until = \"time >= 30 min\""},
      {"Charge at 200mW for 45 minutes", "charge = { power = \"0.2 W\" }", "until = \"time >= 45 min\""},
      {"Rest for 10 minutes", "rest = {}", "until = \"time >= 10 min\""},
      {"Hold at 1V for 20 seconds", "hold = { voltage = \"1 V\" }", "until = \"time >= 20 s\""},
      {"Charge at 1 C until 4.1V", "charge = { current = \"1 C\" }",
       "until = [\"voltage >= 4.1 V\", { when = \"time >= 2 h\", then = \"fail\""},
      {"Hold at 4.1 V until 50mA", "hold = { voltage = \"4.1 V\" }", "until = [\"abs(current) <= 50 mA\", "},
      {"Hold at 3V until C/50", "hold = { voltage = \"3 V\" }", "until = [\"abs(current) <= 0.02 C\", "},
      {"Discharge at C/3 for 2 hours or until 2.5 V", "discharge = { current = \"C/3\" }",
       "until = [\"voltage <= 2.5 V\", \"time >= 2 h\"]"},
      // units and spellings of times
      {"Discharge at C/20 for 1h (2 minute period)", "record = { every = \"2 min\" }", "until = \"time >= 1 h\""},
      {"Rest for 30 s", "rest = {}", "until = \"time >= 30 s\""},
      {"Rest for 90sec", "rest = {}", "until = \"time >= 1.5 min\""},
      {"Rest for 5 m", "rest = {}", "until = \"time >= 5 min\""},
      {"Rest for 5 min", "rest = {}", "until = \"time >= 5 min\""},
      {"Rest for 2 hr", "rest = {}", "until = \"time >= 2 h\""},
      {"Rest for 1e3 seconds", "rest = {}", "until = \"time >= 1000 s\""},
      {"Charge at 1e-1 A for 1 hour", "charge = { current = \"0.1 A\" }", "until = \"time >= 1 h\""},
      {"Discharge at 4 A until 3000 mV", "discharge = { current = \"4 A\" }", "until = [\"voltage <= 3 V\", "},
      {"Discharge at 1.5 Ohm for 1 minute", "discharge = { resistance = \"1.5 Ohm\" }", "until = \"time >= 1 min\""},
      {"Discharge at 100 mOhm for 1 minute", "discharge = { resistance = \"0.1 Ohm\" }", "until = \"time >= 1 min\""},
      // operators; discharge is positive there
      {"Rest for 1 hour or until >3.5V", "rest = {}", "until = [\"voltage >= 3.5 V\", \"time >= 1 h\"]"},
      {"Charge at 1 A until < 2.5 V", "charge = { current = \"1 A\" }", "until = [\"voltage <= 2.5 V\", "},
      {"Hold at 4 V until >1 A", "hold = { voltage = \"4 V\" }", "until = [\"current <= -1 A\", "},
      {"Hold at 4 V until <-2A", "hold = { voltage = \"4 V\" }", "until = [\"current >= 2 A\", "},
      // signs and words as PyBaMM multiplies them
      {"Charge at -1 A for 1 hour", "discharge = { current = \"1 A\" }", "until = \"time >= 1 h\""},
      {"Discharge at -0.5C for 1 hour", "charge = { current = \"0.5 C\" }", "until = \"time >= 1 h\""},
      {"Discharge at -5 W for 1 hour", "charge = { power = \"5 W\" }", "until = \"time >= 1 h\""},
      {"Hold at 1 A for 1 hour", "discharge = { current = \"1 A\" }", "until = \"time >= 1 h\""},
      {"Discharge at 2.5 V until C/50", "hold = { voltage = \"2.5 V\" }", "until = [\"abs(current) <= 0.02 C\", "},
      {"Discharge at 0 A for 1 hour", "rest = {}", "until = \"time >= 1 h\""},
      {"Discharge at 1 A until 2.5 V", "discharge = { current = \"1 A\" }", kDay},
      {"Discharge at C/20 until 2.5 V", "discharge = { current = \"0.05 C\" }",
       "when = \"time >= 40 h\", then = \"fail\""},
  };
  for (const Phrase& phrase : phrases) {
    const Imported made = import_text(&import_pybamm, phrase.text);
    EXPECT_TRUE(made.says(phrase.becomes)) << phrase.text << "\n" << made.all();
    EXPECT_TRUE(made.says(phrase.ends)) << phrase.text << "\n" << made.all();
  }
}

struct Refused {
  const char* text;
  const char* code;
  const char* marked;
};

TEST(PybammStrings, what_pybamm_refuses_is_refused_at_its_place) {
  const Refused refused[] = {
      {"charge at 1 A for 2 hours", "X003", "charge"},
      {"Play at 1 A for 2 hours", "X003", "Play"},
      {"Cell Charge at 1 A for 2 hours", "X003", "Cell Charge"},
      {"Run at 1 A for 2 hours", "X003", "Run at 1 A"},
      {"Run US06 (A)", "X003", "Run US06 (A)"},
      {"Do at 1 A", "X003", "Do at 1 A"},
      {"Discharge at 1 A at 2 hours", "X003", "Discharge at 1 A at 2 hours"},
      {"Discharge at 1 B for 2 hours", "X004", "1 B"},
      {"Discharge at 1 kW for 2 hours", "X004", "1 kW"},
      {"Discharge at A for 2 hours", "X004", "A"},
      {"Discharge at 1 for 2 hours", "X004", "1"},
      {"Discharge at C/0 for 2 hours", "X004", "C/0"},
      {"Discharge at C for 2 hours", "X004", "C"},
      {"Discharge at 1 A for 2 years", "X005", "2 years"},
      {"Discharge at 1 A for hours", "X005", "hours"},
      {"Rest for -1 hours", "X005", "-1 hours"},
      {"Rest for 0 s", "X005", "0 s"},
      {"Rest for 1e300 hours", "X005", "1e300 hours"},
      {"Discharge at 1C for 1 hour at 298.15oC", "X003", "oC"},
      {"Charge at 1 C until 4.1 V until 4.2 V", "X003", "Charge at 1 C until 4.1 V until 4.2 V"},
      {"Charge at 1 C for 1 h for 2 h", "X003", "Charge at 1 C for 1 h for 2 h"},
      {"Charge at 1 C until 4.1 V for 2 hours", "X004", "4.1 V for 2 hours"},
      {"Hold at 4.2 V until 1 W", "X006", "1 W"},
      {"Hold at 4.2 V until 1 Ohm", "X006", "1 Ohm"},
      {"Hold at 4.2 V until 1 W or 50 mA", "X004", "1 W or 50 mA"},
      {"Charge at 4.2 V until C/50", "X015", "Charge at 4.2 V until C/50"},
      {"Charge at 1 Ohm for 1 hour", "X015", "Charge at 1 Ohm for 1 hour"},
      {"Charge at 1e20 A for 1 hour", "X014", "Charge at 1e20 A for 1 hour"},
      {"Charge at nan A for 1 hour", "X004", "nan A"},
      {"Rest for 1 hour (1 minute)", "X005", "1 hour (1 minute)"},
      {"Rest for 1 hour(1 minute period)", "X003", "Rest for 1 hour(1 minute period)"},
      {"Charge at 1C for 1 hour or", "X005", "1 hour or"},
  };
  for (const Refused& one : refused) {
    const Imported made = import_text(&import_pybamm, std::string("Rest for 1 hour\n  ") + one.text + "\n");
    ASSERT_FALSE(made.translation) << one.text;
    ASSERT_EQ(made.findings.error_count(), 1U) << one.text << made.findings.render();
    const text::Diagnostic& finding = made.findings.all().front();
    EXPECT_EQ(finding.code, one.code) << one.text << made.findings.render();
    EXPECT_EQ(finding.where.line, 2U) << one.text;
    EXPECT_EQ(profiles::test::marked(finding), one.marked) << one.text;
  }
}

TEST(PybammStrings, defaults_that_matter_on_hardware_are_told) {
  const Imported made =
      import_text(&import_pybamm, "Charge at 1C until 4.2 V\nHold at 4.2 V until 50 mA\nRest for 1 h until 3 V");
  ASSERT_TRUE(made.translation) << made.all();
  for (const char* what : {"no duration", "the model's own voltage limits", "'Hold' without a limit", "until 3 V"}) {
    EXPECT_NE(made.loss(what), nullptr) << what;
  }
  EXPECT_EQ(made.loss("no duration")->where, "step 1");
  EXPECT_TRUE(made.says("every = \"1 min\"")) << "the period that PyBaMM takes";
}

}  // namespace
}  // namespace cyclerd::exchange::test
