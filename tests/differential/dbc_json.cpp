// dbc_json FILE < FRAMES: a line of JSON with what is in the file; then for each line "ID(hex)[x] BYTES(hex)" of stdin
// a line with the values of the signals that are present. For dbc_against_canmatrix.py.
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "protocols/dbc/dbc.hpp"
#include "protocols/dbc/signal.hpp"
#include "protocols/text/toml.hpp"

namespace {

using namespace cyclerd;
using Json = nlohmann::json;

std::vector<std::uint8_t> bytes_of(const std::string& hex) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

Json describe(const dbc::Database& bus) {
  Json list = Json::array();
  for (const dbc::Message& m : bus.messages) {
    Json signals = Json::object();
    for (const dbc::Signal& s : m.signals) {
      Json words = Json::object();
      for (const auto& [value, text] : s.descriptions) words[std::to_string(value)] = text;
      signals[s.name] = {
          {"length", s.length}, {"unit", s.unit}, {"factor", s.factor}, {"offset", s.offset}, {"values", words}};
    }
    list.push_back(
        {{"id", m.id}, {"extended", m.extended}, {"name", m.name}, {"length", m.length}, {"signals", signals}});
  }
  return list;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const auto source = text::read_source(argv[1]);
  if (!source) {
    std::fprintf(stderr, "%s\n", source.error().text().c_str());
    return 1;
  }
  text::Diagnostics diagnostics;
  const auto bus = dbc::read_dbc(*source, diagnostics);
  std::fprintf(stderr, "%s", diagnostics.all().empty() ? "" : diagnostics.render().c_str());
  if (!bus) return 1;
  std::cout << describe(*bus).dump() << '\n';
  std::string id;
  std::string hex;
  while (std::cin >> id >> hex) {
    const bool extended = id.back() == 'x';
    if (extended) id.pop_back();
    const dbc::Message* m = bus->find(static_cast<std::uint32_t>(std::stoul(id, nullptr, 16)), extended);
    Json values = Json::object();
    if (m != nullptr) {
      const auto frame = bytes_of(hex);
      for (const dbc::Signal& s : m->signals) {
        if (!dbc::is_present(*m, s, frame)) continue;
        char digits[40];
        std::snprintf(digits, sizeof digits, "%a", dbc::raw_of(s, frame));
        values[s.name] = digits;
      }
    }
    std::cout << values.dump() << '\n';
  }
  return 0;
}
