// [sequence] of a description, and the values its steps write.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "protocols/device/loader.hpp"
#include "protocols/device/words.hpp"

namespace cyclerd::device::loader {

namespace {

using text::Diagnostics;
using text::TableReader;
using text::TomlNode;

std::optional<Value> read_parameter(const TomlNode& node, std::string_view name, bool negate, const Item& item,
                                    const Description& description, Diagnostics& diagnostics) {
  const int index = description.find_parameter(name);
  if (index == kNone) {
    std::vector<std::string> names;
    for (const auto& p : description.parameters) names.push_back(p.name);
    const std::string near = text::nearest(name, names);
    diagnostics.error("D031", node.value, fmt::format("there is no site parameter '{}'", name),
                      near.empty() ? "declare it in [site]" : fmt::format("did you mean '${}'?", near));
    return std::nullopt;
  }
  const Parameter& p = description.parameters[static_cast<std::size_t>(index)];
  const bool fits = item.type == ValueType::boolean
                        ? p.kind == Parameter::Kind::boolean
                        : p.kind == Parameter::Kind::number && p.dimension == item.dimension;
  if (!fits) {
    diagnostics.error("D025", node.value,
                      fmt::format("site parameter '{}' does not fit '{}' ({})", name, item.name,
                                  item.type == ValueType::boolean ? "a switch" : text::dimension_name(item.dimension)));
    return std::nullopt;
  }
  return Value{Value::Kind::parameter, 0.0, {}, index, negate};
}

std::optional<Value> read_field(const TomlNode& node, std::string_view name, bool negate, std::uint32_t allowed,
                                const Item& item, Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    const auto field = static_cast<Field>(i);
    if (facts(field).name != name) continue;
    if ((allowed & bit(field)) == 0) {
      std::string list;
      for (std::size_t k = 0; k < kFieldCount; ++k) {
        if ((allowed >> k & 1U) != 0)
          list += (list.empty() ? "" : ", ") + std::string{facts(static_cast<Field>(k)).name};
      }
      diagnostics.error("D024", node.value, fmt::format("'{}' is not known in this sequence", name),
                        list.empty() ? "only constants and site parameters can be used here" : "known here: " + list);
      return std::nullopt;
    }
    if (facts(field).dimension != item.dimension) {
      diagnostics.error(
          "D025", node.value,
          fmt::format("'{}' is a {}, but '{}' takes a {}", name, text::dimension_name(facts(field).dimension),
                      item.name, text::dimension_name(item.dimension)));
      return std::nullopt;
    }
    return Value{Value::Kind::field, 0.0, field, kNone, negate};
  }
  return std::nullopt;
}

std::optional<Value> read_text_value(const TomlNode& node, const Item& item, std::uint32_t fields,
                                     const Description& description, Diagnostics& diagnostics) {
  std::string_view word = node.string;
  if (double number = 0.0; word_value(item, word, number))
    return Value{Value::Kind::constant, number, {}, kNone, false};
  if (word == "max") {
    if (!is_fraction(item.type) && item.type != ValueType::boolean)
      return Value{Value::Kind::largest, 0.0, {}, kNone, false};
    diagnostics.error("D026", node.value, fmt::format("'{}' has no largest raw value to write", item.name),
                      "write a quantity");
    return std::nullopt;
  }
  if (item.type == ValueType::boolean && word.starts_with("not $")) {
    return read_parameter(node, word.substr(5), true, item, description, diagnostics);
  }
  const bool negate = word.starts_with('-') && word.size() > 1 && !(word[1] >= '0' && word[1] <= '9') && word[1] != '.';
  if (negate) word.remove_prefix(1);
  if (word.starts_with('$')) return read_parameter(node, word.substr(1), negate, item, description, diagnostics);
  const std::size_t errors_before = diagnostics.error_count();
  if (const auto value = read_field(node, word, negate, fields, item, diagnostics)) return value;
  if (diagnostics.error_count() != errors_before) return std::nullopt;
  text::QuantityError error;
  const auto quantity = text::parse_quantity(node.string, error);
  if (quantity && quantity->dimension == item.dimension && !quantity->c_rate && item.type != ValueType::boolean) {
    return Value{Value::Kind::constant, quantity->value, {}, kNone, false};
  }
  if (quantity) {
    diagnostics.error("D025", node.value,
                      fmt::format("'{}' is not a {}", node.string, text::dimension_name(item.dimension)));
    return std::nullopt;
  }
  const std::string near = text::nearest(word, field_names());
  diagnostics.error("D026", node.value, fmt::format("'{}' is no quantity and no set-point field", node.string),
                    near.empty() ? "write \"4.2 V\", \"current_A\", \"$site_parameter\" or \"max\""
                                 : fmt::format("did you mean '{}'?", near));
  return std::nullopt;
}

class SequenceReader {
 public:
  SequenceReader(SequenceId id, Description& description, Diagnostics& diagnostics)
      : id_(id),
        description_(description),
        diagnostics_(diagnostics),
        what_(fmt::format("sequence '{}'", facts(id).name)) {}

  void read(const TomlNode& list) {
    for (const auto& node : list.items) {
      Step step;
      step.where = node.key;
      if (read_step(node, step)) out().push_back(step);
    }
  }

 private:
  [[nodiscard]] Sequence& out() { return description_.sequences[static_cast<std::size_t>(id_)]; }

  base::Duration duration(TableReader& r, const char* key) {
    const auto value_s = r.optional_quantity(key, text::dimension::kTime);
    if (value_s && (*value_s < 0 || *value_s > 60)) {
      diagnostics_.error("D022", r.node().find(key)->value, fmt::format("'{}' must lie between 0 and 60 s", key));
      return {};
    }
    return base::microseconds(std::llround(value_s.value_or(0.0) * 1e6));
  }

  bool read_step(const TomlNode& node, Step& step) {
    TableReader r(node, what_, diagnostics_);
    const TomlNode* write = r.optional("write");
    const TomlNode* check = r.optional("check");
    const TomlNode* wait = r.optional("wait");
    const TomlNode* send = r.optional("send");
    if ((write != nullptr) + (check != nullptr) + (wait != nullptr) + (send != nullptr) != 1) {
      diagnostics_.error("D022", node.value, fmt::format("a step of {} is one of write, check, send and wait", what_),
                         "{ write = \"item\", value = ... }, { check = \"item\", is = ... }, { send = \"command\" } or "
                         "{ wait = \"20 ms\" }");
      return false;
    }
    bool good = true;
    if (send) good = read_send(r, *send, step);
    if (write) good = read_write(r, *write, step);
    if (check) good = read_check(r, *check, step);
    if (wait) {
      step.kind = Step::Kind::wait;
      step.delay_before = duration(r, "wait");
    }
    r.finish();
    return good;
  }

  bool read_write(TableReader& r, const TomlNode& name, Step& step) {
    step.kind = Step::Kind::write;
    const TomlNode* value = r.required("value");
    step.verify = r.optional_bool("verify").value_or(false);
    step.always = r.optional_bool("always").value_or(false);
    step.delay_before = duration(r, "delay_before");
    step.delay_after = duration(r, "delay_after");
    const auto tolerance = r.optional_number("tolerance");
    step.item = item_reference(name, description_, diagnostics_);
    if (step.item == kNone) return false;
    const Item& item = description_.item(step.item);
    // A register that holds a scaled share may come back rounded by the instrument.
    step.tolerance_steps = tolerance.value_or(item.has_unit && item.type != ValueType::f32 ? 1.0 : 0.0);
    if (!item.writable) {
      auto& finding = diagnostics_.error("D013", name.value, fmt::format("'{}' cannot be written", item.name),
                                         "give it access = \"w\" or \"rw\"");
      finding.related = item.where;
      finding.related_label = "declared here";
      return false;
    }
    if (step.verify && !item.readable && item.readback == kNone) {
      auto& finding = diagnostics_.error("D027", name.value, fmt::format("'{}' cannot be read back", item.name),
                                         "give it access = \"rw\" or a readback item, or leave verify out");
      finding.related = item.where;
      finding.related_label = "declared here";
    }
    if (!value) return false;
    const auto read = read_value(*value, item, facts(id_).fields, description_, diagnostics_);
    if (read) step.value = *read;
    return read.has_value();
  }

  bool read_send(TableReader& r, const TomlNode& name, Step& step) {
    step.kind = Step::Kind::send;
    step.delay_before = duration(r, "delay_before");
    step.delay_after = duration(r, "delay_after");
    step.command = command_reference(name, description_, diagnostics_);
    return step.command != kNone;
  }

  bool read_check(TableReader& r, const TomlNode& name, Step& step) {
    step.kind = Step::Kind::check;
    const TomlNode* is = r.required("is");
    step.within = duration(r, "within");
    step.item = item_reference(name, description_, diagnostics_);
    if (step.item == kNone || !is) return false;
    const Item& item = description_.item(step.item);
    if (!item.readable) {
      diagnostics_.error("D014", name.value, fmt::format("'{}' cannot be read", item.name),
                         "give it access = \"r\" or \"rw\"");
      return false;
    }
    const auto read = read_value(*is, item, facts(id_).fields, description_, diagnostics_);
    if (read) step.value = *read;
    return read.has_value();
  }

  SequenceId id_;
  Description& description_;
  Diagnostics& diagnostics_;
  std::string what_;
};

std::optional<SequenceId> sequence_named(std::string_view name) {
  for (std::size_t i = 0; i < kSequenceCount; ++i) {
    if (facts(static_cast<SequenceId>(i)).name == name) return static_cast<SequenceId>(i);
  }
  return std::nullopt;
}

// A sequence that drives current the way that this cycler cannot.
bool against_topology(const Description& d, SequenceId id) {
  if (d.kind != DeviceKind::cycler) return false;
  if (id == SequenceId::charge || id == SequenceId::power_charge) return d.capability.topology == Topology::sink;
  if (id == SequenceId::discharge || id == SequenceId::power_discharge)
    return d.capability.topology == Topology::source;
  return false;
}

bool is_needed(DeviceKind kind, SequenceId id) {
  const SequenceFacts& f = facts(id);
  switch (kind) {
    case DeviceKind::cycler: return f.cycler_needs;
    case DeviceKind::chamber: return f.chamber_needs;
    case DeviceKind::relay: return id == SequenceId::close || (f.chamber_needs && id != SequenceId::condition);
    case DeviceKind::sensor: break;
  }
  return false;
}

void check_complete(const Description& d, const text::Span& where, Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < kSequenceCount; ++i) {
    const auto& f = facts(static_cast<SequenceId>(i));
    const bool against = against_topology(d, static_cast<SequenceId>(i));
    if (against && d.has_sequence[i]) {
      diagnostics.error("D070", where,
                        fmt::format("a {} has no sequence '{}'",
                                    d.capability.topology == Topology::source ? "source" : "sink", f.name),
                        "remove it, or write topology = \"two_quadrant\" in [capability]");
    }
    const bool needed = is_needed(d.kind, static_cast<SequenceId>(i)) && !against;
    if (needed && !d.has_sequence[i]) {
      diagnostics.error("D021", where,
                        fmt::format("a {} needs the sequence '{}'",
                                    d.kind == DeviceKind::cycler  ? "cycler"
                                    : d.kind == DeviceKind::relay ? "relay"
                                                                  : "chamber",
                                    f.name),
                        fmt::format("add {} = [ ... ] to [sequence]", f.name));
    }
  }
  if (d.kind == DeviceKind::sensor || !d.has(SequenceId::make_safe)) return;
  const Sequence& safe = d.sequence(SequenceId::make_safe);
  if (safe.empty() || safe.front().kind != Step::Kind::write || safe.front().delay_before.us != 0) {
    diagnostics.error("D023", safe.empty() ? where : safe.front().where,
                      "make_safe must begin with the write that opens the output, at once",
                      "put { write = \"output\", value = false } first, without a delay");
  }
  const bool checked =
      std::any_of(safe.begin(), safe.end(), [](const Step& s) { return s.kind == Step::Kind::check || s.verify; });
  if (!safe.empty() && !checked) {
    diagnostics.error("D023", safe.front().where, "make_safe does not check that the output is open",
                      "add { check = \"output\", is = false, within = \"100 ms\" }");
  }
}

}  // namespace

std::optional<Value> read_value(const TomlNode& node, const Item& item, std::uint32_t fields,
                                const Description& description, Diagnostics& diagnostics) {
  if (node.kind == TomlNode::Kind::boolean) {
    if (item.type == ValueType::boolean)
      return Value{Value::Kind::constant, node.boolean ? 1.0 : 0.0, {}, kNone, false};
    diagnostics.error("D026", node.value, fmt::format("'{}' is not a switch", item.name), "write a number");
    return std::nullopt;
  }
  if (node.is_number()) {
    if (item.type == ValueType::boolean) {
      diagnostics.error("D026", node.value, fmt::format("'{}' is a switch", item.name), "write true or false");
      return std::nullopt;
    }
    if (item.has_unit && node.number() != 0.0) {
      diagnostics.error("D026", node.value, fmt::format("'{}' has a unit; the number needs one too", item.name),
                        fmt::format("write \"{} {}\"", node.number(), text::example_unit(item.dimension)));
      return std::nullopt;
    }
    if (!item.has_unit && (node.number() < item.raw_min || node.number() > item.raw_max)) {
      diagnostics.error(
          "D026", node.value,
          fmt::format("{} does not fit '{}' ({}..{})", node.number(), item.name, item.raw_min, item.raw_max));
      return std::nullopt;
    }
    return Value{Value::Kind::constant, node.number(), {}, kNone, false};
  }
  if (node.is_string()) return read_text_value(node, item, fields, description, diagnostics);
  diagnostics.error("D026", node.value, "a value is true, false, a number or a string", "");
  return std::nullopt;
}

void read_sequences(const TomlNode& table, Description& description, Diagnostics& diagnostics) {
  struct Alias {
    SequenceId id;
    const TomlNode* node;
  };
  std::vector<Alias> aliases;
  for (const auto& [name, node] : table.members) {
    const auto id = sequence_named(name);
    if (!id) {
      const std::string near = text::nearest(name, sequence_names());
      diagnostics.error(
          "D020", node.key, fmt::format("there is no sequence '{}'", name),
          near.empty() ? "the sequences are listed in protocols/README.md" : fmt::format("did you mean '{}'?", near));
      continue;
    }
    description.has_sequence[static_cast<std::size_t>(*id)] = true;
    if (node.is_string()) {
      aliases.push_back({*id, &node});
    } else if (node.is_array()) {
      SequenceReader(*id, description, diagnostics).read(node);
    } else {
      diagnostics.error("D022", node.value,
                        fmt::format("'{}' must be a list of steps or the name of another sequence", name));
    }
  }
  for (const auto& alias : aliases) {
    const auto target = sequence_named(alias.node->string);
    const TomlNode* list = target ? table.find(alias.node->string) : nullptr;
    if (!list || !list->is_array()) {
      diagnostics.error("D020", alias.node->value,
                        fmt::format("'{}' is not a sequence with steps", alias.node->string));
      continue;
    }
    SequenceReader(alias.id, description, diagnostics).read(*list);
  }
  check_complete(description, table.key, diagnostics);
}

}  // namespace cyclerd::device::loader
