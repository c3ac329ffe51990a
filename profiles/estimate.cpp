// The worst case: how long at most, how many rows.
#include <algorithm>
#include <cmath>
#include <limits>

#include "profiles/condition_ranges.hpp"

namespace cyclerd::profiles {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Cost {
  double seconds = 0.0;
  double rows = 0.0;
};

class Estimator {
 public:
  explicit Estimator(Compiler& compiler) : compiler_(compiler), program_(*compiler.program) {}

  [[nodiscard]] Cost block(std::uint32_t first, std::uint32_t end) const {
    Cost total;
    for (std::uint32_t i = first; i < end; ++i) {
      const Step& step = program_.steps[i];
      Cost cost;
      if (step.kind == StepKind::repeat_begin) {
        cost = block(i + 1, step.peer);
        const double passes = step.count.present() ? constant(step.count) : kInfinity;
        cost.seconds = cost.seconds > 0.0 ? cost.seconds * passes : 0.0;
        cost.rows = cost.rows > 0.0 ? cost.rows * passes : 0.0;
        i = step.peer;
      } else {
        cost = single(i);
      }
      total.seconds += cost.seconds;
      total.rows += cost.rows;
    }
    return total;
  }

  // A jump back can repeat anything any number of times.
  [[nodiscard]] bool jumps_back() const {
    for (std::uint32_t i = 0; i < program_.steps.size(); ++i) {
      const Step& step = program_.steps[i];
      for (std::uint32_t k = 0; k < step.condition_count; ++k) {
        const Condition& condition = program_.conditions[step.first_condition + k];
        if (condition.then == Then::go_to && condition.target <= i) return true;
      }
    }
    return false;
  }

 private:
  [[nodiscard]] double constant(ExpressionRef ref) const {
    return ref.count == 1 && program_.code[ref.first].op == Op::constant ? program_.code[ref.first].value : kInfinity;
  }

  [[nodiscard]] double longest_s(std::uint32_t index) const {
    const Step& step = program_.steps[index];
    if (step.kind == StepKind::advance_cycle || step.kind == StepKind::set || step.kind == StepKind::end) return 0.0;
    double bound = own_length_s(program_, index);
    if (step.kind == StepKind::chamber && !step.soak_within.present()) bound = program_.scan.seconds();
    const StepSyntax* syntax = compiler_.syntax[index];
    if (syntax == nullptr) return bound;
    compiler_.enter(index);
    for (std::size_t k = 0; k < syntax->until.size(); ++k) {
      const double dwell = program_.conditions[step.first_condition + k].dwell.seconds();
      bound = std::min(bound, time_bound_s(compiler_, syntax->until[k].when) + dwell);
    }
    return bound;
  }

  // Rows by `every`, plus one per voltage step across the cell's range, plus the ones around the step change. The
  // change of current is not counted: it is quiet but for the taper.
  [[nodiscard]] Cost single(std::uint32_t index) const {
    const Step& step = program_.steps[index];
    Cost cost;
    cost.seconds = longest_s(index);
    if (cost.seconds <= 0.0) return cost;
    const RecordRule& rule = program_.records[step.record];
    const double scan_s = std::max(1e-4, program_.scan.seconds());
    const double scans = cost.seconds / scan_s;
    double rows = 0.0;
    if (rule.every.us > 0) rows += cost.seconds / std::max(scan_s, rule.every.seconds());
    if (rule.voltage_V > 0.0 && step.kind != StepKind::rest) {
      rows += (program_.envelope.voltage_max_V - program_.envelope.voltage_min_V) / rule.voltage_V;
    }
    if (step.kind == StepKind::follow && (rule.voltage_V > 0.0 || rule.current_A > 0.0)) rows = scans;
    cost.rows = std::min(rows, scans) + 2.0 + rule.pretrigger.seconds() / scan_s;
    return cost;
  }

  Compiler& compiler_;
  const Program& program_;
};

}  // namespace

void estimate_worst_case(Compiler& compiler) {
  Program& program = *compiler.program;
  const Estimator estimator(compiler);
  const Cost total = estimator.block(0, static_cast<std::uint32_t>(program.steps.size()));
  constexpr double kLongest_s = 1e11;
  if (!std::isfinite(total.seconds) || total.seconds > kLongest_s || estimator.jumps_back()) return;
  program.worst_case_duration = {static_cast<std::int64_t>(std::llround(total.seconds * 1e6))};
  program.worst_case_rows = total.rows;
}

}  // namespace cyclerd::profiles
