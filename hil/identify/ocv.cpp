#include "hil/identify/ocv.hpp"

#include <algorithm>
#include <cmath>

#include "hil/cells/table.hpp"

namespace cyclerd::hil {
namespace {

constexpr double kSlow_per_h = 0.125;  // C/8
constexpr double kLongRest_s = 600.0;
constexpr double kStartWeight_s = 1000.0;

// Finer where cells bend: near empty and full.
std::vector<double> soc_grid() {
  std::vector<double> out;
  for (int i = 0; i < 8; ++i) out.push_back(0.0025 * i);
  for (int i = 2; i <= 98; ++i) out.push_back(0.01 * i);
  for (int i = 7; i >= 0; --i) out.push_back(1.0 - 0.0025 * i);
  return out;
}

// Means of values that fall near grid points; gaps are bridged in a straight line, ends are carried on in a straight
// line.
class Binned {
 public:
  explicit Binned(const std::vector<double>& grid) : grid_(grid), sum_(grid.size()), weight_(grid.size()) {}

  void add(double x, double value, double weight) {
    if (x < grid_.front() - 0.005 || x > grid_.back() + 0.005 || !(weight > 0.0)) return;
    const auto right = static_cast<std::size_t>(
        std::clamp<std::ptrdiff_t>(std::upper_bound(grid_.begin(), grid_.end(), x) - grid_.begin(), 1,
                                   static_cast<std::ptrdiff_t>(grid_.size()) - 1));
    const double share = std::clamp((x - grid_[right - 1]) / (grid_[right] - grid_[right - 1]), 0.0, 1.0);
    put(right - 1, value, weight * (1.0 - share));
    put(right, value, weight * share);
  }
  [[nodiscard]] bool empty() const {
    return std::ranges::count_if(weight_, [](double w) { return w > 0.0; }) < 2;
  }
  [[nodiscard]] double share() const {
    const auto filled = std::ranges::count_if(weight_, [](double w) { return w > 0.0; });
    return static_cast<double>(filled) / static_cast<double>(weight_.size());
  }
  // `level_ends`: the first and last value are held instead of the slope.
  [[nodiscard]] std::vector<double> values(bool level_ends) const {
    std::vector<std::size_t> known;
    for (std::size_t i = 0; i < weight_.size(); ++i) {
      if (weight_[i] > 0.0) known.push_back(i);
    }
    std::vector<double> out(grid_.size());
    if (known.size() < 2) return out;
    const auto mean = [&](std::size_t i) { return sum_[i] / weight_[i]; };
    std::size_t k = 0;
    for (std::size_t i = 0; i < grid_.size(); ++i) {
      while (k + 2 < known.size() && known[k + 1] < i) ++k;
      const std::size_t a = known[k];
      const std::size_t b = known[k + 1];
      double share = (grid_[i] - grid_[a]) / (grid_[b] - grid_[a]);
      if (level_ends) share = std::clamp(share, 0.0, 1.0);
      out[i] = mean(a) + share * (mean(b) - mean(a));
    }
    return out;
  }

 private:
  void put(std::size_t i, double value, double weight) {
    sum_[i] += weight * value;
    weight_[i] += weight;
  }
  const std::vector<double>& grid_;
  std::vector<double> sum_, weight_;
};

// soc at every row when the fullest moment is 1.
std::vector<double> soc_of(const MeasuredRun& run, double capacity_C) {
  std::vector<double> out = run.charge_C();
  const double top = *std::ranges::max_element(out);
  for (double& q : out) q = 1.0 + (q - top) / capacity_C;
  return out;
}

double weight_s(const MeasuredRun& run, std::size_t i) {
  if (!run.counts[i]) return 0.0;
  const double before = i > 0 ? run.time_s[i] - run.time_s[i - 1] : 0.0;
  const double after = i + 1 < run.size() ? run.time_s[i + 1] - run.time_s[i] : 0.0;
  return 0.5 * (before + after);
}

// No open-circuit voltage lies below what was measured in a discharge to empty. A little is allowed, so that the end
// keeps its slope; a curve corrected by half a volt of overvoltage would carry on to minus twenty volts.
constexpr double kBelowLowest_V = 0.3;
double lowest(const std::vector<MeasuredRun>& runs) {
  double out = 1e9;
  for (const MeasuredRun& run : runs) out = std::min(out, *std::ranges::min_element(run.voltage_V));
  return out - kBelowLowest_V;
}

enum class Rows : std::uint8_t { slow, rests, all };

void collect(const std::vector<MeasuredRun>& runs, double capacity_C, Rows which, Binned& charge, Binned& discharge) {
  const double one_C_A = capacity_C / 3600.0;
  for (const MeasuredRun& run : runs) {
    const std::vector<double> soc = soc_of(run, capacity_C);
    const double rest_A = 0.01 * run.largest_current_A();
    double direction = 0.0;
    double rest_since_s = run.time_s.front();
    for (std::size_t i = 0; i < run.size(); ++i) {
      const double current_A = run.current_A[i];
      const bool moving = std::abs(current_A) > rest_A;
      if (moving) {
        direction = current_A;
        rest_since_s = run.time_s[i];
      }
      const bool rest_ends = !moving && run.time_s[i] - rest_since_s >= kLongRest_s &&
                             (i + 1 == run.size() || std::abs(run.current_A[i + 1]) > rest_A);
      const bool slow = moving && std::abs(current_A) <= kSlow_per_h * one_C_A;
      const bool wanted = which == Rows::slow ? slow : which == Rows::rests ? rest_ends : moving;
      if (!wanted || direction == 0.0) continue;
      (direction > 0.0 ? charge : discharge).add(soc[i], run.voltage_V[i], rest_ends ? 1.0 : weight_s(run, i));
    }
  }
}

}  // namespace

double charge_range_C(const MeasuredRun& run) {
  const auto [low, high] = std::ranges::minmax(run.charge_C());
  return high - low;
}

double capacity_from(const std::vector<MeasuredRun>& slow, const std::vector<MeasuredRun>& others) {
  // Charge and current of the run that passes through most.
  struct Most {
    double charge_C = 0.0, current_A = 0.0;
  };
  Most most;
  for (const MeasuredRun& run : slow) {
    const double charge_C = charge_range_C(run);
    if (charge_C > most.charge_C) most = {charge_C, run.largest_current_A()};
  }
  if (!(most.current_A > kSlow_per_h * most.charge_C / 3600.0)) return most.charge_C;
  double capacity_C = most.charge_C;
  for (const MeasuredRun& run : others) {
    const double charge_C = charge_range_C(run);
    const double current_A = run.largest_current_A();
    // Not a pulse or a drive cycle: half of the charge at least, at a rate of its own, at the same temperature.
    if (charge_C < 0.5 * most.charge_C || charge_C > most.charge_C || current_A < 1.2 * most.current_A) continue;
    if (std::abs(run.ambient_degC - slow.front().ambient_degC) > 3.0) continue;
    const double slope_s = (most.charge_C - charge_C) / (current_A - most.current_A);
    capacity_C = std::max(capacity_C, most.charge_C + slope_s * most.current_A);
  }
  return std::min(capacity_C, 1.1 * most.charge_C);
}

void make_rising(std::vector<double>& voltage_V) {
  if (voltage_V.empty()) return;
  // Pools neighbours that fall into their mean, so that noise moves the curve as little as can be.
  struct Block {
    double mean;
    double count;
  };
  std::vector<Block> blocks;
  for (const double v : voltage_V) {
    blocks.push_back({v, 1.0});
    while (blocks.size() > 1 && blocks[blocks.size() - 2].mean > blocks.back().mean) {
      const Block last = blocks.back();
      blocks.pop_back();
      Block& b = blocks.back();
      b.mean = (b.mean * b.count + last.mean * last.count) / (b.count + last.count);
      b.count += last.count;
    }
  }
  // Straight between the middles of pools: a pool written as a level with a jump at its end would be a stair, and a
  // cell made of it would show steps that no measurement has.
  double middle = 0.5 * (blocks.front().count - 1.0);
  double first = 0.0;  // knot at which the block begins
  std::size_t i = 0;
  for (std::size_t k = 0; k < blocks.size() && i < voltage_V.size(); ++k) {
    const bool last = k + 1 == blocks.size();
    const double next = last ? middle : first + blocks[k].count + 0.5 * (blocks[k + 1].count - 1.0);
    for (; i < voltage_V.size() && (last || static_cast<double>(i) <= next); ++i) {
      const double share = last ? 0.0 : std::clamp((static_cast<double>(i) - middle) / (next - middle), 0.0, 1.0);
      voltage_V[i] = blocks[k].mean + share * (last ? 0.0 : blocks[k + 1].mean - blocks[k].mean);
    }
    first += blocks[k].count;
    middle = next;
  }
  for (std::size_t k = 1; k < voltage_V.size(); ++k) voltage_V[k] = std::max(voltage_V[k], voltage_V[k - 1] + 1e-5);
}

OcvTable ocv_from_runs(const std::vector<MeasuredRun>& runs, double capacity_C) {
  OcvTable out;
  out.soc = soc_grid();
  out.temperature_degC = {runs.empty() ? 25.0 : runs.front().ambient_degC};
  const auto attempt = [&](Rows which, double enough, const char* words) {
    Binned charge(out.soc), discharge(out.soc);
    collect(runs, capacity_C, which, charge, discharge);
    if (std::max(charge.share(), discharge.share()) < enough) return false;
    std::vector<double> up = charge.values(false);
    std::vector<double> down = discharge.values(false);
    out.voltage_V = {discharge.empty() ? up : down};
    // Both directions of one run: the gap is hysteresis and twice the slow overvoltage; refine_ocv() tells them apart.
    const bool both = !charge.empty() && !discharge.empty() && std::min(charge.share(), discharge.share()) >= 0.8;
    if (both) {
      out.half_gap_V = {std::vector<double>(out.soc.size())};
      for (std::size_t i = 0; i < out.soc.size(); ++i) {
        out.voltage_V[0][i] = 0.5 * (up[i] + down[i]);
        out.half_gap_V[0][i] = std::max(0.0, 0.5 * (up[i] - down[i]));
      }
    }
    for (double& v : out.voltage_V[0]) v = std::max(v, lowest(runs));
    make_rising(out.voltage_V[0]);
    out.from = words;
    return true;
  };
  if (!attempt(Rows::slow, 0.7, "rows of at most C/8") && !attempt(Rows::rests, 4.0 / 113.0, "ends of long rests")) {
    attempt(Rows::all, 0.5, "a run under load, corrected for the fitted overvoltage");
  }
  out.sparse = out.from.starts_with("ends");
  return out;
}

namespace {

// A few rests and what lies between them: rests count most, and the curve moves only in wide stretches, so that it does
// not swallow what belongs to the overvoltage.
double refine_sparse(OcvTable& table, const std::vector<MeasuredRun>& runs, const std::vector<RunResult>& results,
                     double capacity_C) {
  // Narrower towards empty, where a cell falls by volts.
  std::vector<double> wide = {0.0, 0.005, 0.01, 0.02, 0.03, 0.045, 0.06, 0.08, 0.1};
  for (int i = 4; i <= 32; ++i) wide.push_back(i / 32.0);
  Binned misses(wide);
  for (std::size_t k = 0; k < runs.size(); ++k) {
    const MeasuredRun& run = runs[k];
    const std::vector<double> charge_C = run.charge_C();
    const double rest_A = 0.01 * run.largest_current_A();
    double rest_since_s = 0.0;
    for (std::size_t i = 0; i < run.size(); ++i) {
      if (std::abs(run.current_A[i]) > rest_A) rest_since_s = run.time_s[i];
      const double soc = results[k].start.start.soc + charge_C[i] / capacity_C;
      const double error = std::clamp(run.voltage_V[i] - results[k].voltage_V[i], -0.1, 0.1);
      const bool rested = run.time_s[i] - rest_since_s > kLongRest_s;
      misses.add(soc, error, weight_s(run, i) * (rested ? 1.0 : 0.1));
    }
  }
  const Curve move(Axis(wide), misses.values(true));
  double largest = 0.0;
  for (std::size_t i = 0; i < table.soc.size(); ++i) {
    const double by = move.clamped(table.soc[i]);
    table.voltage_V[0][i] += by;
    largest = std::max(largest, std::abs(by));
  }
  make_rising(table.voltage_V[0]);
  return largest;
}

}  // namespace

double refine_ocv(OcvTable& table, const std::vector<MeasuredRun>& runs, const std::vector<RunResult>& results,
                  double capacity_C) {
  if (table.sparse) return refine_sparse(table, runs, results, capacity_C);
  const double lowest_V = lowest(runs);
  Binned charge(table.soc), discharge(table.soc);
  for (std::size_t k = 0; k < runs.size(); ++k) {
    const MeasuredRun& run = runs[k];
    const std::vector<double> charge_C = run.charge_C();
    const double rest_A = 0.01 * run.largest_current_A();
    double direction = -1.0;
    double moving_s = -kLongRest_s;  // when a load ended last
    for (std::size_t i = 0; i < run.size(); ++i) {
      if (std::abs(run.current_A[i]) > rest_A) direction = run.current_A[i];
      const double soc = results[k].start.start.soc + charge_C[i] / capacity_C;
      const double error = std::clamp(run.voltage_V[i] - results[k].voltage_V[i], -0.1, 0.1);
      // The rest before a load is where runs are started from: it must be met.
      const bool start = std::abs(run.current_A[i]) <= rest_A && i + 1 < run.size() &&
                         std::abs(run.current_A[i + 1]) > rest_A && (i == 0 || run.time_s[i] - moving_s >= kLongRest_s);
      if (std::abs(run.current_A[i]) > rest_A) moving_s = run.time_s[i];
      (direction > 0.0 ? charge : discharge).add(soc, error, weight_s(run, i) + (start ? kStartWeight_s : 0.0));
    }
  }
  const std::vector<double> up = charge.values(true);
  const std::vector<double> down = discharge.values(true);
  double largest = 0.0;
  for (std::size_t i = 0; i < table.soc.size(); ++i) {
    double move = charge.empty() ? down[i] : up[i];
    if (!charge.empty() && !discharge.empty()) {
      move = table.half_gap_V.empty() ? down[i] : 0.5 * (up[i] + down[i]);
      if (!table.half_gap_V.empty()) {
        double& gap = table.half_gap_V[0][i];
        gap = std::max(0.0, gap + 0.5 * (up[i] - down[i]));
      }
    }
    table.voltage_V[0][i] += move;
    largest = std::max(largest, std::abs(move));
  }
  for (double& v : table.voltage_V[0]) v = std::max(v, lowest_V);
  make_rising(table.voltage_V[0]);
  return largest;
}

}  // namespace cyclerd::hil
