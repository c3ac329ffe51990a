#include <fmt/format.h>

#include "hil/cells/read_table.hpp"
#include "hil/lab/read_lab.hpp"
#include "hil/plant/fault_words.hpp"

namespace cyclerd::hil {
namespace {

namespace dim = text::dimension;

void read_body(text::TableReader& reader, ChamberConfig& c) {
  take(read_bounded(reader, "heating", dim::kPower, 1.0, 1e6, false), c.heating_W);
  take(read_bounded(reader, "cooling_max", dim::kPower, 1.0, 1e6, false), c.cooling_max_W);
  if (auto rest = read_duration(reader, "compressor_rest", 3600.0)) c.compressor_rest = *rest;
  take(read_number(reader, "load_J_per_K", {0.0, 1e6, "J/K"}, false), c.load_J_per_K);
  take(read_number(reader, "load_W_per_K", {0.1, 1e4, "W/K"}, false), c.load_W_per_K);
  take(read_number(reader, "door_W_per_K", {0.0, 1e4, "W/K"}, false), c.door_W_per_K);
  take(read_bounded(reader, "room_humidity", dim::kNone, 0.01, 1.0, false), c.room_humidity);
}

}  // namespace

void read_chamber(LabLoader& x, text::TableReader& reader) {
  LabChamber chamber;
  ChamberConfig& c = chamber.config;
  chamber.name = read_name(x, reader);
  chamber.place = read_place(x, reader, true, "virtual-chamber");
  chamber.serial = reader.optional_string("serial").value_or(fmt::format("VT-{}", chamber.name));
  c.room_degC = x.lab.room_degC;
  c.start_degC = x.lab.room_degC;
  take(read_bounded(reader, "start_temperature", dim::kTemperature, -80.0, 150.0, false), c.start_degC);
  take(read_bounded(reader, "setpoint_min", dim::kTemperature, -80.0, 100.0, false), c.setpoint_min_degC);
  take(read_bounded(reader, "setpoint_max", dim::kTemperature, 0.0, 250.0, false), c.setpoint_max_degC);
  take(read_bounded(reader, "stored_setpoint", dim::kTemperature, -80.0, 250.0, false), c.stored_degC);
  take(read_bounded(reader, "thermostat", dim::kTemperature, 0.0, 300.0, false), c.thermostat_degC);
  read_body(reader, c);
  take(read_bounded(reader, "sensor_offset", dim::kTemperature, -20.0, 20.0, false), c.sensor_offset_K);
  take(read_bounded(reader, "reading_noise", dim::kTemperature, 0.0, 10.0, false), c.reading.noise);
  take(read_bounded(reader, "reading_offset", dim::kTemperature, -20.0, 20.0, false), c.reading.offset);
  take(read_bounded(reader, "reading_step", dim::kTemperature, 0.0, 5.0, false), c.reading.step);
  if (auto word = reader.optional_word("report", words_of_table(kReportWords))) {
    chamber.report = value_of(kReportWords, *word).value_or(ChamberReport::actual);
  }
  c.seed = static_cast<std::uint64_t>(reader.optional_integer("seed", 0, INT64_MAX).value_or(1));
  refer(reader, "sensor_on", x.lab.chambers.size(), x.sensor_to_cell, false);
  x.lab.chambers.push_back(std::move(chamber));
}

}  // namespace cyclerd::hil
