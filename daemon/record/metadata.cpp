#include "daemon/record/metadata.hpp"

#include <cmath>

namespace cyclerd::record {
namespace {

using Json = nlohmann::json;

Json number(double x) {
  return std::isfinite(x) ? Json(x) : Json(nullptr);
}

Json bound(const profiles::SafetyBound& b, double scale = 1.0) {
  return {{"min", number(b.min * scale)}, {"max", number(b.max * scale)}, {"dwell_s", b.dwell.seconds()}};
}

}  // namespace

Json program_metadata(const profiles::Program& p) {
  Json steps = Json::array();
  for (const profiles::Step& s : p.steps) {
    steps.push_back({{"name", p.text(s.name)}, {"type", p.text(s.type)}, {"line", s.line}});
  }
  const profiles::SafetyLimits& l = p.safety;
  return {{"name", p.name},
          {"title", p.title},
          {"text", p.source_text},
          {"source_sha256", p.source_sha256},
          {"canonical_sha256", p.canonical_sha256},
          {"compiled_sha256", p.compiled_sha256},
          {"nominal_capacity_Ah", p.nominal_capacity_C / 3600.0},
          {"scan_s", p.scan.seconds()},
          {"worst_case_duration_s", p.worst_case_duration.seconds()},
          {"steps", std::move(steps)},
          {"limits",
           {{"voltage_V", bound(l.voltage)},
            {"current_A", bound(l.current)},
            {"power_W", bound(l.power)},
            {"temperature_degC", bound(l.temperature)},
            {"chamber_degC", bound(l.chamber)},
            {"capacity_Ah", bound(l.capacity, 1.0 / 3600.0)},
            {"sensor_loss_s", l.sensor_loss.seconds()}}},
          {"envelope",
           {{"voltage_max_V", p.envelope.voltage_max_V},
            {"voltage_min_V", p.envelope.voltage_min_V},
            {"current_max_A", p.envelope.current_max_A},
            {"current_min_A", p.envelope.current_min_A},
            {"power_max_W", p.envelope.power_max_W},
            {"power_min_W", p.envelope.power_min_W}}}};
}

}  // namespace cyclerd::record
