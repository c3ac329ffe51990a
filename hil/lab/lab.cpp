#include "hil/lab/lab.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "hil/cells/read_table.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::hil {
namespace {

namespace dim = text::dimension;

// The file on its way to a Lab: names seen so far, and references resolved once all names are known.
struct Loader {
  text::Diagnostics& diagnostics;
  Lab lab;
  std::set<std::string> names;
  struct Reference {
    std::size_t from;
    std::string to;
    text::Span where;
  };
  std::vector<Reference> cell_to_chamber, cycler_to_cell, sensor_to_cell;
};

std::string read_name(Loader& x, text::TableReader& reader) {
  std::string name = reader.required_string("name");
  if (!name.empty() && !x.names.insert(name).second) {
    x.diagnostics.error("L002", reader.node().find("name")->value,
                        fmt::format("the name \"{}\" is taken already", name),
                        "give every cell, chamber and cycler its own name");
  }
  return name;
}

std::uint16_t read_port(text::TableReader& reader) {
  return static_cast<std::uint16_t>(reader.required_integer("port", 0, 65535).value_or(0));
}

void take(std::optional<double> value, double& into) {
  if (value) into = *value;
}

void refer(text::TableReader& reader, std::string_view key, std::size_t from, std::vector<Loader::Reference>& out,
           bool required) {
  const auto given = required ? std::optional<std::string>(reader.required_string(key)) : reader.optional_string(key);
  if (given && !given->empty()) out.push_back({from, *given, reader.node().find(key)->value});
}

void read_chamber(Loader& x, text::TableReader& reader) {
  LabChamber chamber;
  ChamberConfig& c = chamber.config;
  chamber.name = read_name(x, reader);
  chamber.port = read_port(reader);
  (void)reader.optional_word("twin", {"virtual-chamber"});
  chamber.serial = reader.optional_string("serial").value_or(fmt::format("VT-{}", chamber.name));
  c.room_degC = x.lab.room_degC;
  c.start_degC = x.lab.room_degC;
  take(read_bounded(reader, "start_temperature", dim::kTemperature, -80.0, 150.0, false), c.start_degC);
  take(read_bounded(reader, "setpoint_min", dim::kTemperature, -80.0, 100.0, false), c.setpoint_min_degC);
  take(read_bounded(reader, "setpoint_max", dim::kTemperature, 0.0, 250.0, false), c.setpoint_max_degC);
  take(read_bounded(reader, "thermostat", dim::kTemperature, 0.0, 300.0, false), c.thermostat_degC);
  take(read_bounded(reader, "heating", dim::kPower, 1.0, 1e6, false), c.heating_W);
  take(read_bounded(reader, "cooling_max", dim::kPower, 1.0, 1e6, false), c.cooling_max_W);
  take(read_bounded(reader, "reading_noise", dim::kTemperature, 0.0, 10.0, false), c.reading.noise);
  take(read_bounded(reader, "reading_offset", dim::kTemperature, -20.0, 20.0, false), c.reading.offset);
  take(read_bounded(reader, "reading_step", dim::kTemperature, 0.0, 5.0, false), c.reading.step);
  c.seed = static_cast<std::uint64_t>(reader.optional_integer("seed", 0, INT64_MAX).value_or(1));
  refer(reader, "sensor_on", x.lab.chambers.size(), x.sensor_to_cell, false);
  x.lab.chambers.push_back(std::move(chamber));
}

std::optional<CellSet> read_set(Loader& x, text::TableReader& reader) {
  const std::string name = reader.required_string("set");
  if (name.empty()) return std::nullopt;
  const text::Span where = reader.node().find("set")->value;
  const std::string path = find_cell_set(name);
  if (path.empty()) {
    const std::string near = text::nearest(name, cell_set_names());
    x.diagnostics.error("L003", where, fmt::format("there is no cell set \"{}\"", name),
                        near.empty() ? "`cycler-hil cells` lists the sets" : fmt::format("did you mean \"{}\"?", near));
    return std::nullopt;
  }
  auto source = text::read_source(path);
  if (!source) {
    x.diagnostics.error("L003", where,
                        fmt::format("the cell set \"{}\" cannot be read: {}", name, source.error().text()));
    return std::nullopt;
  }
  return load_cell_set(*source, x.diagnostics);
}

void read_cell(Loader& x, text::TableReader& reader) {
  LabCell cell;
  cell.name = read_name(x, reader);
  auto set = read_set(x, reader);
  cell.start.temperature_degC = x.lab.room_degC;
  take(read_number(reader, "soc", {0.0, 1.0, ""}, false), cell.start.soc);
  take(read_bounded(reader, "temperature", dim::kTemperature, -60.0, 120.0, false), cell.start.temperature_degC);
  refer(reader, "chamber", x.lab.cells.size(), x.cell_to_chamber, false);
  if (set) cell.set = std::move(*set);
  x.lab.cells.push_back(std::move(cell));
}

void read_stage(text::TableReader& reader, CyclerTwin twin, StageConfig& s) {
  take(read_bounded(reader, "voltage_max", dim::kVoltage, 0.1, 1500.0, false), s.voltage_max_V);
  take(read_bounded(reader, "current_max", dim::kCurrent, 1e-6, 5000.0, false), s.current_max_A);
  s.current_min_A = -s.current_max_A;
  take(read_bounded(reader, "power_max", dim::kPower, 1e-6, 1e6, false), s.power_max_W);
  s.power_min_W = -s.power_max_W;
  take(read_bounded(reader, "rise_time_constant", dim::kTime, 0.0, 1.0, false), s.rise_time_constant_s);
  take(read_number(reader, "voltage_gain", {0.5, 2.0, ""}, false), s.voltage_gain);
  take(read_bounded(reader, "voltage_offset", dim::kVoltage, -10.0, 10.0, false), s.voltage_offset_V);
  take(read_number(reader, "current_gain", {0.5, 2.0, ""}, false), s.current_gain);
  take(read_bounded(reader, "current_offset", dim::kCurrent, -10.0, 10.0, false), s.current_offset_A);
  if (twin == CyclerTwin::ea_psb) {  // its own registers quantise
    s.voltage_step_V = s.current_step_A = 0.0;
    return;
  }
  take(read_bounded(reader, "voltage_step", dim::kVoltage, 0.0, 1.0, false), s.voltage_step_V);
  take(read_bounded(reader, "current_step", dim::kCurrent, 0.0, 10.0, false), s.current_step_A);
}

void read_meters(text::TableReader& reader, PlantConfig& p) {
  take(read_bounded(reader, "voltage_noise", dim::kVoltage, 0.0, 1.0, false), p.voltage.noise);
  take(read_bounded(reader, "current_noise", dim::kCurrent, 0.0, 10.0, false), p.current.noise);
  take(read_bounded(reader, "temperature_noise", dim::kTemperature, 0.0, 10.0, false), p.temperature.noise);
  take(read_number(reader, "voltage_reading_gain", {0.5, 2.0, ""}, false), p.voltage.gain);
  take(read_number(reader, "current_reading_gain", {0.5, 2.0, ""}, false), p.current.gain);
  take(read_bounded(reader, "voltage_reading_offset", dim::kVoltage, -10.0, 10.0, false), p.voltage.offset);
  take(read_bounded(reader, "current_reading_offset", dim::kCurrent, -10.0, 10.0, false), p.current.offset);
  double delay_s = 0.0;
  take(read_bounded(reader, "current_delay", dim::kTime, 0.0, 0.2, false), delay_s);
  p.current_delay = base::microseconds(static_cast<std::int64_t>(delay_s * 1e6 + 0.5));
  p.seed = static_cast<std::uint64_t>(reader.optional_integer("seed", 0, INT64_MAX).value_or(1));
}

void read_cycler(Loader& x, text::TableReader& reader) {
  LabCycler cycler;
  cycler.name = read_name(x, reader);
  cycler.port = read_port(reader);
  const auto twin = reader.required_word("twin", {"ea-psb", "virtual-cycler"});
  cycler.twin = twin == "ea-psb" ? CyclerTwin::ea_psb : CyclerTwin::virtual_cycler;
  cycler.serial = reader.optional_string("serial").value_or(fmt::format("VC-{}", cycler.name));
  if (cycler.twin == CyclerTwin::ea_psb)
    cycler.state_low_word_first = reader.optional_word("state_word_order", {"ABCD", "CDAB"}) == "CDAB";
  refer(reader, "cell", x.lab.cyclers.size(), x.cycler_to_cell, true);
  read_stage(reader, cycler.twin, cycler.config.stage);
  read_meters(reader, cycler.config);
  x.lab.cyclers.push_back(std::move(cycler));
}

void read_list(Loader& x, text::TableReader& root, std::string_view key, bool required,
               void (*read_one)(Loader&, text::TableReader&)) {
  const text::TomlNode* node = root.optional_array(key);
  if (node == nullptr) {
    if (required && root.node().find(key) == nullptr)
      x.diagnostics.error("L001", root.where(), fmt::format("the lab has no [[{}]]", key),
                          "a lab needs a cell and a cycler");
    return;
  }
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    const text::TomlNode& item = node->items[i];
    if (!item.is_table()) {
      x.diagnostics.error("L001", item.value, fmt::format("`{}` must be tables", key),
                          fmt::format("write [[{}]]", key));
      continue;
    }
    text::TableReader reader(item, fmt::format("[[{}]] number {}", key, i + 1), x.diagnostics);
    read_one(x, reader);
    reader.finish();
  }
}

template <class List>
std::optional<std::size_t> resolve(Loader& x, const Loader::Reference& reference, const List& list,
                                   std::string_view what) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i].name == reference.to) return i;
    names.push_back(list[i].name);
  }
  const std::string near = text::nearest(reference.to, names);
  x.diagnostics.error(
      "L004", reference.where, fmt::format("there is no {} \"{}\" in this lab", what, reference.to),
      near.empty() ? fmt::format("defined: {}", fmt::join(names, ", ")) : fmt::format("did you mean \"{}\"?", near));
  return std::nullopt;
}

void resolve_all(Loader& x) {
  for (const auto& r : x.cell_to_chamber) {
    if (auto i = resolve(x, r, x.lab.chambers, "chamber")) x.lab.cells[r.from].chamber = *i;
  }
  std::vector<bool> used(x.lab.cells.size());
  for (const auto& r : x.cycler_to_cell) {
    auto i = resolve(x, r, x.lab.cells, "cell");
    if (!i) continue;
    x.lab.cyclers[r.from].cell = *i;
    if (used[*i]) {
      x.diagnostics.error("L005", r.where, fmt::format("cell \"{}\" hangs on another cycler already", r.to),
                          "give each cycler a cell of its own");
    }
    used[*i] = true;
  }
  for (const auto& r : x.sensor_to_cell) {
    auto i = resolve(x, r, x.lab.cells, "cell");
    if (!i) continue;
    for (std::size_t c = 0; c < x.lab.cyclers.size(); ++c) {
      if (x.lab.cyclers[c].cell == *i) x.lab.chambers[r.from].sensor_on = c;
    }
  }
  std::set<std::uint16_t> ports;
  auto check_port = [&](std::uint16_t port, const std::string& name) {
    if (port != 0 && !ports.insert(port).second)
      x.diagnostics.error("L006", {}, fmt::format("port {} of \"{}\" is taken by another twin of this lab", port, name),
                          "choose another, or 0 for a free one");
  };
  for (const auto& chamber : x.lab.chambers) check_port(chamber.port, chamber.name);
  for (const auto& cycler : x.lab.cyclers) check_port(cycler.port, cycler.name);
}

}  // namespace

std::optional<Lab> load_lab(const text::SourcePtr& source, text::Diagnostics& diagnostics) {
  const std::size_t errors_before = diagnostics.error_count();
  auto document = text::parse_toml(source, diagnostics);
  if (!document) return std::nullopt;
  text::TableReader root(*document, "a lab file", diagnostics);
  Loader x{diagnostics, {}, {}, {}, {}, {}};
  if (auto format = root.required_integer("format", 1, 1000000); format && *format != 1) {
    diagnostics.error("L001", document->find("format")->value,
                      fmt::format("format {} is unknown, this program reads format 1", *format));
  }
  x.lab.name = root.optional_string("name").value_or("lab");
  take(read_bounded(root, "room_temperature", dim::kTemperature, -20.0, 60.0, false), x.lab.room_degC);
  if (const text::TomlNode* node = root.optional_table("control")) {
    text::TableReader reader(*node, "[control]", diagnostics);
    x.lab.control_port = read_port(reader);
    reader.finish();
  }
  read_list(x, root, "chamber", false, read_chamber);
  read_list(x, root, "cell", true, read_cell);
  read_list(x, root, "cycler", true, read_cycler);
  root.finish();
  resolve_all(x);
  if (diagnostics.error_count() != errors_before) return std::nullopt;
  return std::move(x.lab);
}

World build_world(const Lab& lab, base::MonoTime start) {
  World world(start, lab.room_degC);
  for (const LabChamber& chamber : lab.chambers) world.add_chamber(chamber.config);
  for (const LabCycler& cycler : lab.cyclers) {
    const LabCell& cell = lab.cells[cycler.cell];
    world.add_plant(cell.set.make(cell.start), cycler.config, cell.chamber);
  }
  return world;
}

}  // namespace cyclerd::hil
