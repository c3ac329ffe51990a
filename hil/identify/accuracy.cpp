#include "hil/identify/accuracy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

namespace cyclerd::hil {
namespace {

AccuracyLine line_of(const MeasuredRun& run, const CellSet& set, const AccuracyOptions& options) {
  AccuracyLine line;
  line.run = run.name;
  line.set = set.name;
  line.model = set.model->name();
  line.sample = options.sample;
  line.ambient_degC = run.ambient_degC;
  return line;
}

// All pulses of a temperature in one line: means over all their time, the worst of all.
struct PulseSum {
  AccuracyLine line;
  double square = 0.0, middle = 0.0, mean = 0.0, seconds = 0.0;

  void add(const RunResult& result) {
    const RunStatistics& s = result.statistics;
    square += s.duration_s * s.rmse_mV * s.rmse_mV;
    middle += s.duration_s * s.middle_rmse_mV * s.middle_rmse_mV;
    mean += s.duration_s * s.mean_mV;
    seconds += s.duration_s;
    if (std::abs(s.max_mV) > std::abs(line.statistics.max_mV)) {
      line.statistics.max_mV = s.max_mV;
      line.statistics.max_at_s = s.max_at_s;
    }
    line.start_miss_mV = std::max(line.start_miss_mV, 1e3 * std::abs(result.start.miss_V));
    line.flags |= result.flags;
    ++line.pulses;
  }
  AccuracyLine finish() {
    line.statistics.duration_s = seconds;
    if (seconds > 0.0) {
      line.statistics.rmse_mV = std::sqrt(square / seconds);
      line.statistics.middle_rmse_mV = std::sqrt(middle / seconds);
      line.statistics.mean_mV = mean / seconds;
    }
    return line;
  }
};

std::string clock(double seconds) {
  const auto s = static_cast<long>(std::llround(seconds));
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

std::string end_text(const RunStatistics& s) {
  if (std::isnan(s.end_time_s)) return "-";
  return fmt::format("{}{:+.0f} s ({:+.1f} %)", s.end_not_reached ? ">" : "", s.end_time_s,
                     1e2 * s.end_time_s / s.stretch_s);
}

std::string kelvin_text(double value, bool with_sign) {
  if (std::isnan(value)) return "-";
  return with_sign ? fmt::format("{:+.2f}", value) : fmt::format("{:.2f}", value);
}

const char* word(Sample sample) {
  return sample == Sample::fitted ? "fitted" : sample == Sample::held_out ? "held out" : "";
}

nlohmann::json number(double x) {
  return std::isfinite(x) ? nlohmann::json(x) : nlohmann::json();
}

}  // namespace

void add_accuracy(const MeasuredFile& file, const CellSet& set, const AccuracyOptions& options,
                  std::vector<AccuracyLine>& lines) {
  std::map<double, PulseSum> pulses;
  for (const MeasuredRun& run : file.runs) {
    const RunResult result = evaluate(*set.model, run, options.evaluate);
    if (file.pulses) {
      auto [it, fresh] = pulses.try_emplace(run.ambient_degC);
      if (fresh) {
        it->second.line = line_of(run, set, options);
        it->second.line.run = file.name;
      }
      it->second.add(result);
      continue;
    }
    AccuracyLine line = line_of(run, set, options);
    line.start_soc = result.start.start.soc;
    line.start_miss_mV = 1e3 * std::abs(result.start.miss_V);
    line.flags = result.flags;
    line.statistics = result.statistics;
    if (options.look) options.look(run, set, result);
    lines.push_back(std::move(line));
  }
  for (auto& [degC, sum] : pulses) lines.push_back(sum.finish());
}

std::string accuracy_table(const std::vector<AccuracyLine>& lines) {
  std::size_t run_wide = 3, set_wide = 3;
  for (const AccuracyLine& line : lines) {
    run_wide = std::max(run_wide, line.run.size());
    set_wide = std::max(set_wide, line.set.size());
  }
  std::string out =
      fmt::format("{:<{}}  {:<{}}  {:<7} {:<8}  {:>5}  {:>9}  {:>7} {:>7} {:>8} {:>10}  {:>20}  {:>6} {:>6}  {:>6}\n",
                  "run", run_wide, "set", set_wide, "model", "data", "degC", "duration", "rmse mV", "5-95 %", "max mV",
                  "at", "end time", "T rmse", "T end", "soc");
  for (const AccuracyLine& line : lines) {
    const RunStatistics& s = line.statistics;
    const std::string start =
        line.pulses > 0 ? fmt::format("{} x", line.pulses) : fmt::format("{:.3f}", line.start_soc);
    out += fmt::format(
        "{:<{}}  {:<{}}  {:<7} {:<8}  {:>5.1f}  {:>9}  {:>7.1f} {:>7.1f} {:>+8.1f} {:>10}  {:>20}  {:>6} {:>6}  "
        "{:>6}\n",
        line.run, run_wide, line.set, set_wide, line.model, word(line.sample), line.ambient_degC, clock(s.duration_s),
        s.rmse_mV, s.middle_rmse_mV, s.max_mV, clock(s.max_at_s), end_text(s), kelvin_text(s.temperature_rmse_K, false),
        kelvin_text(s.temperature_end_K, true), start);
    if (line.start_miss_mV > 5.0) {
      out += fmt::format("    the start voltage is {:.0f} mV from any that this set has at rest\n", line.start_miss_mV);
    }
  }
  return out;
}

std::string accuracy_json(const std::vector<AccuracyLine>& lines) {
  nlohmann::json out = nlohmann::json::array();
  for (const AccuracyLine& line : lines) {
    const RunStatistics& s = line.statistics;
    out.push_back({{"run", line.run},
                   {"set", line.set},
                   {"model", line.model},
                   {"data", word(line.sample)},
                   {"ambient_degC", line.ambient_degC},
                   {"duration_s", s.duration_s},
                   {"pulses", line.pulses},
                   {"start_soc", number(line.start_soc)},
                   {"start_miss_mV", line.start_miss_mV},
                   {"rmse_mV", s.rmse_mV},
                   {"middle_rmse_mV", s.middle_rmse_mV},
                   {"mean_mV", s.mean_mV},
                   {"max_mV", s.max_mV},
                   {"max_at_s", s.max_at_s},
                   {"end_time_error_s", number(s.end_time_s)},
                   {"end_not_reached", s.end_not_reached},
                   {"constant_current_s", number(s.stretch_s)},
                   {"temperature_rmse_K", number(s.temperature_rmse_K)},
                   {"temperature_end_K", number(s.temperature_end_K)},
                   {"flags", line.flags}});
  }
  return out.dump(1) + "\n";
}

}  // namespace cyclerd::hil
