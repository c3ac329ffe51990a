// [site] and [item.*] of a description.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "protocols/device/description.hpp"
#include "protocols/device/loader.hpp"
#include "protocols/device/words.hpp"

namespace cyclerd::device {

int Description::find_item(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].name == name) return static_cast<int>(i);
  }
  return kNone;
}

int Description::find_parameter(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i].name == name) return static_cast<int>(i);
  }
  return kNone;
}

namespace loader {

namespace {

using text::Diagnostics;
using text::TableReader;
using text::TomlNode;

template <class T>
struct Word {
  const char* name;
  T value;
};
constexpr std::array<Word<Function>, 4> kFunctions{{{"coil", Function::coil},
                                                    {"discrete", Function::discrete},
                                                    {"holding", Function::holding},
                                                    {"input", Function::input}}};
constexpr std::array<Word<ValueType>, 7> kTypes{{{"bool", ValueType::boolean},
                                                 {"u16", ValueType::u16},
                                                 {"i16", ValueType::i16},
                                                 {"u32", ValueType::u32},
                                                 {"i32", ValueType::i32},
                                                 {"f32", ValueType::f32},
                                                 {"ascii", ValueType::ascii}}};
constexpr std::array<Word<WordOrder>, 4> kOrders{
    {{"ABCD", WordOrder::ABCD}, {"BADC", WordOrder::BADC}, {"CDAB", WordOrder::CDAB}, {"DCBA", WordOrder::DCBA}}};
constexpr std::array<Word<Mark>, 5> kMarks{{{"own", Mark::own},
                                            {"V2", Mark::two_sources},
                                            {"V1", Mark::one_source},
                                            {"C", Mark::conflict},
                                            {"G", Mark::unconfirmed}}};

template <class T, std::size_t N>
std::optional<T> meaning(const std::optional<std::string>& word, const std::array<Word<T>, N>& table) {
  if (!word) return std::nullopt;
  for (const auto& w : table) {
    if (*word == w.name) return w.value;
  }
  return std::nullopt;
}

template <class T, std::size_t N>
std::vector<std::string> names_of(const std::array<Word<T>, N>& table) {
  std::vector<std::string> names;
  for (const auto& w : table) names.emplace_back(w.name);
  return names;
}

std::uint16_t registers_of(ValueType type, std::int64_t characters) {
  switch (type) {
    case ValueType::u32:
    case ValueType::i32:
    case ValueType::f32: return 2;
    case ValueType::ascii: return static_cast<std::uint16_t>((characters + 1) / 2);
    default: return 1;
  }
}

std::pair<double, double> raw_range(ValueType type) {
  switch (type) {
    case ValueType::boolean: return {0, 1};
    case ValueType::u16: return {0, 65535};
    case ValueType::i16: return {-32768, 32767};
    case ValueType::u32: return {0, 4294967295.0};
    case ValueType::i32: return {-2147483648.0, 2147483647.0};
    case ValueType::f32: return {-3.4028234663852886e38, 3.4028234663852886e38};
    default: break;
  }
  return {0, 0};
}

class ItemReader {
 public:
  ItemReader(const TomlNode& node, Item& item, Description& description, Diagnostics& diagnostics)
      : node_(node),
        item_(item),
        description_(description),
        diagnostics_(diagnostics),
        reader_(node, "[item." + item.name + "]", diagnostics) {}

  void read() {
    if (description_.dialect == Dialect::text) {
      read_text_item(reader_, item_, description_);
      read_invert(reader_, item_, description_);
    } else if (description_.dialect == Dialect::can) {
      read_can_item(reader_, item_, description_);
    } else {
      place();
      layout();
    }
    unit();
    access();
    range();
    provenance();
    reader_.finish();
  }

 private:
  void place() {
    item_.function =
        meaning(reader_.required_word("function", names_of(kFunctions)), kFunctions).value_or(Function::holding);
    const TomlNode* address = reader_.required("address");
    const bool by_site = address && address->is_table();
    if (address && !by_site)
      item_.address = static_cast<std::uint16_t>(reader_.required_integer("address", 0, 65535).value_or(0));
    const auto type = meaning(reader_.required_word("type", names_of(kTypes)), kTypes);
    item_.type = type.value_or(item_.is_bits() ? ValueType::boolean : ValueType::u16);
    const auto length = item_.type == ValueType::ascii ? reader_.required_integer("length", 1, 250) : std::nullopt;
    item_.count = registers_of(item_.type, length.value_or(2));
    if (!node_.find("address")) item_.count = 0;  // told already; it overlaps nobody
    if (by_site) read_site_address(*address, item_, description_, diagnostics_);
    read_invert(reader_, item_, description_);
    // A register may hold a switch: 0 or 1.
    if (type && item_.is_bits() != (item_.type == ValueType::boolean) && item_.function != Function::holding) {
      const TomlNode* at = node_.find("type");
      diagnostics_.error(
          "D011", at->value,
          item_.is_bits()
              ? fmt::format("a {} holds one bit; its type cannot be '{}'", to_string(item_.function), at->string)
              : fmt::format("a {} register cannot be of type 'bool'", to_string(item_.function)),
          item_.is_bits() ? "write type = \"bool\"" : "use u16 and pick the bit in [status], or function = \"coil\"");
    }
    if (item_.address + item_.count > 65536) {
      diagnostics_.error("D012", node_.find("address")->value,
                         fmt::format("'{}' reaches beyond address 65535", item_.name));
    }
    if (item_.count > description_.max_read) {
      diagnostics_.error("D016", item_.where,
                         fmt::format("'{}' has {} registers; one read takes at most {}", item_.name, item_.count,
                                     description_.max_read),
                         "shorten it, or raise max_read in [modbus] (at most 125)");
    }
  }

  void layout() {
    const TomlNode* words = reader_.optional("words");
    if (!words) return;
    if (words->is_string() && words->string.starts_with('$')) {
      item_.words_parameter = description_.find_parameter(std::string_view{words->string}.substr(1));
      if (item_.words_parameter != kNone && holds_word_orders(item_.words_parameter)) return;
      item_.words_parameter = kNone;
      diagnostics_.error("D031", words->value,
                         fmt::format("'{}' is no site parameter with a list of word orders", words->string),
                         "declare it in [site] with values = [\"ABCD\", \"CDAB\"]");
      return;
    }
    item_.words = meaning(reader_.optional_word("words", names_of(kOrders)), kOrders).value_or(WordOrder::ABCD);
  }

  [[nodiscard]] bool holds_word_orders(int parameter) const {
    const auto& words = description_.parameters[static_cast<std::size_t>(parameter)].words;
    return !words.empty() && std::all_of(words.begin(), words.end(), [](const std::string& w) {
      return meaning(std::optional(w), kOrders).has_value();
    });
  }

  void unit() {
    if (const TomlNode* unit = reader_.optional("unit")) read_unit(*unit, item_, description_, diagnostics_);
    if (const TomlNode* scale = reader_.optional("scale")) read_scale(*scale, item_, description_, diagnostics_);
    read_negate(reader_, item_, description_);
    for (const char* key : {"negative_when", "sign"}) {
      if (const TomlNode* sign = reader_.optional_table(key)) read_sign(*sign, item_, description_, diagnostics_);
    }
    if (item_.type == ValueType::ascii || item_.type == ValueType::boolean) {
      for (const char* key : {"unit", "scale", "negative_when", "sign"}) {
        if (const TomlNode* n = node_.find(key)) {
          diagnostics_.error("D018", n->key, fmt::format("'{}' has no meaning for text and switches", key),
                             "remove it");
        }
      }
    }
  }

  void access() {
    if (description_.dialect == Dialect::modbus) register_access();
    if (const TomlNode* readback = reader_.optional("readback")) {
      read_readback(*readback, item_, description_, diagnostics_);
    }
  }

  void register_access() {
    const std::string word = reader_.optional_word("access", {"r", "w", "rw"}).value_or("r");
    item_.readable = word != "w";
    item_.writable = word != "r";
    item_.write_multiple = item_.count > 1;
    const auto how = reader_.optional_word("write", {"single", "multiple"});
    if (how) item_.write_multiple = *how == "multiple";
    const bool read_only = item_.function == Function::input || item_.function == Function::discrete;
    if (item_.writable && (read_only || item_.type == ValueType::ascii)) {
      diagnostics_.error(
          "D013", node_.find("access")->value,
          fmt::format("'{}' cannot be written: it is {}", item_.name,
                      read_only ? fmt::format("a {} register or bit", to_string(item_.function)) : "text"),
          "writable are coils and holding registers");
      item_.writable = false;
    }
    if (how && *how == "single" && item_.count > 1) {
      diagnostics_.error("D013", node_.find("write")->value, "two registers cannot be written with function 6",
                         "write = \"multiple\"");
    }
  }

  void range() {
    const auto [low, high] = description_.dialect == Dialect::modbus ? raw_range(item_.type) : text_range(item_);
    item_.raw_min = reader_.optional_number("raw_min").value_or(low);
    item_.raw_max = reader_.optional_number("raw_max").value_or(high);
    if (item_.raw_min < low || item_.raw_max > high || item_.raw_min > item_.raw_max) {
      const TomlNode* at = node_.find("raw_max") ? node_.find("raw_max") : node_.find("raw_min");
      diagnostics_.error(
          "D019", at->value,
          fmt::format("raw_min..raw_max is {}..{}; the type holds {}..{}", item_.raw_min, item_.raw_max, low, high));
    }
    if (!reader_.optional("resolution")) return;
    if (item_.has_unit)
      item_.resolution = reader_.optional_quantity("resolution", item_.dimension).value_or(0.0);
    else
      diagnostics_.error("D018", node_.find("resolution")->key, "a resolution needs a unit", "add unit = ...");
  }

  void provenance() {
    item_.mark = meaning(reader_.required_word("mark", names_of(kMarks)), kMarks).value_or(Mark::unconfirmed);
    item_.source = reader_.optional_string("source").value_or("");
    item_.verified = reader_.optional_string("verified").value_or("");
    if (item_.mark != Mark::own && item_.source.empty() && node_.find("mark")) {
      diagnostics_.error("D010", node_.find("mark")->value,
                         fmt::format("'{}' does not say where this fact comes from", item_.name),
                         "add source = \"manual, page\" or mark it \"own\"");
    }
  }

  const TomlNode& node_;
  Item& item_;
  Description& description_;
  Diagnostics& diagnostics_;
  TableReader reader_;
};

void check_overlaps(const Description& d, Diagnostics& diagnostics) {
  std::vector<const Item*> order;
  for (const auto& item : d.items) order.push_back(&item);
  std::stable_sort(order.begin(), order.end(), [](const Item* a, const Item* b) {
    return std::pair(a->function, a->address) < std::pair(b->function, b->address);
  });
  for (std::size_t i = 1; i < order.size(); ++i) {
    const Item& a = *order[i - 1];
    const Item& b = *order[i];
    if (a.function != b.function || a.address + a.count <= b.address) continue;
    // Where the site decides, only items that it moves together can be compared.
    if (a.address_parameter != b.address_parameter || a.address_step != b.address_step) continue;
    auto& finding = diagnostics.error("D015", b.where,
                                      fmt::format("'{}' ({} {}) overlaps '{}' ({}..{})", b.name, to_string(b.function),
                                                  b.address, a.name, a.address, a.address + a.count - 1),
                                      "check addresses and types: 32-bit values take two registers");
    finding.related = a.where;
    finding.related_label = "taken here";
  }
}

void check_forbidden(const Description& d, Diagnostics& diagnostics) {
  for (const auto& item : d.items) {
    for (const ForbiddenRange& range : d.forbidden) {
      if (item.is_bits() || item.address > range.last || item.address + item.count <= range.first) continue;
      diagnostics.error(
          "D071", item.where,
          fmt::format("'{}' lies in the forbidden registers {} to {}", item.name, range.first, range.last),
          "remove the item: what is forbidden is neither read nor written");
    }
  }
}

// References between items that must fit each other.
void check_references(const Description& d, Diagnostics& diagnostics) {
  for (const auto& item : d.items) {
    auto must_read = [&](int index, const char* what) {
      if (index == kNone || d.item(index).readable) return;
      diagnostics.error("D014", item.where,
                        fmt::format("{} of '{}' is '{}', which cannot be read", what, item.name, d.item(index).name),
                        "give it access = \"r\" or \"rw\"");
    };
    must_read(item.nominal, "the nominal value");
    must_read(item.sign_item, "the sign");
    must_read(item.readback, "the read-back");
    must_read(item.unit_item, "what tells the unit");
    if (item.sign_item != kNone && item.unit_offset != 0.0)
      diagnostics.error("D018", item.where, fmt::format("'{}' cannot have a separate sign in degF", item.name));
    if (item.nominal != kNone && d.item(item.nominal).nominal != kNone) {
      diagnostics.error(
          "D019", item.where,
          fmt::format("the nominal value '{}' is itself scaled by a nominal value", d.item(item.nominal).name));
    }
    if (item.nominal != kNone && (d.item(item.nominal).dimension != item.dimension || !item.has_unit)) {
      diagnostics.error(
          "D025", item.where,
          fmt::format("'{}' and its nominal value '{}' have different units", item.name, d.item(item.nominal).name));
    }
  }
}

}  // namespace

std::vector<std::string> item_names(const Description& description) {
  std::vector<std::string> names;
  for (const auto& item : description.items) names.push_back(item.name);
  return names;
}

int item_reference(const TomlNode& node, const Description& description, Diagnostics& diagnostics) {
  if (!node.is_string()) {
    diagnostics.error("D010", node.value, "an item's name is needed here", "write it in quotes");
    return kNone;
  }
  const int index = description.find_item(node.string);
  if (index == kNone) {
    const std::string near = text::nearest(node.string, item_names(description));
    diagnostics.error(
        "D010", node.value, fmt::format("there is no item '{}'", node.string),
        near.empty() ? "declare it as [item." + node.string + "]" : fmt::format("did you mean '{}'?", near));
  }
  return index;
}

void read_parameters(const TomlNode& table, Description& description, Diagnostics& diagnostics) {
  for (const auto& [name, node] : table.members) {
    Parameter p;
    p.name = name;
    p.where = node.key;
    TableReader r(node, "[site] " + name, diagnostics);
    p.help = r.required_string("help");
    p.required = r.optional_bool("required").value_or(false);
    const TomlNode* standard = r.required("default");
    const TomlNode* values = r.optional_array("values");
    if (values) {
      p.kind = Parameter::Kind::word;
      for (const auto& v : values->items) p.words.push_back(v.string);
      const auto chosen = r.optional_word("default", p.words);
      for (std::size_t i = 0; chosen && i < p.words.size(); ++i) {
        if (p.words[i] == *chosen) p.standard = static_cast<double>(i);
      }
      p.max = static_cast<double>(p.words.size()) - 1;
    } else if (standard && standard->kind == TomlNode::Kind::boolean) {
      p.kind = Parameter::Kind::boolean;
      p.standard = standard->boolean ? 1.0 : 0.0;
      p.max = 1.0;
    } else if (standard && standard->is_string()) {
      text::QuantityError error;
      const auto quantity = text::parse_quantity(standard->string, error);
      p.dimension = quantity ? quantity->dimension : text::dimension::kNone;
      p.standard = r.optional_quantity("default", p.dimension).value_or(0.0);
      p.min = r.required_quantity("min", p.dimension).value_or(p.standard);
      p.max = r.required_quantity("max", p.dimension).value_or(p.standard);
    } else if (standard) {
      p.standard = r.optional_number("default").value_or(0.0);
      p.min = r.required_quantity("min", p.dimension).value_or(p.standard);
      p.max = r.required_quantity("max", p.dimension).value_or(p.standard);
    }
    r.finish();
    if (standard && (p.standard < p.min || p.standard > p.max)) {
      diagnostics.error("D032", standard->value, fmt::format("the default of '{}' lies outside its own range", name));
    }
    description.parameters.push_back(std::move(p));
  }
}

void read_items(const TomlNode& table, Description& description, Diagnostics& diagnostics) {
  for (const auto& [name, node] : table.members) {
    Item item;
    item.name = name;
    item.where = node.key;
    description.items.push_back(std::move(item));
  }
  for (std::size_t i = 0; i < table.members.size(); ++i) {
    ItemReader(table.members[i].second, description.items[i], description, diagnostics).read();
  }
  if (description.dialect == Dialect::modbus) check_overlaps(description, diagnostics);
  check_forbidden(description, diagnostics);
  check_references(description, diagnostics);
  check_scales(description, diagnostics);
}

}  // namespace loader
}  // namespace cyclerd::device
