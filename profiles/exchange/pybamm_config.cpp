// Experiment.to_config(): {"cycles": [[step, ...], ...]}, and the older {"steps": [...]}.
#include <fmt/format.h>

#include <array>

#include "profiles/exchange/exchange.hpp"
#include "profiles/exchange/exchange_codes.hpp"
#include "profiles/exchange/json_text.hpp"
#include "profiles/exchange/pybamm_experiment.hpp"
#include "profiles/exchange/pybamm_keywords.hpp"

namespace cyclerd::exchange::pybamm {
namespace {

using Kind = JsonValue::Kind;

class ConfigReader {
 public:
  ConfigReader(const text::SourcePtr& source, text::Diagnostics& diagnostics)
      : source_(source), diagnostics_(diagnostics) {}

  std::optional<Experiment> read(const JsonValue& root);

 private:
  [[nodiscard]] text::Span where(const JsonValue& value) const { return span_at(source_, value.offset, value.length); }
  bool fail(const char* code, const JsonValue& value, std::string message, std::string help = {}) {
    diagnostics_.error(code, where(value), std::move(message), std::move(help));
    return false;
  }
  [[nodiscard]] Scalar scalar(const JsonValue& value) const;
  bool top(const std::string& name, const JsonValue& value);
  bool cycle(const JsonValue& list, std::vector<Part>& to);
  bool step(const JsonValue& object, Step& out);
  bool member(const std::string& name, const JsonValue& value, Step& out);
  bool number(const JsonValue& value, double& out);
  bool termination(const JsonValue& object, Step& out);
  bool stops(const JsonValue& value);

  const text::SourcePtr& source_;
  text::Diagnostics& diagnostics_;
  Experiment experiment_;
  std::size_t steps_ = 0;
};

Scalar ConfigReader::scalar(const JsonValue& value) const {
  const bool exact = value.is(Kind::string) && value.length == value.text.size() + 2;
  Scalar made{
      Scalar::Kind::other, value.boolean, value.number, value.text,
      TextPlace{source_, value.offset + (exact ? 1U : 0U), exact, value.length - (exact ? 2U : 0U), diagnostics_}};
  switch (value.kind) {
    case Kind::null: made.kind = Scalar::Kind::none; break;
    case Kind::boolean: made.kind = Scalar::Kind::boolean; break;
    case Kind::number: made.kind = Scalar::Kind::number; break;
    case Kind::string: made.kind = Scalar::Kind::text; break;
    default: break;
  }
  return made;
}

// A number, or a text that is one.
bool ConfigReader::number(const JsonValue& value, double& out) {
  if (value.is(Kind::number)) {
    out = value.number;
    return true;
  }
  const auto read = value.is(Kind::string) ? python_float(value.text) : std::nullopt;
  if (read) {
    out = *read;
    return true;
  }
  if (value.is(Kind::string)) {
    return fail(code::kKind, value,
                fmt::format("'{}' is not a number; PyBaMM takes it as an input parameter", value.text),
                "write the number: a cycler needs one");
  }
  return fail(code::kKind, value, fmt::format("a number is needed, this is {}", kind_name(value.kind)));
}

bool ConfigReader::termination(const JsonValue& object, Step& out) {
  if (object.is(Kind::string)) {
    const auto end = read_termination(object.text, scalar(object).place);
    if (end) out.terminations.push_back(*end);
    return end.has_value();
  }
  if (!object.is(Kind::object)) return fail(code::kKind, object, "an end is an object {type, value, operator}");
  const JsonValue* const type = object.find("type");
  const JsonValue* const value = object.find("value");
  const JsonValue* const op = object.find("operator");
  if (type == nullptr || !type->is(Kind::string)) return fail(code::kEnd, object, "an end without a type");
  if (value == nullptr) return fail(code::kEnd, object, "an end without a value");
  if (op != nullptr && !op->is(Kind::string) && !op->is(Kind::null)) {
    return fail(code::kEnd, *op, "an operator is \"<\" or \">\"");
  }
  Scalar parsed = scalar(*value);
  if (!number(*value, parsed.number)) return false;
  parsed.kind = Scalar::Kind::number;
  const auto end = make_termination(type->text, parsed, op != nullptr ? op->text : "");
  if (end) out.terminations.push_back(*end);
  return end.has_value();
}

bool ConfigReader::member(const std::string& name, const JsonValue& value, Step& out) {
  if (name == "type" || name == "value") return true;  // read before
  if (name == "terminations") {
    if (value.is(Kind::null)) return true;
    if (!value.is(Kind::array)) return fail(code::kKind, value, "'terminations' is a list");
    for (const JsonValue& end : value.items) {
      if (!termination(end, out)) return false;
    }
    return true;
  }
  if (name == "tags") {
    if (value.is(Kind::string)) out.tags = value.text;
    for (const JsonValue& tag : value.items) {
      if (tag.is(Kind::string)) out.tags += (out.tags.empty() ? "" : ", ") + tag.text;
    }
    return true;
  }
  // A text that is a number is one: float() of PyBaMM.
  Scalar parsed = scalar(value);
  if (name == "duration" && value.is(Kind::string)) {
    if (const auto seconds = python_float(value.text)) {
      parsed.kind = Scalar::Kind::number;
      parsed.number = *seconds;
    }
  }
  bool known = false;
  if (!set_keyword(out, name, parsed, known)) return false;
  if (!known) {
    const text::Span at = span_at(source_, value.key_offset, value.key_length);
    experiment_.ignored.emplace_back(fmt::format("line {}", at.line), name);
  }
  return true;
}

bool ConfigReader::step(const JsonValue& object, Step& out) {
  constexpr std::array<std::pair<std::string_view, Quantity>, 6> kTypes{{{"current", Quantity::current},
                                                                         {"c-rate", Quantity::c_rate},
                                                                         {"voltage", Quantity::voltage},
                                                                         {"power", Quantity::power},
                                                                         {"resistance", Quantity::resistance},
                                                                         {"rest", Quantity::current}}};
  if (object.is(Kind::string)) {
    auto read = read_step(object.text, scalar(object).place);
    if (read) out = std::move(*read);
    return read.has_value();
  }
  if (!object.is(Kind::object)) {
    return fail(code::kKind, object, fmt::format("a step is an object, this is {}", kind_name(object.kind)));
  }
  out.where = where(object);
  const JsonValue* const type = object.find("type");
  if (type == nullptr || !type->is(Kind::string)) {
    return fail(code::kKey, object, "a step without a type", "\"type\": \"c-rate\"");
  }
  bool known = false;
  for (const auto& [name, quantity] : kTypes) {
    if (type->text != name) continue;
    known = true;
    out.value.quantity = quantity;
  }
  if (!known) {
    return fail(code::kKey, *type, fmt::format("a step of the type '{}' is unknown", type->text),
                "current, c-rate, voltage, power, resistance or rest");
  }
  if (type->text != "rest") {
    const JsonValue* const value = object.find("value");
    if (value == nullptr || value->is(Kind::null)) {
      return fail(code::kKey, object, fmt::format("a step of the type '{}' needs a value", type->text));
    }
    if (!number(*value, out.value.number)) return false;
  }
  for (const auto& [name, value] : object.members) {
    if (!member(name, value, out)) return false;
  }
  return check_step(out, diagnostics_);
}

bool ConfigReader::cycle(const JsonValue& list, std::vector<Part>& to) {
  if (!list.is(Kind::array)) return fail(code::kKind, list, "a cycle is a list of steps");
  if (list.items.empty()) return fail(code::kEmpty, list, "a cycle without steps");
  Part made;
  made.cycle = true;
  for (const JsonValue& object : list.items) {
    if (++steps_ > kMaxImportSteps) {
      return fail(code::kTooMuch, object, fmt::format("more than {} steps", kMaxImportSteps));
    }
    made.parts.emplace_back();
    made.parts.back().step.emplace();
    if (!step(object, *made.parts.back().step)) return false;
  }
  to.push_back(std::move(made));
  return true;
}

bool ConfigReader::stops(const JsonValue& value) {
  const auto one = [this](const JsonValue& text) {
    if (!text.is(Kind::string)) return fail(code::kTermination, text, "the end of an experiment is a text");
    const auto stop = read_stop(text.text, scalar(text).place);
    if (stop) experiment_.stops.push_back(*stop);
    return stop.has_value();
  };
  if (value.is(Kind::null)) return true;
  if (!value.is(Kind::array)) return one(value);
  for (const JsonValue& text : value.items) {
    if (!one(text)) return false;
  }
  return true;
}

bool ConfigReader::top(const std::string& name, const JsonValue& value) {
  if (name == "cycles" || name == "steps") return true;  // read by read()
  if (name == "period") {
    experiment_.period_s = scalar_time(name, scalar(value));
    return experiment_.period_s || value.is(Kind::null);
  }
  if (name == "temperature") {
    experiment_.temperature_K = scalar_temperature(scalar(value));
    return experiment_.temperature_K || value.is(Kind::null);
  }
  if (name == "termination") return stops(value);
  const text::Span at = span_at(source_, value.key_offset, value.key_length);
  experiment_.ignored.emplace_back(fmt::format("line {}", at.line), name);
  return true;
}

std::optional<Experiment> ConfigReader::read(const JsonValue& root) {
  experiment_.where = where(root);
  const JsonValue* cycles = root.find("cycles");
  const JsonValue* steps = root.find("steps");
  if (cycles != nullptr && cycles->is(Kind::null)) cycles = nullptr;
  const JsonValue* const list = cycles != nullptr ? cycles : steps;
  if (list == nullptr || !list->is(Kind::array)) {
    fail(code::kNotThisFormat, root, "neither \"cycles\" nor \"steps\" is a list here: not an experiment of PyBaMM",
         "what pybamm.Experiment.to_config() gives; a unicycler protocol has \"method\" (--format unicycler)");
    return std::nullopt;
  }
  for (const JsonValue& item : list->items) {
    if (cycles != nullptr) {
      if (!cycle(item, experiment_.cycles)) return std::nullopt;
      continue;
    }
    JsonValue one;
    one.kind = Kind::array;
    one.items.push_back(item);
    if (!cycle(one, experiment_.cycles)) return std::nullopt;
  }
  for (const auto& [name, value] : root.members) {
    if (!top(name, value)) return std::nullopt;
  }
  return std::move(experiment_);
}

}  // namespace

std::optional<Experiment> read_config(const text::SourcePtr& source, text::Diagnostics& diagnostics) {
  const auto root = read_json(source, diagnostics);
  if (!root) return std::nullopt;
  return ConfigReader(source, diagnostics).read(*root);
}

}  // namespace cyclerd::exchange::pybamm
