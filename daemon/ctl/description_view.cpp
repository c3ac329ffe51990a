#include "daemon/ctl/description_view.hpp"

#include <fmt/format.h>

#include <cmath>

#include "daemon/ctl/terminal.hpp"
#include "protocols/device/words.hpp"
#include "protocols/text/quantity.hpp"

namespace cyclerd::ctl {

using device::Description;
using device::Dialect;
using device::Item;
using device::kNone;
using device::Mark;
using device::Step;
using device::Value;
using device::ValueType;

namespace {

std::string time_text(base::Duration duration) {
  return text::format_quantity(duration.seconds(), text::dimension::kTime);
}

std::string_view type_word(ValueType type) {
  switch (type) {
    case ValueType::boolean: return "bool";
    case ValueType::u16: return "u16";
    case ValueType::i16: return "i16";
    case ValueType::u32: return "u32";
    case ValueType::i32: return "i32";
    case ValueType::f32: return "f32";
    default: return "text";
  }
}

std::string parameter_name(const Description& d, int index) {
  return "$" + d.parameters[static_cast<std::size_t>(index)].name;
}

// What a step writes or wants to see.
std::string wanted_text(const Description& d, const Item& item, const Value& value) {
  const bool is_switch = item.type == ValueType::boolean;
  switch (value.kind) {
    case Value::Kind::constant: return value_text(item, value.negate ? -value.constant : value.constant);
    case Value::Kind::field: return (value.negate ? "-" : "") + std::string{device::to_string(value.field)};
    case Value::Kind::parameter:
      return (value.negate ? (is_switch ? "not " : "-") : "") + parameter_name(d, value.parameter);
    case Value::Kind::largest: return "its largest value";
  }
  return {};
}

std::string write_text(const Description& d, const Step& step) {
  const Item& item = d.item(step.item);
  std::string text = fmt::format("set {} to {}", item.name, wanted_text(d, item, step.value));
  if (step.verify) {
    text += item.readback == kNone ? " and read it back" : " and read back " + d.item(item.readback).name;
    if (step.tolerance_steps > 0.0 && step.tolerance_steps != 1.0)
      text += fmt::format(" ({:g} steps may differ)", step.tolerance_steps);
  }
  if (step.always) text += ", every time";
  return text;
}

std::string told_text(const Description& d, const device::Told& told, text::Dimension dimension) {
  if (told.item == kNone)
    return std::isnan(told.constant) ? std::string{} : text::format_quantity(told.constant, dimension);
  if (told.times == 1.0) return "as " + d.item(told.item).name + " tells";
  return fmt::format("{:g} x {}", told.times, d.item(told.item).name);
}

std::string range_text(const Description& d, const device::Told& low, const device::Told& high,
                       text::Dimension dimension) {
  const std::string from = told_text(d, low, dimension);
  const std::string to = told_text(d, high, dimension);
  if (from.empty() && to.empty()) return {};
  return (from.empty() ? "?" : from) + " to " + (to.empty() ? "?" : to);
}

std::string_view off_text(device::OffMeans off) {
  switch (off) {
    case device::OffMeans::open: return "opens the terminals";
    case device::OffMeans::zero_volt: return "leaves 0 V at the terminals: current can flow";
    case device::OffMeans::zero_ampere: return "regulates to 0 A: the terminals stay connected";
    case device::OffMeans::unknown: break;
  }
  return "not known";
}

std::string watchdog_text(const Description& d) {
  if (d.watchdog.kind == device::WatchdogKind::none) return "none: the station file must allow that";
  const Value& timeout = d.watchdog.timeout;
  const std::string after = timeout.kind == Value::Kind::parameter
                                ? parameter_name(d, timeout.parameter)
                                : text::format_quantity(timeout.constant, text::dimension::kTime);
  return fmt::format("{}, opens the output after {}; {} feeds it",
                     d.watchdog.kind == device::WatchdogKind::fixed ? "fixed" : "programmable", after,
                     d.watchdog.fed_by_any ? "any request" : "the sequence feed");
}

std::string identity_text(const Description& d, const device::IdentityRule& rule) {
  if (rule.item == kNone) return rule.constant.empty() ? "-" : rule.constant;
  std::string text = "as " + d.item(rule.item).name + " tells";
  if (!rule.match.empty()) text += fmt::format(", must be {}", fmt::join(rule.match, " or "));
  return text;
}

std::string access_text(const Item& item) {
  return item.writable ? (item.readable ? "rw" : "w") : "r";
}

std::string items_table(const Description& d, int width, bool colour) {
  Table table({"ITEM", "WHERE", "TYPE", "SCALE", "ACCESS", "MARK", "SOURCE"});
  for (const Item& item : d.items) {
    const std::string seen = item.verified.empty() ? item.source : "seen on " + item.verified;
    const bool doubtful = is_unverified(item) && (item.mark == Mark::conflict || item.mark == Mark::unconfirmed);
    table.add({item.name, place_text(d, item), type_text(d, item), scale_text(d, item), access_text(item),
               std::string{device::to_string(item.mark)}, seen},
              doubtful ? Tone::warning : Tone::plain);
  }
  return table.render(width, colour);
}

std::string parameters_text(const Description& d) {
  std::string text;
  for (const auto& p : d.parameters) {
    std::string standard;
    std::string range;
    if (p.kind == device::Parameter::Kind::word) {
      standard = p.words.empty() ? "" : p.words[static_cast<std::size_t>(p.standard)];
      range = fmt::format("{}", fmt::join(p.words, ", "));
    } else if (p.kind == device::Parameter::Kind::boolean) {
      standard = p.standard != 0.0 ? "true" : "false";
      range = "true, false";
    } else {
      standard = text::format_quantity(p.standard, p.dimension);
      range = text::format_quantity(p.min, p.dimension) + " to " + text::format_quantity(p.max, p.dimension);
    }
    text += fmt::format("  {} = {}  ({})\n    {}\n", p.name, standard, range, p.help);
  }
  return text;
}

std::string sequences_text(const Description& d) {
  std::string text;
  for (std::size_t i = 0; i < device::kSequenceCount; ++i) {
    const auto id = static_cast<device::SequenceId>(i);
    if (!d.has(id)) continue;
    text += fmt::format("  {}\n", device::to_string(id));
    int number = 0;
    for (const Step& step : d.sequence(id)) text += fmt::format("    {}. {}\n", ++number, step_text(d, step));
    if (number == 0) text += "    nothing to do\n";
  }
  return text;
}

Json number_json(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json items_json(const Description& d) {
  Json items = Json::array();
  for (const Item& item : d.items) {
    items.push_back({{"name", item.name},
                     {"where", place_text(d, item)},
                     {"type", type_word(item.type)},
                     {"scale", scale_text(d, item)},
                     {"dimension", item.has_unit ? text::dimension_name(item.dimension) : ""},
                     {"access", access_text(item)},
                     {"raw_min", number_json(item.raw_min)},
                     {"raw_max", number_json(item.raw_max)},
                     {"mark", device::to_string(item.mark)},
                     {"source", item.source},
                     {"verified", item.verified},
                     {"line", item.where.line}});
  }
  return items;
}

Json parameters_json(const Description& d) {
  Json parameters = Json::array();
  for (const auto& p : d.parameters) {
    parameters.push_back({{"name", p.name},
                          {"default", number_json(p.standard)},
                          {"min", number_json(p.min)},
                          {"max", number_json(p.max)},
                          {"dimension", text::dimension_name(p.dimension)},
                          {"words", p.words},
                          {"help", p.help}});
  }
  return parameters;
}

}  // namespace

bool is_unverified(const Item& item) noexcept {
  return item.mark != Mark::own && item.verified.empty();
}

Provenance provenance_of(const Description& description) {
  Provenance p;
  for (const Item& item : description.items) {
    if (item.mark == Mark::own)
      ++p.own;
    else if (!item.verified.empty())
      ++p.verified;
    else if (item.mark == Mark::two_sources)
      ++p.two_sources;
    else if (item.mark == Mark::one_source)
      ++p.one_source;
    else if (item.mark == Mark::conflict)
      ++p.conflict;
    else
      ++p.unconfirmed;
  }
  return p;
}

std::string provenance_text(const Provenance& p) {
  if (p.unverified() == 0) return "nothing unverified";
  std::string text = fmt::format("{} unverified:", p.unverified());
  const std::pair<const char*, int> counts[] = {
      {"V2", p.two_sources}, {"V1", p.one_source}, {"C", p.conflict}, {"G", p.unconfirmed}};
  const char* separator = " ";
  for (const auto& [mark, count] : counts) {
    if (count == 0) continue;
    text += fmt::format("{}{} {}", separator, count, mark);
    separator = ", ";
  }
  return text;
}

Json provenance_json(const Provenance& p) {
  return {{"V2", p.two_sources},          {"V1", p.one_source},     {"C", p.conflict}, {"G", p.unconfirmed},
          {"unverified", p.unverified()}, {"verified", p.verified}, {"own", p.own}};
}

std::string_view kind_word(device::DeviceKind kind) noexcept {
  switch (kind) {
    case device::DeviceKind::cycler: return "cycler";
    case device::DeviceKind::chamber: return "chamber";
    case device::DeviceKind::relay: return "relay";
    case device::DeviceKind::sensor: break;
  }
  return "sensor";
}

std::string_view dialect_word(Dialect dialect) noexcept {
  switch (dialect) {
    case Dialect::modbus: return "modbus";
    case Dialect::text: return "text";
    case Dialect::can: break;
  }
  return "can";
}

std::string place_text(const Description& description, const Item& item) {
  if (description.dialect != Dialect::modbus) return {};
  const std::string function{device::to_string(item.function)};
  if (item.count <= 1) return fmt::format("{} {}", function, item.address);
  return fmt::format("{} {}..{}", function, item.address, item.address + item.count - 1);
}

std::string type_text(const Description& description, const Item& item) {
  std::string text{type_word(item.type)};
  const bool several = item.type == ValueType::f32 || item.type == ValueType::u32 || item.type == ValueType::i32;
  if (description.dialect != Dialect::modbus || !several) return text;
  if (item.words_parameter != kNone) return text + " " + parameter_name(description, item.words_parameter);
  switch (item.words) {
    case device::WordOrder::ABCD: return text + " ABCD";
    case device::WordOrder::BADC: return text + " BADC";
    case device::WordOrder::CDAB: return text + " CDAB";
    case device::WordOrder::DCBA: return text + " DCBA";
  }
  return text;
}

std::string scale_text(const Description& description, const Item& item) {
  std::string text;
  if (item.nominal != kNone) {
    text = fmt::format("{} at {:g}", description.item(item.nominal).name, item.full_scale);
  } else if (item.has_unit) {
    const double step_SI = item.scale * item.unit_factor;
    text = text::format_quantity(step_SI, item.dimension);
  } else if (item.scale != 1.0) {
    text = fmt::format("{:g}", item.scale);
  }
  if (item.sign_item != kNone)
    text += fmt::format(", negative while {} bit {}", description.item(item.sign_item).name, item.sign_bit);
  return text;
}

std::string value_text(const Item& item, double value_SI) {
  if (std::isnan(value_SI)) return "no value";
  if (item.type == ValueType::boolean) return value_SI != 0.0 ? "on" : "off";
  if (item.has_unit) return text::format_quantity(value_SI, item.dimension);
  return fmt::format("{:.10g}", value_SI);
}

std::string step_text(const Description& description, const Step& step) {
  std::string text;
  switch (step.kind) {
    case Step::Kind::wait: return "wait " + time_text(step.delay_before);
    case Step::Kind::send: text = fmt::format("send command {}", step.command + 1); break;
    case Step::Kind::write: text = write_text(description, step); break;
    case Step::Kind::check: {
      const Item& item = description.item(step.item);
      text = fmt::format("{} must be {}", item.name, wanted_text(description, item, step.value));
      if (step.within.us > 0) text += ", at the latest after " + time_text(step.within);
      break;
    }
  }
  if (step.delay_before.us > 0) text = fmt::format("pause {}, then {}", time_text(step.delay_before), text);
  if (step.delay_after.us > 0) text += fmt::format("; then pause {}", time_text(step.delay_after));
  return text;
}

std::string description_page(const Description& d, int width, bool colour) {
  std::string text = paint(Tone::bold, d.id, colour) + ": " + d.title + "\n";
  text += fmt::format("  {} over {}; {} items, {}\n", kind_word(d.kind), dialect_word(d.dialect), d.items.size(),
                      provenance_text(provenance_of(d)));
  if (d.source) text += fmt::format("  {}\n", d.source->name);
  text +=
      fmt::format("\nWho it is\n  maker {}\n  model {}\n  serial number {}\n  firmware {}\n", identity_text(d, d.maker),
                  identity_text(d, d.model), identity_text(d, d.serial), identity_text(d, d.firmware));
  if (d.kind != device::DeviceKind::sensor) {
    using namespace text::dimension;
    const auto& c = d.capability;
    text += fmt::format("\nWhat it can do\n  off {}\n  watchdog: {}\n", off_text(c.off), watchdog_text(d));
    const std::pair<const char*, std::string> ranges[] = {
        {"voltage", range_text(d, c.voltage_min, c.voltage_max, kVoltage)},
        {"current", range_text(d, c.current_min, c.current_max, kCurrent)},
        {"power", range_text(d, c.power_min, c.power_max, kPower)},
        {"temperature", range_text(d, c.temperature_min, c.temperature_max, kTemperature)}};
    for (const auto& [what, range] : ranges) {
      if (!range.empty()) text += fmt::format("  {} {}\n", what, range);
    }
    if (d.kind == device::DeviceKind::cycler)
      text += c.native_cv ? "  goes from CC to CV by itself\n"
                          : "  CV is the daemon's: it does not go from CC to CV by itself\n";
  }
  if (!d.parameters.empty())
    text += "\nWhat the station file decides ([device.NAME] site = { ... })\n" + parameters_text(d);
  text += "\nItems\n" + items_table(d, width, colour);
  if (d.kind != device::DeviceKind::sensor) text += "\nSequences\n" + sequences_text(d);
  return text;
}

Json description_json(const Description& d) {
  Json sequences = Json::object();
  for (std::size_t i = 0; i < device::kSequenceCount; ++i) {
    const auto id = static_cast<device::SequenceId>(i);
    if (!d.has(id)) continue;
    Json steps = Json::array();
    for (const Step& step : d.sequence(id)) steps.push_back(step_text(d, step));
    sequences[std::string{device::to_string(id)}] = steps;
  }
  return {{"description", d.id},
          {"title", d.title},
          {"kind", kind_word(d.kind)},
          {"dialect", dialect_word(d.dialect)},
          {"file", d.source ? d.source->name : ""},
          {"provenance", provenance_json(provenance_of(d))},
          {"site", parameters_json(d)},
          {"items", items_json(d)},
          {"sequences", sequences}};
}

}  // namespace cyclerd::ctl
