// Words for faults, alike in lab files and on the control hook.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hil/plant/chamber.hpp"
#include "hil/plant/leads.hpp"
#include "hil/plant/probe.hpp"

namespace cyclerd::hil {

inline constexpr std::array<std::pair<std::string_view, SenseFault>, 6> kSenseFaultWords = {
    {{"ok", SenseFault::none},
     {"open-plus", SenseFault::bias_plus},
     {"open-minus", SenseFault::bias_minus},
     {"open-terminal", SenseFault::terminal},
     {"open-float", SenseFault::floating},
     {"swapped", SenseFault::swapped}}};
inline constexpr std::array<std::pair<std::string_view, ProbeFault>, 5> kProbeFaultWords = {
    {{"ok", ProbeFault::none},
     {"open", ProbeFault::open},
     {"open-low", ProbeFault::open_low},
     {"short", ProbeFault::short_circuit},
     {"reversed", ProbeFault::reversed}}};
inline constexpr std::array<std::pair<std::string_view, ChamberReport>, 4> kReportWords = {
    {{"actual", ChamberReport::actual},
     {"setpoint", ChamberReport::setpoint},
     {"fahrenheit", ChamberReport::fahrenheit},
     {"tenfold", ChamberReport::tenfold}}};

template <class Table>
[[nodiscard]] std::vector<std::string> words_of_table(const Table& table) {
  std::vector<std::string> words;
  for (const auto& row : table) words.emplace_back(row.first);
  return words;
}

template <class Table>
[[nodiscard]] auto value_of(const Table& table, std::string_view word)
    -> std::optional<typename Table::value_type::second_type> {
  for (const auto& row : table) {
    if (row.first == word) return row.second;
  }
  return std::nullopt;
}

}  // namespace cyclerd::hil
