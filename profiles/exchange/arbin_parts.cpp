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
constexpr const char* kMarks[] = {"charge_reset", "discharge_reset", "charge_energy_reset", "discharge_energy_reset"};

}  // namespace

ArbinSchedule read_arbin(Import& import) {
  ArbinSchedule schedule;
  bool headed = false;
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

std::optional<ArbinQuantity> arbin_quantity(std::string_view name, const ArbinMeaning& meaning) {
  for (const Known& known : kQuantities) {
    if (name == known.name) return ArbinQuantity{known.text, known.unit};
  }
  for (std::size_t k = 0; k < std::size(kCapacities); ++k) {
    if (name != kCapacities[k].name) continue;
    const std::string text =
        meaning.capacities_by_cycle ? kCapacities[k].text : fmt::format("{}.{}", kMarks[k], kCapacities[k].text);
    return ArbinQuantity{text, kCapacities[k].unit};
  }
  return std::nullopt;
}

std::optional<std::string> arbin_value(std::string_view text, std::string_view unit, const ArbinMeaning& meaning) {
  text = trimmed(text);
  if (const auto number = number_of(text)) {
    if (unit == "A") return current_text(*number);
    if (unit == "s") return time_text(*number);
    return unit_text(*number, unit);
  }
  if (const auto quantity = arbin_quantity(text, meaning)) {
    return quantity->unit == unit ? std::optional(quantity->text) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace cyclerd::exchange
