// The virtual cell of a simulation: which parameter set it is made of, and the ratings under which it is tested.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hil/cells/cell_set.hpp"
#include "hil/plant/plant.hpp"
#include "protocols/base/result.hpp"
#include "protocols/text/diagnostics.hpp"

namespace cyclerd::app {

// Is `word` a virtual cell rather than a file of ratings: the name of a shipped set, or the file of one, either with a
// capacity that it is scaled to behind an @?
[[nodiscard]] bool is_virtual_cell(const std::string& word);

// The set called `word` ("lg-m50", "lg-m50@40Ah"), or the one in that file; empty `word`: the one named like the
// ratings' file `cell_name`, and when there is none, lg-m50 with a warning. nullopt after a finding.
[[nodiscard]] std::optional<hil::CellSet> load_virtual_cell(const std::string& word, const std::string& cell_name,
                                                            text::Diagnostics& diagnostics);

// Ratings (the text of a cell's file) for a virtual cell that comes without: its capacity and voltage window, and
// currents and temperatures that leave the choice to the profile. Empty after a finding.
[[nodiscard]] std::string ratings_of(const hil::CellSet& set, text::Diagnostics& diagnostics);

// How good the virtual instruments are.
enum class Instruments : std::uint8_t { ideal, good, plain };
[[nodiscard]] std::optional<Instruments> read_instruments(std::string_view word);  // "ideal", "good", "plain"
[[nodiscard]] hil::PlantConfig bench_plant(const hil::CellSet& set, Instruments instruments, std::uint64_t seed);

// What a model says of itself when it was driven beyond what it was made for, in words, for each bit of `flags`
// (hil::cell_flag).
[[nodiscard]] std::vector<std::string_view> model_words(std::uint32_t flags);

}  // namespace cyclerd::app
