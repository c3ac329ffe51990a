// Steps whose set-point has a shape: ramp, pulse, impedance.
#include <fmt/format.h>

#include "profiles/codes.hpp"
#include "profiles/parse_parts.hpp"

namespace cyclerd::profiles {
namespace {

bool is_level(const Type& type) {
  return type == type::kCurrent || type == type::kVoltage || type == type::kPower;
}

// `from` says what is ramped; `to` and `rate` must be of its kind.
void read_ramp_levels(text::TableReader& reader, StepSyntax& step, ParseContext& context) {
  const text::TomlNode* from = reader.required("from");
  if (from == nullptr) return;
  step.ramp_from = parse_expression(*from, context.scope, context.diagnostics);
  (void)reader.required("to");
  (void)reader.optional("rate");
  if (!step.ramp_from.ok()) return;
  const Type type = step.ramp_from.top().type;
  if (!is_level(type)) {
    context.diagnostics.error(code::kQuantity, step.ramp_from.where,
                              fmt::format("a ramp is of current, voltage or power, this is a {}", type_name(type)),
                              "ramp = { from = \"0 A\", to = \"1 C\", over = \"10 min\" }");
    step.ramp_from.root = -1;
    return;
  }
  step.ramp_to = read_expression(reader, "to", type, context);
  step.ramp_rate = read_expression(reader, "rate", {type.dimension / text::dimension::kTime, false, false}, context);
}

void read_pulses(const text::TomlNode& list, StepSyntax& step, ParseContext& context) {
  if (list.items.empty() || list.items.size() > kMaxPulses) {
    context.diagnostics.error(
        code::kCombination, list.key,
        fmt::format("a pulse step has 1 to {} pulses, here are {}", kMaxPulses, list.items.size()),
        "pulses = [{ current = \"-1 C\", time = \"10 s\" }, { current = \"0 A\", time = \"40 s\" }]");
    return;
  }
  for (const text::TomlNode& item : list.items) {
    text::TableReader reader(item, "a pulse", context.diagnostics);
    if (!item.is_table()) continue;
    PulseSyntax pulse;
    pulse.where = item.value;
    pulse.current = read_expression(reader, "current", type::kCurrent, context);
    pulse.power = read_expression(reader, "power", type::kPower, context);
    (void)reader.required("time");
    pulse.time = read_constant(reader, "time", type::kTime, context);
    reader.finish();
    if (pulse.current.given == pulse.power.given) {
      context.diagnostics.error(code::kCombination, item.value, "a pulse has either a current or a power",
                                "{ current = \"-1 C\", time = \"10 s\" }; charge is positive");
    }
    step.pulses.push_back(std::move(pulse));
  }
}

void read_dcir(const text::TomlNode& table, StepSyntax& step, ParseContext& context) {
  text::TableReader reader(table, "dcir", context.diagnostics);
  (void)reader.required("current");
  step.current = read_expression(reader, "current", type::kCurrent, context);
  (void)reader.required("time");
  step.pulse_time = read_constant(reader, "time", type::kTime, context);
  if (const auto method = reader.optional_word("method", {"end", "sqrt"})) {
    step.method = *method == "sqrt" ? ResistanceMethod::sqrt_time : ResistanceMethod::end;
  }
  reader.finish();
}

void read_sweep(const text::TomlNode& table, StepSyntax& step, ParseContext& context) {
  constexpr Type kFrequency{{0, 0, -1, 0}, false, false};
  text::TableReader reader(table, "sweep", context.diagnostics);
  step.sweep = true;
  for (const char* key : {"from", "to"}) {
    (void)reader.required(key);
    (void)read_constant(reader, key, kFrequency, context);
  }
  (void)reader.required("amplitude");
  (void)read_constant(reader, "amplitude", type::kCurrent, context);
  (void)read_constant(reader, "points", type::kNumber, context);
  reader.finish();
}

}  // namespace

void parse_ramp(const text::TomlNode& node, StepSyntax& step, ParseContext& context) {
  step.kind = StepKind::ramp;
  text::TableReader reader(node, "ramp", context.diagnostics);
  if (!node.is_table()) return;
  read_ramp_levels(reader, step, context);
  step.ramp_over = read_expression(reader, "over", type::kTime, context);
  step.current = read_expression(reader, "current", type::kCurrent, context);
  const bool rate = reader.optional("rate") != nullptr;
  reader.finish();
  if (rate == step.ramp_over.given) {
    context.diagnostics.error(code::kCombination, node.key, "a ramp has either a rate or a time that it takes",
                              "add rate = \"1 mV/s\" or over = \"10 min\"");
  }
  if (step.current.given && step.ramp_from.ok() && step.ramp_from.top().type != type::kVoltage) {
    context.diagnostics.error(code::kCombination, step.current.where,
                              "only a ramp of the voltage takes a current limit", "remove it");
  }
}

void parse_pulse(const text::TomlNode& node, StepSyntax& step, ParseContext& context) {
  step.kind = StepKind::pulse;
  text::TableReader reader(node, "pulse", context.diagnostics);
  if (!node.is_table()) return;
  (void)reader.required("pulses");
  if (const text::TomlNode* list = reader.optional_array("pulses")) read_pulses(*list, step, context);
  step.count = read_expression(reader, "count", type::kNumber, context);
  reader.finish();
}

void parse_impedance(const text::TomlNode& node, StepSyntax& step, ParseContext& context) {
  step.kind = StepKind::impedance;
  text::TableReader reader(node, "impedance", context.diagnostics);
  if (!node.is_table()) return;
  const text::TomlNode* dcir = reader.optional_table("dcir");
  const text::TomlNode* sweep = reader.optional_table("sweep");
  if (dcir != nullptr) read_dcir(*dcir, step, context);
  if (sweep != nullptr) read_sweep(*sweep, step, context);
  reader.finish();
  if ((dcir == nullptr) == (sweep == nullptr)) {
    context.diagnostics.error(code::kCombination, node.key, "impedance is either dcir or sweep",
                              "impedance = { dcir = { current = \"-1 C\", time = \"10 s\" } }");
  }
}

}  // namespace cyclerd::profiles
