// What the language's tests share: a launch with an LG M50 on a roomy cycler, and short ways to compile.
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "profiles/compile.hpp"
#include "protocols/text/diagnostics.hpp"

namespace cyclerd::profiles::test {

inline text::SourcePtr source_of(std::string text, std::string name = "test.toml") {
  return std::make_shared<const text::Source>(text::Source{std::move(name), std::move(text)});
}

inline CellSpec lg_m50() {
  CellSpec cell;
  cell.name = cell.model = "LG M50";
  cell.chemistry = "nmc-graphite";
  cell.nominal_capacity_C = 18000.0;
  cell.voltage_max_V = 4.2;
  cell.voltage_min_V = 2.5;
  cell.charge_current_max_A = 5.0;
  cell.discharge_current_max_A = 10.0;
  return cell;
}

inline Launch roomy_launch() {
  Launch launch;
  launch.cell = lg_m50();
  launch.cycler.native_cv = launch.cycler.can_charge = launch.cycler.can_discharge = launch.cycler.can_power = 1;
  launch.cycler.voltage_max_V = 60.0;
  launch.cycler.current_max_A = 40.0;
  launch.cycler.current_min_A = -40.0;
  launch.cycler.power_max_W = 1000.0;
  launch.cycler.power_min_W = -1000.0;
  launch.chamber.kind = device::DeviceKind::chamber;
  launch.chamber.temperature_min_degC = -40.0;
  launch.chamber.temperature_max_degC = 90.0;
  launch.has_chamber = true;
  launch.has_cell_temperature = true;
  launch.initial_soc = 0.5;
  launch.waveform_library = CYCLERD_SOURCE_DIR "/profiles/library/waveforms";
  launch.procedure_library = CYCLERD_SOURCE_DIR "/profiles/library/procedures";
  return launch;
}

inline const std::string kHead = "profile = \"p\"\nschema = 1\n";

struct Compiled {
  std::unique_ptr<const Program> program;
  text::Diagnostics diagnostics;

  [[nodiscard]] const text::Diagnostic* find(const std::string& code) const {
    for (const auto& d : diagnostics.all()) {
      if (d.code == code) return &d;
    }
    return nullptr;
  }
  [[nodiscard]] std::vector<std::string> codes(text::Severity severity = text::Severity::error) const {
    std::vector<std::string> found;
    for (const auto& d : diagnostics.all()) {
      if (d.severity == severity) found.push_back(d.code);
    }
    return found;
  }
};

inline Compiled compile(const std::string& text, const Launch& launch = roomy_launch()) {
  Compiled result;
  result.program = compile_profile(source_of(text), launch, result.diagnostics);
  return result;
}

// `body` behind the head: one or more [[step]] tables.
inline Compiled compile_body(const std::string& body, const Launch& launch = roomy_launch()) {
  return compile(kHead + body, launch);
}

// The part of the file that a finding's caret stands under.
inline std::string marked(const text::Diagnostic& d) {
  const std::string& text = d.where.source->text;
  std::size_t begin = 0;
  for (std::uint32_t line = 1; line < d.where.line; ++line) begin = text.find('\n', begin) + 1;
  return text.substr(begin + d.where.column - 1, d.where.length);
}

}  // namespace cyclerd::profiles::test
