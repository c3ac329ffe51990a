// Experiments as Python and as to_config().
#include "tests/unit/profiles/exchange/exchange_bench.hpp"

namespace cyclerd::exchange::test {
namespace {

Imported from_python(std::string text) {
  return import_text(&import_pybamm, std::move(text), "experiment.py");
}

TEST(PybammPython, tuples_are_cycles_and_repeats_stay_repeats) {
  const Imported made = from_python(
      "pybamm.Experiment([(\"Discharge at C/10 for 10 hours or until 3.3 V\", \"Rest for 1 hour\")] * 3 + [\n"
      "  'Charge at 1 A until 4.1 V' ' or until' if False else 'x'\n])");
  EXPECT_FALSE(made.translation) << "code that would have to be run";
  const Imported good = from_python(
      "experiment = pybamm.Experiment(\n  [(\"Discharge at C/10 for 10 hours or until 3.3 V\", 'Rest '\n  'for 1 "
      "hour')]"
      " * 3 + [\"Rest for 1 hour\"], period=\"10 seconds\")  # as pasted\n");
  ASSERT_TRUE(good.translation) << good.all();
  EXPECT_TRUE(good.says("repeat = { count = 3 }")) << good.all();
  EXPECT_TRUE(good.says("every = \"10 s\""));
  std::size_t advances = 0;
  for (std::size_t at = 0; (at = good.translation->text.find("advance_cycle", at)) != std::string::npos; ++at)
    ++advances;
  EXPECT_EQ(advances, 2U) << "one in the block, one behind the single step";
}

TEST(PybammPython, names_lists_and_bare_lines) {
  for (const char* text :
       {"[\"Rest for 1 hour\", \"Rest for 2 hours\"]", "\"Rest for 1 hour\",\n\"Rest for 2 hours\",\n",
        "(\"Rest for 1 hour\", \"Rest for 2 hours\")", "x = [\"Rest for 1 hour\"]\ny = x + [\"Rest for 2 hours\"]",
        "import pybamm\nsteps = [\"Rest for 1 hour\"] + [\"Rest for 2 hours\"]\npybamm.Experiment(steps)\n",
        "pybamm.Experiment(operating_conditions=[pybamm.step.rest(3600), pybamm.step.rest(duration=\"2 h\")])"}) {
    const Imported made = from_python(text);
    EXPECT_TRUE(made.says("time >= 1 h")) << text << "\n" << made.all();
    EXPECT_TRUE(made.says("time >= 2 h")) << text << "\n" << made.all();
  }
}

TEST(PybammPython, names_have_the_value_they_had_there) {
  const Imported made = from_python(
      "v_max = 4.2\nt = 2\nsteps = [\"Rest for 1 hour\"]\nsteps = steps + [f\"Charge at 1 A for {t} hours or until "
      "{v_max} V\"]\n"
      "def run():\n    more = [\"Rest for 3 hours\"]\n    return pybamm.Experiment(steps + more)\n"
      "steps = [\"Rest for 4 hours\"]\nsteps.append(\"x\")\nfor i in range(3):\n    more = []\n");
  ASSERT_TRUE(made.translation) << made.all();
  for (const char* text : {"time >= 1 h", "until = [\"voltage >= 4.2 V\", \"time >= 2 h\"]", "time >= 3 h"}) {
    EXPECT_TRUE(made.says(text)) << text << "\n" << made.all();
  }
  EXPECT_FALSE(made.says("time >= 4 h"));
  EXPECT_FALSE(from_python("if x:\n  s = [\"Rest for 1 h\"]\npybamm.Experiment(s)").translation);
}

TEST(PybammPython, keywords_of_steps_and_of_the_experiment) {
  const Imported made = from_python(
      "pybamm.Experiment([pybamm.step.current(1, duration=\"1 h\", temperature=\"10 oC\", period=5, tags=[\"a\", "
      "\"b\"],"
      " start_time=datetime(2024, 1, 1), skip_ok=False, description=\"slow\"),"
      " pybamm.step.power(-10, duration=60)], temperature=298.15)");
  ASSERT_TRUE(made.translation) << made.all();
  for (const char* text :
       {"discharge = { current = \"1 A\" }", "temperature = \"10 degC\"", "temperature = \"25 degC\"",
        "record = { every = \"5 s\" }", "# slow", "# tags: a, b", "charge = { power = \"10 W\" }"}) {
    EXPECT_TRUE(made.says(text)) << text << "\n" << made.all();
  }
  EXPECT_NE(made.loss("start_time 2024-1-1"), nullptr);
  EXPECT_NE(made.loss("skip_ok"), nullptr);
}

TEST(PybammPython, a_drive_cycle_becomes_a_waveform_with_charge_positive) {
  const Imported made =
      from_python("pybamm.Experiment([pybamm.step.current(np.array([[0, 1], [60, -2], [120, 0.5]]), duration=600)])");
  ASSERT_TRUE(made.translation) << made.all();
  ASSERT_EQ(made.translation->files.size(), 1U);
  // A pass of 120 s, and 60 s until it begins anew.
  EXPECT_EQ(made.translation->files.begin()->second, "time_s,current_A\n0,-1\n60,2\n120,-0.5\n180,-1\n");
  EXPECT_TRUE(made.says("repeat = 4")) << made.all();
  EXPECT_TRUE(made.says("resample = \"linear\""));
  EXPECT_TRUE(made.says("until = \"time >= 10 min\""));
  text::Diagnostics findings;
  EXPECT_NE(compiled(*made.translation, findings), nullptr) << findings.render();
}

TEST(PybammPython, the_end_of_an_experiment) {
  const Imported made = from_python(
      "pybamm.Experiment([(\"Discharge at 1C until 3 V\", \"Charge at 1C until 4.2 V\")] * 100,"
      " termination=[\"80% capacity\", \"2.8 V\", \"10 h\"])");
  ASSERT_TRUE(made.translation) << made.all();
  EXPECT_TRUE(made.says("discharge_1.discharge_capacity < 80 % * discharge_1.discharge_capacity[first]"));
  EXPECT_TRUE(made.says("{ when = \"test_time >= 10 h\", then = \"end\", reason = \"10 h\" }"));
  EXPECT_TRUE(made.says("{ when = \"voltage <= 2.8 V\", then = \"end\", reason = \"2.8 V\" }"));
  EXPECT_NE(made.loss("termination 80% capacity"), nullptr);
  EXPECT_NE(made.loss("termination 2.8 V"), nullptr);
  text::Diagnostics findings;
  EXPECT_NE(compiled(*made.translation, findings), nullptr) << findings.render() << made.translation->text;
  EXPECT_EQ(findings.warning_count(), 0U) << findings.render();
  EXPECT_FALSE(from_python("pybamm.Experiment([\"Rest for 1 h\"], termination=\"4 Wh\")").translation);
}

struct Refused {
  const char* text;
  const char* code;
  const char* marked;
};

TEST(PybammPython, what_cannot_be_known_without_running_it_is_refused) {
  const Refused refused[] = {
      {"pybamm.Experiment([\"Rest for 1 h\" for i in range(3)])", "X007", "for"},
      {"pybamm.Experiment([f\"Rest for {n} h\"])", "X007", "f\"Rest for {n} h\""},
      {"pybamm.Experiment(steps)", "X007", "steps"},
      {"s = []\ns.append(\"Rest for 1 h\")\npybamm.Experiment(s)", "X007", "s"},
      {"a = a + [\"x\"]\npybamm.Experiment(a)", "X007", "a"},
      {"pybamm.Experiment([\"Rest for 1 h\"] * 1.5)", "X009", "*"},
      {"pybamm.Experiment([\"Rest for 1 h\"] * 10000000000)", "X009", "*"},
      {"pybamm.Experiment([[\"Rest for 1 h\"]])", "X013", "["},
      {"pybamm.Experiment([3])", "X013", "3"},
      {"pybamm.Experiment([\"Rest for 1 h\"], perod=3)", "X012", "3"},
      {"pybamm.Experiment([\"Rest for 1 h\"]", "X007", "]"},
      {"pybamm.Experiment([\"Rest for 1 h", "X007", "\""},
      {"pybamm.Experiment([\"Rest for 1 q\"])", "X005", "1 q"},
      {"pybamm.Experiment([\"Rest for 1 h\"])\npybamm.Experiment([])", "X007", "pybamm.Experiment"},
      {"pybamm.Experiment([])", "X011", nullptr},
      {"pybamm.Experiment([pybamm.step.current(drive)])", "X007", "drive"},
      {"pybamm.Experiment([pybamm.step.current(np.loadtxt(\"x\"))])", "X016", "np.loadtxt"},
      {"pybamm.Experiment([pybamm.step.current(np.array([[0, 1], [1, 2]]).T)])", "X007", "."},
      {"pybamm.Experiment([pybamm.step.current(np.array([[1, 1], [2, 2]]))])", "X016", nullptr},
      {"pybamm.Experiment([pybamm.step.current(np.array([[0, 1], [0, 2]]))])", "X016", nullptr},
      {"pybamm.Experiment([pybamm.step.CustomStepExplicit(f)])", "X007", "f"},
      {"pybamm.Experiment([pybamm.step.string(\"Rest for 1 h (1 s period)\", period=3)])", "X003", nullptr},
      {"pybamm.Experiment([pybamm.step.current(1, direction=\"up\")])", "X012", nullptr},
      {"pybamm.Experiment([pybamm.step.current(1, duration=-1)])", "X005", nullptr},
      {"pybamm.Experiment([\"Rest for 1 h\"], temperature=25)", "X014", "25"},
      {"pybamm.Experiment([pybamm.step.voltage(-1, duration=3)])", "X015", nullptr},
      {"import pybamm\nmodel = pybamm.lithium_ion.SPM()\n", "X007", nullptr},
  };
  for (const Refused& one : refused) {
    const Imported made = from_python(one.text);
    ASSERT_FALSE(made.translation) << one.text;
    ASSERT_EQ(made.findings.error_count(), 1U) << one.text << "\n" << made.findings.render();
    const text::Diagnostic& finding = made.findings.all().front();
    EXPECT_EQ(finding.code, one.code) << one.text << "\n" << made.findings.render();
    EXPECT_GT(finding.where.line, 0U) << one.text;
    if (one.marked != nullptr) {
      EXPECT_EQ(profiles::test::marked(finding), one.marked) << one.text;
    }
  }
}

TEST(PybammPython, nothing_grows_without_bound) {
  std::string doubling = "a0 = [\"Rest for 1 h\"]\n";
  for (int i = 1; i < 60; ++i)
    doubling += "a" + std::to_string(i) + " = a" + std::to_string(i - 1) + " + a" + std::to_string(i - 1) + "\n";
  EXPECT_FALSE(from_python(doubling + "pybamm.Experiment(a59)").translation);
  std::string nested = "a0 = [\"Rest for 1 h\"]\n";
  for (int i = 1; i < 5000; ++i)
    nested += "a" + std::to_string(i) + " = a" + std::to_string(i - 1) + " * 2 + [\"Rest for 1 h\"]\n";
  EXPECT_FALSE(from_python(nested + "pybamm.Experiment(a4999)").translation);
  EXPECT_FALSE(from_python(std::string(100'000, '[')).translation);
  EXPECT_FALSE(from_python("pybamm.Experiment(" + std::string(100'000, '(')).translation);
  std::string products = "pybamm.Experiment([\"Rest for 1 h\"]";
  for (int i = 0; i < 100'000; ++i) products += " * 1";
  EXPECT_FALSE(from_python(products + ")").translation) << "repeats within repeats";
  std::string lines;
  for (std::size_t i = 0; i <= kMaxImportSteps; ++i) lines += "\"Rest for 1 h\",\n";
  const Imported many = from_python(lines);
  EXPECT_FALSE(many.translation);
  EXPECT_EQ(many.findings.all().front().code, "X010");
}

TEST(PybammConfig, neighbours_that_are_the_same_cycle_become_one_block) {
  const Imported made = import_text(&import_pybamm, foreign_text("pybamm/config.json"), "config.json");
  ASSERT_TRUE(made.translation) << made.all();
  EXPECT_TRUE(made.says("repeat = { count = 2 }")) << made.all();
  EXPECT_TRUE(made.says("charge = { current = \"0.3 C\" }"));
  EXPECT_TRUE(made.says("record = { every = \"10 s\" }"));
}

TEST(PybammConfig, the_older_form_and_every_type) {
  const Imported made =
      import_text(&import_pybamm,
                  R"({"steps": [{"type": "current", "value": -1.0, "duration": 100}, {"type": "voltage", "value": "4.2",
          "duration": "10 minutes", "terminations": [{"type": "current", "value": 0.05, "operator": null}]},
          {"type": "power", "value": 10, "duration": 50}, {"type": "resistance", "value": 0.5, "duration": 60},
          {"type": "rest", "duration": 60, "surprise": 1}], "temperature": "25 oC", "termination": "2.5 V"})");
  ASSERT_TRUE(made.translation) << made.all();
  for (const char* text : {"charge = { current = \"1 A\" }", "hold = { voltage = \"4.2 V\" }", "abs(current) <= 50 mA",
                           "time >= 10 min", "power = \"10 W\"", "resistance = \"0.5 Ohm\"", "25 degC"}) {
    EXPECT_TRUE(made.says(text)) << text << "\n" << made.all();
  }
  EXPECT_NE(made.loss("surprise"), nullptr);
}

TEST(PybammConfig, what_is_wrong_is_shown_where_it_stands) {
  const Refused refused[] = {
      {"{\"cycles\": [[{\"type\": \"amps\", \"value\": 1}]]}", "X012", "\"amps\""},
      {"{\"cycles\": [[{\"value\": 1}]]}", "X012", nullptr},
      {"{\"cycles\": [[{\"type\": \"current\"}]]}", "X012", nullptr},
      {"{\"cycles\": [[{\"type\": \"current\", \"value\": \"I_app\", \"duration\": 3}]]}", "X013", "\"I_app\""},
      {"{\"cycles\": [[{\"type\": \"current\", \"value\": [1]}]]}", "X013", "["},
      {"{\"cycles\": [[{\"type\": \"current\", \"value\": 1, \"skip_ok\": \"False\"}]]}", "X013", "False"},
      {"{\"cycles\": [[{\"type\": \"current\", \"value\": 1, \"duration\": -5}]]}", "X005", "-5"},
      {"{\"cycles\": [[{\"type\": \"current\", \"value\": 1, \"terminations\": [{\"type\": \"power\", \"value\": "
       "1}]}]]}",
       "X006", "1"},
      {"{\"cycles\": [[{\"type\": \"current\", \"value\": 1, \"terminations\": [{\"type\": \"voltage\", \"value\": 1, "
       "\"operator\": \"<=\"}]}]]}",
       "X006", "1"},
      {"{\"cycles\": [[]]}", "X011", "["},
      {"{\"cycles\": []}", "X011", nullptr},
      {"{\"cycles\": [3]}", "X013", "3"},
      {"{\"model\": 3}", "X002", nullptr},
      {"{\"cycles\": [[{\"type\": \"rest\", \"type\": \"rest\"}]]}", "X001", "\"type\""},
      {"{\"cycles\": [[{\"type\": \"current\", \"value\": NaN}]]}", "X001", nullptr},
      {"{\"cycles\": [[{\"type\": \"current\", \"value\": 1e999}]]}", "X001", nullptr},
  };
  for (const Refused& one : refused) {
    const Imported made = import_text(&import_pybamm, one.text, "c.json");
    ASSERT_FALSE(made.translation) << one.text;
    ASSERT_EQ(made.findings.error_count(), 1U) << one.text << "\n" << made.findings.render();
    const text::Diagnostic& finding = made.findings.all().front();
    EXPECT_EQ(finding.code, one.code) << one.text << "\n" << made.findings.render();
    if (one.marked != nullptr) {
      EXPECT_EQ(profiles::test::marked(finding), one.marked) << one.text;
    }
  }
}

}  // namespace
}  // namespace cyclerd::exchange::test
