// Reading measurements: header styles, damage, sign and ambient; models against their own output.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>

#include "hil/cells/cell_set.hpp"
#include "hil/identify/accuracy.hpp"
#include "hil/identify/evaluate.hpp"
#include "hil/identify/measured_run.hpp"
#include "hil/identify/ocv.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::hil {
namespace {

struct Read {
  std::optional<MeasuredFile> file;
  text::Diagnostics diagnostics;
  [[nodiscard]] const MeasuredRun& run() const { return file->runs.at(0); }
  [[nodiscard]] bool says(const std::string& code, const std::string& words) const {
    for (const text::Diagnostic& d : diagnostics.all()) {
      if (d.code == code && (d.message + d.help).find(words) != std::string::npos) return true;
    }
    return false;
  }
};

Read read(const std::string& text, const RunOptions& options = {}, const std::string& name = "run_25degC.csv") {
  Read out;
  const auto source = std::make_shared<const text::Source>(text::Source{name, text});
  out.file = read_measured(source, options, out.diagnostics);
  return out;
}

CellSet shipped(const std::string& name) {
  text::Diagnostics diagnostics;
  const auto source = text::read_source(find_cell_set(name));
  auto set = load_cell_set(*source, diagnostics);
  EXPECT_TRUE(set.has_value()) << diagnostics.render();
  return std::move(*set);
}

struct Style {
  const char* name;
  const char* text;
};
void PrintTo(const Style& style, std::ostream* out) {
  *out << style.name;
}

// The same three rows in many testers' ways: 0, 60 and 120 s; 0, -1.5 and -1.5 A; 4.1, 4.0 and 3.99 V; 20 and 21 degC.
class HeaderStyles : public testing::TestWithParam<Style> {};

TEST_P(HeaderStyles, GiveTheSameRun) {
  const Read got = read(GetParam().text);
  ASSERT_TRUE(got.file.has_value()) << got.diagnostics.render();
  const MeasuredRun& run = got.run();
  ASSERT_EQ(run.size(), 3U);
  EXPECT_EQ(run.time_s, (std::vector<double>{0.0, 60.0, 120.0}));
  EXPECT_NEAR(run.current_A[0], 0.0, 1e-12);
  EXPECT_NEAR(run.current_A[2], -1.5, 1e-12);
  EXPECT_NEAR(run.voltage_V[1], 4.0, 1e-12);
  if (!run.temperature_degC.empty()) {
    EXPECT_NEAR(run.temperature_degC[2], 21.0, 1e-9);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Identify, HeaderStyles,
    testing::Values(
        Style{"suffixes", "t_s,I_A,V_V,T_mid_degC\n0,0,4.1,20\n60,-1.5,4.0,20\n120,-1.5,3.99,21\n"},
        Style{"brackets", "Time [s],I[A],U[V]\n0,0,4.1\n60,-1.5,4.0\n120,-1.5,3.99\n"},
        Style{"discharge_positive_in_the_name", "t_s,I_A_dis_pos,V_V\n0,0,4.1\n60,1.5,4.0\n120,1.5,3.99\n"},
        Style{"bdf",
              "Test Time / s,Voltage / V,Current / A,Unix Time / s,Step Time / s,Surface Temperature / degC\n"
              "0,4.1,0,1e9,0,20\n60,4.0,-1.5,1000000060,60,20\n120,3.99,-1.5,1000000120,120,21\n"},
        Style{"german",
              "\xEF\xBB\xBFZelle;A7\n\nTime[min];U[mV];I[mA];T[\u00b0C]\n0;4100,0;0;20\n1;4000;-1500,0;20,0\n2;3990;-"
              "1500;21\n"},
        Style{"tabs_and_milli",
              "# a comment\ntime/s\tEcell/mV\t<I>/mA\n0\t4100\t0\n60\t4000\t-1500\n120\t3990\t-1500\n"},
        Style{"parentheses",
              "Data_Point,Test_Time(s),Step_Time(s),Current(A),Voltage(V),Aux_Temperature_1(C)\r\n"
              "1,0,0,0,4.1,20\r\n2,60,60,-1.5,4.0,20\r\n3,120,120,-1.5,3.99,21\r\n"},
        Style{"hours",
              "time_h,current_A,voltage_V,temp_K\n0,0,4.1,293.15\n0.016666666666666666,-1.5,4.0,293.15\n"
              "0.03333333333333333,-1.5,3.99,294.15\n"},
        Style{"clock_and_quotes",
              "\"Total Time (h:min:s)\",\"Current(A)\",\"Voltage(V)\"\n\"0:00:00\",0,4.1\n"
              "\"0:01:00\",-1.5,4.0\n\"0:02:00\",-1.5,3.99\n"},
        Style{"amounts_with_a_mode",
              "t_s,I_A,V_V,mode\n0,0,4.1,REST\n60,1.5,4.0,DCHG\n120,1.5,3.99,DCHG\n120,1.5,3.99,DCHG\n"
              "60,1.5,3.99,CHRG\n"},
        Style{"units_in_a_line_of_their_own", "time;voltage;current\ns;V;A\n0;4,1;0\n60;4;-1,5\n120;3,99;-1,5\n"}),
    [](const auto& style) { return style.param.name; });

TEST(Identify, DamagedRowsAreLeftOutAndSaid) {
  const Read got = read(
      "t_s,I_A,V_V\n0,0,4.1\n10,-1,4.0\n20,NaN,3.99\n30,-1,\n25,-1,3.98\n5,-1,3.9\n40,-1,1e9\n40,-1,3.97\n40,-1,3."
      "97\n");
  ASSERT_TRUE(got.file.has_value()) << got.diagnostics.render();
  EXPECT_EQ(got.run().time_s, (std::vector<double>{0, 10, 25, 40}));
  EXPECT_TRUE(got.says("I010", "2 rows left out: no time"));
  EXPECT_TRUE(got.says("I010", "1 row left out: the time does not rise"));
  EXPECT_TRUE(got.says("I010", "1 row left out: current or voltage beyond"));
}

TEST(Identify, AWrongFileSaysWhatIsMissingAndWhere) {
  EXPECT_TRUE(read("").says("I001", "no line"));
  EXPECT_TRUE(read(std::string("t_s,I_A\0V_V", 11)).says("I001", "not a text file"));
  EXPECT_TRUE(read("a,b,c\n1,2,3\n").says("I002", "no header"));
  EXPECT_TRUE(read("t_s,V_V\n1,2\n").says("I002", "no column of current"));
  EXPECT_TRUE(read("t_s,I[furlong],V_V\n0,0,4\n1,1,4\n").says("I003", "furlong"));
  const Read word = read("t_s,I_A,V_V\n0,0,4\n1,x,4\n2,1,4.1\n");
  EXPECT_TRUE(word.says("I004", "`x` in column `I_A`"));
  EXPECT_EQ(word.diagnostics.all().front().where.line, 3U);
  EXPECT_TRUE(read("t_s,I_A,V_V\n0,0,4\n").says("I006", "1 usable rows"));
  EXPECT_TRUE(read("t_s,I_A,V_V\n0,0,4\n1,0,4\n2,0,4\n").says("I007", "--current-sign"));
}

TEST(Identify, SignIsFoundFromTheDataOrTold) {
  const std::string discharge_positive = "t_s,I_A,V_V\n0,0,4.1\n1,2,4.0\n2,2,3.99\n3,0,4.08\n4,2,3.98\n";
  EXPECT_DOUBLE_EQ(read(discharge_positive).run().current_A[1], -2.0);
  EXPECT_TRUE(read(discharge_positive).says("I011", "discharge positive, from the data"));
  RunOptions told;
  told.sign = CurrentSign::charge_positive;
  EXPECT_DOUBLE_EQ(read(discharge_positive, told).run().current_A[1], 2.0);
  // No step in the current at all: the drift of the voltage tells.
  EXPECT_DOUBLE_EQ(read("t_s,I_A,V_V\n0,1,4.0\n60,1,3.9\n120,1,3.8\n").run().current_A[0], -1.0);
}

TEST(Identify, AmbientIsToldMeasuredNamedOrAssumed) {
  const std::string plain = "t_s,I_A,V_V\n0,0,4.1\n1,-2,4.0\n2,-2,3.99\n";
  const auto ambient = [&](const std::string& name) { return read(plain, {}, name).run().ambient_degC; };
  EXPECT_EQ(ambient("T10_1C.csv"), 10.0);
  EXPECT_EQ(ambient("x/P05_s1.csv"), 5.0);
  EXPECT_EQ(ambient("N15_s1.csv"), -15.0);
  EXPECT_EQ(ambient("NMC_45degC_Co20.csv"), 45.0);
  EXPECT_EQ(ambient("run_-10degC.csv"), -10.0);
  const Read nothing = read(plain, {}, "SP2510.csv");
  EXPECT_EQ(nothing.run().ambient_degC, 25.0);
  EXPECT_TRUE(nothing.says("I012", "assumed"));
  EXPECT_EQ(read("t_s,I_A,V_V,T_degC\n0,0,4.1,31\n1,-2,4.0,32\n", {}, "T10.csv").run().ambient_degC, 31.0);
  RunOptions told;
  told.ambient_degC = -3.0;
  EXPECT_EQ(read(plain, told, "T10.csv").run().ambient_degC, -3.0);
}

TEST(Identify, RowsAcrossAStepAreDrivenThroughButNotCounted) {
  // Voltage early at 0.02 s, late at 10.05 s, and a pair of rows at one time.
  const Read got = read(
      "t_s,I_A,V_V\n0,0,4.1\n0.02,0,4.0\n0.1,-5,3.99\n5,-5,3.98\n10,-5,3.97\n10.05,0,3.97\n10.1,0,4.07\n20,0,4.08\n"
      "20,5,4.18\n20.1,5,4.18\n");
  ASSERT_TRUE(got.file.has_value());
  EXPECT_EQ(got.run().counts, (std::vector<bool>{true, false, true, true, true, false, true, false, true, true}));
}

TEST(Identify, AJumpOfTheCurrentIsPutOnePaceBeforeTheRowThatShowsIt) {
  MeasuredRun run;
  run.time_s = {0, 600, 610, 620};
  run.current_A = {0, -2, -2, -2.01};
  run.voltage_V = {4.1, 4, 4, 4};
  const CurrentPath jump = path(run, 1, 2.01);
  EXPECT_DOUBLE_EQ(jump.held_s, 590.0);
  EXPECT_DOUBLE_EQ(jump.straight_s, 10.0);
  EXPECT_DOUBLE_EQ(jump.start_A, -2.0);
  const CurrentPath slope = path(run, 3, 2.01);
  EXPECT_DOUBLE_EQ(slope.held_s, 0.0);
  EXPECT_DOUBLE_EQ(slope.start_A, -2.0);
  EXPECT_DOUBLE_EQ(slope.end_A, -2.01);
  EXPECT_DOUBLE_EQ(run.charge_C()[1], -20.0);
}

TEST(Identify, PulsesAreToldApart) {
  const Read got = read(
      "T_degC,soc,cell,t_s,I_A,V_V\n0,0.9,a,0,0,4\n0,0.9,a,1,-2,3.9\n0,0.9,b,0,0,4\n0,0.9,b,1,-2,3.9\n25,0.5,b,0,0,3."
      "7\n25,"
      "0.5,b,1,-2,3.65\n");
  ASSERT_TRUE(got.file.has_value()) << got.diagnostics.render();
  EXPECT_TRUE(got.file->pulses);
  ASSERT_EQ(got.file->runs.size(), 3U);
  EXPECT_EQ(got.file->runs[2].ambient_degC, 25.0);
  EXPECT_EQ(got.file->runs[1].pulse_cell, "b");
}

// Direction in a column of its own: amounts, amounts in some rows, the other sign, and steps in which it does not tell.
TEST(Reader, TakesTheDirectionFromTheModeWhereItTells) {
  const auto currents = [](const std::string& rows) { return read("t_s,I_A,V_V,mode\n" + rows).run().current_A; };
  const std::vector<double> expected = {2.0, 0.0, -3.0, -3.0};
  EXPECT_EQ(currents("0,2,3.9,CC_Chg\n10,0,3.9,Rest\n20,3,3.8,CC DChg\n30,3,3.7,CC DChg\n"), expected);
  EXPECT_EQ(currents("0,2,3.9,CHRG\n10,0,3.9,REST\n20,-3,3.8,DCHG\n30,-3,3.7,DCHG\n"), expected);
  EXPECT_EQ(currents("0,-2,3.9,C\n10,0,3.9,R\n20,3,3.8,D\n30,3,3.7,D\n"), expected);
  EXPECT_EQ(currents("0,3,3.9,discharge\n10,3,3.8,discharge\n"), (std::vector<double>{-3.0, -3.0}));
  // Signed in the pulse, amounts in the step after the rest.
  EXPECT_EQ(currents("0,2,3.9,CHRG\n5,-3,3.8,DCHG\n10,0,3.9,REST\n20,3,3.8,DCHG\n30,3,3.7,DCHG\n"),
            (std::vector<double>{2.0, -3.0, 0.0, -3.0, -3.0}));
  // A drive cycle brakes: its step is called a discharge all the same.
  EXPECT_EQ(currents("0,2,3.9,CHRG\n10,-3,3.8,DCHG\n11,1,3.9,DCHG\n12,-2,3.8,DCHG\n"),
            (std::vector<double>{2.0, -3.0, 1.0, -2.0}));
}

// 3600 s at 1 A and 1750 s at 2 A: 100 C less for 1 A more, so 100 C more at no current.
TEST(Capacity, IsCarriedOnToNoCurrentWhereTheSlowestRunIsFast) {
  const auto discharge = [](double current_A, double seconds) {
    return read(fmt::format("t_s,I_A,V_V\n0,{0},4.1\n{1},{0},3.6\n{2},{0},3\n", -current_A, seconds / 2, seconds),
                {25.0, CurrentSign::charge_positive})
        .run();
  };
  EXPECT_NEAR(capacity_from({discharge(1.0, 3600.0)}, {discharge(2.0, 1750.0)}), 3700.0, 1e-6);
  EXPECT_NEAR(capacity_from({discharge(1.0, 3600.0)}, {discharge(2.0, 1300.0)}), 1.1 * 3600.0, 1e-6)
      << "a tenth at most";
  EXPECT_NEAR(capacity_from({discharge(1.0, 3600.0)}, {discharge(2.0, 400.0)}), 3600.0, 1e-6) << "a pulse";
  EXPECT_NEAR(capacity_from({discharge(0.1, 36000.0)}, {discharge(2.0, 1750.0)}), 3600.0, 1e-6) << "slow enough";
  EXPECT_EQ(capacity_from({}, {}), 0.0);
}

// A run that the model itself made is met to rounding, whatever the model's start was.
TEST(Identify, AModelMeetsItsOwnOutput) {
  const CellSet set = shipped("lg-m50");
  for (const double start : {1.0, 0.6}) {
    const auto cell = set.make({start, 25.0, 1.0});
    std::string csv = "t_s,I_A,V_V,T_degC\n";
    const auto row = [&](double t, double i) {
      csv += fmt::format("{},{},{:.17g},{:.17g}\n", t, i, cell->terminal(i).voltage_V(i), cell->readout().surface_degC);
    };
    row(0, 0);
    row(0, -2.5);
    for (int k = 1; k <= 300; ++k) {
      const double next = k > 200 ? -2.5 + 0.025 * (k - 200) : -2.5;
      const double now = k > 201 ? -2.5 + 0.025 * (k - 201) : -2.5;
      step(*cell, now, next, 10.0);
      row(10.0 * k, next);
    }
    const Read got = read(csv);
    ASSERT_TRUE(got.file.has_value()) << got.diagnostics.render();
    const RunResult result = evaluate(*set.model, got.run());
    EXPECT_NEAR(result.start.start.soc, start, 1e-8);
    EXPECT_LT(result.statistics.rmse_mV, 1e-4);
    EXPECT_LT(std::abs(result.statistics.max_mV), 1e-3);
    EXPECT_LT(result.statistics.temperature_rmse_K, 1e-6);
    ASSERT_TRUE(std::isfinite(result.statistics.end_time_s));
    EXPECT_NEAR(result.statistics.end_time_s, 0.0, 0.01);
  }
}

TEST(Identify, EndTimeIsWhenTheModelReachesTheLastVoltage) {
  const CellSet set = shipped("linear-closed-form");
  // 3.0 V + 1.2 V soc, 20 mOhm and 10 mOhm with 30 s, 5 Ah. Measured: the same cell, but ending 36 s later or earlier.
  for (const double later_s : {-36.0, 36.0}) {
    MeasuredRun run;
    const auto cell = set.make({0.9, 25.0, 0.0});
    const auto add = [&](double t, double i, double v) {
      run.time_s.push_back(t);
      run.current_A.push_back(i);
      run.voltage_V.push_back(v);
      run.counts.push_back(true);
    };
    add(0, 0, cell->terminal(0).emf_V);
    add(0, -5, cell->terminal(-5).voltage_V(-5));
    for (int k = 1; k <= 100; ++k) {
      step(*cell, -5, -5, 18.0);
      add(18.0 * k, -5, cell->terminal(-5).voltage_V(-5));
    }
    // The last 5 A row: a voltage that the model has later_s before or after.
    run.voltage_V.back() += later_s * 1.2 * 5.0 / 18000.0;
    const RunResult result = evaluate(*set.model, run);
    EXPECT_NEAR(result.statistics.end_time_s, -later_s, 0.05);
    EXPECT_NEAR(result.statistics.stretch_s, 1800.0, 1e-9);
  }
}

TEST(Identify, ARunThatBeginsInALoadOrShowsItEarlyStartsRight) {
  const CellSet set = shipped("linear-closed-form");
  const auto cell = set.make({0.7, 25.0, 0.0});
  std::string rows;
  step(*cell, -2.5, -2.5, 0.05);
  const double loaded = cell->terminal(-2.5).voltage_V(-2.5);
  rows += fmt::format("0,0,{:.12g}\n0.05,-2.5,{:.12g}\n", loaded, loaded);
  for (int k = 1; k < 50; ++k) {
    step(*cell, -2.5, -2.5, 10.0);
    rows += fmt::format("{},-2.5,{:.12g}\n", 0.05 + 10 * k, cell->terminal(-2.5).voltage_V(-2.5));
  }
  RunOptions told;
  told.sign = CurrentSign::charge_positive;
  const RunResult early = evaluate(*set.model, read("t_s,I_A,V_V\n" + rows, told).run());
  EXPECT_TRUE(early.start.loaded);
  EXPECT_NEAR(early.start.start.soc, 0.7, 1e-4);
  EXPECT_LT(early.statistics.rmse_mV, 0.2);
  EvaluateOptions given;
  given.start_soc = 0.5;
  EXPECT_NEAR(evaluate(*set.model, read("t_s,I_A,V_V\n" + rows, told).run(), given).statistics.mean_mV, -240.0, 5.0);
}

TEST(Identify, ThinningKeepsStepsAndVoltages) {
  MeasuredRun run;
  for (int k = 0; k <= 4000; ++k) {
    run.time_s.push_back(k);
    run.current_A.push_back(k < 1000 ? 0.0 : k < 3000 ? -2.0 : 1.0);
    run.voltage_V.push_back(3.7 + 0.01 * run.current_A.back() - 1e-5 * k);
    run.counts.push_back(true);
  }
  const MeasuredRun few = thinned(run, 0.001, 600.0);
  EXPECT_LT(few.size(), 60U);
  EXPECT_EQ(few.time_s.back(), 4000.0);
  EXPECT_NEAR(few.charge_C().back(), run.charge_C().back(), 1e-9);
}

}  // namespace
}  // namespace cyclerd::hil
