// The expected course: the program itself, run on a stand-in cell in strides.
#include <algorithm>
#include <cmath>
#include <memory>

#include "profiles/condition_ranges.hpp"
#include "profiles/evaluate.hpp"
#include "profiles/executor.hpp"
#include "profiles/stand_in_cell.hpp"

namespace cyclerd::profiles {
namespace {

constexpr int kMaxStrides = 100'000;      // some 50 ms; the passes of a repeat that are left are counted, not run
constexpr double kCapacityStride = 0.01;  // of the nominal capacity, so that limits are found to one percent
// What flows over a longer interval is not integrated.
constexpr double kFlowStride_s = static_cast<double>(Fold::kMaxInterval_us) * 1e-6;
constexpr double kSettlingStride_s = 60.0;  // at rest, at the least
constexpr double kChamberStride_s = 30.0;

class Walk {
 public:
  explicit Walk(Compiler& compiler)
      : compiler_(compiler),
        program_(*compiler.program),
        cell_(compiler.launch->cell, compiler.launch->initial_soc),
        state_(std::make_unique<ExecutorState>()),
        output_(std::make_unique<Output>()) {
    find_time_bounds();
  }

  // Nothing when the stand-in does not come to the end that the profile means.
  Estimate run() {
    start(program_, *state_);
    double now_s = 0.0;
    for (int i = 0; i < kMaxStrides; ++i) {
      stride(now_s);
      if (output_->state == RunState::finished) return total(now_s);
      if (is_over(output_->state)) return {};
      now_s += next_s();
    }
    return extended();
  }

 private:
  // When a condition of the step that looks only at time would fire.
  void find_time_bounds() {
    bounds_s_.resize(program_.steps.size());
    for (std::size_t i = 0; i < program_.steps.size(); ++i) {
      const StepSyntax* syntax = compiler_.syntax[i];
      if (syntax == nullptr || syntax->kind == StepKind::repeat_begin) continue;
      compiler_.enter(i);
      for (const ConditionSyntax& condition : syntax->until) {
        const double bound_s = time_bound_s(compiler_, condition.when);
        if (std::isfinite(bound_s)) bounds_s_[i].push_back(bound_s);
      }
    }
  }

  void stride(double now_s) {
    Input input;
    input.sample.time.us = static_cast<std::int64_t>(std::llround(now_s * 1e6));
    cell_.advance(now_s - last_s_);
    last_s_ = now_s;
    input.sample.voltage_V = cell_.voltage_V();
    input.sample.current_A = cell_.current_A();
    if (compiler_.launch->has_cell_temperature) input.sample.temperature_degC = cell_.temperature_degC();
    if (compiler_.launch->has_chamber) input.sample.chamber_degC = cell_.chamber_degC();
    input.sample.regulation = cell_.regulation();
    input.sample.output_on = cell_.regulation() == base::Regulation::off ? 0 : 1;
    if (output_->state == RunState::paused) input.request = Request::resume;
    output_->clear();
    step(program_, *state_, input, *output_);
    if (output_->has_setpoint) cell_.obey(output_->setpoint);
    if (output_->has_chamber) cell_.obey(output_->chamber);
    for (const StepSummary& done : output_->steps.view()) {
      rows_ += rows_of(program_, done.step_index, static_cast<double>(done.duration_us) * 1e-6);
    }
    note_pass(now_s);
  }

  // As far as nothing is lost: to the next moment that the step knows of, and no farther than its quantities bear.
  [[nodiscard]] double next_s() const {
    const std::uint32_t index = state_->step_index;
    const Step& step = program_.steps[index];
    const double scan_s = std::max(1e-3, program_.scan.seconds());
    if (state_->step_entered == 0 || state_->step_inputs == 0) return scan_s;
    const double in_step_s =
        static_cast<double>(state_->last_input_us - state_->step_start_us - state_->step_paused_us) * 1e-6;
    double longest_s = bearable_s(index, step);
    for (const double bound_s : bounds_s_[index]) {
      if (bound_s > in_step_s) longest_s = std::min(longest_s, bound_s - in_step_s);
    }
    for (std::uint32_t k = 0; k < step.condition_count; ++k) {
      const Condition& condition = program_.conditions[step.first_condition + k];
      if (condition.dwell.us > 0 && state_->holds_since_us[k] != kNever) {
        longest_s = std::min(longest_s, condition.dwell.seconds());
      }
    }
    return std::max(scan_s, longest_s);
  }

  [[nodiscard]] double bearable_s(std::uint32_t index, const Step& step) const {
    constexpr double kParts = 100.0;
    const double length_s = own_length_s(program_, index);
    double stride_s = std::isfinite(length_s) ? length_s / kParts : 3600.0;
    const double flow_A = std::fabs(cell_.current_A());
    if (flow_A > 0.0) {
      stride_s = std::min({stride_s, kFlowStride_s, kCapacityStride * program_.nominal_capacity_C / flow_A});
    }
    // A prime, so that no pattern of the waveform is met always at the same place.
    constexpr double kWaveformParts = 257.0;
    if (step.kind == StepKind::follow) {
      const double pass_s = static_cast<double>(program_.waveforms[step.waveform].time_us.back()) * 1e-6;
      stride_s = std::min(stride_s, pass_s / kWaveformParts);
    }
    if (step.kind == StepKind::chamber) stride_s = std::min(stride_s, kChamberStride_s);
    for (std::uint32_t k = 0; k < step.pulse_count; ++k) {
      stride_s = std::min(stride_s, program_.pulses[step.first_pulse + k].time.seconds() / 2);
    }
    for (std::uint32_t k = 0; k < step.window_count; ++k) {
      stride_s = std::min(stride_s, program_.windows[step.first_window + k].length.seconds() / 16);
    }
    // A rest that looks at more than its clock.
    const bool watches = step.condition_count > bounds_s_[index].size();
    if (step.kind == StepKind::rest && watches && step.window_count == 0) {
      stride_s = std::min(stride_s, kSettlingStride_s);
    }
    return stride_s;
  }

  [[nodiscard]] Estimate total(double seconds) const {
    Estimate all;
    all.duration.us = static_cast<std::int64_t>(std::llround(seconds * 1e6));
    all.rows = rows_;
    const Throughput moved = state_->fold.test.value();
    all.charge_C = moved.charge_C + moved.discharge_C;
    all.energy_J = moved.charge_J + moved.discharge_J;
    return all;
  }

  // The outermost repeat, each time one more of its passes is over.
  void note_pass(double now_s) {
    if (state_->depth == 0) {
      pass_ = 0;
      return;
    }
    const OpenBlock& block = state_->blocks[0];
    if (pass_ != 0 && begin_ == block.begin && block.pass == pass_) return;
    if (pass_ == 0 || begin_ != block.begin) first_ = total(now_s);
    begin_ = block.begin;
    pass_ = block.pass;
    latest_ = total(now_s);
  }

  // Too long to be run to its end: the passes that are left are like those before.
  [[nodiscard]] Estimate extended() const {
    if (state_->depth == 0 || pass_ < 3 || std::isnan(state_->blocks[0].count)) return {};
    const double times = (state_->blocks[0].count) / (pass_ - 1.0);
    const auto scaled = [&](double from, double to) { return from + (to - from) * times; };
    const double seconds = scaled(first_.duration.seconds(), latest_.duration.seconds());
    if (!(seconds < 1e11)) return {};
    Estimate all;
    all.duration.us = static_cast<std::int64_t>(std::llround(seconds * 1e6));
    all.rows = scaled(first_.rows, latest_.rows);
    all.charge_C = scaled(first_.charge_C, latest_.charge_C);
    all.energy_J = scaled(first_.energy_J, latest_.energy_J);
    return all;
  }

  Compiler& compiler_;
  const Program& program_;
  StandInCell cell_;
  std::unique_ptr<ExecutorState> state_;
  std::unique_ptr<Output> output_;
  std::vector<std::vector<double>> bounds_s_;
  double last_s_ = 0.0;
  double rows_ = 0.0;
  std::uint32_t begin_ = 0, pass_ = 0;
  Estimate first_, latest_;
};

}  // namespace

void estimate_expected(Compiler& compiler) {
  const Launch* launch = compiler.launch;
  if (launch == nullptr || !(launch->cell.nominal_capacity_C > 0.0) ||
      !(launch->cell.voltage_max_V > launch->cell.voltage_min_V)) {
    return;
  }
  // The stand-in changes to constant voltage by itself: the loop of the software would need every scan.
  Program& program = *compiler.program;
  std::vector<std::uint8_t> software_cv;
  for (Step& step : program.steps) software_cv.push_back(std::exchange(step.software_cv, std::uint8_t{0}));
  if (malformed(program) == nullptr) program.expected = Walk(compiler).run();
  for (std::size_t i = 0; i < program.steps.size(); ++i) program.steps[i].software_cv = software_cv[i];
}

}  // namespace cyclerd::profiles
