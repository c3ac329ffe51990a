// pybamm.Experiment([...]) as people paste it.
#include <fmt/format.h>

#include <algorithm>

#include "profiles/exchange/exchange.hpp"
#include "profiles/exchange/exchange_codes.hpp"
#include "profiles/exchange/pybamm_experiment.hpp"
#include "profiles/exchange/pybamm_keywords.hpp"
#include "profiles/exchange/python_text.hpp"
#include "profiles/exchange/python_tokens.hpp"

namespace cyclerd::exchange::pybamm {
namespace {

using Kind = PyValue::Kind;

class Interpreter {
 public:
  Interpreter(const text::SourcePtr& source, text::Diagnostics& diagnostics)
      : source_(source), diagnostics_(diagnostics) {}

  std::optional<Experiment> experiment(const PyRef& value);

 private:
  [[nodiscard]] text::Span where(const PyValue& value) const { return place_in(source_, value.offset, value.length); }
  bool fail(const char* code, const PyValue& value, std::string message, std::string help = {}) {
    diagnostics_.error(code, where(value), std::move(message), std::move(help));
    return false;
  }
  [[nodiscard]] TextPlace place(const PyValue& value) const {
    return {source_, value.exact ? value.text_offset : value.offset, value.exact,
            value.exact ? value.text.size() : value.length, diagnostics_};
  }
  [[nodiscard]] Scalar scalar(const PyValue& value) const;

  bool arguments(const PyValue& call, Experiment& out);
  bool items(const std::vector<PyItem>& from, bool in_cycle, std::vector<Part>& to);
  bool item(const PyValue& value, bool in_cycle, std::vector<Part>& to);
  bool step(const PyValue& value, Step& out);
  bool step_call(const PyValue& call, Step& out);
  bool step_value(const PyValue& value, Step& out);
  bool drive_cycle(const PyValue& array, Step& out);
  bool keywords(const PyValue& call, bool of_string, Step& out);
  bool terminations(const PyValue& value, Step& out);
  bool termination(const PyValue& value, Step& out);
  bool tags(const PyValue& value, Step& out);
  bool stops(const PyValue& value, Experiment& out);
  // The elements of a list with its repeats written out, at most `most`.
  bool flat(const std::vector<PyItem>& from, std::size_t most, std::vector<PyRef>& to);

  const text::SourcePtr& source_;
  text::Diagnostics& diagnostics_;
  std::size_t steps_ = 0;
};

Scalar Interpreter::scalar(const PyValue& value) const {
  Scalar made{Scalar::Kind::other, value.boolean, value.number, value.text, place(value)};
  switch (value.kind) {
    case Kind::none: made.kind = Scalar::Kind::none; break;
    case Kind::boolean: made.kind = Scalar::Kind::boolean; break;
    case Kind::number: made.kind = Scalar::Kind::number; break;
    case Kind::text: made.kind = Scalar::Kind::text; break;
    default: break;
  }
  return made;
}

bool Interpreter::flat(const std::vector<PyItem>& from, std::size_t most, std::vector<PyRef>& to) {
  for (const PyItem& item : from) {
    if (item.value != nullptr) {
      to.push_back(item.value);
    } else {
      std::vector<PyRef> inner;
      if (!flat(item.group, most, inner)) return false;
      for (std::int64_t i = 0; i < item.count && to.size() <= most; ++i)
        to.insert(to.end(), inner.begin(), inner.end());
    }
    if (to.size() > most) return false;
  }
  return true;
}

bool Interpreter::stops(const PyValue& value, Experiment& out) {
  if (value.is(Kind::none)) return true;
  std::vector<PyRef> list;
  if (value.is(Kind::list) || value.is(Kind::tuple)) {
    if (!flat(value.items, 100, list)) return fail(code::kTooMuch, value, "more than 100 ends of an experiment");
  } else {
    list.push_back(std::make_shared<PyValue>(value));
  }
  for (const PyRef& one : list) {
    if (!one->is(Kind::text))
      return fail(code::kTermination, *one, "the end of an experiment is a text", "\"80% capacity\"");
    const auto stop = read_stop(one->text, place(*one));
    if (!stop) return false;
    out.stops.push_back(*stop);
  }
  return true;
}

bool Interpreter::arguments(const PyValue& call, Experiment& out) {
  const char* const kNames[] = {"operating_conditions", "period", "temperature", "termination"};
  std::vector<std::pair<std::string, PyRef>> given;
  for (std::size_t i = 0; i < call.items.size(); ++i) {
    if (i >= 4) return fail(code::kCallable, call, "an experiment has at most 4 arguments");
    given.emplace_back(kNames[i], call.items[i].value);
  }
  given.insert(given.end(), call.keywords.begin(), call.keywords.end());
  bool conditions = false;
  for (const auto& [name, value] : given) {
    if (name == "operating_conditions") {
      if (!value->is(Kind::list) && !value->is(Kind::tuple)) {
        return fail(code::kKind, *value, "the first argument of an experiment is a list");
      }
      conditions = true;
      if (!items(value->items, false, out.cycles)) return false;
    } else if (name == "period") {
      out.period_s = scalar_time(name, scalar(*value));
      if (!out.period_s && !value->is(Kind::none)) return false;
    } else if (name == "temperature") {
      out.temperature_K = scalar_temperature(scalar(*value));
      if (!out.temperature_K && !value->is(Kind::none)) return false;
    } else if (name == "termination") {
      if (!stops(*value, out)) return false;
    } else {
      return fail(code::kKey, *value, fmt::format("'{}' is not an argument of an experiment", name),
                  "operating_conditions, period, temperature, termination");
    }
  }
  if (!conditions) return fail(code::kEmpty, call, "the experiment has no steps");
  return true;
}

bool Interpreter::items(const std::vector<PyItem>& from, bool in_cycle, std::vector<Part>& to) {
  for (const PyItem& one : from) {
    if (one.value != nullptr) {
      if (!item(*one.value, in_cycle, to)) return false;
      continue;
    }
    Part repeated;
    repeated.count = one.count;
    if (!items(one.group, in_cycle, repeated.parts)) return false;
    to.push_back(std::move(repeated));
  }
  return true;
}

bool Interpreter::item(const PyValue& value, bool in_cycle, std::vector<Part>& to) {
  Part part;
  if (!in_cycle) {
    part.cycle = true;
    if (value.is(Kind::tuple)) {
      if (!items(value.items, true, part.parts)) return false;
      if (part.parts.empty()) return fail(code::kEmpty, value, "a cycle without steps");
    } else if (value.is(Kind::list)) {
      return fail(code::kKind, value, "a list within the list: PyBaMM takes a cycle as a tuple", "(\"...\", \"...\")");
    } else if (!item(value, true, part.parts)) {
      return false;
    }
    to.push_back(std::move(part));
    return true;
  }
  if (++steps_ > kMaxImportSteps)
    return fail(code::kTooMuch, value, fmt::format("more than {} steps", kMaxImportSteps));
  part.step.emplace();
  part.step->where = where(value);
  if (!step(value, *part.step)) return false;
  to.push_back(std::move(part));
  return true;
}

bool Interpreter::step(const PyValue& value, Step& out) {
  if (value.is(Kind::text)) {
    auto read = read_step(value.text, place(value));
    if (!read) return false;
    out = std::move(*read);
    return true;
  }
  if (value.is(Kind::call)) return step_call(value, out);
  return fail(code::kKind, value, "a step is a string or made by pybamm.step",
              "\"Charge at 1C until 4.2 V\" or pybamm.step.c_rate(-1, termination=\"4.2 V\")");
}

bool Interpreter::step_call(const PyValue& call, Step& out) {
  const std::string_view name = call.last_name();
  constexpr std::pair<std::string_view, Quantity> kFactories[] = {
      {"current", Quantity::current},      {"Current", Quantity::current}, {"c_rate", Quantity::c_rate},
      {"CRate", Quantity::c_rate},         {"voltage", Quantity::voltage}, {"Voltage", Quantity::voltage},
      {"power", Quantity::power},          {"Power", Quantity::power},     {"resistance", Quantity::resistance},
      {"Resistance", Quantity::resistance}};
  const auto factory = std::find_if(std::begin(kFactories), std::end(kFactories),
                                    [&](const auto& entry) { return entry.first == name; });
  if (name == "string") {
    if (call.items.size() != 1 || !call.items.front().value->is(Kind::text)) {
      return fail(code::kCallable, call, "pybamm.step.string takes one string");
    }
    const PyValue& text = *call.items.front().value;
    auto read = read_step(text.text, place(text), {call.keyword("period") != nullptr});
    if (!read) return false;
    out = std::move(*read);
    return keywords(call, true, out);
  }
  if (name == "rest") {
    if (call.items.size() > 1) return fail(code::kCallable, call, "pybamm.step.rest takes a duration");
    if (call.items.size() == 1) {
      out.duration_s = scalar_time("duration", scalar(*call.items.front().value));
      if (!out.duration_s && !call.items.front().value->is(Kind::none)) return false;
    }
    return keywords(call, false, out);
  }
  if (factory == std::end(kFactories)) {
    return fail(code::kCallable, call, fmt::format("'{}' cannot be imported", call.text),
                "pybamm.step.string, current, c_rate, voltage, power, resistance, rest; a step of one's own function "
                "has no counterpart");
  }
  out.value.quantity = factory->second;
  PyRef value = call.items.empty() ? call.keyword("value") : call.items.front().value;
  if (value == nullptr || call.items.size() > 1) {
    return fail(code::kCallable, call, fmt::format("pybamm.step.{} takes one value", name));
  }
  return step_value(*value, out) && keywords(call, false, out) && check_step(out, diagnostics_);
}

bool Interpreter::step_value(const PyValue& value, Step& out) {
  if (value.is(Kind::number)) {
    out.value.number = value.number;
    return true;
  }
  if (value.is(Kind::call) && (value.last_name() == "array" || value.last_name() == "asarray")) {
    return drive_cycle(value, out);
  }
  return fail(code::kDriveCycle, value, "the value is neither a number nor np.array([[t, value], ...])",
              "what is loaded or calculated by code is not in this text: put it into a waveform file and write a "
              "follow step");
}

bool Interpreter::drive_cycle(const PyValue& array, Step& out) {
  if (array.items.size() != 1 || !array.keywords.empty() || !array.items.front().value->is(Kind::list)) {
    return fail(code::kDriveCycle, array, "a drive cycle is np.array([[t, value], ...])");
  }
  std::vector<PyRef> rows;
  if (!flat(array.items.front().value->items, 200'000, rows)) {
    return fail(code::kTooMuch, array, "more than 200 000 points", "put them into a waveform file");
  }
  for (const PyRef& row : rows) {
    std::vector<PyRef> cells;
    const bool pair = (row->is(Kind::list) || row->is(Kind::tuple)) && flat(row->items, 2, cells) &&
                      cells.size() == 2 && cells[0]->is(Kind::number) && cells[1]->is(Kind::number);
    if (!pair) return fail(code::kDriveCycle, *row, "each row of a drive cycle has a time and a value");
    out.drive_cycle.emplace_back(cells[0]->number, cells[1]->number);
  }
  return check_drive_cycle(out, diagnostics_);
}

bool Interpreter::keywords(const PyValue& call, bool of_string, Step& out) {
  for (const auto& [name, value] : call.keywords) {
    if (name == "value" && !of_string) continue;
    if (of_string && (name == "duration" || name == "termination" || name == "description")) {
      return fail(code::kCallable, *value, fmt::format("'{}' is already said by the string", name),
                  "pybamm.step.current and its like take it");
    }
    if (name == "termination") {
      if (!terminations(*value, out)) return false;
      continue;
    }
    if (name == "tags") {
      if (!tags(*value, out)) return false;
      continue;
    }
    if (name == "start_time" && value->is(Kind::call)) {  // datetime(2024, 1, 1, 12)
      for (const PyItem& part : value->items) {
        if (part.value == nullptr || !part.value->is(Kind::number)) continue;
        out.start_time += fmt::format("{}{}", out.start_time.empty() ? "" : "-", part.value->number);
      }
      continue;
    }
    bool known = false;
    if (!set_keyword(out, name, scalar(*value), known)) return false;
    if (!known) {
      return fail(code::kKey, *value, fmt::format("'{}' is not a keyword of a step", name),
                  "duration, termination, period, temperature, tags, start_time, description, direction, skip_ok");
    }
  }
  return true;
}

bool Interpreter::terminations(const PyValue& value, Step& out) {
  if (value.is(Kind::none)) return true;
  if (!value.is(Kind::list)) return termination(value, out);
  std::vector<PyRef> list;
  if (!flat(value.items, 100, list)) return fail(code::kTooMuch, value, "more than 100 ends of a step");
  return std::all_of(list.begin(), list.end(), [&](const PyRef& one) { return termination(*one, out); });
}

bool Interpreter::termination(const PyValue& value, Step& out) {
  if (value.is(Kind::text)) {
    const auto end = read_termination(value.text, place(value));
    if (end) out.terminations.push_back(*end);
    return end.has_value();
  }
  std::string type;
  if (value.is(Kind::call)) {
    const std::string_view name = value.last_name();
    if (name == "VoltageTermination") type = "voltage";
    if (name == "CurrentTermination") type = "current";
    if (name == "CrateTermination" || name == "CRateTermination") type = "c-rate";
  }
  if (type.empty()) {
    return fail(code::kEnd, value, "an end that cannot be imported",
                "a text (\"4.2 V\", \"<2.5 V\", \"C/20\") or VoltageTermination, CurrentTermination, CRateTermination");
  }
  const PyRef number = value.items.empty() ? value.keyword("value") : value.items.front().value;
  PyRef op = value.items.size() > 1 ? value.items[1].value : value.keyword("operator");
  if (number == nullptr) return fail(code::kEnd, value, "an end without a value");
  if (op != nullptr && !op->is(Kind::text) && !op->is(Kind::none)) {
    return fail(code::kEnd, *op, "an operator is \"<\" or \">\"");
  }
  const auto end = make_termination(type, scalar(*number), op != nullptr ? op->text : "");
  if (end) out.terminations.push_back(*end);
  return end.has_value();
}

bool Interpreter::tags(const PyValue& value, Step& out) {
  std::vector<PyRef> list;
  if (value.is(Kind::list) || value.is(Kind::tuple)) {
    if (!flat(value.items, 100, list)) return fail(code::kTooMuch, value, "more than 100 tags");
  } else {
    list.push_back(std::make_shared<PyValue>(value));
  }
  for (const PyRef& tag : list) {
    if (tag->is(Kind::text)) out.tags += (out.tags.empty() ? "" : ", ") + tag->text;
  }
  return true;
}

std::optional<Experiment> Interpreter::experiment(const PyRef& value) {
  Experiment made;
  made.where = where(*value);
  const bool good = value->is(Kind::call) ? arguments(*value, made) : items(value->items, false, made.cycles);
  if (!good) return std::nullopt;
  return made;
}

}  // namespace

std::optional<Experiment> read_python(const text::SourcePtr& source, text::Diagnostics& diagnostics) {
  const PyRef value = read_python_value(source, "Experiment", diagnostics);
  if (value == nullptr) return std::nullopt;
  return Interpreter(source, diagnostics).experiment(value);
}

}  // namespace cyclerd::exchange::pybamm
