// What an item leaves open until the site or the instrument tells it: its unit, its address, its polarity, and which
// bits of a read-back count.
#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "protocols/device/loader.hpp"

namespace cyclerd::device::loader {

using text::Diagnostics;
using text::TableReader;
using text::TomlNode;

namespace {

// Degrees Fahrenheit are no unit of the profile language; instruments have them.
std::optional<ItemUnit> find_item_unit(std::string_view word) {
  constexpr double kKelvinPerFahrenheit = 5.0 / 9.0;
  using namespace text::dimension;
  if (word == "degF") return ItemUnit{0.0, kTemperature, kKelvinPerFahrenheit, -32.0 * kKelvinPerFahrenheit};
  if (word.starts_with("degF/")) {
    const auto per = text::find_unit(word.substr(5));
    if (!per || per->dimension != kTime) return std::nullopt;
    return ItemUnit{0.0, kTemperatureRate, kKelvinPerFahrenheit / per->factor, 0.0};
  }
  const auto known = text::find_unit(word);
  if (!known || known->c_rate) return std::nullopt;
  return ItemUnit{0.0, known->dimension, known->factor, 0.0};
}

class UnitReader {
 public:
  UnitReader(Item& item, const Description& description, Diagnostics& diagnostics)
      : item_(item), d_(description), diagnostics_(diagnostics) {}

  void read(const TomlNode& node) {
    if (node.is_string() && node.string.starts_with('$')) {
      words_of_parameter(node);
    } else if (node.is_string()) {
      if (const auto unit = named(node, node.string)) take(*unit);
    } else if (node.is_table()) {
      choice(node);
    } else {
      diagnostics_.error("D017", node.value, "a unit is a word or a choice",
                         "write \"degC\" or { by = \"unit_register\", is = { 0 = \"degF\", 1 = \"degC\" } }");
    }
  }

 private:
  void take(const ItemUnit& unit) {
    item_.dimension = unit.dimension;
    item_.unit_factor = unit.factor;
    item_.unit_offset = unit.offset;
    item_.has_unit = true;
  }

  std::optional<ItemUnit> named(const TomlNode& node, const std::string& word) {
    const auto unit = find_item_unit(word);
    if (!unit) {
      const std::string near = text::nearest_unit(word);
      diagnostics_.error(
          "D017", node.value, fmt::format("'{}' is not a unit that an instrument can have", word),
          near.empty() ? "units look like V, mA, W, degC, degF, K/min, s" : fmt::format("did you mean '{}'?", near));
    }
    return unit;
  }

  const Parameter* word_parameter(const TomlNode& node, std::string_view name) {
    const int index = d_.find_parameter(name);
    const Parameter* p = index == kNone ? nullptr : &d_.parameters[static_cast<std::size_t>(index)];
    if (p && p->kind == Parameter::Kind::word) {
      item_.unit_parameter = index;
      return p;
    }
    diagnostics_.error("D031", node.value, fmt::format("'${}' is no site parameter with a list of words", name),
                       "declare it in [site] with values = [\"degC\", \"degF\"]");
    return nullptr;
  }

  // unit = "$temperature_unit": the words of the parameter are the units.
  void words_of_parameter(const TomlNode& node) {
    const Parameter* p = word_parameter(node, std::string_view{node.string}.substr(1));
    for (std::size_t i = 0; p && i < p->words.size(); ++i) add(node, static_cast<double>(i), p->words[i]);
  }

  void choice(const TomlNode& node) {
    TableReader r(node, "unit", diagnostics_);
    const TomlNode* by = r.required("by");
    const TomlNode* is = r.required_table("is");
    r.finish();
    if (!by || !is) return;
    const bool site = by->is_string() && by->string.starts_with('$');
    const Parameter* p = site ? word_parameter(*by, std::string_view{by->string}.substr(1)) : nullptr;
    if (!site) item_.unit_item = item_reference(*by, d_, diagnostics_);
    if (!p && item_.unit_item == kNone) return;
    for (const auto& [key, unit] : is->members) {
      const auto code = p ? code_of_word(*p, key) : code_of_number(key);
      if (!code) {
        diagnostics_.error("D017", unit.key, fmt::format("'{}' is no value of '{}'", key, by->string),
                           p ? "write one of the words of the site parameter" : "write a number: 1 = \"degC\"");
      } else if (unit.is_string()) {
        add(unit, *code, unit.string);
      } else {
        diagnostics_.error("D017", unit.value, "a unit is a word", "write it in quotes");
      }
    }
    if (is->members.size() < 2)
      diagnostics_.error("D017", is->key, "a choice of units has at least two", "or write the one unit itself");
    if (p && is->members.size() < p->words.size())
      diagnostics_.error("D017", is->key, fmt::format("not every word of '{}' has its unit", by->string));
  }

  static std::optional<double> code_of_word(const Parameter& p, std::string_view word) {
    for (std::size_t i = 0; i < p.words.size(); ++i) {
      if (p.words[i] == word) return static_cast<double>(i);
    }
    return std::nullopt;
  }

  static std::optional<double> code_of_number(std::string_view text) {
    std::int64_t number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
    return static_cast<double>(number);
  }

  void add(const TomlNode& node, double code, const std::string& word) {
    auto unit = named(node, word);
    if (!unit) return;
    if (item_.units.empty()) {
      take(*unit);
    } else if (unit->dimension != item_.dimension) {
      diagnostics_.error(
          "D025", node.value,
          fmt::format("'{}' is a {}, but '{}' was a {} before", word, text::dimension_name(unit->dimension), item_.name,
                      text::dimension_name(item_.dimension)));
      return;
    }
    unit->code = code;
    item_.units.push_back(*unit);
  }

  Item& item_;
  const Description& d_;
  Diagnostics& diagnostics_;
};

}  // namespace

void read_unit(const TomlNode& node, Item& item, const Description& description, Diagnostics& diagnostics) {
  UnitReader(item, description, diagnostics).read(node);
}

void read_site_address(const TomlNode& node, Item& item, Description& description, Diagnostics& diagnostics) {
  TableReader r(node, "address", diagnostics);
  item.address = static_cast<std::uint16_t>(r.required_integer("first", 0, 65535).value_or(0));
  item.address_step = static_cast<std::uint16_t>(r.required_integer("step", 1, 65535).value_or(1));
  const TomlNode* number = r.required("number");
  r.finish();
  if (!number) return;
  const int index = number->is_string() && number->string.starts_with('$')
                        ? description.find_parameter(std::string_view{number->string}.substr(1))
                        : kNone;
  Parameter* p = index == kNone ? nullptr : &description.parameters[static_cast<std::size_t>(index)];
  const bool counts =
      p && p->kind == Parameter::Kind::number && p->dimension == text::dimension::kNone && p->min >= 1.0;
  if (!counts) {
    diagnostics.error("D031", number->value, "the number in an address is a site parameter that counts from 1",
                      "declare it in [site], such as run_output = { default = 1, min = 1, max = 8, help = ... }");
    return;
  }
  if (item.address + item.address_step * (p->max - 1.0) + item.count > 65536.0) {
    diagnostics.error("D012", node.value,
                      fmt::format("with '{}' at {} this reaches beyond address 65535", number->string, p->max));
    return;
  }
  p->whole = true;
  item.address_parameter = index;
}

namespace {

// true, false, or "$parameter" of the site that is true or false.
void read_decision(TableReader& reader, const char* key, const Description& description, bool& constant,
                   int& parameter) {
  const TomlNode* node = reader.node().find(key);
  if (!node->is_string()) {
    constant = reader.optional_bool(key).value_or(false);
    return;
  }
  const int index =
      node->string.starts_with('$') ? description.find_parameter(std::string_view{node->string}.substr(1)) : kNone;
  if (index != kNone && description.parameters[static_cast<std::size_t>(index)].kind == Parameter::Kind::boolean) {
    parameter = index;
    return;
  }
  reader.diagnostics().error("D031", node->value,
                             fmt::format("'{}' is no site parameter that is true or false", node->string),
                             "declare it in [site] with default = false");
}

}  // namespace

void read_invert(TableReader& reader, Item& item, const Description& description) {
  const TomlNode* node = reader.optional("invert");
  if (!node) return;
  if (item.type != ValueType::boolean) {
    reader.diagnostics().error("D018", node->key, "only a switch can be inverted",
                               "write type = \"bool\", or negate for a number");
    return;
  }
  read_decision(reader, "invert", description, item.inverted, item.invert_parameter);
}

void read_negate(TableReader& reader, Item& item, const Description& description) {
  const TomlNode* node = reader.optional("negate");
  if (!node) return;
  if (item.type == ValueType::boolean || item.type == ValueType::ascii) {
    reader.diagnostics().error("D018", node->key, "only a number can be negated", "write invert for a switch");
    return;
  }
  read_decision(reader, "negate", description, item.negated, item.negate_parameter);
}

void read_readback(const TomlNode& node, Item& item, const Description& description, Diagnostics& diagnostics) {
  if (!node.is_table()) {
    item.readback = item_reference(node, description, diagnostics);
    return;
  }
  TableReader r(node, "readback", diagnostics);
  if (const TomlNode* name = r.required("item")) item.readback = item_reference(*name, description, diagnostics);
  if (const auto mask = r.required_integer("mask", 1, 0xFFFFFFFFLL))
    item.readback_mask = static_cast<std::uint32_t>(*mask);
  r.finish();
  const bool whole = item.type != ValueType::f32 && item.type != ValueType::ascii && !item.has_unit;
  if (!whole)
    diagnostics.error("D041", node.value, fmt::format("'{}' has no bits to compare", item.name), "leave the mask out");
}

}  // namespace cyclerd::device::loader
