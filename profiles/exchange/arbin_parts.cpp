#include "profiles/exchange/arbin_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

namespace cyclerd::exchange {
namespace {

// "Schedule_Step12" -> 12, "Schedule_Step12_Limit3" -> 12 and 3.
std::optional<std::int64_t> index_after(std::string_view& name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  std::size_t digits = 0;
  while (digits < name.size() && digits < 9 && std::isdigit(static_cast<unsigned char>(name[digits])) != 0) ++digits;
  const auto index = digits == 0 ? std::nullopt : whole_of(name.substr(0, digits));
  name.remove_prefix(digits);
  return index;
}

// Sections are written whole: fewer keys than the first limit has mean that the file was cut.
bool cut_off(const IniSection& section, std::size_t keys) {
  return section.values.size() < keys || !section.values.contains("m_szGotoStep");
}

ArbinLimit limit_of(const IniSection& section) {
  ArbinLimit limit;
  limit.line = section.line;
  limit.ends_step = section.at("m_bStepLimit") == "1";
  limit.logs = section.at("m_bLogDataLimit") == "1";
  limit.target = std::string(section.at("m_szGotoStep"));
  for (int k = 0; k < 8; ++k) {
    ArbinEquation equation;
    equation.left = std::string(section.at(fmt::format("Equation{}_szLeft", k)));
    equation.sign = std::string(section.at(fmt::format("Equation{}_szCompareSign", k)));
    equation.right = std::string(section.at(fmt::format("Equation{}_szRight", k)));
    if (!equation.left.empty() || !equation.right.empty()) limit.equations.push_back(std::move(equation));
  }
  return limit;
}

struct Known {
  const char* name;
  const char* text;
  const char* unit;
};
constexpr Known kQuantities[] = {
    {"PV_CHAN_Voltage", "voltage", "V"},
    {"PV_CHAN_Current", "current", "A"},
    {"PV_CHAN_Power", "power", "W"},
    {"PV_CHAN_Step_Time", "time", "s"},
    {"PV_CHAN_Test_Time", "test_time", "s"},
    {"PV_CHAN_Cycle_Index", "cycle", ""},
    {"PV_CHAN_CV_Stage_Current", "current", "A"},
    {"TC_Counter1", "counter_1", ""},
    {"TC_Counter2", "counter_2", ""},
    {"TC_Counter3", "counter_3", ""},
    {"TC_Counter4", "counter_4", ""},
    {"AV_T[1]", "temperature", "degC"},
    {"AUX_Temperature", "temperature", "degC"},
};
constexpr Known kCapacities[] = {
    {"PV_CHAN_Charge_Capacity", "charge_capacity", "Ah"},
    {"PV_CHAN_Discharge_Capacity", "discharge_capacity", "Ah"},
    {"PV_CHAN_Charge_Energy", "charge_energy", "Wh"},
    {"PV_CHAN_Discharge_Energy", "discharge_energy", "Wh"},
};
constexpr int kFormulaDepth = 8;
constexpr const char* kMarks[] = {"charge_reset", "discharge_reset", "charge_energy_reset", "discharge_energy_reset"};

}  // namespace

ArbinSchedule read_arbin(Import& import) {
  ArbinSchedule schedule;
  bool headed = false;
  std::size_t limit_keys = 0;
  std::vector<std::optional<std::int64_t>> limit_counts;
  for (IniSection& section : read_ini(import.source()->text)) {
    std::string_view name = section.name;
    if (name == "Schedule") {
      schedule.head = std::move(section);
      headed = true;
    } else if (std::string_view rest = name; const auto step = index_after(rest, "Schedule_Step")) {
      const bool is_limit = rest.starts_with("_Limit");
      const auto count = static_cast<std::int64_t>(schedule.steps.size());
      // Steps and their limits stand in order; what is out of it would change places silently.
      if (is_limit ? *step != count - 1 : *step != count) {
        import.error(code::kUnreadable, section.line,
                     fmt::format("[{}] is out of order, or its step is missing", section.name));
        return schedule;
      }
      if (is_limit) {
        if (limit_keys == 0) limit_keys = section.values.size();
        if (cut_off(section, limit_keys)) {
          import.error(code::kUnreadable, section.line,
                       fmt::format("[{}] lacks keys that other limits have", section.name));
          return schedule;
        }
        schedule.steps.back().limits.push_back(limit_of(section));
        continue;
      }
      if (schedule.steps.size() >= kMaxImportSteps) {
        import.error(code::kTooManySteps, section.line, fmt::format("more than {} steps", kMaxImportSteps));
        return schedule;
      }
      schedule.steps.push_back({section.line,
                                std::string(section.at("m_szLabel")),
                                std::string(section.at("m_szStepCtrlType")),
                                std::string(section.at("m_szCtrlValue")),
                                std::string(section.at("m_szExtCtrlValue1")),
                                std::string(section.at("m_szExtCtrlValue2")),
                                {}});
      limit_counts.push_back(whole_of(section.at("m_uLimitNum")));
    } else if (name.starts_with("Schedule_Formula")) {
      schedule.formulas.insert_or_assign(std::string(section.at("m_szLabel")),
                                         std::string(section.at("m_szExpression")));
    } else if (name.starts_with("Schedule_UserDefineSafety") && !section.at("m_szSafetyType").empty()) {
      schedule.user_safety.push_back(std::move(section));
    }
  }
  if (!headed) {
    import.error(code::kOtherFormat, 0, "not an Arbin schedule: there is no [Schedule]", "give the .sdu file");
  } else if (schedule.steps.empty()) {
    import.error(code::kNoSteps, schedule.head.line, "the schedule has no [Schedule_Step0]");
  } else if (const auto count = whole_of(schedule.head.at("m_uStepNum"));
             count && *count != static_cast<std::int64_t>(schedule.steps.size())) {
    import.error(
        code::kUnreadable, schedule.head.line,
        fmt::format("m_uStepNum says {} steps, there are {}: the file is cut off", *count, schedule.steps.size()));
  }
  for (std::size_t i = 0; i < limit_counts.size(); ++i) {
    const auto found = static_cast<std::int64_t>(schedule.steps[i].limits.size());
    if (limit_counts[i].value_or(found) == found) continue;
    import.error(code::kUnreadable, schedule.steps[i].line,
                 fmt::format("step {}: m_uLimitNum says {} limits, there are {}", i + 1, *limit_counts[i], found));
  }
  return schedule;
}

std::optional<ArbinMasks> arbin_masks(const ArbinStep& step) {
  const auto bits = [](std::string_view text) -> std::optional<std::uint32_t> {
    if (text.empty()) return 0U;
    const auto value = whole_of(text);
    if (!value || *value < 0 || *value > 0xFFFFFFFF) return std::nullopt;
    return static_cast<std::uint32_t>(*value);
  };
  const auto reset = bits(step.value);
  const auto up = bits(step.extra1);
  const auto down = bits(step.extra2);
  if (!reset || !up || !down) return std::nullopt;
  ArbinMasks masks;
  masks.reset_capacities = *reset & 0xFU;
  masks.reset = (*reset >> 15U) & 0x1FU;
  masks.up = *up & 0x1FU;
  masks.down = *down & 0x1FU;
  masks.unknown = (*reset & ~(0xFU | (0x1FU << 15U))) | (*up & ~0x1FU) | (*down & ~0x1FU);
  return masks;
}

std::optional<UnitText> arbin_quantity(std::string_view name, const ArbinMeaning& meaning) {
  for (const Known& known : kQuantities) {
    if (name == known.name) return UnitText{known.text, known.unit};
  }
  for (std::size_t k = 0; k < std::size(kCapacities); ++k) {
    if (name != kCapacities[k].name) continue;
    const std::string text =
        meaning.capacities_by_cycle ? kCapacities[k].text : fmt::format("{}.{}", kMarks[k], kCapacities[k].text);
    return UnitText{text, kCapacities[k].unit};
  }
  if (meaning.schedule == nullptr || meaning.depth >= kFormulaDepth) return std::nullopt;
  const auto formula = meaning.schedule->formulas.find(name);
  if (formula == meaning.schedule->formulas.end()) return std::nullopt;
  ArbinMeaning deeper = meaning;
  ++deeper.depth;
  return unit_expression(formula->second, [&](std::string_view inner) { return arbin_quantity(inner, deeper); });
}

std::optional<std::string> arbin_value(std::string_view text, std::string_view unit, const ArbinMeaning& meaning) {
  return expression_in(text, unit, [&](std::string_view name) { return arbin_quantity(name, meaning); });
}

bool sets_variables(const ArbinStep& step) {
  return step.control.starts_with("Set Variable");
}

std::optional<std::size_t> arbin_step_named(const ArbinSchedule& schedule, std::string_view label) {
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    if (trimmed(schedule.steps[i].label) == label) return i;
  }
  return std::nullopt;
}

namespace {

// The one condition by which a Set Variable(s) step goes back.
const ArbinLimit* way_back(const ArbinSchedule& schedule, std::size_t i, std::size_t& target) {
  const ArbinLimit* back = nullptr;
  for (const ArbinLimit& limit : schedule.steps[i].limits) {
    if (!limit.ends_step || limit.target == "Next Step") continue;
    const auto to = arbin_step_named(schedule, limit.target);
    if (back != nullptr || !to || *to > i) return nullptr;
    back = &limit;
    target = *to;
  }
  return back;
}

bool entered_from_outside(const ArbinSchedule& schedule, const ArbinLoop& loop, bool middle_only) {
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    if (loop.first <= i && i <= loop.last) continue;
    for (const ArbinLimit& limit : schedule.steps[i].limits) {
      if (!limit.ends_step) continue;
      const auto to = arbin_step_named(schedule, limit.target);
      if (to && *to >= loop.first + (middle_only ? 1U : 0U) && *to <= loop.last) return true;
    }
  }
  return false;
}

// How often the loop is passed: its counter starts at `start`, is counted up only at the loop's end, and is looked at
// only there.
void count_passes(const ArbinSchedule& schedule, const std::vector<ArbinLoop>& loops, const ArbinLimit& back,
                  ArbinLoop& loop) {
  if (back.equations.size() != 1) return;
  const ArbinEquation& equation = back.equations.front();
  const auto bound = whole_of(equation.right);
  if (!bound || (equation.sign != "<" && equation.sign != "<=")) return;
  const bool is_cycle = equation.left == "PV_CHAN_Cycle_Index";
  const bool is_counter = equation.left.starts_with("TC_Counter") && equation.left.size() == 11;
  if (!is_cycle && !is_counter) return;
  const std::uint32_t bit = is_cycle ? 0U : static_cast<std::uint32_t>(equation.left.back() - '0');
  if (bit > 4) return;
  const bool nested = std::any_of(loops.begin(), loops.end(), [&](const ArbinLoop& other) {
    return &other != &loop && other.first <= loop.first && loop.last <= other.last;
  });
  bool reset_before = false;
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    const ArbinStep& step = schedule.steps[i];
    for (const ArbinLimit& limit : step.limits) {
      for (const ArbinEquation& other : limit.equations) {
        const bool uses = other.left == equation.left || other.right == equation.left;
        if (is_counter && uses && i != loop.last) return;
      }
    }
    if (!sets_variables(step)) continue;
    const auto masks = arbin_masks(step);
    if (!masks) return;
    const std::uint32_t flag = 1U << bit;
    const bool up = (masks->up & flag) != 0;
    if (up != (i == loop.last) || (masks->down & flag) != 0) return;
    if ((masks->reset & flag) == 0) continue;
    if (is_cycle || i + 1 != loop.first) return;
    reset_before = true;
  }
  if (nested && !reset_before) return;
  const std::int64_t passes = *bound + (equation.sign == "<=" ? 1 : 0) - (is_cycle ? 1 : 0);
  loop.count = std::max<std::int64_t>(passes, 1);
  loop.counter = bit;
}

}  // namespace

std::vector<ArbinLoop> arbin_loops(const ArbinSchedule& schedule) {
  std::vector<ArbinLoop> loops;
  std::vector<const ArbinLimit*> ways;
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    if (!sets_variables(schedule.steps[i])) continue;
    ArbinLoop loop;
    const ArbinLimit* back = way_back(schedule, i, loop.first);
    loop.last = i;
    if (back == nullptr || entered_from_outside(schedule, loop, true)) continue;
    loops.push_back(loop);
    ways.push_back(back);
  }
  for (std::size_t k = 0; k < loops.size(); ++k) {
    if (!entered_from_outside(schedule, loops[k], false)) count_passes(schedule, loops, *ways[k], loops[k]);
  }
  return loops;
}

}  // namespace cyclerd::exchange
