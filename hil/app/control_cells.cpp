// What breaks inside a cell.
#include <fmt/format.h>

#include <array>
#include <charconv>

#include "hil/app/control_lines.hpp"
#include "hil/cells/cell_faults.hpp"
#include "hil/cells/pack.hpp"
#include "protocols/text/quantity.hpp"

namespace cyclerd::hil {
namespace {

// "0.1", "0.1 Ohm" (two words), "100mOhm".
std::optional<double> ohms_of(const Words& words) {
  std::string text = words[2];
  if (words.size() == 4) text += " " + words[3];
  if (const auto plain = number_of(text)) return plain;
  const std::size_t unit = text.find_first_not_of("0123456789.");
  if (unit != std::string::npos && text[unit] != ' ') text.insert(unit, " ");
  text::QuantityError error;
  const auto value = text::parse_quantity(text, error);
  if (!value || value->dimension != text::dimension::kResistance) return std::nullopt;
  return value->value;
}

// CELL, or CELL.3 for the fourth cell of a pack.
template <class Change>
std::string on_cell(LiveLab& live, const std::string& name, Change&& change) {
  std::string cell = name;
  std::optional<std::size_t> member;
  if (const std::size_t dot = name.rfind('.'); dot != std::string::npos) {
    std::size_t index = 0;
    const auto r = std::from_chars(name.data() + dot + 1, name.data() + name.size(), index);
    if (r.ec == std::errc{} && r.ptr == name.data() + name.size()) {
      member = index;
      cell = name.substr(0, dot);
    }
  }
  const auto i = plant_named(live.lab(), cell);
  if (!i) return no_plant(live.lab(), cell);
  return live.world().now([&](World& w) -> std::string {
    auto* faulty = dynamic_cast<FaultyCell*>(&w.plant(*i).cell());
    if (faulty == nullptr) return fmt::format("error: \"{}\" cannot be broken", cell);
    if (member) {
      auto* pack = dynamic_cast<PackCell*>(&faulty->inner());
      if (pack == nullptr) return fmt::format("error: \"{}\" is no pack; write {}", cell, cell);
      if (*member >= pack->size())
        return fmt::format("error: \"{}\" has cells 0 to {}, not {}", cell, pack->size() - 1, *member);
      faulty = &pack->member(*member);
    }
    return change(*faulty);
  });
}

std::string short_circuit(LiveLab& live, const Words& words) {
  if (words.size() < 3 || words.size() > 4) return "error: write `short CELL OHM|off`";
  const auto ohm = ohms_of(words);
  const bool off = words[2] == "off";
  if (!off && (!ohm || !(*ohm >= 1e-6 && *ohm <= 1e9)))
    return fmt::format("error: \"{}\" is no resistance from 1 uOhm to 1 GOhm, nor `off`", words[2]);
  return on_cell(live, words[1], [&](FaultyCell& cell) {
    CellFaults faults = cell.faults();
    faults.short_circuit = {};
    if (!off) faults.short_circuit.resistance_Ohm = *ohm;
    cell.set_faults(faults);
    return std::string("ok");
  });
}

std::string tab(LiveLab& live, const Words& words) {
  if (words.size() < 3 || words.size() > 4) return "error: write `tab CELL OHM`";
  const auto ohm = ohms_of(words);
  if (!ohm || !(*ohm >= 0.0 && *ohm <= 1e6))
    return fmt::format("error: \"{}\" is no resistance from 0 to 1 MOhm", words[2]);
  return on_cell(live, words[1], [&](FaultyCell& cell) {
    CellFaults faults = cell.faults();
    faults.contact_Ohm = *ohm;
    cell.set_faults(faults);
    return std::string("ok");
  });
}

std::string open_or_close(LiveLab& live, const Words& words) {
  if (words.size() != 2) return fmt::format("error: write `{} CELL`", words[0]);
  return on_cell(live, words[1], [&](FaultyCell& cell) {
    CellFaults faults = cell.faults();
    faults.open = words[0] == "open";
    cell.set_faults(faults);
    return std::string("ok");
  });
}

std::string worn(LiveLab& live, const Words& words) {
  const bool fade = words[0] == "fade";
  const auto value = words.size() == 3 ? number_of(words[2]) : std::nullopt;
  const double least = fade ? 0.001 : 0.0, most = fade ? 1.0 : 1000.0;
  if (!value || !(*value >= least && *value <= most))
    return fmt::format("error: write `{} CELL X` with X from {} to {}", words[0], least, most);
  return on_cell(live, words[1], [&](FaultyCell& cell) {
    CellFaults faults = cell.faults();
    (fade ? faults.capacity_factor : faults.resistance_growth) = *value;
    cell.set_faults(faults);
    return std::string("ok");
  });
}

bool set_off(FaultyCell& cell) {
  if (cell.start_runaway()) return true;
  if (auto* inside = dynamic_cast<FaultyCell*>(&cell.inner())) return set_off(*inside);
  auto* pack = dynamic_cast<PackCell*>(&cell.inner());
  return pack != nullptr && set_off(pack->member(0));
}

std::string runaway(LiveLab& live, const Words& words) {
  if (words.size() != 2) return "error: write `runaway CELL`";
  return on_cell(live, words[1], [&](FaultyCell& cell) {
    return set_off(cell) ? std::string("ok")
                         : fmt::format("error: the set of \"{}\" has no [runaway]; lg-m50-runaway has", words[1]);
  });
}

constexpr std::array<ControlLine, 7> kLines = {{{"short", "short CELL OHM|off", short_circuit},
                                                {"open", "open CELL", open_or_close},
                                                {"close", "close CELL", open_or_close},
                                                {"tab", "tab CELL OHM", tab},
                                                {"fade", "fade CELL FACTOR", worn},
                                                {"grow", "grow CELL SHARE", worn},
                                                {"runaway", "runaway CELL", runaway}}};

}  // namespace

std::span<const ControlLine> cell_fault_lines() {
  return kLines;
}

}  // namespace cyclerd::hil
