// A lab file on its way to a Lab. Inside hil/lab only.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "hil/lab/lab.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::hil {

// Names seen so far, and references that are resolved once all names are known.
struct LabLoader {
  text::Diagnostics& diagnostics;
  Lab lab;
  std::set<std::string> names;
  struct Reference {
    std::size_t from;
    std::string to;
    text::Span where;
  };
  std::vector<Reference> cell_to_chamber, cycler_to_cell, sensor_to_cell;
  std::vector<Reference> sharing;  // `from` is of no use: the places know
};

[[nodiscard]] std::string read_name(LabLoader& x, text::TableReader& reader);
[[nodiscard]] std::uint16_t read_port(text::TableReader& reader);
// `twin`, and `port`, `tty` or `shares`; `fallback`: the kind where no `twin` is given ("": it must be).
[[nodiscard]] LabPlace read_place(LabLoader& x, text::TableReader& reader, bool chamber, std::string_view fallback);
// Whoever shares a connection must fit on it.
void check_places(LabLoader& x);
void refer(text::TableReader& reader, std::string_view key, std::size_t from, std::vector<LabLoader::Reference>& out,
           bool required);
inline void take(std::optional<double> value, double& into) {
  if (value) into = *value;
}
[[nodiscard]] std::optional<base::Duration> read_duration(text::TableReader& reader, std::string_view key,
                                                          double max_s);

void read_chamber(LabLoader& x, text::TableReader& reader);
void read_cycler(LabLoader& x, text::TableReader& reader);

}  // namespace cyclerd::hil
