// Everything of an expansion but its steps: parameters, limits, record rules, waveforms.
#include "profiles/expand.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "profiles/expand_parts.hpp"
#include "profiles/waveform.hpp"

namespace cyclerd::profiles {
namespace {

ExpandedValue number(double value, const Type& type) {
  if (std::isnan(value)) return {};
  return {value_words(value, type), "", value, base_unit_words(type)};
}

std::vector<ExpandedParameter> expand_parameters(const Compiler& compiler) {
  std::vector<ExpandedParameter> list;
  const Binding& binding = compiler.bindings.front();
  for (const auto& [name, parameter] : compiler.profile.names.parameters) {
    ExpandedParameter out;
    out.name = name;
    out.standard = canonical_text(parameter.value);
    out.min = canonical_text(parameter.min);
    out.max = canonical_text(parameter.max);
    out.help = parameter.help;
    const auto known = binding.parameters->known.find(name);
    if (known != binding.parameters->known.end() && !std::isnan(known->second)) {
      out.value = number(known->second, parameter.type);
    } else {
      out.value = expanded_value(parameter.value, binding);
    }
    list.push_back(std::move(out));
  }
  return list;
}

struct Bound {
  const char* name;
  SafetyBound SafetyLimits::*merged;
  BoundSyntax SafetySyntax::*written;
  Type type;
};
constexpr Bound kBounds[] = {
    {"voltage", &SafetyLimits::voltage, &SafetySyntax::voltage, type::kVoltage},
    {"current", &SafetyLimits::current, &SafetySyntax::current, type::kCurrent},
    {"power", &SafetyLimits::power, &SafetySyntax::power, type::kPower},
    {"temperature", &SafetyLimits::temperature, &SafetySyntax::temperature, type::kTemperature},
    {"chamber", &SafetyLimits::chamber, &SafetySyntax::chamber, type::kTemperature},
    {"capacity", &SafetyLimits::capacity, &SafetySyntax::capacity, type::kCapacity},
};

// With a launch the tightest of station, cell and profile; without one what the profile says.
std::vector<ExpandedBound> expand_limits(const Compiler& compiler) {
  std::vector<ExpandedBound> list;
  for (const Bound& bound : kBounds) {
    ExpandedBound out;
    out.name = bound.name;
    if (compiler.launch != nullptr) {
      const SafetyBound& merged = compiler.program->safety.*bound.merged;
      out.min = number(merged.min, bound.type);
      out.max = number(merged.max, bound.type);
      if (merged.dwell.us > 0) out.dwell = number(merged.dwell.seconds(), type::kTime);
    } else {
      const BoundSyntax& written = compiler.profile.safety.*bound.written;
      out.min = expanded_value(written.min, compiler.bindings.front());
      out.max = expanded_value(written.max, compiler.bindings.front());
      out.dwell = expanded_value(written.dwell, compiler.bindings.front());
    }
    if (out.min.given() || out.max.given()) list.push_back(std::move(out));
  }
  return list;
}

std::vector<ExpandedBound> expand_envelope(const Envelope& e) {
  return {{"voltage", number(e.voltage_min_V, type::kVoltage), number(e.voltage_max_V, type::kVoltage), {}},
          {"current", number(e.current_min_A, type::kCurrent), number(e.current_max_A, type::kCurrent), {}},
          {"power", number(e.power_min_W, type::kPower), number(e.power_max_W, type::kPower), {}}};
}

ExpandedWaveform describe_waveform(const Waveform& w, std::string name) {
  ExpandedWaveform out;
  out.name = std::move(name);
  switch (w.quantity) {
    case WaveformQuantity::current: out.quantity = "current", out.unit = "A"; break;
    case WaveformQuantity::c_rate: out.quantity = "current", out.unit = "C"; break;
    case WaveformQuantity::power: out.quantity = "power", out.unit = "W"; break;
    case WaveformQuantity::voltage: out.quantity = "voltage", out.unit = "V"; break;
  }
  out.resample = w.resample == Resample::linear ? "linear" : "hold";
  out.points = w.value.size();
  if (w.value.empty()) return out;
  const auto [low, high] = std::minmax_element(w.value.begin(), w.value.end());
  out.min = *low;
  out.max = *high;
  out.length_s = static_cast<double>(w.time_us.back()) * 1e-6;
  double area = 0.0;
  for (std::size_t i = 1; i < w.value.size(); ++i) {
    const double level = w.resample == Resample::linear ? (w.value[i - 1] + w.value[i]) / 2 : w.value[i - 1];
    area += level * static_cast<double>(w.time_us[i] - w.time_us[i - 1]) * 1e-6;
  }
  out.mean = out.length_s > 0.0 ? area / out.length_s : out.min;
  return out;
}

// Without a launch nothing was compiled of a waveform: its file is read here, with the file's own clock.
std::optional<ExpandedWaveform> read_waveform(const ProfileFiles& files, const StepSyntax& step) {
  text::SourcePtr source;
  if (const auto given = files.waveforms.find(step.waveform); given != files.waveforms.end()) {
    source = std::make_shared<const text::Source>(text::Source{step.waveform, given->second});
  } else if (stays_inside(step.waveform) && !files.waveform_library.empty()) {
    const auto shipped = text::read_source(files.waveform_library + "/" + step.waveform, kMaxWaveformBytes);
    if (shipped) source = *shipped;
  }
  if (source == nullptr) return std::nullopt;
  text::Diagnostics ignored;
  auto waveform = parse_waveform(source, ignored);
  if (!waveform) return std::nullopt;
  waveform->resample = step.resample;
  return describe_waveform(*waveform, step.waveform);
}

std::vector<ExpandedWaveform> expand_waveforms(const Compiler& compiler, const ProfileFiles* files) {
  std::vector<ExpandedWaveform> list;
  for (std::size_t i = 0; i < compiler.program->steps.size(); ++i) {
    const StepSyntax* syntax = compiler.syntax[i];
    if (syntax == nullptr || syntax->kind != StepKind::follow) continue;
    std::optional<ExpandedWaveform> out;
    if (files == nullptr) {
      out = describe_waveform(compiler.program->waveforms[compiler.program->steps[i].waveform], syntax->waveform);
    } else {
      out = read_waveform(*files, *syntax);
    }
    if (!out) continue;
    const bool known = std::any_of(list.begin(), list.end(), [&](const ExpandedWaveform& w) {
      return w.name == out->name && w.length_s == out->length_s && w.resample == out->resample;
    });
    if (!known) list.push_back(std::move(*out));
  }
  return list;
}

void expand(Compiler& compiler, const ProfileFiles* files, Expansion& out) {
  const ProfileSyntax& profile = compiler.profile;
  out.name = profile.name;
  out.title = profile.title;
  out.description = profile.description;
  out.chemistries = profile.chemistries;
  out.parameters = expand_parameters(compiler);
  out.limits = expand_limits(compiler);
  const ExpandedValue sensor_loss = expanded_value(profile.safety.sensor_loss, compiler.bindings.front());
  out.sensor_loss = compiler.launch != nullptr || !sensor_loss.given()
                        ? number(compiler.program->safety.sensor_loss.seconds(), type::kTime)
                        : sensor_loss;
  Binding nominal = compiler.bindings.front();
  nominal.measured = false;
  out.record = record_values(compiler, nullptr, false, nominal);
  out.waveforms = expand_waveforms(compiler, files);
  out.steps = expand_steps(compiler);
  if (compiler.launch == nullptr) return;
  out.with_cell = true;
  const CellSpec& cell = compiler.launch->cell;
  out.cell = fmt::format("{} ({}, {}): rated {} to {}, charge {}, discharge {}", cell.model, cell.chemistry,
                         text::format_quantity(cell.nominal_capacity_C, text::dimension::kCapacity),
                         text::format_quantity(cell.voltage_min_V, text::dimension::kVoltage),
                         text::format_quantity(cell.voltage_max_V, text::dimension::kVoltage),
                         text::format_quantity(cell.charge_current_max_A, text::dimension::kCurrent),
                         text::format_quantity(cell.discharge_current_max_A, text::dimension::kCurrent));
  out.envelope = expand_envelope(compiler.program->envelope);
}

}  // namespace

std::optional<Expansion> expand_profile(const text::SourcePtr& source, const Launch& launch,
                                        text::Diagnostics& diagnostics) {
  std::optional<Expansion> expansion;
  (void)run_compiler(source, &launch, launch.procedure_library, diagnostics,
                     [&](Compiler& compiler) { expand(compiler, nullptr, expansion.emplace()); });
  return expansion;
}

std::optional<Expansion> expand_profile(const text::SourcePtr& source, const ProfileFiles& files,
                                        text::Diagnostics& diagnostics) {
  std::optional<Expansion> expansion;
  (void)run_compiler(source, nullptr, files.procedure_library, diagnostics,
                     [&](Compiler& compiler) { expand(compiler, &files, expansion.emplace()); });
  return expansion;
}

}  // namespace cyclerd::profiles
