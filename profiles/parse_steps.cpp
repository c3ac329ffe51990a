// [[step]] and everything inside it.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "profiles/codes.hpp"
#include "profiles/parse_parts.hpp"

namespace cyclerd::profiles {
namespace {

using Parse = void (*)(const text::TomlNode& node, StepSyntax& step, ParseContext& context);

text::TableReader table_of(const text::TomlNode& node, const StepSyntax& step, ParseContext& context) {
  return {node, step.name.empty() ? step.word : fmt::format("{} of step '{}'", step.word, step.name),
          context.diagnostics};
}

void parse_charge_or_discharge(const text::TomlNode& node, StepSyntax& step, ParseContext& context) {
  step.sign = step.word == "charge" ? 1 : -1;
  text::TableReader reader = table_of(node, step, context);
  if (!node.is_table()) return;
  step.current = read_expression(reader, "current", type::kCurrent, context);
  step.voltage = read_expression(reader, "voltage", type::kVoltage, context);
  step.power = read_expression(reader, "power", type::kPower, context);
  step.resistance = read_expression(reader, "resistance", type::kResistance, context);
  reader.finish();
  const int controls = int{step.current.given} + int{step.power.given} + int{step.resistance.given};
  if (controls != 1) {
    context.diagnostics.error(code::kCombination, node.key,
                              controls == 0 ? fmt::format("{} says neither current, power nor resistance", step.word)
                                            : fmt::format("{} takes one of current, power, resistance", step.word),
                              fmt::format("{} = {{ current = \"1 C\" }}", step.word));
  }
  step.kind = step.power.given ? StepKind::power : step.resistance.given ? StepKind::resistance : StepKind::current;
  if (step.resistance.given && step.sign > 0) {
    context.diagnostics.error(code::kCombination, step.resistance.where, "a resistance can only discharge",
                              "write discharge = { resistance = ... }");
  }
}

void parse_rest(const text::TomlNode& node, StepSyntax& step, ParseContext& context) {
  step.kind = StepKind::rest;
  text::TableReader reader = table_of(node, step, context);
  reader.finish();
}

void parse_hold(const text::TomlNode& node, StepSyntax& step, ParseContext& context) {
  step.kind = StepKind::voltage;
  text::TableReader reader = table_of(node, step, context);
  if (!node.is_table()) return;
  (void)reader.required("voltage");
  step.voltage = read_expression(reader, "voltage", type::kVoltage, context);
  step.current = read_expression(reader, "current", type::kCurrent, context);
  reader.finish();
}

void parse_follow(const text::TomlNode& node, StepSyntax& step, ParseContext& context) {
  step.kind = StepKind::follow;
  text::TableReader reader = table_of(node, step, context);
  if (!node.is_table()) return;
  if (const text::TomlNode* file = reader.required("waveform")) {
    step.waveform_where = file->value;
    step.waveform = reader.optional_string("waveform").value_or("");
    if (file->is_string() && step.waveform.empty()) {
      context.diagnostics.error(code::kWaveformFile, file->value, "the waveform has no name",
                                "name a file, for instance us06.csv");
    }
  }
  step.scale = read_expression(reader, "scale", type::kNumber, context);
  step.count = read_expression(reader, "repeat", type::kNumber, context);
  step.speed = read_constant(reader, "speed", type::kNumber, context);
  if (const auto resample = reader.optional_word("resample", {"hold", "linear"})) {
    step.resample = *resample == "linear" ? Resample::linear : Resample::hold;
  }
  if (const auto clamp = reader.optional_word("clamp", {"refuse", "limit"})) {
    step.clamp_to_envelope = *clamp == "limit";
  }
  reader.finish();
}

void parse_chamber(const text::TomlNode& node, StepSyntax& step, ParseContext& context) {
  step.kind = StepKind::chamber;
  text::TableReader reader = table_of(node, step, context);
  if (!node.is_table()) return;
  (void)reader.required("temperature");
  step.temperature = read_expression(reader, "temperature", type::kTemperature, context);
  step.chamber_ramp = read_expression(reader, "ramp", type::kTemperatureRate, context);
  if (const text::TomlNode* soak = reader.optional_table("soak")) {
    text::TableReader inner(*soak, "soak", context.diagnostics);
    (void)inner.required("within");
    (void)inner.required("for");
    step.soak_within = read_constant(inner, "within", type::kTemperatureDifference, context);
    step.soak_for = read_constant(inner, "for", type::kTime, context);
    inner.finish();
  }
  reader.finish();
}

void parse_repeat(const text::TomlNode& node, StepSyntax& step, ParseContext& context) {
  step.kind = StepKind::repeat_begin;
  text::TableReader reader = table_of(node, step, context);
  if (!node.is_table()) return;
  step.count = read_expression(reader, "count", type::kNumber, context);
  if (const text::TomlNode* until = reader.optional("until")) step.until = parse_until(*until, context);
  for (const ConditionSyntax& condition : step.until) {
    if (!condition.dwell.given) continue;
    context.diagnostics.error(code::kCombination, condition.dwell.where,
                              "the until of a repeat takes no dwell: it is looked at once after each pass",
                              "put the dwell on a condition of a step inside, with then = \"break\"");
  }
  reader.finish();
}

void parse_advance_cycle(const text::TomlNode& node, StepSyntax& step, ParseContext& context) {
  step.kind = StepKind::advance_cycle;
  text::TableReader reader = table_of(node, step, context);
  reader.finish();
}

void parse_operator(const text::TomlNode& node, StepSyntax& step, ParseContext& context) {
  step.kind = StepKind::operator_pause;
  text::TableReader reader = table_of(node, step, context);
  if (!node.is_table()) return;
  step.message = reader.optional_string("message").value_or("");
  if (step.message.empty() && step.word == "operator" && !reader.optional("message")) (void)reader.required("message");
  reader.finish();
}

struct Control {
  const char* word;
  Parse parse;
};
constexpr std::array<Control, 15> kControls = {{
    {"charge", parse_charge_or_discharge},
    {"discharge", parse_charge_or_discharge},
    {"rest", parse_rest},
    {"hold", parse_hold},
    {"follow", parse_follow},
    {"chamber", parse_chamber},
    {"repeat", parse_repeat},
    {"advance_cycle", parse_advance_cycle},
    {"operator", parse_operator},
    {"pause", parse_operator},
    {"ramp", parse_ramp},
    {"pulse", parse_pulse},
    {"impedance", parse_impedance},
    {"call", parse_call},
    {"set", parse_set},
}};

// Finds the one key that says what the step does. nullptr after a finding.
const Control* find_control(text::TableReader& reader, StepSyntax& step, const text::TomlNode*& node,
                            ParseContext& context) {
  const Control* found = nullptr;
  for (const Control& control : kControls) {
    const text::TomlNode* candidate = reader.optional(control.word);
    if (candidate == nullptr) continue;
    if (found != nullptr) {
      context.diagnostics.error(
          code::kControl, candidate->key,
          fmt::format("the step already is a {}; it cannot be a {} as well", found->word, control.word),
          "give each its own [[step]]");
      step.broken = true;
      continue;
    }
    found = &control;
    node = candidate;
  }
  if (found == nullptr) return nullptr;
  step.word = found->word;
  step.where = node->key;
  return found;
}

// Keys that any step may carry, and the ones that only some may.
void parse_common(text::TableReader& reader, StepSyntax& step, ParseContext& context) {
  step.when = read_expression(reader, "when", type::kBoolean, context);
  if (const text::TomlNode* until = reader.optional("until")) {
    if (step.kind == StepKind::repeat_begin || step.kind == StepKind::advance_cycle || step.kind == StepKind::set ||
        step.kind == StepKind::operator_pause) {
      context.diagnostics.error(
          code::kCombination, until->key, fmt::format("{} takes no until", step.word),
          step.word == "repeat" ? "write it inside: repeat = { count = 10, until = \"...\" }" : "it ends by itself");
    } else {
      step.until = parse_until(*until, context);
    }
  }
  if (const text::TomlNode* temperature = reader.optional("temperature")) {
    if (step.kind == StepKind::chamber || step.kind == StepKind::repeat_begin || step.kind == StepKind::set ||
        step.kind == StepKind::advance_cycle) {
      context.diagnostics.error(code::kCombination, temperature->key,
                                fmt::format("{} takes no temperature of its own", step.word),
                                step.kind == StepKind::chamber ? "write it inside chamber = { temperature = ... }"
                                                               : "put it on the steps inside, or add a chamber step");
    } else {
      step.temperature = read_expression(reader, "temperature", type::kTemperature, context);
    }
  }
  if (const text::TomlNode* capacity = reader.optional("capacity")) {
    const auto word = reader.optional_word("capacity", {"nominal", "measured"});
    if (step.kind == StepKind::rest || step.kind == StepKind::follow || step.kind == StepKind::chamber ||
        step.kind == StepKind::advance_cycle || step.kind == StepKind::operator_pause) {
      context.diagnostics.error(code::kCombination, capacity->key, fmt::format("{} takes no capacity", step.word),
                                "it says what a C is in the steps that have a current, and in blocks of them");
    } else if (word) {
      step.capacity = *word == "measured" ? CapacityBase::measured : CapacityBase::nominal;
    }
  }
  if (const text::TomlNode* record = reader.optional_table("record")) {
    step.record = parse_record(*record, "record of the step", context);
  }
}

bool has_unknown_key(const text::TomlNode& item) {
  static constexpr std::array<std::string_view, 7> kCommon = {"name",     "when",   "until", "temperature",
                                                              "capacity", "record", "steps"};
  return std::any_of(item.members.begin(), item.members.end(), [](const auto& member) {
    return std::find(kCommon.begin(), kCommon.end(), member.first) == kCommon.end() &&
           std::none_of(kControls.begin(), kControls.end(), [&](const Control& c) { return member.first == c.word; });
  });
}

void parse_children(text::TableReader& reader, StepSyntax& step, int depth, ParseContext& context) {
  const text::TomlNode* children = reader.optional_array("steps");
  const bool block = step.kind == StepKind::repeat_begin && step.word == "repeat";
  if (children != nullptr && !block && !step.word.empty() && !step.broken) {
    context.diagnostics.error(code::kCombination, children->key, fmt::format("a {} has no steps inside", step.word),
                              "only a repeat holds [[step.steps]]");
    return;
  }
  if (children != nullptr) parse_steps(*children, step.steps, depth + 1, context);
  if (block && step.steps.empty() && (children == nullptr || children->items.empty())) {
    context.diagnostics.error(code::kNoSteps, step.where, "the repeat has no steps", "add [[step.steps]] tables");
    step.broken = true;
  }
}

void parse_step(const text::TomlNode& item, StepSyntax& step, int depth, ParseContext& context) {
  text::Diagnostics& diagnostics = context.diagnostics;
  const std::size_t errors_before = diagnostics.error_count();
  text::TableReader reader(item, "a step", diagnostics);
  if (!item.is_table()) {
    step.broken = true;
    return;
  }
  step.where = item.key.line != 0 ? item.key : item.value;
  if (const text::TomlNode* name = reader.optional("name")) {
    step.name = reader.optional_string("name").value_or("");
    step.name_where = name->value;
    if (name->is_string() && (!valid_identifier(step.name) || step.name.size() > 46 || step.name == "cell")) {
      diagnostics.error(code::kName, name->value, fmt::format("'{}' cannot be a step's name", step.name),
                        "at most 46 letters, digits and _, for instance check_up");
    }
  }
  const text::TomlNode* control_node = nullptr;
  const Control* control = find_control(reader, step, control_node, context);
  if (control != nullptr) {
    control->parse(*control_node, step, context);
  } else if (!step.broken && !has_unknown_key(item)) {
    diagnostics.error(
        code::kControl, step.where, "the step does not say what to do",
        "add charge, discharge, hold, rest, ramp, pulse, follow, impedance, chamber, repeat, call, set, operator or "
        "advance_cycle");
  }
  parse_common(reader, step, context);
  const std::size_t errors_of_step = diagnostics.error_count();
  parse_children(reader, step, depth, context);
  const std::size_t errors_inside = diagnostics.error_count();
  reader.finish();
  step.broken = step.broken || errors_of_step != errors_before || diagnostics.error_count() != errors_inside ||
                control == nullptr;
}

struct Action {
  const char* word;
  Then then;
};
constexpr std::array<Action, 5> kActions = {{{"next", Then::next},
                                             {"end", Then::end},
                                             {"pause", Then::pause},
                                             {"fail", Then::fail},
                                             {"break", Then::break_block}}};

bool parse_then(text::TableReader& reader, ConditionSyntax& condition, ParseContext& context) {
  const text::TomlNode* node = reader.optional("then");
  const auto written = reader.optional_string("then");
  if (!written) return node == nullptr;
  for (const Action& action : kActions) {
    if (*written == action.word) {
      condition.then = action.then;
      condition.target_where = node->value;
      return true;
    }
  }
  if (written->rfind("goto", 0) == 0 && written->size() > 4 && (*written)[4] == ' ') {
    const std::size_t begin = written->find_first_not_of(' ', 4);
    if (begin != std::string::npos) {
      condition.then = Then::go_to;
      condition.target = written->substr(begin, written->find_last_not_of(' ') + 1 - begin);
      condition.target_where = part_of(node->value, *written, begin, condition.target.size());
      return true;
    }
  }
  const std::string near = text::nearest(*written, {"next", "goto", "end", "pause", "fail", "break"});
  context.diagnostics.error(code::kUntil, node->value, fmt::format("'{}' is not an outcome", *written),
                            near.empty()     ? "then is next, goto NAME, end, pause, fail or break"
                            : near == "goto" ? "write goto NAME"
                                             : fmt::format("did you mean {}?", near));
  return false;
}

void parse_condition(const text::TomlNode& item, std::vector<ConditionSyntax>& conditions, ParseContext& context) {
  ConditionSyntax condition;
  condition.target_where = item.value;
  if (!item.is_table()) {
    if (!item.is_string()) {
      context.diagnostics.error(code::kUntil, item.value, "a condition is text in quotes or a table",
                                "until = \"voltage >= 4.2 V\", or { when = \"...\", then = \"end\" }");
      return;
    }
    condition.when = parse_expression(item, context.scope, context.diagnostics);
    if (!expect_type(condition.when, type::kBoolean, "an until", context.diagnostics)) condition.when.root = -1;
    conditions.push_back(std::move(condition));
    return;
  }
  text::TableReader reader(item, "a condition", context.diagnostics);
  (void)reader.required("when");
  condition.when = read_expression(reader, "when", type::kBoolean, context);
  parse_then(reader, condition, context);
  condition.dwell = read_constant(reader, "for", type::kTime, context);
  condition.reason = reader.optional_string("reason").value_or("");
  reader.finish();
  conditions.push_back(std::move(condition));
}

}  // namespace

std::vector<std::string_view> control_words() {
  std::vector<std::string_view> words;
  for (const Control& control : kControls) words.emplace_back(control.word);
  return words;
}

std::vector<std::string_view> outcome_words() {
  std::vector<std::string_view> words = {"goto NAME"};
  for (const Action& action : kActions) words.emplace_back(action.word);
  return words;
}

std::vector<ConditionSyntax> parse_until(const text::TomlNode& node, ParseContext& context) {
  std::vector<ConditionSyntax> conditions;
  if (!node.is_array()) {
    parse_condition(node, conditions, context);
    return conditions;
  }
  if (node.items.size() > kMaxConditions) {
    context.diagnostics.error(
        code::kUntil, node.value,
        fmt::format("until has {} conditions; at most {} are allowed", node.items.size(), kMaxConditions),
        "join some with or");
    return conditions;
  }
  for (const text::TomlNode& item : node.items) parse_condition(item, conditions, context);
  return conditions;
}

void parse_steps(const text::TomlNode& array, std::vector<StepSyntax>& steps, int depth, ParseContext& context) {
  if (depth > static_cast<int>(kMaxNesting)) {
    context.diagnostics.error(code::kNesting, array.key, fmt::format("repeats nest deeper than {}", kMaxNesting),
                              "flatten the loops");
    return;
  }
  for (const text::TomlNode& item : array.items) {
    if (++context.steps > kMaxSteps) {
      if (!context.too_many) {
        context.diagnostics.error(code::kTooManySteps, item.value,
                                  fmt::format("the profile has more than {} steps", kMaxSteps), "use repeat");
      }
      context.too_many = true;
      return;
    }
    steps.emplace_back();
    parse_step(item, steps.back(), depth, context);
  }
}

}  // namespace cyclerd::profiles
