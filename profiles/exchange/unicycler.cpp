// A protocol of aurora-unicycler as a profile.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "profiles/exchange/exchange_codes.hpp"
#include "profiles/exchange/import_parts.hpp"
#include "profiles/exchange/json_text.hpp"
#include "profiles/exchange/number_text.hpp"
#include "profiles/exchange/unicycler_fields.hpp"

namespace cyclerd::exchange {
namespace {

using Kind = JsonValue::Kind;

// A step that was written, and which steps of `method` it holds: a block ends with its loop.
struct Placed {
  StepText step;
  std::size_t first = 0;
  std::size_t last = 0;
};

class ProtocolReader {
 public:
  ProtocolReader(Import& import, text::Diagnostics& diagnostics)
      : import_(import), fields_(import.source(), diagnostics) {}

  std::optional<Translation> read(const JsonValue& root);

 private:
  void sample(const JsonValue& object);
  void record(const JsonValue& object);
  void safety(const JsonValue& object);
  void method(const JsonValue& list);
  void tags(const JsonValue& list);
  void one(const JsonValue& object);
  void rest(const JsonValue& object);
  void constant_current(const JsonValue& object);
  void constant_voltage(const JsonValue& object);
  void voltage_scan(const JsonValue& object);
  void impedance(const JsonValue& object);
  void loop(const JsonValue& object);
  std::optional<std::size_t> loop_target(const JsonValue& object);
  void close_loop(const JsonValue& object, std::size_t target, double count);
  void place(StepText step, const JsonValue& object);
  void add_time(const JsonValue& object, StepText& step);
  [[nodiscard]] std::string where() const { return fmt::format("step {}", number_); }

  Import& import_;
  UnicyclerFields fields_;
  ProfileText profile_;
  std::vector<Placed> placed_;
  std::map<std::string, std::size_t> tags_;  // to their numbers in `method`, from 1
  std::set<std::string> names_;
  std::string tag_comment_;
  std::size_t number_ = 0;  // of the step, from 1
};

void ProtocolReader::sample(const JsonValue& object) {
  if (!fields_.object(object, "sample", {"name", "capacity_mAh"})) return;
  if (const auto name = fields_.text(object, "name"); name && !name->empty() && *name != "$NAME") {
    profile_.comment += "\nSample: " + *name;
    import_.translated();
  }
  if (const auto capacity = fields_.number(object, "capacity_mAh")) {
    if (fields_.above_zero(object, "capacity_mAh", *capacity)) {
      profile_.cell.emplace_back("nominal_capacity", quoted(unit_text(*capacity, "mAh")));
      import_.translated();
    }
  }
}

void ProtocolReader::record(const JsonValue& object) {
  if (!fields_.object(object, "record", {"time_s", "voltage_V", "current_mA"})) return;
  const auto rule = [&](const char* key, const char* name, const auto& text) {
    const auto value = fields_.number(object, key);
    if (!value || *value == 0.0) return;
    if (!fields_.above_zero(object, key, *value)) return;
    profile_.record.emplace_back(name, quoted(text(*value)));
    import_.translated();
  };
  const auto time = fields_.number(object, "time_s");
  if (!time) return fields_.missing(object, "time_s", "the time between two rows");
  if (*time == 0.0) (void)fields_.above_zero(object, "time_s", *time);
  rule("time_s", "every", [](double v) { return time_text(v); });
  rule("voltage_V", "voltage", [](double v) { return unit_text(v, "V"); });
  rule("current_mA", "current", [](double v) { return unit_text(v, "mA"); });
}

void ProtocolReader::safety(const JsonValue& object) {
  if (!fields_.object(
          object, "safety",
          {"max_voltage_V", "min_voltage_V", "max_current_mA", "min_current_mA", "max_capacity_mAh", "delay_s"})) {
    return;
  }
  const auto limit = [&](const char* key, double factor) -> std::optional<double> {
    const auto value = fields_.number(object, key);
    if (!value) return std::nullopt;
    import_.translated();
    return *value * factor;
  };
  SafetyBox box;
  box.voltage_max_V = limit("max_voltage_V", 1.0);
  box.voltage_min_V = limit("min_voltage_V", 1.0);
  box.current_max_A = limit("max_current_mA", 1e-3);
  box.current_min_A = limit("min_current_mA", 1e-3);
  box.capacity_max_Ah = limit("max_capacity_mAh", 1e-3);
  const auto delay = fields_.number(object, "delay_s");
  if (delay && *delay < 0.0) (void)fields_.above_zero(object, "delay_s", *delay);
  box.dwell_s = delay.value_or(0.0);
  if (box.voltage_max_V || box.voltage_min_V || box.current_max_A || box.current_min_A) {
    import_.approximated("safety", "limits of voltage and current",
                         "never looser than 40 mV and 4 % beyond the cell's ratings, just inside of its own trips");
  }
  if (box.capacity_max_Ah) {
    import_.approximated("safety", "max_capacity_mAh", "counted anew in each step, charge and discharge together");
    if (*box.capacity_max_Ah <= 0.0) (void)fields_.above_zero(object, "max_capacity_mAh", *box.capacity_max_Ah);
  }
  box.write(profile_);
}

void ProtocolReader::tags(const JsonValue& list) {
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const JsonValue* const kind = list.items[i].find("step");
    const JsonValue* const tag = list.items[i].find("tag");
    if (kind == nullptr || kind->text != "tag") continue;
    const std::string name = tag != nullptr ? tag->text : "";
    if (!tags_.emplace(name, i + 1).second) {
      fields_.error(code::kTag, list.items[i], fmt::format("the tag '{}' stands twice", name), "each tag once");
    }
  }
}

void ProtocolReader::place(StepText step, const JsonValue& object) {
  if (const auto id = fields_.text(object, "id"); id && !id->empty()) {
    step.comment = "id: " + *id + (step.comment.empty() ? "" : "\n" + step.comment);
  }
  if (!tag_comment_.empty()) step.comment = tag_comment_ + (step.comment.empty() ? "" : "\n" + step.comment);
  tag_comment_.clear();
  placed_.push_back({std::move(step), number_, number_});
  import_.translated();
}

void ProtocolReader::add_time(const JsonValue& object, StepText& step) {
  const auto time = fields_.number(object, "until_time_s");
  if (!time || *time == 0.0 || !fields_.above_zero(object, "until_time_s", *time)) return;
  step.until.push_back({"time >= " + time_text(*time), "", "", ""});
  import_.translated();
}

void ProtocolReader::rest(const JsonValue& object) {
  StepText step;
  step.control = "rest";
  add_time(object, step);
  if (step.until.empty()) fields_.missing(object, "until_time_s", "the length of the rest, above 0");
  place(std::move(step), object);
}

void ProtocolReader::constant_current(const JsonValue& object) {
  const auto rate = fields_.rate(object, "rate_C");
  const auto current_mA = fields_.number(object, "current_mA");
  const bool by_rate = rate && *rate != 0.0;  // wins over the current
  if (!by_rate && (!current_mA || *current_mA == 0.0)) {
    return fields_.missing(object, "rate_C", "rate_C or current_mA must be set and not zero");
  }
  const double value = by_rate ? *rate : *current_mA * 1e-3;
  StepText step;
  step.control = value > 0.0 ? "charge" : "discharge";
  step.arguments =
      InlineTable().text("current", by_rate ? rate_text(std::abs(value)) : current_text(std::abs(value))).str();
  if (by_rate && current_mA && *current_mA != 0.0) {
    import_.dropped(where(), fmt::format("current_mA = {}", *current_mA), "rate_C is set as well, and wins");
  }
  if (const auto voltage = fields_.number(object, "until_voltage_V"); voltage && *voltage != 0.0) {
    step.until.push_back(
        {fmt::format("voltage {} {}", value > 0.0 ? ">=" : "<=", unit_text(*voltage, "V")), "", "", ""});
    import_.translated();
  }
  add_time(object, step);
  if (step.until.empty()) {
    return fields_.missing(object, "until_voltage_V", "until_time_s or until_voltage_V must be set and not zero");
  }
  place(std::move(step), object);
}

void ProtocolReader::constant_voltage(const JsonValue& object) {
  const auto voltage = fields_.number(object, "voltage_V");
  if (!voltage) return fields_.missing(object, "voltage_V", "the voltage to hold");
  StepText step;
  step.control = "hold";
  step.arguments = InlineTable().text("voltage", unit_text(*voltage, "V")).str();
  const auto rate = fields_.rate(object, "until_rate_C");
  const auto current_mA = fields_.number(object, "until_current_mA");
  const bool by_rate = rate && *rate != 0.0;
  const bool by_current = current_mA && *current_mA != 0.0;
  if (by_rate || by_current) {
    step.until.push_back(
        {"abs(current) <= " + (by_rate ? rate_text(std::abs(*rate)) : current_text(std::abs(*current_mA) * 1e-3)), "",
         "", ""});
    import_.translated();
  }
  if (by_rate && by_current) {
    import_.dropped(where(), fmt::format("until_current_mA = {}", *current_mA),
                    "until_rate_C is set as well, and wins");
  }
  add_time(object, step);
  if (step.until.empty()) {
    return fields_.missing(object, "until_time_s",
                           "until_time_s, until_rate_C or until_current_mA must be set and not "
                           "zero");
  }
  import_.approximated(where(), "constant_voltage without a limit of the current",
                       "the cell's and the cycler's ratings clamp it: hold = { voltage, current } sets a lower one");
  place(std::move(step), object);
}

void ProtocolReader::voltage_scan(const JsonValue& object) {
  const auto from = fields_.number(object, "start_voltage_V");
  const auto to = fields_.number(object, "end_voltage_V");
  const auto rate = fields_.number(object, "scan_rate_mV_per_s");
  if (!from) return fields_.missing(object, "start_voltage_V", "where the scan begins");
  if (!to) return fields_.missing(object, "end_voltage_V", "where the scan ends");
  if (!rate) return fields_.missing(object, "scan_rate_mV_per_s", "how fast the voltage moves");
  if (!fields_.above_zero(object, "scan_rate_mV_per_s", *rate)) return;
  if (*from == *to) {
    return fields_.error(code::kRange, object, fmt::format("a scan from {} V to {} V does not move", *from, *to));
  }
  StepText step;
  step.control = "ramp";
  step.arguments = InlineTable()
                       .text("from", unit_text(*from, "V"))
                       .text("to", unit_text(*to, "V"))
                       .text("rate", unit_text(*rate, "mV/s"))
                       .str();
  import_.approximated(where(), "voltage_scan", "a staircase of one stair a scan; `check` tells its height");
  place(std::move(step), object);
}

void ProtocolReader::impedance(const JsonValue& object) {
  const auto volt = fields_.number(object, "amplitude_V");
  const auto milliampere = fields_.number(object, "amplitude_mA");
  if (volt.has_value() == milliampere.has_value()) {
    return fields_.error(code::kKey, object, "either amplitude_V or amplitude_mA must be set");
  }
  const auto frequency = [&](const char* key) {
    const auto value = fields_.number(object, key);
    if (!value) return fields_.missing(object, key, "a frequency from 1e-5 to 1e7 Hz");
    if (*value < 1e-5 || *value > 1e7) {
      fields_.error(code::kRange, object, fmt::format("{} is {} Hz; 1e-5 to 1e7 Hz is allowed", key, *value));
    }
  };
  frequency("start_frequency_Hz");
  frequency("end_frequency_Hz");
  import_.dropped(where(), "impedance_spectroscopy",
                  "no cycler here measures a spectrum; impedance = { dcir = ... } gives a resistance from a pulse");
}

// The number in `method` of the step that the loop goes back to.
std::optional<std::size_t> ProtocolReader::loop_target(const JsonValue& object) {
  const JsonValue* to = object.find("loop_to");
  if (to == nullptr) to = object.find("start_step");  // its name before version 0.2
  if (to == nullptr) return 1;
  const auto refuse = [&](std::string message, std::string help) -> std::optional<std::size_t> {
    fields_.error(code::kLoopTarget, *to, std::move(message), std::move(help));
    return std::nullopt;
  };
  if (to->is(Kind::string)) {
    const auto tag = tags_.find(to->text);
    if (tag == tags_.end()) {
      std::vector<std::string> known;
      for (const auto& [name, number] : tags_) known.push_back(name);
      const std::string near = text::nearest(to->text, known);
      return refuse(fmt::format("the tag '{}' is missing", to->text), near.empty() ? "" : fmt::format("'{}'?", near));
    }
    if (tag->second >= number_) return refuse(fmt::format("'{}' stands after the loop", to->text), "loops go back");
    if (tag->second + 1 == number_) {
      return refuse(fmt::format("nothing stands between the tag '{}' and the loop", to->text), "");
    }
    return tag->second;
  }
  const bool whole = to->is(Kind::number) && to->number == std::floor(to->number);
  if (!whole || to->number < 1.0) return refuse("a loop goes back to a tag, or to the number of a step from 1", "");
  if (to->number + 1.0 >= static_cast<double>(number_)) {
    return refuse(fmt::format("step {} goes back to step {}: unicycler refuses a loop to itself, forwards, or over the "
                              "one step before it by number",
                              number_, to->number),
                  "put a tag before that step and loop to the tag");
  }
  return static_cast<std::size_t>(to->number);
}

void ProtocolReader::loop(const JsonValue& object) {
  const auto count = fields_.number(object, "cycle_count");
  if (!count) return fields_.missing(object, "cycle_count", "how often the steps are passed in total");
  if (*count < 1.0 || *count != std::floor(*count) || *count > 1e9) {
    return fields_.error(code::kRepeatCount, object,
                         fmt::format("cycle_count is {}; a whole number from 1 is needed", *count));
  }
  if (const auto target = loop_target(object)) close_loop(object, *target, *count);
}

void ProtocolReader::close_loop(const JsonValue& object, std::size_t target, double count) {
  for (const Placed& block : placed_) {
    if (block.first < target && target <= block.last && block.last != block.first) {
      return fields_.error(code::kLoopCrossing, object,
                           fmt::format("the loop from step {} to step {} crosses the one that ends at step {}", number_,
                                       target, block.last),
                           "a loop may stand inside of another, around it, or behind it");
    }
  }
  const auto first =
      std::find_if(placed_.begin(), placed_.end(), [target](const Placed& p) { return p.first >= target; });
  if (first == placed_.end()) {
    import_.dropped(where(), "loop", "nothing that could be translated is inside of it");
    return;
  }
  Placed block;
  block.first = first->first;
  block.last = number_;
  block.step.control = "repeat";
  block.step.arguments = InlineTable().raw("count", fmt::format("{}", count)).str();
  const bool innermost = std::all_of(first, placed_.end(), [](const Placed& p) { return p.last == p.first; });
  for (auto it = first; it != placed_.end(); ++it) block.step.steps.push_back(std::move(it->step));
  placed_.erase(first, placed_.end());
  if (innermost) {
    StepText advance;
    advance.control = "advance_cycle";
    block.step.steps.push_back(std::move(advance));
  }
  if (const JsonValue* const to = object.find("loop_to"); to != nullptr && to->is(Kind::string)) {
    std::string name = valid_step_name(to->text);
    if (names_.insert(name).second) block.step.name = std::move(name);
  }
  placed_.push_back(std::move(block));
  import_.translated();
}

void ProtocolReader::one(const JsonValue& object) {
  if (!object.is(Kind::object)) {
    return fields_.error(code::kKind, object, fmt::format("a step is an object, this is {}", kind_name(object.kind)));
  }
  struct Reading {
    const char* name;
    std::vector<std::string> keys;
    void (ProtocolReader::*read)(const JsonValue&);
  };
  static const std::vector<Reading> kReadings{
      {"open_circuit_voltage", {"until_time_s"}, &ProtocolReader::rest},
      {"constant_current",
       {"rate_C", "current_mA", "until_time_s", "until_voltage_V"},
       &ProtocolReader::constant_current},
      {"constant_voltage",
       {"voltage_V", "until_time_s", "until_rate_C", "until_current_mA"},
       &ProtocolReader::constant_voltage},
      {"voltage_scan", {"start_voltage_V", "end_voltage_V", "scan_rate_mV_per_s"}, &ProtocolReader::voltage_scan},
      {"impedance_spectroscopy",
       {"amplitude_V", "amplitude_mA", "start_frequency_Hz", "end_frequency_Hz", "points_per_decade",
        "measures_per_point", "drift_correction"},
       &ProtocolReader::impedance},
      {"loop", {"loop_to", "start_step", "cycle_count"}, &ProtocolReader::loop},
      {"tag", {"tag"}, nullptr},
  };
  const JsonValue* const kind = object.find("step");
  if (kind == nullptr || !kind->is(Kind::string) || kind->text.empty()) {
    return fields_.error(code::kKey, object, fmt::format("step {} has no kind", number_),
                         "\"step\": \"constant_current\"");
  }
  std::vector<std::string> kinds;
  for (const Reading& reading : kReadings) {
    kinds.emplace_back(reading.name);
    if (kind->text != reading.name) continue;
    std::vector<std::string> keys = reading.keys;
    keys.insert(keys.end(), {"step", "id"});
    if (!fields_.object(object, fmt::format("step {}", number_), keys)) return;
    if (reading.read != nullptr) return (this->*reading.read)(object);
    const auto tag = fields_.text(object, "tag");
    tag_comment_ += (tag_comment_.empty() ? "tag: " : "\ntag: ") + tag.value_or("");
    return;
  }
  const std::string near = text::nearest(kind->text, kinds);
  fields_.error(code::kKey, *kind, fmt::format("'{}' is not a kind of step", kind->text),
                near.empty() ? "" : fmt::format("'{}'?", near));
}

void ProtocolReader::method(const JsonValue& list) {
  if (!list.is(Kind::array)) return fields_.error(code::kKind, list, "'method' is a list of steps");
  if (list.items.empty()) return fields_.error(code::kEmpty, list, "the method has no steps");
  if (list.items.size() > kMaxImportSteps) {
    return fields_.error(code::kTooMuch, list, fmt::format("more than {} steps", kMaxImportSteps));
  }
  tags(list);
  for (const JsonValue& object : list.items) {
    ++number_;
    one(object);
  }
  for (Placed& placed : placed_) profile_.steps.push_back(std::move(placed.step));
  if (profile_.steps.empty() && !fields_.failed()) {
    fields_.error(code::kEmpty, list, "nothing of the method could be translated");
  }
}

std::optional<Translation> ProtocolReader::read(const JsonValue& root) {
  profile_.name = import_.name();
  profile_.comment =
      "Imported from a protocol of aurora-unicycler. Check it against your cell before it runs on hardware.";
  if (!root.is(Kind::object) || (root.find("method") == nullptr && root.find("record") == nullptr)) {
    fields_.error(code::kNotThisFormat, root, "neither \"method\" nor \"record\" is here: not a protocol of unicycler",
                  "an experiment of PyBaMM has \"cycles\" (--format pybamm)");
    return std::nullopt;
  }
  (void)fields_.object(root, "a protocol", {"unicycler", "sample", "record", "safety", "method"});
  if (const JsonValue* const part = root.find("unicycler")) (void)fields_.object(*part, "unicycler", {"version"});
  if (const JsonValue* const part = root.find("sample")) sample(*part);
  if (const JsonValue* const part = root.find("safety")) safety(*part);
  for (const auto& [name, read] : {std::pair{"record", &ProtocolReader::record}, {"method", &ProtocolReader::method}}) {
    if (const JsonValue* const part = root.find(name)) {
      (this->*read)(*part);
    } else {
      fields_.missing(root, name, "required");
    }
  }
  if (fields_.failed()) return std::nullopt;
  return import_.finish(profile_);
}

}  // namespace

std::optional<Translation> import_unicycler(const text::SourcePtr& source, const ImportOptions& options,
                                            text::Diagnostics& diagnostics) {
  Import import(source, options, diagnostics);
  if (import.failed()) return std::nullopt;
  if (trimmed(import.source()->text).empty()) {
    import.error(code::kEmpty, 0, "the file is empty");
    return std::nullopt;
  }
  const auto root = read_json(import.source(), diagnostics);
  if (!root) return std::nullopt;
  return ProtocolReader(import, diagnostics).read(*root);
}

}  // namespace cyclerd::exchange
