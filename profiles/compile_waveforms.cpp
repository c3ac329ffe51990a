// Waveform files of `follow` steps: found, read, scaled in time, held against the bounds.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "profiles/codes.hpp"
#include "profiles/compile_parts.hpp"
#include "profiles/waveform.hpp"

namespace cyclerd::profiles {
namespace {

constexpr double kSecondsPerHour = 3600.0;

text::SourcePtr find_text(Compiler& compiler, const StepSyntax& step) {
  const Launch& launch = *compiler.launch;
  const auto fail = [&](std::string message, std::string help) {
    compiler.diagnostics.error(code::kWaveformFile, step.waveform_where, std::move(message), std::move(help));
    return nullptr;
  };
  if (!stays_inside(step.waveform)) {
    return fail(fmt::format("'{}' leads out of the profile's folder", step.waveform),
                "name a file in the profile's folder or a shipped waveform, for instance us06.csv");
  }
  if (const auto given = launch.waveforms.find(step.waveform); given != launch.waveforms.end()) {
    return std::make_shared<const text::Source>(text::Source{step.waveform, given->second});
  }
  if (!launch.waveform_library.empty()) {
    auto source = text::read_source(launch.waveform_library + "/" + step.waveform, kMaxWaveformBytes);
    if (source) return *source;
    if (source.error().code != base::ErrorCode::not_found) {
      return fail(fmt::format("cannot read the waveform: {}", source.error().text()), "");
    }
  }
  return fail(fmt::format("the waveform '{}' is not there", step.waveform),
              "put it beside the profile, or name a shipped waveform, for instance us06.csv");
}

void check_extremes(Compiler& compiler, const StepSyntax& step, const Waveform& waveform, double scale) {
  const auto [low_it, high_it] = std::minmax_element(waveform.value.begin(), waveform.value.end());
  const double high = std::max(*low_it * scale, *high_it * scale);
  const double low = std::min(*low_it * scale, *high_it * scale);
  const SetpointBounds& b = compiler.bounds;
  const Ceiling* above = &b.charge_A;
  const Ceiling* below = &b.discharge_A;
  text::Dimension dimension = text::dimension::kCurrent;
  if (waveform.quantity == WaveformQuantity::power) {
    above = &b.charge_W;
    below = &b.discharge_W;
    dimension = text::dimension::kPower;
  } else if (waveform.quantity == WaveformQuantity::voltage) {
    above = &b.voltage_max_V;
    below = &b.negated_voltage_min_V;
    dimension = text::dimension::kVoltage;
  }
  const auto report = [&](double extreme, const Ceiling& ceiling, double bound, const char* word) {
    auto& finding = compiler.diagnostics.error(
        code::kWaveformRange, step.waveform_where,
        fmt::format("the waveform reaches {}{}, {} {} ({})", text::format_quantity(extreme, dimension),
                    scale == 1.0 ? "" : fmt::format(" (scaled by {:.4g})", scale), word,
                    text::format_quantity(bound, dimension), ceiling.set_by),
        fmt::format("scale it, for instance scale = {:.3g}, or write clamp = \"limit\"",
                    std::floor(1000.0 * scale * bound / extreme) / 1000.0));
    if (ceiling.where.line != 0) {
      finding.related = ceiling.where;
      finding.related_label = ceiling.set_by;
    }
  };
  if (step.clamp_to_envelope) return;
  if (high > above->value) report(high, *above, above->value, "above");
  if (-low > below->value) report(low, *below, -below->value, "beyond");
}

void scale_time(Compiler& compiler, const StepSyntax& step, Waveform& waveform) {
  const double speed = compiler.value(step.speed).value_or(1.0);
  if (!(speed > 0.0) || speed > 1e6) {
    compiler.diagnostics.error(code::kMagnitude, step.speed.where, "speed must be above 0",
                               "speed = 8 plays the file eight times faster");
    return;
  }
  std::size_t below_scan = 0;
  std::int64_t previous_us = -1;
  for (std::int64_t& time_us : waveform.time_us) {
    time_us = std::max(previous_us + 1, static_cast<std::int64_t>(std::llround(static_cast<double>(time_us) / speed)));
    if (previous_us >= 0 && time_us - previous_us < compiler.launch->scan.us) ++below_scan;
    previous_us = time_us;
  }
  if (below_scan != 0) {
    compiler.diagnostics.warning(
        code::kWaveformScan, step.waveform_where,
        fmt::format("{} of {} points of the waveform are closer than the scan period of {}", below_scan,
                    waveform.time_us.size(),
                    text::format_quantity(compiler.launch->scan.seconds(), text::dimension::kTime)),
        "points between two scans are never asked for; lower speed or scan faster");
  }
}

// clamp = "limit": the executor cuts what goes beyond the bounds and reports for how long; here it is said in advance.
void count_cut_values(Compiler& compiler, const StepSyntax& step, const Waveform& waveform, double scale) {
  if (!step.clamp_to_envelope || waveform.quantity == WaveformQuantity::voltage || !(std::fabs(scale) > 0.0)) return;
  const SetpointBounds& b = compiler.bounds;
  const bool power = waveform.quantity == WaveformQuantity::power;
  double high = (power ? b.charge_W.value : b.charge_A.value) / scale;
  double low = -(power ? b.discharge_W.value : b.discharge_A.value) / scale;
  if (scale < 0.0) std::swap(high, low);
  const auto changed = std::count_if(waveform.value.begin(), waveform.value.end(),
                                     [&](double value) { return value < low || value > high; });
  if (changed != 0) {
    compiler.diagnostics.warning(
        code::kWaveformRange, step.waveform_where,
        fmt::format("{} of {} points of the waveform are cut to what is allowed", changed, waveform.value.size()),
        "the step moves less charge than the file says");
  }
}

}  // namespace

std::uint32_t compile_waveform(Compiler& compiler, const StepSyntax& step) {
  if (step.waveform.empty()) return kNoStep;
  if (compiler.launch == nullptr) {
    // An editor's check opens no files: a stand-in keeps the program well formed.
    Waveform none;
    none.time_us = {0, 1'000'000};
    none.value = {0.0, 0.0};
    none.name = step.waveform;
    compiler.program->waveforms.push_back(std::move(none));
    return static_cast<std::uint32_t>(compiler.program->waveforms.size()) - 1;
  }
  const text::SourcePtr source = find_text(compiler, step);
  if (source == nullptr) return kNoStep;
  auto waveform = parse_waveform(source, compiler.diagnostics);
  if (!waveform) return kNoStep;
  waveform->name = step.waveform;
  waveform->resample = step.resample;
  if (waveform->quantity == WaveformQuantity::c_rate) {
    for (double& value : waveform->value) value *= compiler.binding.nominal_capacity_C / kSecondsPerHour;
    // The executor sees amperes only.
    waveform->quantity = WaveformQuantity::current;
  }
  scale_time(compiler, step, *waveform);
  const double scale = step.scale.given ? compiler.value(step.scale).value_or(1.0) : 1.0;
  check_extremes(compiler, step, *waveform, scale);
  count_cut_values(compiler, step, *waveform, scale);
  if (waveform->quantity == WaveformQuantity::power && compiler.launch->cycler.can_power == 0) {
    compiler.diagnostics.error(code::kDeviceCannot, step.waveform_where, "the cycler cannot regulate power",
                               "use a waveform of current_A or current_C");
  }
  compiler.program->waveforms.push_back(std::move(*waveform));
  return static_cast<std::uint32_t>(compiler.program->waveforms.size()) - 1;
}

}  // namespace cyclerd::profiles
