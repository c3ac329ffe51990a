#include "daemon/app/expansion_json.hpp"

#include <cmath>

namespace cyclerd::app {
namespace {

using control::Json;
using profiles::ExpandedValue;

Json value_json(const ExpandedValue& value) {
  if (!value.given()) return nullptr;
  Json json{{"text", value.text}};
  json["value"] = std::isnan(value.value) ? Json(nullptr) : Json(value.value);
  json["unit"] = value.unit;
  json["written"] = value.written.empty() ? value.text : value.written;
  return json;
}

Json values_json(const profiles::ExpandedValues& values) {
  Json json = Json::object();
  for (const auto& [key, value] : values) json[key] = value_json(value);
  return json;
}

Json bounds_json(const std::vector<profiles::ExpandedBound>& bounds) {
  Json json = Json::object();
  for (const profiles::ExpandedBound& b : bounds) {
    json[b.name] = {{"min", value_json(b.min)}, {"max", value_json(b.max)}, {"for", value_json(b.dwell)}};
  }
  return json;
}

Json index_json(std::uint32_t index) {
  return index == profiles::kNoStep ? Json(nullptr) : Json(index);
}

Json step_json(const profiles::ExpandedStep& step) {
  Json until = Json::array();
  for (const profiles::ExpandedCondition& c : step.until) {
    until.push_back({{"when", value_json(c.when)},
                     {"for", value_json(c.dwell)},
                     {"then", c.then},
                     {"target", index_json(c.target)},
                     {"reason", c.reason},
                     {"never", c.never}});
  }
  Json json{{"index", step.index},
            {"depth", step.depth},
            {"line", step.line},
            {"name", step.name},
            {"type", step.type},
            {"does", step.does},
            {"ends", step.then},
            {"values", values_json(step.values)},
            {"next", index_json(step.next)},
            {"when", value_json(step.when)},
            {"until", std::move(until)},
            {"record", values_json(step.record)}};
  json["peer"] = step.peer == 0 && step.type.find("_END") == std::string::npos ? Json(nullptr) : Json(step.peer);
  json["waveform"] = step.waveform.empty() ? Json(nullptr) : Json(step.waveform);
  return json;
}

}  // namespace

Json describe_expansion(const profiles::Expansion& x) {
  Json parameters = Json::array();
  for (const profiles::ExpandedParameter& p : x.parameters) {
    parameters.push_back({{"name", p.name},
                          {"value", value_json(p.value)},
                          {"default", p.standard},
                          {"min", p.min.empty() ? Json(nullptr) : Json(p.min)},
                          {"max", p.max.empty() ? Json(nullptr) : Json(p.max)},
                          {"help", p.help}});
  }
  Json waveforms = Json::array();
  for (const profiles::ExpandedWaveform& w : x.waveforms) {
    waveforms.push_back({{"name", w.name},
                         {"quantity", w.quantity},
                         {"unit", w.unit},
                         {"resample", w.resample},
                         {"points", w.points},
                         {"length_s", w.length_s},
                         {"min", w.min},
                         {"max", w.max},
                         {"mean", w.mean}});
  }
  Json steps = Json::array();
  for (const profiles::ExpandedStep& step : x.steps) steps.push_back(step_json(step));
  return {{"name", x.name},
          {"title", x.title},
          {"description", x.description},
          {"chemistry", x.chemistries},
          {"cell", x.with_cell ? Json(x.cell) : Json(nullptr)},
          {"parameters", std::move(parameters)},
          {"limits", bounds_json(x.limits)},
          {"sensor_loss", value_json(x.sensor_loss)},
          {"envelope", bounds_json(x.envelope)},
          {"record", values_json(x.record)},
          {"waveforms", std::move(waveforms)},
          {"steps", std::move(steps)}};
}

}  // namespace cyclerd::app
