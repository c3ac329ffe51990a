#include "protocols/device/description.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "protocols/device/loader.hpp"
#include "protocols/device/words.hpp"

namespace cyclerd::device {

namespace {

using text::Diagnostics;
using text::TableReader;
using text::TomlNode;

class Loader {
 public:
  Loader(const text::SourcePtr& source, Diagnostics& diagnostics) : diagnostics_(diagnostics) { d_.source = source; }

  std::shared_ptr<const Description> load() {
    const std::size_t errors_before = diagnostics_.error_count();
    const auto root = text::parse_toml(d_.source, diagnostics_);
    if (!root) return nullptr;
    TableReader r(*root, "the description", diagnostics_);
    head(r);
    if (const TomlNode* t = r.optional_table("modbus")) loader::read_modbus(*t, d_, diagnostics_);
    if (const TomlNode* t = r.optional_table("site")) loader::read_parameters(*t, d_, diagnostics_);
    const TomlNode* frames = nullptr;
    if (d_.dialect == Dialect::text) {
      if (const TomlNode* t = r.required_table("text")) loader::read_text(*t, d_, diagnostics_);
      frames = r.optional_table("frame");
      if (frames) loader::name_frames(*frames, d_);
    }
    if (d_.dialect == Dialect::can) {
      const TomlNode* messages = r.optional_table("message");
      if (const TomlNode* t = r.required_table("can")) loader::read_can(*t, messages, d_, diagnostics_);
    }
    if (const TomlNode* t = r.required_table("item")) loader::read_items(*t, d_, diagnostics_);
    if (frames) loader::read_frames(*frames, d_, diagnostics_);
    if (d_.dialect == Dialect::text) {
      if (const TomlNode* t = r.optional_table("command")) loader::read_commands(*t, d_, diagnostics_);
    }
    if (const TomlNode* t = r.required_table("identify")) identify(*t);
    if (const TomlNode* t = r.required_table("measure")) measure(*t);
    if (const TomlNode* t = r.required_table("status")) status(*t);
    if (const TomlNode* t = r.required_table("capability")) capability(*t);
    if (const TomlNode* t = r.optional_table("sequence"))
      loader::read_sequences(*t, d_, diagnostics_);
    else if (d_.kind != DeviceKind::sensor)
      diagnostics_.error("D021", r.where(), "the description has no [sequence]");
    if (const TomlNode* t = r.optional_table("watchdog")) watchdog(*t);
    r.finish();
    if (diagnostics_.error_count() != errors_before) return nullptr;
    return std::make_shared<const Description>(std::move(d_));
  }

 private:
  void head(TableReader& r) {
    d_.id = r.required_string("description");
    for (const char c : d_.id) {
      if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-') continue;
      diagnostics_.error("D001", r.node().find("description")->value, "a description's name has only a-z, 0-9 and '-'");
      break;
    }
    (void)r.required_integer("schema", 1, 1);
    d_.title = r.required_string("title");
    const auto kind = r.required_word("kind", {"cycler", "chamber", "sensor", "relay"});
    d_.kind = kind == "chamber"  ? DeviceKind::chamber
              : kind == "sensor" ? DeviceKind::sensor
              : kind == "relay"  ? DeviceKind::relay
                                 : DeviceKind::cycler;
    const auto dialect = r.required_word("dialect", {"modbus", "text", "can"});
    d_.dialect = dialect == "text" ? Dialect::text : dialect == "can" ? Dialect::can : Dialect::modbus;
  }

  IdentityRule rule(TableReader& r, const char* key, bool needed) {
    IdentityRule out;
    const TomlNode* node = needed ? r.required_table(key) : r.optional_table(key);
    if (!node) return out;
    TableReader t(*node, std::string("[identify] ") + key, diagnostics_);
    const TomlNode* name = t.optional("item");
    out.constant = t.optional_string("value").value_or("");
    if (name) out.item = loader::item_reference(*name, d_, diagnostics_);
    if (!name && out.constant.empty())
      diagnostics_.error("D060", node->value, fmt::format("'{}' needs an item or a value", key));
    if (const TomlNode* match = t.optional_array("match")) {
      for (const auto& m : match->items) out.match.push_back(m.string);
    }
    t.finish();
    return out;
  }

  void identify(const TomlNode& table) {
    TableReader r(table, "[identify]", diagnostics_);
    d_.maker = rule(r, "maker", true);
    d_.model = rule(r, "model", true);
    d_.serial = rule(r, "serial", false);
    d_.firmware = rule(r, "firmware", false);
    d_.anonymous = r.optional_string("anonymous").value_or("");
    r.finish();
    if (!d_.anonymous.empty()) return;
    if (d_.maker.match.empty() && d_.model.match.empty()) {
      diagnostics_.error("D060", table.key, "no rule tells this instrument from another",
                         "give maker or model a match = [\"...\"]; if nothing tells, say why: anonymous = \"...\"");
    }
  }

  int measured(TableReader& r, const char* key, text::Dimension dimension) {
    const TomlNode* node = r.optional(key);
    if (!node) return kNone;
    const int index = loader::item_reference(*node, d_, diagnostics_);
    if (index == kNone) return kNone;
    const Item& item = d_.item(index);
    if (!item.readable) diagnostics_.error("D014", node->value, fmt::format("'{}' cannot be read", item.name));
    if (item.dimension != dimension || !item.has_unit) {
      auto& finding =
          diagnostics_.error("D025", node->value,
                             fmt::format("'{}' must be a {}, but '{}' is a {}", key, text::dimension_name(dimension),
                                         item.name, text::dimension_name(item.dimension)),
                             fmt::format("give it a unit such as \"{}\"", text::example_unit(dimension)));
      finding.related = item.where;
      finding.related_label = "declared here";
    }
    return index;
  }

  void measure(const TomlNode& table) {
    TableReader r(table, "[measure]", diagnostics_);
    using namespace text::dimension;
    auto& m = d_.measure;
    m.voltage = measured(r, "voltage", kVoltage);
    m.current = measured(r, "current", kCurrent);
    m.power = measured(r, "power", kPower);
    m.temperature = measured(r, "temperature", kTemperature);
    m.chamber = measured(r, "chamber", kTemperature);
    m.chamber_setpoint = measured(r, "chamber_setpoint", kTemperature);
    r.finish();
    if (d_.kind == DeviceKind::cycler && (m.voltage == kNone || m.current == kNone)) {
      diagnostics_.error("D040", table.key, "a cycler measures voltage and current",
                         "add voltage = \"...\" and current = \"...\"");
    }
    if (d_.kind == DeviceKind::chamber && m.chamber == kNone) {
      diagnostics_.error("D040", table.key, "a chamber measures its air temperature", "add chamber = \"...\"");
    }
  }

  int status_item(TableReader& r, const char* key) {
    const TomlNode* node = r.optional(key);
    return node ? loader::item_reference(*node, d_, diagnostics_) : kNone;
  }

  BitField bits(TableReader& r, const TomlNode& node) {
    BitField field;
    if (const TomlNode* name = r.required("item")) field.item = loader::item_reference(*name, d_, diagnostics_);
    const auto one = r.optional_integer("bit", 0, 31);
    const auto mask = r.optional_integer("mask", 1, 0xFFFFFFFFLL);
    const TomlNode* range = r.optional_array("bits");
    const TomlNode* values = r.optional_array("one_of");
    field.invert = r.optional_bool("invert").value_or(false);
    if ((one ? 1 : 0) + (mask ? 1 : 0) + (range ? 1 : 0) + (values ? 1 : 0) > 1)
      diagnostics_.error("D041", node.value, "only one of bit, bits, mask and one_of can be given");
    if (values) {
      one_of(*values, field);
      return field;
    }
    int top = 0;
    if (one) {
      field.mask = 1U << *one;
      field.shift = static_cast<std::uint8_t>(*one);
      top = static_cast<int>(*one);
    } else if (mask) {
      field.mask = static_cast<std::uint32_t>(*mask);
      top = 31 - __builtin_clz(field.mask);
    } else if (range) {
      const bool good = range->items.size() == 2 && range->items[0].kind == TomlNode::Kind::integer &&
                        range->items[1].kind == TomlNode::Kind::integer && range->items[0].integer >= 0 &&
                        range->items[0].integer <= range->items[1].integer && range->items[1].integer <= 31;
      if (!good) {
        diagnostics_.error("D041", range->value, "bits must be [lowest, highest], between 0 and 31",
                           "write bits = [9, 10]");
      } else {
        const auto low = static_cast<unsigned>(range->items[0].integer);
        top = static_cast<int>(range->items[1].integer);
        field.shift = static_cast<std::uint8_t>(low);
        field.mask = static_cast<std::uint32_t>((std::uint64_t{1} << (top + 1)) - (std::uint64_t{1} << low));
      }
    }
    if (field.item != kNone) check_bits(d_.item(field.item), top, node);
    return field;
  }

  void one_of(const TomlNode& values, BitField& field) {
    for (const auto& value : values.items) {
      if (value.is_number())
        field.one_of.push_back(value.number());
      else
        diagnostics_.error("D041", value.value, "one_of lists raw numbers", "write one_of = [10, 54]");
    }
    if (values.items.empty()) diagnostics_.error("D041", values.value, "one_of needs at least one number");
    if (field.item != kNone && !d_.item(field.item).readable)
      diagnostics_.error("D014", values.value, fmt::format("'{}' cannot be read", d_.item(field.item).name));
  }

  [[nodiscard]] int width_of(const Item& item) const {
    if (item.can.signal != kNone && item.can.message != kNone) {
      const auto& signals = d_.can.messages[static_cast<std::size_t>(item.can.message)].content.signals;
      return signals[static_cast<std::size_t>(item.can.signal)].length;
    }
    return item.is_bits() ? 1 : 16 * item.count;
  }

  void check_bits(const Item& item, int top, const TomlNode& node) {
    const int width = width_of(item);
    const bool integer = !is_fraction(item.type) && item.type != ValueType::ascii;
    if (!integer)
      diagnostics_.error("D041", node.value, fmt::format("'{}' has no bits", item.name), "use an integer or a coil");
    else if (top >= width)
      diagnostics_.error("D041", node.value,
                         fmt::format("bit {} does not exist in '{}', which has {}", top, item.name, width));
    if (!item.readable) diagnostics_.error("D014", node.value, fmt::format("'{}' cannot be read", item.name));
  }

  // One flag, or a list of which any makes an alarm.
  void alarms(TableReader& r) {
    const TomlNode* node = r.optional("alarm");
    if (!node || !node->is_array()) {
      d_.status.alarm = flag(r, "alarm");
      return;
    }
    for (const auto& one : node->items) {
      if (!one.is_table()) {
        diagnostics_.error("D041", one.value, "an alarm is { item = ..., bit = ... }");
        continue;
      }
      TableReader t(one, "[status] alarm", diagnostics_);
      const BitField field = bits(t, one);
      t.finish();
      if (d_.status.alarm.item == kNone)
        d_.status.alarm = field;
      else
        d_.status.more_alarms.push_back(field);
    }
  }

  BitField flag(TableReader& r, const char* key) {
    const TomlNode* node = r.optional_table(key);
    if (!node) return {};
    TableReader t(*node, std::string("[status] ") + key, diagnostics_);
    const BitField field = bits(t, *node);
    t.finish();
    return field;
  }

  void regulation(const TomlNode& node) {
    static const std::vector<std::string> kWords{"off", "current", "voltage", "power", "resistance", "unknown"};
    static constexpr std::array kMeanings{base::Regulation::off,        base::Regulation::current,
                                          base::Regulation::voltage,    base::Regulation::power,
                                          base::Regulation::resistance, base::Regulation::unknown};
    TableReader t(node, "[status] regulation", diagnostics_);
    d_.status.regulation.bits = bits(t, node);
    if (const TomlNode* is = t.required_table("is")) {
      TableReader values(*is, "is", diagnostics_);
      for (const auto& [key, value] : is->members) {
        const auto word = values.optional_word(key, kWords);
        std::uint32_t number = 0;
        const auto parsed = std::from_chars(key.data(), key.data() + key.size(), number);
        if (parsed.ec != std::errc{} || parsed.ptr != key.data() + key.size()) {
          diagnostics_.error("D041", value.key, fmt::format("'{}' is not the value of a bit field", key),
                             "write a number: 2 = \"current\"");
        }
        for (std::size_t i = 0; word && i < kWords.size(); ++i) {
          if (*word == kWords[i]) d_.status.regulation.values.emplace_back(number, kMeanings[i]);
        }
      }
    }
    t.finish();
  }

  void status(const TomlNode& table) {
    TableReader r(table, "[status]", diagnostics_);
    d_.status.word = status_item(r, "word");
    d_.status.count = status_item(r, "count");
    d_.status.output_on = flag(r, "output_on");
    d_.status.remote = flag(r, "remote");
    alarms(r);
    if (const TomlNode* node = r.optional_table("regulation")) regulation(*node);
    if (const TomlNode* list = r.optional_array("compare")) {
      for (const auto& node : list->items) {
        const int index = loader::item_reference(node, d_, diagnostics_);
        if (index == kNone) continue;
        if (d_.item(index).readable && d_.item(index).writable)
          d_.status.compare.push_back(index);
        else
          diagnostics_.error("D014", node.value,
                             fmt::format("'{}' must be readable and writable to be compared", d_.item(index).name));
      }
    }
    r.finish();
    if (d_.kind != DeviceKind::sensor && d_.status.output_on.item == kNone) {
      diagnostics_.error("D040", table.key, "the status does not say whether the output is on",
                         "add output_on = { item = \"...\", bit = ... }");
    }
  }

  void topology(TableReader& r) {
    const TomlNode* node = r.optional("topology");
    if (!node) return;
    const auto word = r.optional_word("topology", {"two_quadrant", "source", "sink"});
    d_.capability.topology = word == "source" ? Topology::source
                             : word == "sink" ? Topology::sink
                                              : Topology::two_quadrant;
    if (d_.kind != DeviceKind::cycler)
      diagnostics_.error("D018", node->key, "'topology' has no meaning for a chamber or a sensor", "remove it");
  }

  // What only one direction can do must not be claimed for the other.
  void check_direction(const Told& limit, const char* key, const TomlNode& table, Topology without) {
    if (d_.capability.topology != without) return;
    if (limit.item == kNone && (std::isnan(limit.constant) || limit.constant == 0.0)) return;
    diagnostics_.error("D070", table.find(key)->value,
                       fmt::format("a {} has no '{}' but zero", without == Topology::source ? "source" : "sink", key),
                       "leave it out, or write topology = \"two_quadrant\"");
  }

  Told told(TableReader& r, const char* key, text::Dimension dimension, bool needed) {
    Told out;
    const TomlNode* node = needed ? r.required(key) : r.optional(key);
    if (!node) return out;
    if (node->is_string() && node->string.starts_with('$')) {
      out.parameter = d_.find_parameter(std::string_view{node->string}.substr(1));
      const bool fits = out.parameter != kNone &&
                        d_.parameters[static_cast<std::size_t>(out.parameter)].kind == Parameter::Kind::number &&
                        d_.parameters[static_cast<std::size_t>(out.parameter)].dimension == dimension;
      if (fits) return out;
      out.parameter = kNone;
      diagnostics_.error(
          "D031", node->value,
          fmt::format("'{}' is no site parameter that is a {}", node->string, text::dimension_name(dimension)),
          "declare it in [site] with a default, min and max");
      return out;
    }
    if (!node->is_table()) {
      out.constant = r.optional_quantity(key, dimension).value_or(base::kAbsent);
      return out;
    }
    TableReader t(*node, std::string("[capability] ") + key, diagnostics_);
    if (const TomlNode* name = t.required("item")) {
      out.item = loader::item_reference(*name, d_, diagnostics_);
      if (out.item != kNone && d_.item(out.item).dimension != dimension) {
        diagnostics_.error("D025", name->value,
                           fmt::format("'{}' must be a {}, but '{}' is a {}", key, text::dimension_name(dimension),
                                       name->string, text::dimension_name(d_.item(out.item).dimension)));
      }
    }
    out.times = t.optional_number("times").value_or(1.0);
    t.finish();
    return out;
  }

  void capability(const TomlNode& table) {
    TableReader r(table, "[capability]", diagnostics_);
    using namespace text::dimension;
    auto& c = d_.capability;
    const bool cycler = d_.kind == DeviceKind::cycler;
    const std::vector<std::string> meanings{"open", "zero_volt", "zero_ampere", "unknown"};
    const auto off =
        d_.kind == DeviceKind::sensor ? r.optional_word("off", meanings) : r.required_word("off", meanings);
    c.off = off == "open"          ? OffMeans::open
            : off == "zero_volt"   ? OffMeans::zero_volt
            : off == "zero_ampere" ? OffMeans::zero_ampere
                                   : OffMeans::unknown;
    topology(r);
    c.native_cv = r.optional_bool("native_cv").value_or(false);
    c.voltage_min = told(r, "voltage_min", kVoltage, cycler);
    c.voltage_max = told(r, "voltage_max", kVoltage, cycler);
    c.current_min = told(r, "current_min", kCurrent, cycler && c.topology != Topology::source);
    c.current_max = told(r, "current_max", kCurrent, cycler && c.topology != Topology::sink);
    c.power_min = told(r, "power_min", kPower, false);
    c.power_max = told(r, "power_max", kPower, false);
    c.voltage_step = told(r, "voltage_step", kVoltage, false);
    c.current_step = told(r, "current_step", kCurrent, false);
    c.temperature_min = told(r, "temperature_min", kTemperature, d_.kind == DeviceKind::chamber);
    c.temperature_max = told(r, "temperature_max", kTemperature, d_.kind == DeviceKind::chamber);
    c.min_scan = loader::read_duration(r, "min_scan", base::milliseconds(10), base::hours(1));
    r.finish();
    check_direction(c.current_min, "current_min", table, Topology::source);
    check_direction(c.power_min, "power_min", table, Topology::source);
    check_direction(c.current_max, "current_max", table, Topology::sink);
    check_direction(c.power_max, "power_max", table, Topology::sink);
  }

  void watchdog(const TomlNode& table) {
    TableReader r(table, "[watchdog]", diagnostics_);
    const auto kind = r.required_word("kind", {"none", "fixed", "programmable"});
    const TomlNode* timeout = r.optional("timeout");
    const auto fed_by = r.optional_word("fed_by", {"any", "feed"});
    r.finish();
    if (!kind || *kind == "none") return;
    d_.watchdog.kind = *kind == "fixed" ? WatchdogKind::fixed : WatchdogKind::programmable;
    d_.watchdog.fed_by_any = fed_by == "any";
    Item seconds;  // what the value must fit
    seconds.name = "timeout";
    seconds.dimension = text::dimension::kTime;
    seconds.has_unit = true;
    if (!timeout)
      diagnostics_.error("D050", table.key, "a watchdog needs its timeout",
                         "add timeout = \"2 s\" or \"$site_parameter\"");
    else if (const auto v = loader::read_value(*timeout, seconds, 0, d_, diagnostics_))
      d_.watchdog.timeout = *v;
    if (!d_.watchdog.fed_by_any && !d_.has(SequenceId::feed)) {
      diagnostics_.error("D050", table.key, "nothing feeds this watchdog",
                         "add the sequence 'feed', or fed_by = \"any\"");
    }
  }

  Description d_;
  Diagnostics& diagnostics_;
};

}  // namespace

std::shared_ptr<const Description> load_description(const text::SourcePtr& source, Diagnostics& diagnostics) {
  return Loader(source, diagnostics).load();
}

}  // namespace cyclerd::device
