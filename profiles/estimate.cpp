// The worst case: how long at most, how many rows, how much charge, whether the disk holds it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "profiles/codes.hpp"
#include "profiles/condition_ranges.hpp"

namespace cyclerd::profiles {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Cost {
  double seconds = 0.0;
  double rows = 0.0;
  double charge_C = 0.0;
  double energy_J = 0.0;
};
constexpr double Cost::*kParts[] = {&Cost::seconds, &Cost::rows, &Cost::charge_C, &Cost::energy_J};

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
        for (double Cost::*part : kParts) cost.*part = cost.*part > 0.0 ? cost.*part * passes : 0.0;
        i = step.peer;
      } else {
        cost = single(i);
      }
      for (double Cost::*part : kParts) total.*part += cost.*part;
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

  [[nodiscard]] Cost single(std::uint32_t index) const {
    Cost cost;
    cost.seconds = longest_s(index);
    if (cost.seconds <= 0.0) return cost;
    cost.rows = rows_of(program_, index, cost.seconds);
    cost.charge_C = most_moved_C(index, cost.seconds);
    cost.energy_J = cost.charge_C > 0.0 ? cost.charge_C * most_voltage_V(compiler_, index) : 0.0;
    return cost;
  }

  // At its full current all the time, or until [safety] capacity trips.
  [[nodiscard]] double most_moved_C(std::uint32_t index, double seconds) const {
    if (compiler_.syntax[index] == nullptr) return 0.0;
    compiler_.enter(index);
    const double flow_A = most_current_A(compiler_, index);
    if (!(flow_A > 0.0)) return 0.0;
    const double trip_C = program_.safety.capacity.max;
    return std::isnan(trip_C) ? flow_A * seconds : std::min(trip_C, flow_A * seconds);
  }

  Compiler& compiler_;
  const Program& program_;
};

// Bytes on disk, as the journal and the columns take them (record format 1, measured). The journal keeps all inputs of
// a test until it has ended: until then they stand on the disk, however seldom a row is kept.
constexpr double kInput_bytes = 144.0;  // every scan
constexpr double kRow_bytes = 320.0;    // every row that is kept, in the journal and in the columns

constexpr double kDiskWarning = 0.8;

double input_bytes(const Estimate& estimate, base::Duration scan) noexcept {
  if (estimate.duration.us <= 0 || scan.us <= 0) return 0.0;
  return static_cast<double>(estimate.duration.us) / static_cast<double>(scan.us) * kInput_bytes;
}

// What is expected; the worst case where nothing is.
const Estimate& expected_or(const Estimate& worst, const Program& program) noexcept {
  return program.expected.duration.us > 0 ? program.expected : worst;
}

}  // namespace

double record_bytes(const Estimate& estimate, base::Duration scan) noexcept {
  if (estimate.duration.us <= 0 || scan.us <= 0) return 0.0;
  const double scans = static_cast<double>(estimate.duration.us) / static_cast<double>(scan.us);
  return input_bytes(estimate, scan) +
         (std::isnan(estimate.rows) ? scans : std::min(scans, estimate.rows)) * kRow_bytes;
}

double expected_record_bytes(const Program& program) noexcept {
  Estimate worst;
  worst.duration = program.worst_case_duration;
  worst.rows = program.worst_case_rows;
  return record_bytes(expected_or(worst, program), program.scan);
}

// Rows by `every`, plus one per voltage step across the cell's range, plus the ones around the step change. The change
// of current is not counted: it is quiet but for the taper.
double rows_of(const Program& program, std::size_t index, double seconds) {
  const Step& step = program.steps[index];
  const RecordRule& rule = program.records[step.record];
  const double scan_s = std::max(1e-4, program.scan.seconds());
  const double scans = seconds / scan_s;
  double rows = 0.0;
  if (rule.every.us > 0) rows += seconds / std::max(scan_s, rule.every.seconds());
  if (rule.voltage_V > 0.0 && step.kind != StepKind::rest) {
    rows += (program.envelope.voltage_max_V - program.envelope.voltage_min_V) / rule.voltage_V;
  }
  if (step.kind == StepKind::follow && (rule.voltage_V > 0.0 || rule.current_A > 0.0)) rows = scans;
  return std::min(rows, scans) + 2.0 + rule.pretrigger.seconds() / scan_s;
}

void check_disk(Compiler& compiler) {
  if (compiler.launch == nullptr || std::isnan(compiler.launch->free_bytes)) return;
  const Program& program = *compiler.program;
  Estimate worst;
  worst.duration = program.worst_case_duration;
  worst.rows = program.worst_case_rows;
  const double worst_bytes = record_bytes(worst, program.scan);
  const double likely_bytes = expected_record_bytes(program);
  const double free = compiler.launch->free_bytes;
  if (worst_bytes <= kDiskWarning * free && likely_bytes <= free) return;
  constexpr double kMebi = 1024.0 * 1024.0;
  const double of_inputs = input_bytes(likely_bytes > free ? expected_or(worst, program) : worst, program.scan);
  const double of_all = likely_bytes > free ? likely_bytes : worst_bytes;
  const char* help =
      of_inputs > 0.5 * of_all
          ? "most of it is the journal of every scan, which is kept until the test has ended: make "
            "room, lengthen the station's scan period, split the test, or give steps a shorter time guard"
          : "make room, lengthen every in [record], or give steps a shorter time guard";
  if (likely_bytes > free) {
    compiler.diagnostics.error(code::kDisk, compiler.profile.where,
                               fmt::format("the record is expected to take {:.1f} MiB, {:.1f} MiB are free",
                                           likely_bytes / kMebi, free / kMebi),
                               help);
  } else {
    compiler.diagnostics.warning(
        code::kDisk, compiler.profile.where,
        fmt::format("the record takes up to {:.1f} MiB, {:.1f} MiB are free", worst_bytes / kMebi, free / kMebi), help);
  }
}

void estimate_worst_case(Compiler& compiler) {
  Program& program = *compiler.program;
  const Estimator estimator(compiler);
  const Cost total = estimator.block(0, static_cast<std::uint32_t>(program.steps.size()));
  constexpr double kLongest_s = 1e11;
  if (!std::isfinite(total.seconds) || total.seconds > kLongest_s || estimator.jumps_back()) return;
  program.worst_case_duration = {static_cast<std::int64_t>(std::llround(total.seconds * 1e6))};
  program.worst_case_rows = total.rows;
  if (compiler.launch == nullptr || !std::isfinite(total.charge_C) || !std::isfinite(total.energy_J)) return;
  program.worst_case_charge_C = total.charge_C;
  program.worst_case_energy_J = total.energy_J;
}

}  // namespace cyclerd::profiles
