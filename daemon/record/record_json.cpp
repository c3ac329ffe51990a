#include "daemon/record/record_json.hpp"

#include <cmath>

#include "daemon/record/storage.hpp"

namespace cyclerd::record {
namespace {

double hours(double coulomb_or_joule) {
  return coulomb_or_joule / 3600.0;
}
double seconds(std::int64_t us) {
  return static_cast<double>(us) / 1e6;
}

Json number(double x) {
  return std::isfinite(x) ? Json(x) : Json(nullptr);
}

void put(Json& line, const profiles::Throughput& t) {
  line["charging_capacity_Ah"] = hours(t.charge_C);
  line["discharging_capacity_Ah"] = hours(t.discharge_C);
  line["charging_energy_Wh"] = hours(t.charge_J);
  line["discharging_energy_Wh"] = hours(t.discharge_J);
}

}  // namespace

Json to_json(const base::Event& e) {
  Json line = {{"unix_time_s", seconds(e.wall.us)}, {"mono_us", e.time.us}, {"kind", base::to_string(e.kind)}};
  if (e.channel >= 0) line["channel"] = e.channel;
  if (!e.subject.empty()) line["subject"] = e.subject.view();
  if (!e.text.empty()) line["text"] = e.text.view();
  if (e.value != 0.0 || e.bound != 0.0) {
    line["value"] = number(e.value);
    line["bound"] = number(e.bound);
  }
  return line;
}

Json to_json(const profiles::StepSummary& s, const Json& program_steps) {
  Json line = {{"step_count", s.step_count},
               {"step_id", s.step_index},
               {"cycle_count", s.cycle_count},
               {"name", s.name.view()},
               {"start_s", seconds(s.start_test_time_us)},
               {"duration_s", seconds(s.duration_us)},
               {"cv_duration_s", seconds(s.cv_duration_us)},
               {"end", profiles::to_string(s.reason)},
               {"end_text", s.reason_text.view()}};
  if (program_steps.is_array() && s.step_index < program_steps.size()) {
    const Json& step = program_steps[s.step_index];
    if (step.is_object() && step.contains("type")) line["type"] = step["type"];
  }
  put(line, s.throughput);
  line["cv_capacity_Ah"] = hours(s.cv_charge_C);
  line["start_voltage_V"] = number(s.start_voltage_V);
  line["end_voltage_V"] = number(s.end_voltage_V);
  line["end_current_A"] = number(s.end_current_A);
  line["min_temperature_degC"] = number(s.min_temperature_degC);
  line["max_temperature_degC"] = number(s.max_temperature_degC);
  line["mean_temperature_degC"] = number(s.mean_temperature_degC);
  return line;
}

Json to_json(const profiles::CycleSummary& c) {
  Json line = {{"cycle_count", c.cycle_count},
               {"flags", c.flags},
               {"start_s", seconds(c.start_test_time_us)},
               {"duration_s", seconds(c.duration_us)}};
  put(line, c.throughput);
  line["coulombic_efficiency"] = number(c.coulombic_efficiency());
  line["energy_efficiency"] = number(c.energy_efficiency());
  line["min_temperature_degC"] = number(c.min_temperature_degC);
  line["max_temperature_degC"] = number(c.max_temperature_degC);
  return line;
}

std::string dump(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Json parse_or_null(std::string_view text) {
  Json value = Json::parse(text, nullptr, false);
  return value.is_discarded() ? Json() : value;
}

std::string text_at(const Json& value, const char* pointer, std::string absent) {
  const Json::json_pointer where(pointer);
  return value.contains(where) && value[where].is_string() ? value[where].get<std::string>() : absent;
}

std::string end_words(const Json& step) {
  const std::string why = text_at(step, "/end");
  const std::string text = text_at(step, "/end_text");
  if (text.empty()) return why;
  return why == "condition" || why == "complete" || why.empty() ? text : why + ": " + text;
}

std::vector<Json> read_lines(const std::string& path) {
  std::vector<Json> out;
  const auto text = read_text(path);
  if (!text) return out;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) break;  // still being written
    Json line = parse_or_null(rest.substr(0, end));
    if (line.is_object()) out.push_back(std::move(line));
    rest.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace cyclerd::record
