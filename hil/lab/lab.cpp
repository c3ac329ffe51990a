#include "hil/lab/lab.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <utility>

#include "hil/cells/cell_faults.hpp"
#include "hil/cells/read_table.hpp"
#include "hil/cells/scaled_cell.hpp"
#include "hil/lab/read_lab.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::hil {
namespace dim = text::dimension;

std::string read_name(LabLoader& x, text::TableReader& reader) {
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

void refer(text::TableReader& reader, std::string_view key, std::size_t from, std::vector<LabLoader::Reference>& out,
           bool required) {
  const auto given = required ? std::optional<std::string>(reader.required_string(key)) : reader.optional_string(key);
  if (given && !given->empty()) out.push_back({from, *given, reader.node().find(key)->value});
}

namespace {

std::optional<CellSet> read_set(LabLoader& x, text::TableReader& reader) {
  const std::string name = reader.required_string("set");
  if (name.empty()) return std::nullopt;
  const text::Span where = reader.node().find("set")->value;
  const ScaledName scaled = split_scaled_name(name);
  if (scaled.capacity_C && !std::isfinite(*scaled.capacity_C)) {
    x.diagnostics.error("L003", where, fmt::format("\"{}\" asks for no capacity that a cell could have", name),
                        fmt::format("write it like {}@40Ah", scaled.set));
    return std::nullopt;
  }
  const std::string path = find_cell_set(scaled.set);
  if (path.empty()) {
    const std::string near = text::nearest(scaled.set, cell_set_names());
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
  auto set = load_cell_set(*source, x.diagnostics);
  if (set && scaled.capacity_C) return scaled_to(std::move(*set), *scaled.capacity_C);
  return set;
}

void read_cell(LabLoader& x, text::TableReader& reader) {
  LabCell cell;
  cell.name = read_name(x, reader);
  auto set = read_set(x, reader);
  const auto capacity_C = read_bounded(reader, "capacity", dim::kCapacity, 1e-3, 1e9, false);
  if (set && capacity_C) set = scaled_to(std::move(*set), *capacity_C);
  cell.start.temperature_degC = x.lab.room_degC;
  take(read_number(reader, "soc", {0.0, 1.0, ""}, false), cell.start.soc);
  take(read_bounded(reader, "temperature", dim::kTemperature, -60.0, 120.0, false), cell.start.temperature_degC);
  refer(reader, "chamber", x.lab.cells.size(), x.cell_to_chamber, false);
  if (set) cell.set = std::move(*set);
  x.lab.cells.push_back(std::move(cell));
}

void read_list(LabLoader& x, text::TableReader& root, std::string_view key, bool required,
               void (*read_one)(LabLoader&, text::TableReader&)) {
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
std::optional<std::size_t> resolve(LabLoader& x, const LabLoader::Reference& reference, const List& list,
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

void resolve_all(LabLoader& x) {
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
  for (const auto& chamber : x.lab.chambers) check_port(chamber.place.port, chamber.name);
  for (const auto& cycler : x.lab.cyclers) check_port(cycler.place.port, cycler.name);
  check_places(x);
}

}  // namespace

std::optional<Lab> load_lab(const text::SourcePtr& source, text::Diagnostics& diagnostics) {
  const std::size_t errors_before = diagnostics.error_count();
  auto document = text::parse_toml(source, diagnostics);
  if (!document) return std::nullopt;
  text::TableReader root(*document, "a lab file", diagnostics);
  LabLoader x{diagnostics, {}, {}, {}, {}, {}, {}};
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

// Every cell of a lab can be broken while it runs.
static std::unique_ptr<Cell> breakable(const LabCell& cell) {
  return std::make_unique<FaultyCell>(cell.set.make(cell.start), CellFaults{}, std::nullopt);
}

World build_world(const Lab& lab, base::MonoTime start) {
  World world(start, lab.room_degC);
  for (const LabChamber& chamber : lab.chambers) {
    world.chamber(world.add_chamber(chamber.config)).set_report(chamber.report);
  }
  for (const LabCycler& cycler : lab.cyclers) {
    const LabCell& cell = lab.cells[cycler.cell];
    Plant& plant = world.plant(world.add_plant(breakable(cell), cycler.config, cell.chamber));
    plant.set_sense_fault(cycler.sense_fault);
    plant.probe().fault = cycler.probe_fault;
  }
  return world;
}

}  // namespace cyclerd::hil
