#include "profiles/exchange/neware_parts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "profiles/exchange/unit_expression.hpp"

namespace cyclerd::exchange {
namespace {

using pugi::xml_node;

// Where a condition leads, besides the number of a step.
constexpr std::int64_t kJumpNothing = 0;
constexpr std::int64_t kJumpNext = 65526;
constexpr std::int64_t kJumpStop = 65533;
constexpr std::int64_t kJumpProtect = 65534;
constexpr std::int64_t kJumpFinish = 65535;

// The file's numbers for what is measured.
enum class Measured { voltage = 1, current = 2, time = 3 };

// The first of the user variables.
constexpr int kFirstVariable = 71;

struct Word {
  int number;  // GlobalVar
  const char* name;
  const char* live;
  const char* result;  // of a step that has ended
  const char* unit;
};
constexpr Word kWords[] = {
    {1, "Voltage", "voltage", "end_voltage", "V"}, {4, "Current", "current", "end_current", "A"},
    {7, "StepTime", "time", "duration", "s"},      {8, "TestTime", "test_time", nullptr, "s"},
    {9, "Ah", "step_capacity", "capacity", "Ah"},  {12, "Wh", "step_energy", "energy", "Wh"},
};

const char* compare_of(std::int64_t type) {
  constexpr const char* kSigns[] = {">", ">=", "<", "<="};
  return type >= 3 && type <= 6 ? kSigns[type - 3] : nullptr;
}

}  // namespace

std::optional<double> NewareValues::value(const xml_node& parent, const char* key, const std::string& where) {
  const xml_node node = parent.child(key);
  if (!node || std::string_view(node.attribute("Is_Select").as_string("1")) == "0") return std::nullopt;
  const std::string_view text = trimmed(node.attribute("Value").as_string());
  if (text.empty()) return std::nullopt;
  const auto number = number_of(text);
  if (!number) {
    import_.error(code::kValue, xml_.line_of(node), fmt::format("{}: {} = \"{}\" is not a number", where, key, text));
  }
  return number;
}

std::optional<double> NewareValues::nonzero(const xml_node& parent, const char* key, const std::string& where,
                                            double per_unit) {
  const auto number = value(parent, key, where);
  if (!number || *number == 0.0) return std::nullopt;
  return *number / per_unit;
}

std::optional<double> NewareValues::scaled(const xml_node& parent, const char* key, const std::string& where,
                                           double per_unit) {
  const auto number = value(parent, key, where);
  if (!number) return std::nullopt;
  import_.translated();
  return *number / per_unit;
}

bool NewareValues::says_nothing(const xml_node& node) {
  if (std::string_view(node.attribute("Is_Select").as_string("1")) == "0") return true;
  if (node.first_child()) {
    return std::all_of(node.begin(), node.end(), [](const xml_node& child) { return says_nothing(child); });
  }
  const std::string_view text = trimmed(node.attribute("Value").as_string());
  return text.empty() || number_of(text) == 0.0;
}

bool NewareValues::all_zero(const xml_node& node) {
  if (std::string_view(node.attribute("Is_Select").as_string("1")) == "0") return true;
  for (const pugi::xml_attribute& attribute : node.attributes()) {
    const std::string_view text = trimmed(attribute.value());
    if (std::string_view(attribute.name()) != "Is_Select" && !text.empty() && number_of(text) != 0.0) return false;
  }
  return std::all_of(node.begin(), node.end(), [](const xml_node& child) { return all_zero(child); });
}

void NewareValues::unknown_keys(const xml_node& parent, std::initializer_list<const char*> known,
                                const std::string& where) {
  for (const xml_node& node : parent.children()) {
    const std::string_view name = node.name();
    if (std::any_of(known.begin(), known.end(), [&](const char* key) { return name == key; })) continue;
    if (says_nothing(node)) continue;
    import_.error(code::kBound, xml_.line_of(node),
                  fmt::format("{}: what {} means is not known; it may bound the cell", where, name),
                  "switch it off in the other software, import again, and write the limit by hand");
  }
}

std::string NewareConditions::step_name(std::size_t step) {
  return fmt::format("step_{}", step + 1);
}

void NewareConditions::read(const xml_node& other, FlowStep& step) {
  for (const xml_node& node : other.children()) {
    const std::string_view name = node.name();
    if (name.starts_with("Cnd")) {
      condition(node, step);
    } else if (!NewareValues::says_nothing(node)) {
      import_.error(code::kBound, xml_.line_of(node),
                    fmt::format("{}: what Limit/Other/{} means is not known", step.where, name));
    }
  }
}

void NewareConditions::condition(const xml_node& node, FlowStep& step) {
  const std::int64_t jump = whole_of(node.attribute("Jump_Line").as_string("0")).value_or(-1);
  const int type = node.attribute("type").as_int();
  if (type == kSetType) return;  // read where the variable is used
  if (jump == kJumpNothing) {
    import_.dropped(step.where, fmt::format("{} without a jump", node.name()), "it changes nothing");
    return;
  }
  FlowEnd end;
  const char* compare = compare_of(whole_of(node.attribute("CmpType").as_string()).value_or(0));
  const bool plain = node.attribute("Function").as_int() == 0 && node.attribute("Aux").as_int() == 0;
  if (!plain || compare == nullptr || !when(node, compare, end) || !jump_to(jump, end)) {
    import_.error(code::kBound, xml_.line_of(node),
                  fmt::format("{}: the condition {} (type {}, jump {}) is not understood; it may bound the cell",
                              step.where, node.name(), type, jump),
                  "take it out in the other software, import again, and write the condition by hand");
    return;
  }
  step.ends.push_back(std::move(end));
}

bool NewareConditions::when(const xml_node& node, const char* compare, FlowEnd& end) {
  const int type = node.attribute("type").as_int();
  if (type == kExpressionType) return expression(node, compare, end);
  const auto bound = number_of(node.attribute("Value").as_string());
  if (!bound) return false;
  switch (static_cast<Measured>(type)) {
    case Measured::voltage: {
      const double volts = *bound / NewareValues::kPerVolt;
      end.text.when = fmt::format("voltage {} {}", compare, unit_text(volts, "V"));
      (compare[0] == '>' ? end.voltage_max_V : end.voltage_min_V) = volts;
      return true;
    }
    case Measured::current:
      end.text.when = fmt::format("{} {} {}", *bound < 0.0 ? "current" : "abs(current)", compare,
                                  current_text(*bound / values_.per_ampere()));
      return true;
    case Measured::time:
      end.text.when = fmt::format("time {} {}", compare, time_text(*bound / NewareValues::kPerSecond));
      return true;
  }
  return false;
}

// "Ah - 0.8*User1" compared with zero: numbers are in Ah, Wh, V, A, s.
bool NewareConditions::expression(const xml_node& node, const char* compare, FlowEnd& end) {
  const auto meaning = [this](std::string_view name) -> std::optional<UnitText> {
    for (const Word& word : kWords) {
      if (name == word.name) return UnitText{word.live, word.unit};
    }
    const auto number = name.starts_with("User") ? whole_of(name.substr(4)) : std::nullopt;
    if (!number || *number < 1 || *number > 1000) return std::nullopt;
    const auto set = variables_.find(kFirstVariable + static_cast<int>(*number) - 1);
    if (set == variables_.end() || set->second.step == NewareVariable::kTwice) return std::nullopt;
    for (const Word& word : kWords) {
      if (word.number == set->second.quantity && word.result != nullptr) {
        return UnitText{fmt::format("{}.{}", step_name(set->second.step), word.result), word.unit};
      }
    }
    return std::nullopt;
  };
  const auto bound = number_of(node.attribute("Value").as_string("0"));
  const auto value = unit_expression(node.attribute("Expression").as_string(), meaning);
  if (!bound || *bound != 0.0 || !value || number_of(value->text)) return false;
  end.text.when = fmt::format("{} {} {}", value->text, compare, unit_text(0.0, value->unit));
  return true;
}

bool NewareConditions::jump_to(std::int64_t jump, FlowEnd& end) {
  if (jump == kJumpNext) return true;
  if (jump == kJumpFinish || jump == kJumpStop) {
    end.go = FlowEnd::Go::end;
    return true;
  }
  if (jump == kJumpProtect) {
    end.go = FlowEnd::Go::fail;
    return true;
  }
  const auto target = index_.find(jump);
  if (target == index_.end()) return false;
  end.go = FlowEnd::Go::step;
  end.target = target->second;
  return true;
}

}  // namespace cyclerd::exchange
