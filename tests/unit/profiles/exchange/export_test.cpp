// Profiles to PyBaMM and unicycler, and back.
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/unit/profiles/exchange/exchange_bench.hpp"

namespace cyclerd::exchange::test {
namespace {

using Exporter = std::optional<Translation> (*)(const text::SourcePtr&, const profiles::Launch&, text::Diagnostics&);

Imported export_text(Exporter exporter, const std::string& text) {
  Imported made;
  made.translation = exporter(profiles::test::source_of(text), profiles::test::roomy_launch(), made.findings);
  return made;
}

std::string hash_of(const std::string& text) {
  text::Diagnostics findings;
  const auto program =
      profiles::compile_profile(profiles::test::source_of(text), profiles::test::roomy_launch(), findings);
  EXPECT_NE(program, nullptr) << findings.render() << text;
  return program != nullptr ? program->compiled_sha256 : "";
}

constexpr const char* kPybamm = R"(profile = "there-and-back"
schema = 1
[record]
every = "30 s"
[[step]]
repeat = { count = 3 }
  [[step.steps]]
  charge = { current = "0.5 C" }
  until = ["voltage >= 4.2 V", { when = "time >= 4 h", then = "fail", reason = "longer than a step without a duration may take in PyBaMM" }]
  [[step.steps]]
  hold = { voltage = "4.2 V" }
  until = ["abs(current) <= 50 mA", "time >= 3 h"]
  [[step.steps]]
  rest = {}
  record = { every = "1 min" }
  until = "time >= 10 min"
  [[step.steps]]
  repeat = { count = 2 }
    [[step.steps.steps]]
    discharge = { power = "5 W" }
    until = "time >= 30 s"
    [[step.steps.steps]]
    rest = {}
    until = "time >= 30 s"
  [[step.steps]]
  discharge = { current = "C/3" }
  until = ["voltage <= 2.8 V", "time >= 4 h"]
  [[step.steps]]
  advance_cycle = {}
[[step]]
rest = {}
until = "time >= 1 h"
[[step]]
discharge = { resistance = "2 Ohm" }
until = ["voltage <= 3 V", "time >= 1 h"]
[[step]]
advance_cycle = {}
)";

TEST(Export, pybamm_and_back_is_the_same_program) {
  const Imported out = export_text(&export_pybamm, kPybamm);
  ASSERT_TRUE(out.translation) << out.all();
  EXPECT_TRUE(out.says("\"Charge at 0.5 C until 4.2 V\"")) << out.all();
  EXPECT_TRUE(out.says("\"Discharge at C/3 for 4 hours or until 2.8 V\"")) << out.all();
  EXPECT_TRUE(out.translation->losses.empty());
  const Imported back = import_text(&import_pybamm, out.translation->text, "there-and-back.py");
  ASSERT_TRUE(back.translation) << back.all() << out.translation->text;
  EXPECT_EQ(hash_of(back.translation->text), hash_of(kPybamm)) << out.translation->text << back.translation->text;
}

constexpr const char* kUnicycler = R"(profile = "there-and-back"
schema = 1
[cell]
nominal_capacity = "5 Ah"
[safety]
voltage = { min = "2.46 V", max = "4.24 V", for = "2 s" }
current = { min = "-5.1 A", max = "5.1 A", for = "2 s" }
[record]
every = "10 s"
voltage = "5 mV"
[[step]]
rest = {}
until = "time >= 1 h"
[[step]]
repeat = { count = 2 }
  [[step.steps]]
  name = "formation"
  repeat = { count = 3 }
    [[step.steps.steps]]
    charge = { current = "C/3" }
    until = ["voltage >= 4.2 V", "time >= 4 h"]
    [[step.steps.steps]]
    hold = { voltage = "4.2 V" }
    until = ["abs(current) <= 0.05 C", "time >= 6 h"]
    [[step.steps.steps]]
    discharge = { current = "2 A" }
    until = "voltage <= 3 V"
    [[step.steps.steps]]
    advance_cycle = {}
  [[step.steps]]
  ramp = { from = "3.6 V", to = "3.7 V", rate = "1 mV/s" }
)";

TEST(Export, unicycler_and_back_is_the_same_program) {
  const Imported out = export_text(&export_unicycler, kUnicycler);
  ASSERT_TRUE(out.translation) << out.all();
  EXPECT_TRUE(out.translation->losses.empty()) << out.translation->losses.front().what;
  EXPECT_TRUE(nlohmann::json::accept(out.translation->text));
  const Imported back = import_text(&import_unicycler, out.translation->text, "there-and-back.json");
  ASSERT_TRUE(back.translation) << back.all() << out.translation->text;
  EXPECT_EQ(hash_of(back.translation->text), hash_of(kUnicycler)) << out.translation->text << back.translation->text;
}

TEST(Export, a_loop_over_one_step_gets_a_tag_and_numbers_move_on) {
  const Imported out = export_text(&export_unicycler, profiles::test::kHead + R"(
[record]
every = "1 s"
[[step]]
repeat = { count = 5 }
  [[step.steps]]
  repeat = { count = 2 }
    [[step.steps.steps]]
    rest = {}
    until = "time >= 1 s"
  [[step.steps]]
  repeat = { count = 3 }
    [[step.steps.steps]]
    rest = {}
    until = "time >= 2 s"
    [[step.steps.steps]]
    rest = {}
    until = "time >= 3 s"
)");
  ASSERT_TRUE(out.translation) << out.all();
  const auto method = nlohmann::json::parse(out.translation->text)["method"];
  ASSERT_EQ(method.size(), 7U) << out.all();
  EXPECT_EQ(method[0]["step"], "tag");
  EXPECT_EQ(method[2]["loop_to"], method[0]["tag"]);
  EXPECT_EQ(method[5]["loop_to"], 4) << out.all();
  EXPECT_EQ(method[6]["loop_to"], 1) << out.all();
}

TEST(Export, cc_cv_is_two_steps_when_the_taper_is_its_one_end) {
  const std::string head = profiles::test::kHead + "[[step]]\n";
  const std::string steps = "charge = { current = \"1 C\", voltage = \"4.2 V\" }\nuntil = \"abs(current) <= C/50\"\n";
  const Imported py = export_text(&export_pybamm, head + steps);
  EXPECT_TRUE(py.says("\"Charge at 1 C until 4.2 V\"")) << py.all();
  EXPECT_TRUE(py.says("\"Hold at 4.2 V until 0.02 C\"")) << py.all();
  const Imported uni = export_text(&export_unicycler, head + steps);
  ASSERT_TRUE(uni.translation) << uni.all();
  const auto method = nlohmann::json::parse(uni.translation->text)["method"];
  ASSERT_EQ(method.size(), 2U);
  EXPECT_EQ(method[0]["until_voltage_V"], 4.2);
  EXPECT_EQ(method[1]["until_rate_C"], 0.02);
  // A time that counts both parts cannot be said.
  const std::string timed =
      "charge = { current = \"1 C\", voltage = \"4.2 V\" }\nuntil = [\"abs(current) <= C/50\", \"time >= 3 h\"]\n";
  for (const Exporter exporter : {&export_pybamm, &export_unicycler}) {
    const Imported out = export_text(exporter, head + timed);
    EXPECT_FALSE(out.translation);
    EXPECT_EQ(out.findings.all().front().code, "X032");
  }
}

struct Refused {
  const char* steps;
  const char* code;
  const char* marked;
};

TEST(Export, what_cannot_be_said_is_an_error_at_its_place) {
  const Refused refused[] = {
      {"[[step]]\ncharge = { current = \"1 A\" }\nuntil = [{ when = \"voltage >= 4.1 V\", for = \"2 s\" }, \"time >= 1 "
       "h\"]",
       "X032", "voltage >= 4.1 V"},
      {"[[step]]\ncharge = { current = \"1 A\" }\nuntil = [{ when = \"voltage >= 4.1 V\", then = \"end\" }, \"time >= "
       "1 h\"]",
       "X032", "voltage >= 4.1 V"},
      {"[[step]]\ncharge = { current = \"1 A\" }\nuntil = [\"step_capacity >= 1 Ah\", \"time >= 1 h\"]", "X032",
       "step_capacity >= 1 Ah"},
      {"[[step]]\ncharge = { current = \"1 A\" }\nuntil = [\"voltage >= 4.1 V\", { when = \"time >= 1 h\", then = "
       "\"fail\" }]",
       "X032", "time >= 1 h"},
      {"[[step]]\nrest = {}\nwhen = \"soc > 10 %\"\nuntil = \"time >= 1 h\"", "X033", "rest"},
      {"[[step]]\nrepeat = { count = 3, until = \"soc > 90 %\" }\n[[step.steps]]\nrest = {}\nuntil = \"time >= 1 h\"",
       "X033", "repeat"},
      {"[[step]]\npulse = { pulses = [{ current = \"-1 C\", time = \"10 s\" }] }", "X030", "pulse"},
      {"[[step]]\nchamber = { temperature = \"25 degC\" }", "X030", "chamber"},
      {"[[step]]\nhold = { voltage = \"4 V\", current = \"1 A\" }\nuntil = \"time >= 1 h\"", "X030", "hold"},
      {"[[step]]\nset = { n = 3 }\n[[step]]\nrest = {}\nuntil = \"time >= 1 s\"", "X030", nullptr},
  };
  for (const Refused& one : refused) {
    for (const Exporter exporter : {&export_pybamm, &export_unicycler}) {
      const Imported out = export_text(exporter, profiles::test::kHead + one.steps + "\n");
      EXPECT_FALSE(out.translation) << one.steps;
      const text::Diagnostic* found = nullptr;
      for (const text::Diagnostic& finding : out.findings.all()) {
        if (found == nullptr && finding.severity == text::Severity::error) found = &finding;
      }
      ASSERT_NE(found, nullptr) << one.steps;
      EXPECT_EQ(found->code, one.code) << out.findings.render();
      if (one.marked != nullptr) {
        EXPECT_EQ(profiles::test::marked(*found), one.marked) << out.findings.render();
      }
    }
  }
}

TEST(Export, a_safety_limit_that_the_other_has_not_is_not_left_out_silently) {
  const Imported out = export_text(&export_unicycler, profiles::test::kHead + R"(
[safety]
temperature = { max = "50 degC" }
[[step]]
rest = {}
until = "time >= 1 h"
)");
  EXPECT_FALSE(out.translation);
  EXPECT_EQ(out.findings.all().front().code, "X034");
}

// What an export gives is read back, and exports to the same text again.
void round_trip(Exporter exporter, Importer importer, const std::string& text, const std::string& name, int& lossless) {
  const Imported out = export_text(exporter, text);
  ASSERT_EQ(out.translation.has_value(), !out.findings.has_errors()) << name;
  if (!out.translation) return;
  ++lossless;
  const Imported back = import_text(importer, out.translation->text, name);
  ASSERT_TRUE(back.translation) << name << back.all() << out.translation->text;
  const Imported again = export_text(exporter, back.translation->text);
  ASSERT_TRUE(again.translation) << name << again.all() << back.translation->text;
  const auto from_list = [](const std::string& s) { return s.substr(s.find("Experiment(")); };
  if (exporter == &export_pybamm) {
    EXPECT_EQ(from_list(again.translation->text), from_list(out.translation->text)) << name;
  } else {
    EXPECT_EQ(again.translation->text, out.translation->text) << name;
  }
}

// A profile of steps that both sides know, nested at random. `pybamm`: with what only PyBaMM has.
class RandomProfile {
 public:
  RandomProfile(unsigned seed, bool pybamm) : random_(seed), pybamm_(pybamm) {}

  std::string text() {
    out_ = profiles::test::kHead + "[record]\nevery = \"10 s\"\n";
    block("step", 0, 1 + below(3));
    return out_;
  }

 private:
  int below(int bound) { return static_cast<int>(random_() % static_cast<unsigned>(bound)); }
  std::string rate() { return fmt::format("{}", pick({"1 C", "0.5 C", "C/3", "C/7", "2 A", "50 mA", "1.234 A"})); }
  const char* pick(std::vector<const char*> words) {
    return words[static_cast<std::size_t>(below(static_cast<int>(words.size())))];
  }

  void step(const std::string& path) {
    out_ += "[[" + path + "]]\n";
    const std::string time = fmt::format("\"time >= {} s\"", 10 + below(100'000));
    switch (below(pybamm_ ? 6 : 4)) {
      case 0: out_ += "rest = {}\nuntil = " + time + "\n"; break;
      case 1:
        out_ += "charge = { current = \"" + rate() + "\" }\nuntil = [\"voltage >= 4.1 V\", " + time + "]\n";
        break;
      case 2:
        out_ += "discharge = { current = \"" + rate() + "\" }\nuntil = [\"voltage <= 3.1 V\", " + time + "]\n";
        break;
      case 3: out_ += "hold = { voltage = \"4.1 V\" }\nuntil = [\"abs(current) <= C/20\", " + time + "]\n"; break;
      case 4: out_ += "discharge = { power = \"5 W\" }\nrecord = { every = \"2 s\" }\nuntil = " + time + "\n"; break;
      default: out_ += "discharge = { resistance = \"2 Ohm\" }\nuntil = [\"voltage <= 3 V\", " + time + "]\n"; break;
    }
  }

  void block(const std::string& path, int depth, int length) {
    for (int i = 0; i < length; ++i) {
      if (depth == 3 || below(3) != 0) {
        step(path);
        continue;
      }
      out_ += fmt::format("[[{}]]\nrepeat = {{ count = {} }}\n", path, 2 + below(5));
      block(path + ".steps", depth + 1, 1 + below(3));
    }
  }

  std::mt19937 random_;
  bool pybamm_;
  std::string out_;
};

// Compiled without what cycles are counted by: PyBaMM's single steps have none, unicycler's loops get one.
std::string flow_of(const std::string& text) {
  text::Diagnostics findings;
  const auto program =
      profiles::compile_profile(profiles::test::source_of(text), profiles::test::roomy_launch(), findings);
  EXPECT_NE(program, nullptr) << findings.render() << text;
  std::string out;
  if (program == nullptr) return out;
  const auto code = [&](profiles::ExpressionRef ref) {
    for (std::uint32_t i = 0; i < ref.count; ++i) {
      const profiles::Instruction& in = program->code[ref.first + i];
      out += fmt::format(" {}.{}:{:.12g}", static_cast<int>(in.op), in.arg, in.value);
    }
  };
  for (const profiles::Step& step : program->steps) {
    if (step.kind == profiles::StepKind::advance_cycle) continue;
    out +=
        fmt::format("\n{} {} every {}", static_cast<int>(step.kind), step.sign, program->records[step.record].every.us);
    for (const auto ref : {step.current, step.voltage, step.power, step.resistance, step.count}) code(ref);
    for (std::uint32_t i = 0; i < step.condition_count; ++i) {
      const profiles::Condition& condition = program->conditions[step.first_condition + i];
      out += fmt::format(" until {}", static_cast<int>(condition.then));
      code(condition.when);
    }
  }
  return out;
}

TEST(Export, random_profiles_come_back_as_the_same_flow) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    const bool pybamm = seed % 2 == 0;
    const std::string text = RandomProfile(seed, pybamm).text();
    const Imported out = export_text(pybamm ? &export_pybamm : &export_unicycler, text);
    ASSERT_TRUE(out.translation) << seed << out.all() << text;
    const Imported back = import_text(pybamm ? &import_pybamm : &import_unicycler, out.translation->text);
    ASSERT_TRUE(back.translation) << seed << back.all() << out.translation->text;
    ASSERT_EQ(flow_of(back.translation->text), flow_of(text)) << seed << text << out.translation->text;
  }
}

TEST(Export, shipped_profiles_are_lossless_or_refused) {
  int lossless = 0;
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(CYCLERD_SOURCE_DIR "/profiles/library")) {
    if (entry.path().extension() != ".toml") continue;
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    round_trip(&export_pybamm, &import_pybamm, text, entry.path().string(), lossless);
    round_trip(&export_unicycler, &import_unicycler, text, entry.path().string(), lossless);
    ++seen;
  }
  EXPECT_GT(seen, 5);
}

TEST(Export, imported_examples_are_lossless_or_refused) {
  int lossless = 0;
  for (const char* file : {"pybamm/lines.txt", "pybamm/config.json"}) {
    const Imported in = import_text(&import_pybamm, foreign_text(file), file);
    ASSERT_TRUE(in.translation) << in.all();
    round_trip(&export_pybamm, &import_pybamm, in.translation->text, file, lossless);
    round_trip(&export_unicycler, &import_unicycler, in.translation->text, file, lossless);
  }
  const Imported in = import_text(&import_unicycler, foreign_text("unicycler/formation.json"), "formation.json");
  round_trip(&export_unicycler, &import_unicycler, in.translation->text, "formation", lossless);
  EXPECT_EQ(lossless, 3) << "both of PyBaMM to PyBaMM, unicycler to unicycler";
}

}  // namespace
}  // namespace cyclerd::exchange::test
