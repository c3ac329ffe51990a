// Lines of the control hook as tables: a verb, how it is written, what it does. Inside hil/app only.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hil/app/live_lab.hpp"

namespace cyclerd::hil {

using Words = std::vector<std::string>;

struct ControlLine {
  std::string_view verb;
  std::string_view usage;
  std::string (*obey)(LiveLab&, const Words&);
};

// Faults of cyclers, leads, probes and chambers.
[[nodiscard]] std::span<const ControlLine> rig_fault_lines();
// Faults of cells.
[[nodiscard]] std::span<const ControlLine> cell_fault_lines();

[[nodiscard]] std::optional<double> number_of(const std::string& word);
// Plant that goes by the name of a cycler or of its cell.
[[nodiscard]] std::optional<std::size_t> plant_named(const Lab& lab, std::string_view name);
[[nodiscard]] std::optional<std::size_t> chamber_named(const Lab& lab, std::string_view name);
// "error: ..." with the nearest name there is.
[[nodiscard]] std::string no_plant(const Lab& lab, const std::string& name);
[[nodiscard]] std::string no_chamber(const Lab& lab, const std::string& name);
[[nodiscard]] std::string not_among(const std::string& what, const std::string& word,
                                    const std::vector<std::string>& words);

}  // namespace cyclerd::hil
