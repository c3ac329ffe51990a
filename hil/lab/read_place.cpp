// How a twin is reached, and with whom it shares its connection.
#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>

#include "hil/lab/read_lab.hpp"

namespace cyclerd::hil {

LabPlace read_place(LabLoader& x, text::TableReader& reader, bool chamber, std::string_view fallback) {
  LabPlace place;
  const std::vector<std::string> names = twin_names(chamber);
  const auto word = fallback.empty() ? reader.required_word("twin", names) : reader.optional_word("twin", names);
  place.kind = twin_kind(word ? std::string_view(*word) : fallback);
  place.tty = reader.optional_string("tty");
  place.shares = reader.optional_string("shares").value_or("");
  if (!place.tty && place.shares.empty()) {
    place.port = read_port(reader);
  } else if (place.tty && !place.shares.empty()) {
    x.diagnostics.error("L020", reader.node().find("shares")->value,
                        "a twin has a `tty` or `shares` another's, not both", "leave one of them out");
  }
  place.unit = static_cast<int>(reader.optional_integer("unit", 1, 247).value_or(1));
  if (!place.shares.empty()) x.sharing.push_back({0, place.shares, reader.node().find("shares")->value});
  return place;
}

void check_places(LabLoader& x) {
  std::map<std::string, const LabPlace*> known;
  std::map<std::string, std::set<int>> units;
  auto check = [&](const std::string& name, const LabPlace& place) {
    known[name] = &place;
    units[place.shares.empty() ? name : place.shares].insert(place.unit);
    if (place.shares.empty() || place.kind == nullptr) return;
    text::Span where;
    for (const auto& r : x.sharing) {
      if (r.to == place.shares) where = r.where;
    }
    const auto host = known.find(place.shares);
    if (host == known.end() || !host->second->shares.empty()) {
      x.diagnostics.error("L020", where, fmt::format("\"{}\" shares the connection of \"{}\"", name, place.shares),
                          "name a twin that stands before it in the file (cyclers before chambers) and has a "
                          "connection of its own");
      return;
    }
    const TwinKind* other = host->second->kind;
    if (other == nullptr) return;
    const bool fits =
        place.kind->registers != nullptr ? other->registers != nullptr : other == place.kind && place.kind->several;
    if (!fits)
      x.diagnostics.error("L021", where,
                          fmt::format("a {} cannot share a connection with a {}", place.kind->name, other->name),
                          "Modbus units share a line, and channels of one instrument its connection");
  };
  std::size_t twins = 0;
  for (const LabCycler& c : x.lab.cyclers) check(c.name, c.place), ++twins;
  for (const LabChamber& c : x.lab.chambers) check(c.name, c.place), ++twins;
  std::size_t seats = 0;
  for (const auto& [name, set] : units) seats += set.size();
  if (seats != twins && !x.sharing.empty())
    x.diagnostics.error("L022", x.sharing.front().where, "two twins of one connection have the same `unit`",
                        "give each a unit of its own");
}

}  // namespace cyclerd::hil
