#include <fmt/format.h>

#include <cmath>

#include "hil/cells/read_table.hpp"
#include "hil/lab/read_lab.hpp"
#include "hil/plant/fault_words.hpp"

namespace cyclerd::hil {
namespace {

namespace dim = text::dimension;

// "good" and "cheap" are what testers of the two ends of the market show of themselves; every key may say otherwise.
void take_class(std::string_view word, PlantConfig& p) {
  if (word == "good") {
    p.stage.rise_time_constant_s = 1e-3;
    p.voltage_accuracy.class_of_full_scale = p.current_accuracy.class_of_full_scale = 0.0002;
    p.voltage_accuracy.drift_per_K = p.current_accuracy.drift_per_K = 20e-6;
    p.voltage = {1.0, 0.0, 0.05e-3, 0.1e-3};
    p.current = {1.0, 0.0, 0.25e-3, 0.1e-3};
    p.temperature = {1.0, 0.0, 0.01, 0.01};
    p.sampling = base::milliseconds(10);
    p.stage.ovp_margin = 0.05;
    p.stage.ocp_margin = 0.10;
  } else if (word == "cheap") {
    p.stage.rise_time_constant_s = 5e-3;
    p.stage.voltage_overshoot_V = 5e-3;
    p.stage.voltage_loop_s = 10e-3;
    p.stage.bleeder_Ohm = 10e3;
    p.voltage_accuracy.class_of_full_scale = p.current_accuracy.class_of_full_scale = 0.005;
    p.voltage_accuracy.drift_per_K = p.current_accuracy.drift_per_K = 100e-6;
    p.voltage = {1.0, 0.0, 0.5e-3, 1e-3};
    p.current = {1.0, 0.0, 5e-3, 10e-3};
    p.temperature = {1.0, 0.0, 0.05, 0.1};
    p.probe.lag_s = 15.0;
    p.sampling = base::milliseconds(100);
    p.current_delay = base::milliseconds(20);
    p.stage.ovp_margin = 0.05;
    p.stage.ocp_margin = 0.10;
  }
}

void read_ratings(text::TableReader& reader, StageConfig& s) {
  take(read_bounded(reader, "voltage_max", dim::kVoltage, 0.1, 1500.0, false), s.voltage_max_V);
  take(read_bounded(reader, "current_max", dim::kCurrent, 1e-6, 5000.0, false), s.current_max_A);
  s.current_min_A = -s.current_max_A;
  take(read_bounded(reader, "power_max", dim::kPower, 1e-6, 1e6, false), s.power_max_W);
  s.power_min_W = -s.power_max_W;
}

void read_stage(text::TableReader& reader, bool quantises, StageConfig& s) {
  take(read_bounded(reader, "rise_time_constant", dim::kTime, 0.0, 1.0, false), s.rise_time_constant_s);
  take(read_bounded(reader, "slew", dim::kCurrentRate, 0.0, 1e6, false), s.slew_A_per_s);
  take(read_bounded(reader, "voltage_overshoot", dim::kVoltage, 0.0, 0.02, false), s.voltage_overshoot_V);
  take(read_bounded(reader, "voltage_loop_time_constant", dim::kTime, 1e-4, 1.0, false), s.voltage_loop_s);
  take(read_bounded(reader, "bleeder_resistance", dim::kResistance, 1.0, 1e9, false), s.bleeder_Ohm);
  take(read_bounded(reader, "reverse_drain", dim::kCurrent, 0.0, 1.0, false), s.reverse_drain_A);
  take(read_bounded(reader, "overvoltage_trip", dim::kNone, 0.0, 1.0, false), s.ovp_margin);
  take(read_bounded(reader, "overcurrent_trip", dim::kNone, 0.0, 1.0, false), s.ocp_margin);
  take(read_number(reader, "voltage_gain", {0.5, 2.0, ""}, false), s.voltage_gain);
  take(read_bounded(reader, "voltage_offset", dim::kVoltage, -10.0, 10.0, false), s.voltage_offset_V);
  take(read_number(reader, "current_gain", {0.5, 2.0, ""}, false), s.current_gain);
  take(read_bounded(reader, "current_offset", dim::kCurrent, -10.0, 10.0, false), s.current_offset_A);
  if (quantises) {  // its own registers quantise
    s.voltage_step_V = s.current_step_A = 0.0;
    return;
  }
  take(read_bounded(reader, "voltage_step", dim::kVoltage, 0.0, 1.0, false), s.voltage_step_V);
  take(read_bounded(reader, "current_step", dim::kCurrent, 0.0, 10.0, false), s.current_step_A);
}

// A list of full scales, rising and not above the rating.
std::vector<double> read_ranges(text::TableReader& reader, std::string_view key, text::Dimension dimension,
                                double rating) {
  std::vector<double> ranges;
  const text::TomlNode* list = reader.optional_array(key);
  if (list == nullptr) return ranges;
  auto refuse = [&](const text::TomlNode& where, const std::string& why) {
    reader.diagnostics().error(
        "L010", where.value, fmt::format("`{}`: {}", key, why),
        fmt::format("write rising full scales, each with its unit: {} = [\"{}\", \"{}\"]", key,
                    text::format_quantity(rating / 10.0, dimension), text::format_quantity(rating, dimension)));
    return std::vector<double>{};
  };
  for (const text::TomlNode& item : list->items) {
    text::QuantityError error;
    auto value = item.is_string() ? text::parse_quantity(item.string, error) : std::nullopt;
    if (!value || value->dimension != dimension || value->c_rate)
      return refuse(item, item.is_string() ? fmt::format("\"{}\" is no {}", item.string, dimension_name(dimension))
                                           : std::string("an entry is not a quantity"));
    if (!(value->value > (ranges.empty() ? 0.0 : ranges.back())))
      return refuse(item, fmt::format("\"{}\" is not above the entry before it", item.string));
    if (value->value > rating * (1.0 + 1e-9))
      return refuse(
          item, fmt::format("\"{}\" is above the rating of {}", item.string, text::format_quantity(rating, dimension)));
    ranges.push_back(value->value);
  }
  if (ranges.empty()) return refuse(*list, "the list is empty");
  if (ranges.size() > 8) return refuse(*list, "more than 8 ranges");
  return ranges;
}

void read_accuracy(text::TableReader& reader, PlantConfig& p) {
  take(read_bounded(reader, "voltage_accuracy", dim::kNone, 0.0, 0.1, false), p.voltage_accuracy.class_of_full_scale);
  take(read_bounded(reader, "current_accuracy", dim::kNone, 0.0, 0.1, false), p.current_accuracy.class_of_full_scale);
  if (auto ppm = read_number(reader, "drift_ppm_per_K", {0.0, 10000.0, "ppm/K"}, false))
    p.voltage_accuracy.drift_per_K = p.current_accuracy.drift_per_K = *ppm * 1e-6;
  if (auto bits = reader.optional_integer("resolution_bits", 8, 24))
    p.voltage_accuracy.step_of_full_scale = p.current_accuracy.step_of_full_scale =
        std::ldexp(1.0, 1 - static_cast<int>(*bits));
  p.voltage_accuracy.ranges = read_ranges(reader, "voltage_ranges", dim::kVoltage, p.stage.voltage_max_V);
  p.current_accuracy.ranges = read_ranges(reader, "current_ranges", dim::kCurrent, p.stage.current_max_A);
  if (auto gap = read_duration(reader, "range_gap", 1.0)) p.range_gap = *gap;
  take(read_bounded(reader, "instrument_temperature", dim::kTemperature, -10.0, 70.0, false), p.instrument_degC);
}

void read_meters(text::TableReader& reader, PlantConfig& p) {
  take(read_bounded(reader, "voltage_noise", dim::kVoltage, 0.0, 1.0, false), p.voltage.noise);
  take(read_bounded(reader, "current_noise", dim::kCurrent, 0.0, 10.0, false), p.current.noise);
  take(read_bounded(reader, "temperature_noise", dim::kTemperature, 0.0, 10.0, false), p.temperature.noise);
  take(read_number(reader, "voltage_reading_gain", {0.5, 2.0, ""}, false), p.voltage.gain);
  take(read_number(reader, "current_reading_gain", {0.5, 2.0, ""}, false), p.current.gain);
  take(read_bounded(reader, "voltage_reading_offset", dim::kVoltage, -10.0, 10.0, false), p.voltage.offset);
  take(read_bounded(reader, "current_reading_offset", dim::kCurrent, -10.0, 10.0, false), p.current.offset);
  take(read_bounded(reader, "voltage_reading_step", dim::kVoltage, 0.0, 1.0, false), p.voltage.step);
  take(read_bounded(reader, "current_reading_step", dim::kCurrent, 0.0, 10.0, false), p.current.step);
  if (auto sampling = read_duration(reader, "sampling", 0.2)) p.sampling = *sampling;
  if (auto delay = read_duration(reader, "current_delay", 0.2)) p.current_delay = *delay;
  p.seed = static_cast<std::uint64_t>(reader.optional_integer("seed", 0, INT64_MAX).value_or(1));
}

void read_leads(text::TableReader& reader, LabCycler& cycler) {
  LeadsConfig& l = cycler.config.leads;
  if (auto wires = reader.optional_integer("wires", 2, 4)) {
    l.four_wire = *wires == 4;
    if (*wires == 3)
      reader.diagnostics().error("L011", reader.node().find("wires")->value, "`wires` is 3, allowed is 2 or 4",
                                 "2: no sense wires, 4: sensed at the cell");
  }
  take(read_bounded(reader, "lead_resistance", dim::kResistance, 0.0, 10.0, false), l.lead_Ohm);
  take(read_bounded(reader, "contact_resistance", dim::kResistance, 0.0, 10.0, false), l.contact_Ohm);
  take(read_number(reader, "contact_mOhm_per_h", {0.0, 1e4, "mOhm/h"}, false), l.contact_Ohm_per_h);
  if (reader.node().find("contact_mOhm_per_h") != nullptr) l.contact_Ohm_per_h *= 1e-3;
  take(read_bounded(reader, "joint_resistance", dim::kResistance, 0.0, 10.0, false), l.joint_Ohm);
  if (auto word = reader.optional_word("sense_fault", words_of_table(kSenseFaultWords))) {
    cycler.sense_fault = value_of(kSenseFaultWords, *word).value_or(SenseFault::none);
    if (!l.four_wire && cycler.sense_fault != SenseFault::none)
      reader.diagnostics().error("L012", reader.node().find("sense_fault")->value,
                                 "a cycler with two wires has no sense wires that could fail",
                                 "write wires = 4, or leave `sense_fault` out");
  }
}

void read_probe(text::TableReader& reader, LabCycler& cycler) {
  ProbeConfig& p = cycler.config.probe;
  if (auto word = reader.optional_word("probe", {"thermocouple", "ntc"}))
    p.kind = *word == "ntc" ? ProbeKind::ntc : ProbeKind::thermocouple;
  take(read_bounded(reader, "probe_lag", dim::kTime, 0.0, 120.0, false), p.lag_s);
  take(read_bounded(reader, "probe_offset", dim::kTemperature, -20.0, 20.0, false), p.offset_K);
  take(read_bounded(reader, "cold_junction", dim::kTemperature, -40.0, 100.0, false), p.cold_junction_degC);
  if (auto word = reader.optional_word("probe_fault", words_of_table(kProbeFaultWords)))
    cycler.probe_fault = value_of(kProbeFaultWords, *word).value_or(ProbeFault::none);
}

}  // namespace

std::optional<base::Duration> read_duration(text::TableReader& reader, std::string_view key, double max_s) {
  const auto seconds = read_bounded(reader, key, dim::kTime, 0.0, max_s, false);
  if (!seconds) return std::nullopt;
  return base::microseconds(static_cast<std::int64_t>(*seconds * 1e6 + 0.5));
}

void read_cycler(LabLoader& x, text::TableReader& reader) {
  LabCycler cycler;
  cycler.name = read_name(x, reader);
  cycler.place = read_place(x, reader, false, "");
  const bool ea_psb = cycler.place.kind != nullptr && cycler.place.kind->name == "ea-psb";
  cycler.serial = reader.optional_string("serial").value_or(fmt::format("VC-{}", cycler.name));
  if (ea_psb) cycler.state_low_word_first = reader.optional_word("state_word_order", {"ABCD", "CDAB"}) == "CDAB";
  refer(reader, "cell", x.lab.cyclers.size(), x.cycler_to_cell, true);
  cycler.config.instrument_degC = x.lab.room_degC;
  cycler.config.probe.cold_junction_degC = x.lab.room_degC;
  take_class(reader.optional_word("class", {"ideal", "good", "cheap"}).value_or("ideal"), cycler.config);
  read_ratings(reader, cycler.config.stage);
  read_stage(reader, ea_psb, cycler.config.stage);
  read_accuracy(reader, cycler.config);
  read_meters(reader, cycler.config);
  read_leads(reader, cycler);
  read_probe(reader, cycler);
  x.lab.cyclers.push_back(std::move(cycler));
}

}  // namespace cyclerd::hil
