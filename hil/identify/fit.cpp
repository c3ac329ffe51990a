// The order of the fit: open-circuit voltage, then what pulses tell, then what runs tell, then all of it together, then
// the open-circuit voltage again with the overvoltages known; at last heat. While the electrical part is fitted the
// cell has the measured temperature, so that heat does not enter.
#include "hil/identify/fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "hil/cells/ecm_cell.hpp"
#include "hil/identify/least_squares.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::hil {
namespace {

constexpr double kRowsPerGroup = 100.0;  // independent rows that a run, or all pulses of a temperature, are worth
constexpr double kOutlier = 3.0;         // residuals beyond this many tolerances count by their size, not its square
// Pulses from an almost empty cell say more about where exactly on the steep end of the OCV they began than about
// resistances. They weigh this much.
constexpr double kEmptySoc = 0.12;
constexpr double kEmptyImportance = 0.05;
constexpr double kThin_V = 0.0005;
constexpr double kLongestStep_s = 30.0;
constexpr auto kAll = {Stage::pulses, Stage::runs, Stage::hysteresis};

class EcmModel final : public CellModel {
 public:
  explicit EcmModel(std::shared_ptr<const EcmSet> set) : set_(std::move(set)) {}
  [[nodiscard]] std::unique_ptr<Cell> make(const CellStart& start) const override {
    return std::make_unique<EcmCell>(set_, start);
  }
  [[nodiscard]] std::string_view name() const noexcept override { return "ecm"; }

 private:
  std::shared_ptr<const EcmSet> set_;
};

// A run with the weight of its rows; the weights of a group add up to one.
struct Weighed {
  MeasuredRun run;
  std::vector<double> root_weight;
  RunStart start;
  std::optional<double> start_soc;  // known from the charge that follows
  double importance = 1.0;
  double root_trust = 1.0;  // of its start
  bool pulse = false;
};

// Grows like x for small and like its root for large x, so that squares of the knee do not rule.
double tempered(double x) {
  const double size = std::abs(x);
  if (size <= kOutlier) return x;
  return std::copysign(std::sqrt(kOutlier * (2.0 * size - kOutlier)), x);
}

// Changes of the current by half of its largest that are followed within two seconds.
std::size_t quick_steps(const MeasuredRun& run) {
  const double half_A = 0.5 * run.largest_current_A();
  std::size_t steps = 0;
  for (std::size_t i = 1; i < run.size(); ++i) {
    if (run.time_s[i] - run.time_s[i - 1] <= 2.0 && std::abs(run.current_A[i] - run.current_A[i - 1]) > half_A) ++steps;
  }
  return steps;
}

class Fit {
 public:
  Fit(const FitInput& input, text::Diagnostics& diagnostics) : input_(input), diagnostics_(diagnostics) {}

  std::optional<FitResult> run() {
    if (!find_capacity() || !find_ocv()) return std::nullopt;
    gather();
    if (!tells_ohmic_part()) {
      parameters_->expect_level_series();
      say("no pulses: the series resistance is taken as nearly the same at every state of charge");
    }
    for (int round = 0; round < input_.rounds; ++round) {
      const bool first = round == 0;
      if (first && has_pulses()) fit({Stage::pulses}, true, 15, "pulses");
      if (first && has_runs()) fit({Stage::runs, Stage::hysteresis}, false, 10, "runs");
      keep_if_best(fit(kAll, false, first ? 15 : 10, "all"));
      if (input_.ocv_table) continue;
      refine();
      if (round + 1 < input_.rounds) continue;
      refine();
      keep_if_best(fit(kAll, false, 0, "as it is"));
    }
    parameters_->list() = best_parameters_;
    ocv_ = best_ocv_;
    fit_heat();
    return finish();
  }

 private:
  void say(const std::string& line) const {
    if (input_.say) input_.say(line);
  }
  [[nodiscard]] bool has_pulses() const { return std::ranges::any_of(data_, &Weighed::pulse); }
  // Quick steps of the current at four states of charge or more, as pulses are; a run that begins and ends has two.
  [[nodiscard]] bool tells_ohmic_part() const {
    std::size_t steps = 0;
    for (const Weighed& w : data_) steps += w.pulse ? 4 : quick_steps(w.run);
    return steps > 8;
  }
  [[nodiscard]] bool has_runs() const {
    return std::ranges::any_of(data_, [](const Weighed& w) { return !w.pulse; });
  }

  bool find_capacity() {
    set_ = std::make_shared<EcmSet>();
    if (input_.capacity_C) {
      set_->capacity_C = *input_.capacity_C;
    } else {
      std::vector<MeasuredRun> slow, others;
      for (const MeasuredFile& file : input_.ocv) slow.insert(slow.end(), file.runs.begin(), file.runs.end());
      for (const MeasuredFile& file : input_.runs) others.insert(others.end(), file.runs.begin(), file.runs.end());
      set_->capacity_C = capacity_from(slow, others);
    }
    if (set_->capacity_C > 0.0) {
      say(fmt::format("capacity {:.4g} Ah{}", set_->capacity_C / 3600.0,
                      input_.capacity_C ? "" : ", from the charge that the OCV run passes through"));
      return true;
    }
    diagnostics_.error("I020", {}, "no capacity: neither told nor to be had from an OCV run",
                       "add --capacity \"5 Ah\", or a slow discharge as --ocv");
    return false;
  }

  bool find_ocv() {
    if (input_.ocv_table) {
      ocv_ = *input_.ocv_table;
    } else {
      for (const MeasuredFile& file : input_.ocv) ocv_runs_.insert(ocv_runs_.end(), file.runs.begin(), file.runs.end());
      if (ocv_runs_.empty()) {
        diagnostics_.error("I021", {}, "no open-circuit voltage",
                           "add --ocv FILE: a slow discharge, or a table of soc and voltage");
        return false;
      }
      for (MeasuredRun& r : ocv_runs_) r = thinned(r, kThin_V, 600.0);
      ocv_ = ocv_from_runs(ocv_runs_, set_->capacity_C);
      if (ocv_.voltage_V.empty()) {
        diagnostics_.error("I022", {}, "the OCV runs do not pass through the cell's range of charge",
                           "a slow discharge from full to empty is needed; is the capacity right?");
        return false;
      }
    }
    set_->reference_degC = ocv_.temperature_degC.size() == 1 ? ocv_.temperature_degC[0] : 25.0;
    say("open-circuit voltage: " + ocv_.from);
    parameters_.emplace(set_->capacity_C, !ocv_.half_gap_V.empty());
    return true;
  }

  void gather() {
    const auto add = [&](const std::vector<MeasuredFile>& files, bool pulses, double importance) {
      for (const MeasuredFile& file : files) {
        std::map<double, double> in_group;
        for (const MeasuredRun& r : file.runs) in_group[r.ambient_degC] += 1.0;
        for (const MeasuredRun& r : file.runs) {
          const bool pulse = file.pulses || pulses;
          const double share = file.pulses ? 1.0 / in_group[r.ambient_degC] : 1.0;
          data_.push_back(weighed(r, pulse, share * importance));
        }
      }
    };
    add(input_.pulses, true, 1.0);
    add(input_.runs, false, 1.0);
    if (input_.ocv_table) return;
    const std::size_t first = data_.size();
    add(input_.ocv, false, has_runs() ? 0.3 : 1.0);
    for (std::size_t k = first; k < data_.size(); ++k) data_[k].start_soc = start_soc(data_[k].run);
  }

  // Of a run that is at some time full.
  [[nodiscard]] double start_soc(const MeasuredRun& r) const {
    const std::vector<double> charge_C = r.charge_C();
    return 1.0 - (*std::ranges::max_element(charge_C) - charge_C.front()) / set_->capacity_C;
  }

  Weighed weighed(const MeasuredRun& measured, bool pulse, double importance) const {
    Weighed out;
    out.run = thinned(measured, kThin_V, 300.0);
    out.pulse = pulse;
    out.importance = importance;
    // The electrical part sees the measured temperature.
    if (!out.run.temperature_degC.empty()) {
      out.run.chamber_degC = out.run.temperature_degC;
      double before = out.run.ambient_degC;
      for (double& t : out.run.chamber_degC) t = before = std::isfinite(t) ? t : before;
    }
    double sum = 0.0;
    for (std::size_t i = 0; i < out.run.size(); ++i) {
      const double before = i > 0 ? out.run.time_s[i] - out.run.time_s[i - 1] : 0.0;
      const double after = i + 1 < out.run.size() ? out.run.time_s[i + 1] - out.run.time_s[i] : 0.0;
      // In a pulse the first tenths of a second say as much as the last ten.
      double w = out.run.counts[i] ? 0.5 * (before + after) : 0.0;
      if (pulse) w = std::sqrt(w);
      out.root_weight.push_back(w);
      sum += w;
    }
    for (double& w : out.root_weight) w = std::sqrt(kRowsPerGroup * importance * w / std::max(sum, 1e-9));
    return out;
  }

  void assemble() {
    apply_ocv(ocv_, *set_);
    parameters_->apply(*set_);
  }

  void find_starts() {
    const EcmModel model(set_);
    EvaluateOptions options;
    for (Weighed& w : data_) {
      options.start_soc = w.pulse ? std::nullopt : input_.start_soc ? input_.start_soc : w.start_soc;
      w.start = start_of(model, w.run, options);
      w.root_trust = w.pulse && w.start.start.soc < kEmptySoc ? std::sqrt(kEmptyImportance) : 1.0;
    }
  }

  void keep_if_best(double cost) {
    if (cost >= best_cost_) return;
    best_cost_ = cost;
    best_parameters_ = parameters_->list();
    best_ocv_ = ocv_;
  }

  // The sum of squares that remains.
  double fit(std::initializer_list<Stage> stages, bool pulses_only, int iterations, const char* words) {
    assemble();
    find_starts();
    std::vector<std::size_t> free;
    std::vector<Unknown> unknowns;
    for (std::size_t k = 0; k < parameters_->list().size(); ++k) {
      const Parameter& p = parameters_->list()[k];
      if (std::ranges::find(stages, p.stage) == stages.end()) continue;
      free.push_back(k);
      unknowns.push_back({p.value, p.low, p.high, p.log ? 1e-3 : 5.0});
    }
    const EcmModel model(set_);
    const auto residuals = [&](const std::vector<double>& x, std::vector<double>& r) {
      for (std::size_t k = 0; k < free.size(); ++k) parameters_->list()[free[k]].value = x[k];
      parameters_->apply(*set_);
      r.clear();
      for (const Weighed& w : data_) {
        if (pulses_only && !w.pulse) continue;
        simulate(model, w.run, w.start, kLongestStep_s, voltage_, temperature_);
        for (std::size_t i = 0; i < w.run.size(); ++i) {
          const double error = (voltage_[i] - w.run.voltage_V[i]) / input_.tolerance_V;
          r.push_back(w.root_trust * w.root_weight[i] * tempered(std::isfinite(error) ? error : 1e3));
        }
      }
      parameters_->append_prior(r);
    };
    const LeastSquaresReport report = minimise(residuals, unknowns, {iterations, 3e-4});
    for (std::size_t k = 0; k < free.size(); ++k) parameters_->list()[free[k]].value = unknowns[k].value;
    parameters_->apply(*set_);
    say(fmt::format("{}: {} unknowns, {} iterations, sum of squares {:.4g} to {:.4g}", words, free.size(),
                    report.iterations, report.before, report.after));
    return report.after;
  }

  // Makes the slow runs come out, now that their overvoltage is known.
  void refine() {
    if (input_.ocv_table) return;
    assemble();
    const EcmModel model(set_);
    EvaluateOptions options;
    options.longest_step_s = kLongestStep_s;
    std::vector<RunResult> results;
    for (const MeasuredRun& r : ocv_runs_) {
      options.start_soc = start_soc(r);
      results.push_back(evaluate(model, r, options));
    }
    const double moved = refine_ocv(ocv_, ocv_runs_, results, set_->capacity_C);
    assemble();
    say(fmt::format("open-circuit voltage moved by up to {:.2f} mV", 1e3 * moved));
  }

  void fit_heat() {
    assemble();
    std::vector<Weighed*> warm;
    for (Weighed& w : data_) {
      if (!w.pulse && !w.run.temperature_degC.empty()) warm.push_back(&w);
    }
    if (warm.empty()) {
      say("heat: no run has a temperature column; the cell gets the ambient's temperature");
      return;
    }
    for (Weighed* w : warm) w->run.chamber_degC.clear();
    find_starts();
    const double ah = set_->capacity_C / 3600.0;
    const std::vector<double> knots = {0.0, 0.15, 0.3, 0.5, 0.7, 0.85, 1.0};
    std::vector<Unknown> x = {{std::log(18.0 * ah), std::log(1.0 * ah), std::log(200.0 * ah), 1e-3},
                              {std::log(0.04 * ah), std::log(1e-3 * ah), std::log(10.0 * ah), 1e-3},
                              {std::log(0.3 * ah), std::log(0.02 * ah), std::log(100.0 * ah), 1e-3}};
    const std::vector<Unknown> expected = x;
    for (std::size_t k = 0; k < knots.size(); ++k) x.push_back({0.0, -0.5, 0.5, 1e-3});  // dU/dT, mV/K
    const EcmModel model(set_);
    const double ocv_at_degC = set_->reference_degC;
    const auto apply = [&](const std::vector<double>& p) {
      const double total = std::exp(p[0]);
      set_->thermal = ThermalSet{0.9 * total, 0.1 * total, std::exp(p[2]), std::exp(p[1])};
      std::vector<double> slope(p.begin() + 3, p.end());
      for (double& s : slope) s *= 1e-3;
      set_->entropic_V_per_K = Curve(Axis(knots), slope);
      set_->reference_degC = ocv_at_degC;
    };
    const auto residuals = [&](const std::vector<double>& p, std::vector<double>& r) {
      apply(p);
      r.clear();
      for (const Weighed* w : warm) {
        simulate(model, w->run, w->start, kLongestStep_s, voltage_, temperature_);
        for (std::size_t i = 0; i < w->run.size(); ++i) {
          const double error = temperature_[i] - w->run.temperature_degC[i];
          r.push_back(std::isfinite(error) ? w->root_weight[i] * error / 0.3 : 0.0);
        }
      }
      for (std::size_t k = 0; k < 3; ++k) r.push_back((p[k] - expected[k].value) / 1.0);
      for (std::size_t k = 3; k < p.size(); ++k) r.push_back(p[k] / 0.15);
      for (std::size_t k = 4; k < p.size(); ++k) r.push_back((p[k] - p[k - 1]) / 0.15);
    };
    const LeastSquaresReport report = minimise(residuals, x, {25, 1e-3});
    std::vector<double> best;
    for (const Unknown& u : x) best.push_back(u.value);
    apply(best);
    say(fmt::format("heat: {} runs, {} iterations, sum of squares {:.4g} to {:.4g}", warm.size(), report.iterations,
                    report.before, report.after));
  }

  std::optional<FitResult> finish() {
    FitResult out;
    out.set = set_;
    out.ocv = ocv_;
    out.parameters = parameters_->list();
    // What is reported is what the file says.
    const std::optional<CellSet> as_written = load(write_ecm_set(input_, *set_, {}));
    if (!as_written) return std::nullopt;
    const auto report = [&](const std::vector<MeasuredFile>& files, Sample sample) {
      AccuracyOptions options;
      options.evaluate.start_soc = input_.start_soc;
      options.sample = sample;
      for (const MeasuredFile& file : files) add_accuracy(file, *as_written, options, out.lines);
    };
    report(input_.ocv, Sample::fitted);
    report(input_.pulses, Sample::fitted);
    report(input_.runs, Sample::fitted);
    report(input_.held_out, Sample::held_out);
    std::vector<std::string> remarks = {
        fmt::format("Equivalent circuit made by `cycler-hil fit`. Open-circuit voltage: {}.", ocv_.from),
        set_->thermal ? "Heat and the entropic slope are fitted on the temperature of the runs."
                      : "No temperature was measured: the cell has the ambient's."};
    for (const AccuracyLine& line : out.lines) {
      remarks.push_back(fmt::format("{} {} at {:.4g} degC: RMSE {:.1f} mV, between 5 and 95 % of the charge {:.1f} mV",
                                    line.sample == Sample::held_out ? "held out" : "fitted on", line.run,
                                    line.ambient_degC, line.statistics.rmse_mV, line.statistics.middle_rmse_mV));
    }
    out.toml = write_ecm_set(input_, *set_, remarks);
    return out;
  }

  std::optional<CellSet> load(const std::string& toml) {
    const auto source = std::make_shared<const text::Source>(text::Source{input_.name + ".toml", toml});
    text::Diagnostics found;
    auto set = load_cell_set(source, found);
    if (!set) diagnostics_.append(std::move(found));
    return set;
  }

  const FitInput& input_;
  text::Diagnostics& diagnostics_;
  std::shared_ptr<EcmSet> set_;
  OcvTable ocv_;
  std::vector<MeasuredRun> ocv_runs_;
  std::optional<EcmParameters> parameters_;
  std::vector<Weighed> data_;
  std::vector<double> voltage_, temperature_;
  double best_cost_ = std::numeric_limits<double>::infinity();
  std::vector<Parameter> best_parameters_;
  OcvTable best_ocv_;
};

}  // namespace

std::optional<FitResult> fit_cell(const FitInput& input, text::Diagnostics& diagnostics) {
  return Fit(input, diagnostics).run();
}

}  // namespace cyclerd::hil
