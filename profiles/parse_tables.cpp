// The top of a profile and its tables: [parameters], [cell], [safety], [record].
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "profiles/codes.hpp"
#include "profiles/parse_parts.hpp"

namespace cyclerd::profiles {

bool valid_identifier(std::string_view name) noexcept {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool reserved_word(std::string_view name) {
  for (std::string_view word : {"and", "or", "not", "abs", "min", "max", "mod", "aux", "bms", "cell"}) {
    if (name == word) return true;
  }
  return text::find_unit(name).has_value() ||
         std::any_of(live_names().begin(), live_names().end(), [&](const LiveName& l) { return name == l.name; });
}

Expression read_expression(text::TableReader& reader, std::string_view key, const Type& want, ParseContext& context) {
  const text::TomlNode* node = reader.optional(key);
  if (node == nullptr) return {};
  Expression expression = parse_expression(*node, context.scope, context.diagnostics);
  const std::string what = fmt::format("{} of {}", key, reader.what());
  if (!expect_type(expression, want, what, context.diagnostics)) expression.root = -1;
  return expression;
}

Expression read_constant(text::TableReader& reader, std::string_view key, const Type& want, ParseContext& context) {
  Expression expression = read_expression(reader, key, want, context);
  if (expression.ok() && !is_constant(expression)) {
    context.diagnostics.error(
        code::kConstant, expression.where,
        fmt::format("{} of {} must be known before the start; it depends on a live quantity", key, reader.what()),
        "use constants, parameters, nominal_capacity and ratings of the cell");
    expression.root = -1;
  }
  return expression;
}

namespace {

// A value of [parameters]: "0.5 C", 500, "min(1 C, cell.charge_current_max)".
Expression parameter_value(const text::TomlNode& node, text::Diagnostics& diagnostics) {
  Expression value = parse_expression(node, {}, diagnostics);
  if (!value.ok()) return value;
  const ExpressionNode& top = value.top();
  if (!is_constant(value) || top.type.boolean) {
    diagnostics.error(code::kParameterDefinition, node.value,
                      top.type.boolean ? "a parameter is a value, this is a condition"
                                       : "a parameter must be known before the start; this is measured",
                      "write a number with its unit, or a rating of the cell, for instance \"cell.voltage_max\"");
    value.root = -1;
  } else if (top.kind == ExpressionNode::Kind::operation && top.op == Op::negate &&
             value.at(top.left).kind == ExpressionNode::Kind::number) {
    ExpressionNode number = value.at(top.left);  // so that -C/2 is a C-rate like C/2
    number.value = -number.value;
    value.nodes = {number};
    value.root = 0;
  }
  return value;
}

Expression parameter_bound(text::TableReader& reader, const char* key, const Parameter& parameter,
                           text::Diagnostics& diagnostics) {
  const text::TomlNode* node = reader.optional(key);
  if (node == nullptr) return {};
  Expression bound = parameter_value(*node, diagnostics);
  if (bound.ok() && bound.top().type != parameter.type) {
    diagnostics.error(code::kParameterDefinition, node->value,
                      fmt::format("{} of {} is a {}, its default is a {}", key, reader.what(),
                                  type_name(bound.top().type), type_name(parameter.type)),
                      "write both in the same unit");
    bound = {};
  }
  return bound;
}

void parse_parameter(const std::string& name, const text::TomlNode& node, Names& names,
                     text::Diagnostics& diagnostics) {
  if (!valid_identifier(name) || reserved_word(name)) {
    diagnostics.error(code::kParameterDefinition, node.key, fmt::format("'{}' cannot be the name of a parameter", name),
                      "names are letters, digits and _, and no unit, function or live quantity");
    return;
  }
  text::TableReader reader(node, fmt::format("parameter '{}'", name), diagnostics);
  if (!node.is_table()) return;
  Parameter parameter;
  parameter.where = node.key;
  const text::TomlNode* value_node = reader.required("default");
  const Expression value = value_node != nullptr ? parameter_value(*value_node, diagnostics) : Expression{};
  if (value.ok()) {
    parameter.type = value.top().type;
    parameter.c_rate = value.top().c_rate;
    parameter.value = value;
    parameter.min = parameter_bound(reader, "min", parameter, diagnostics);
    parameter.max = parameter_bound(reader, "max", parameter, diagnostics);
  } else {
    (void)reader.optional("min");
    (void)reader.optional("max");
    parameter.broken = true;
  }
  parameter.help = reader.optional_string("help").value_or("");
  reader.finish();
  names.parameters.emplace(name, std::move(parameter));
}

BoundSyntax parse_bound(text::TableReader& reader, const char* key, const Type& type, ParseContext& context) {
  BoundSyntax bound;
  const text::TomlNode* node = reader.optional_table(key);
  if (node == nullptr) return bound;
  bound.where = node->key;
  bound.given = true;
  text::TableReader inner(*node, fmt::format("[safety] {}", key), context.diagnostics);
  bound.min = read_constant(inner, "min", type, context);
  bound.max = read_constant(inner, "max", type, context);
  bound.dwell = read_constant(inner, "for", type::kTime, context);
  inner.finish();
  if (!bound.min.given && !bound.max.given) {
    context.diagnostics.error(code::kSafetyContradiction, node->key,
                              fmt::format("[safety] {} limits nothing: it has neither min nor max", key),
                              "add min, max or both");
  }
  return bound;
}

}  // namespace

void parse_parameters(const text::TomlNode& table, Names& names, text::Diagnostics& diagnostics) {
  constexpr std::size_t kMaxParameters = 256;
  if (table.members.size() > kMaxParameters) {
    diagnostics.error(code::kTooManyNames, table.key,
                      fmt::format("{} parameters; at most {} are possible", table.members.size(), kMaxParameters),
                      "write constants where they are used");
    return;
  }
  for (const auto& [name, node] : table.members) parse_parameter(name, node, names, diagnostics);
}

void parse_cell_table(const text::TomlNode& table, ProfileSyntax& profile, ParseContext& context) {
  text::TableReader reader(table, "[cell]", context.diagnostics);
  const text::TomlNode* chemistry = reader.optional("chemistry");
  if (chemistry != nullptr) {
    profile.chemistry_where = chemistry->value;
    if (chemistry->is_string()) {
      profile.chemistries.push_back(chemistry->string);
    } else if (chemistry->is_array() && std::all_of(chemistry->items.begin(), chemistry->items.end(),
                                                    [](const text::TomlNode& item) { return item.is_string(); })) {
      for (const text::TomlNode& item : chemistry->items) profile.chemistries.push_back(item.string);
    } else {
      context.diagnostics.error(code::kWrongCell, chemistry->value, "chemistry must be a word or a list of words",
                                "for instance chemistry = [\"nmc-graphite\", \"lfp-graphite\"]");
    }
  }
  profile.nominal_capacity = read_constant(reader, "nominal_capacity", type::kCapacity, context);
  reader.finish();
}

void parse_safety(const text::TomlNode& table, SafetySyntax& safety, ParseContext& context) {
  text::TableReader reader(table, "[safety]", context.diagnostics);
  if (!table.is_table()) return;
  safety.voltage = parse_bound(reader, "voltage", type::kVoltage, context);
  safety.current = parse_bound(reader, "current", type::kCurrent, context);
  safety.power = parse_bound(reader, "power", type::kPower, context);
  safety.temperature = parse_bound(reader, "temperature", type::kTemperature, context);
  safety.chamber = parse_bound(reader, "chamber", type::kTemperature, context);
  safety.capacity = parse_bound(reader, "capacity", type::kCapacity, context);
  if (const text::TomlNode* loss = reader.optional_table("sensor_loss")) {
    text::TableReader inner(*loss, "[safety] sensor_loss", context.diagnostics);
    safety.sensor_loss = read_constant(inner, "after", type::kTime, context);
    (void)inner.required("after");
    inner.finish();
  }
  reader.finish();
}

RecordSyntax parse_record(const text::TomlNode& table, std::string what, ParseContext& context) {
  RecordSyntax record;
  text::TableReader reader(table, std::move(what), context.diagnostics);
  if (!table.is_table()) return record;
  record.given = true;
  record.every = read_constant(reader, "every", type::kTime, context);
  record.voltage = read_constant(reader, "voltage", type::kVoltage, context);
  // "1 %" is one percent of the 1C current.
  if (const text::TomlNode* current = reader.optional("current")) {
    record.current = parse_expression(*current, context.scope, context.diagnostics);
    const bool share = record.current.ok() && record.current.top().type == type::kNumber;
    if (!share && !expect_type(record.current, type::kCurrent, fmt::format("current of {}", reader.what()),
                               context.diagnostics)) {
      record.current.root = -1;
    }
    if (record.current.ok() && !is_constant(record.current)) {
      context.diagnostics.error(code::kConstant, current->value, "a record rule must be known before the start",
                                "write a current, or a percentage of the 1C current");
      record.current.root = -1;
    }
  }
  record.temperature = read_constant(reader, "temperature", type::kTemperatureDifference, context);
  record.power = read_constant(reader, "power", type::kPower, context);
  record.capacity = read_constant(reader, "capacity", type::kCapacity, context);
  record.energy = read_constant(reader, "energy", type::kEnergy, context);
  record.pretrigger = read_constant(reader, "pretrigger", type::kTime, context);
  reader.finish();
  return record;
}

namespace {

void parse_head(text::TableReader& reader, ProfileSyntax& profile, text::Diagnostics& diagnostics) {
  profile.name = reader.required_string("profile");
  if (!profile.name.empty() &&
      (profile.name.size() > 64 || profile.name.find_first_of("/\\ \t\n\"") != std::string::npos)) {
    diagnostics.error(code::kName, reader.optional("profile")->value,
                      fmt::format("'{}' cannot be a profile's name", profile.name),
                      "at most 64 letters, digits, - and _; no spaces");
  }
  if (const text::TomlNode* schema = reader.required("schema")) {
    if (schema->kind != text::TomlNode::Kind::integer || schema->integer != 1) {
      diagnostics.error(code::kSchema, schema->value, "this version reads schema 1 only", "write schema = 1");
    }
  }
  profile.title = reader.optional_string("title").value_or("");
  profile.description = reader.optional_string("description").value_or("");
}

}  // namespace

std::optional<ProfileSyntax> parse_profile(const text::SourcePtr& source, text::Diagnostics& diagnostics) {
  text::TomlLimits limits;
  limits.depth = 2 * kMaxNesting + 16;  // a repeat costs two levels: its table and the array of its steps
  const auto root = text::parse_toml(source, diagnostics, limits);
  if (!root) return std::nullopt;
  ProfileSyntax profile;
  profile.source = source;
  profile.where = text::Span{source, 1, 1, 1};
  text::TableReader reader(*root, "the profile", diagnostics);
  parse_head(reader, profile, diagnostics);
  if (const text::TomlNode* parameters = reader.optional_table("parameters")) {
    parse_parameters(*parameters, profile.names, diagnostics);
  }
  const text::TomlNode* steps = reader.optional_array("step");
  if (steps != nullptr) declare_names(*steps, profile.names, diagnostics);
  ParseContext context{diagnostics, Scope{&profile.names}};
  if (const text::TomlNode* cell = reader.optional_table("cell")) parse_cell_table(*cell, profile, context);
  if (const text::TomlNode* safety = reader.optional_table("safety")) parse_safety(*safety, profile.safety, context);
  if (const text::TomlNode* record = reader.optional_table("record")) {
    profile.record = parse_record(*record, "[record]", context);
  }
  if (const text::TomlNode* procedures = reader.optional_table("procedure")) {
    parse_procedures(*procedures, profile, context.steps, diagnostics);
  }
  if (steps != nullptr) parse_steps(*steps, profile.steps, 0, context);
  if ((steps == nullptr || steps->items.empty()) && reader.optional("step") == steps) {
    diagnostics.error(code::kNoSteps, profile.where, "the profile has no steps", "add [[step]] tables");
  }
  reader.finish();
  return profile;
}

}  // namespace cyclerd::profiles
