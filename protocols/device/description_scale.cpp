// How a raw number becomes a value: the scales and signs of [item.*].
#include <fmt/format.h>

#include <cmath>

#include "protocols/device/loader.hpp"

namespace cyclerd::device::loader {

namespace {

using text::Diagnostics;
using text::TableReader;
using text::TomlNode;

constexpr int kMaxFractionBits = 31;

bool is_pair_of_numbers(const TomlNode& node) {
  return node.is_array() && node.items.size() == 2 && node.items[0].is_number() && node.items[1].is_number() &&
         node.items[0].number() <= node.items[1].number();
}

class ScaleReader {
 public:
  ScaleReader(const TomlNode& node, Item& item, const Description& description, Diagnostics& diagnostics)
      : node_(node), item_(item), description_(description), diagnostics_(diagnostics) {}

  void read() {
    if (!node_.is_table()) return constant();
    TableReader r(node_, "scale", diagnostics_);
    if (r.optional("q")) {
      item_.scale = std::ldexp(1.0, -static_cast<int>(r.optional_integer("q", 1, kMaxFractionBits).value_or(0)));
    } else if (const TomlNode* decimals = r.optional("decimals")) {
      item_.decimals_item = item_reference(*decimals, description_, diagnostics_);
    } else if (r.optional("by") || r.optional("range_by")) {
      by_table(r);
    } else {
      nominal(r);
    }
    r.finish();
  }

 private:
  void constant() {
    if (!node_.is_number()) {
      diagnostics_.error("T011", node_.value, "'scale' must be a number or a table",
                         "write 0.01, { nominal = ..., full_scale = ... }, { q = 21 }, { decimals = ... } or "
                         "{ by = ..., table = [...] }");
      return;
    }
    item_.scale = node_.number();
    if (item_.scale != 0.0) return;
    diagnostics_.error("D019", node_.value, "a scale of zero makes every value zero");
    item_.scale = 1.0;
  }

  void nominal(TableReader& r) {
    if (const TomlNode* name = r.required("nominal")) item_.nominal = item_reference(*name, description_, diagnostics_);
    if (r.required("full_scale")) item_.full_scale = r.optional_number("full_scale").value_or(1.0);
    if (std::abs(item_.full_scale) > 0) return;
    diagnostics_.error("D019", node_.value, "full_scale cannot be zero");
    item_.full_scale = 1.0;
  }

  void by_table(TableReader& r) {
    if (const TomlNode* by = r.optional("by")) item_.scale_item = item_reference(*by, description_, diagnostics_);
    if (const TomlNode* by = r.optional("range_by")) item_.range_item = item_reference(*by, description_, diagnostics_);
    const TomlNode* table = r.required("table");
    if (!table) return;
    if (!table->is_array() || table->items.empty()) {
      diagnostics_.error("D072", table->value, "'table' is a list of rows",
                         "write table = [ { is = [60060, 60064], scale = 0.01 }, ... ]");
      return;
    }
    for (const auto& row : table->items) read_row(row);
    check_rows(*table);
  }

  void read_row(const TomlNode& node) {
    TableReader r(node, "a row of the scale's table", diagnostics_);
    ScaleRow row{-HUGE_VAL, HUGE_VAL, base::kAbsent, 1.0};
    if (item_.scale_item != kNone) {
      const TomlNode* is = r.required("is");
      if (is && is->is_number()) {
        row.from = row.to = is->number();
      } else if (is && is_pair_of_numbers(*is)) {
        row.from = is->items[0].number();
        row.to = is->items[1].number();
      } else if (is) {
        diagnostics_.error("D072", is->value, "'is' must be a number or [lowest, highest]",
                           "write is = [60060, 60064]");
      }
    }
    if (item_.range_item != kNone) {
      const bool alone = item_.scale_item == kNone;
      if (alone ? r.required("range") : r.optional("range"))
        row.range = r.optional_number("range").value_or(base::kAbsent);
    }
    if (r.required("scale")) row.scale = r.optional_number("scale").value_or(1.0);
    if (row.scale == 0.0) {
      diagnostics_.error("D019", node.find("scale")->value, "a scale of zero makes every value zero");
      row.scale = 1.0;
    }
    r.finish();
    item_.scale_rows.push_back(row);
  }

  // No reading may fit two rows.
  void check_rows(const TomlNode& table) {
    for (std::size_t i = 0; i < item_.scale_rows.size(); ++i) {
      for (std::size_t k = 0; k < i; ++k) {
        const ScaleRow& a = item_.scale_rows[k];
        const ScaleRow& b = item_.scale_rows[i];
        const bool apart =
            a.to < b.from || b.to < a.from || (!std::isnan(a.range) && !std::isnan(b.range) && a.range != b.range);
        if (apart) continue;
        auto& finding = diagnostics_.error("D072", table.items[i].value, "this row and another fit the same instrument",
                                           "make the numbers of 'is' or 'range' differ");
        finding.related = table.items[k].value;
        finding.related_label = "the other row";
      }
    }
  }

  const TomlNode& node_;
  Item& item_;
  const Description& description_;
  Diagnostics& diagnostics_;
};

bool holds_a_number(const Item& item) {
  return item.readable && item.type != ValueType::ascii && item.type != ValueType::boolean;
}

}  // namespace

void read_scale(const TomlNode& node, Item& item, const Description& description, Diagnostics& diagnostics) {
  ScaleReader(node, item, description, diagnostics).read();
}

void read_sign(const TomlNode& node, Item& item, const Description& description, Diagnostics& diagnostics) {
  TableReader r(node, "the sign", diagnostics);
  if (item.sign_item != kNone)
    diagnostics.error("D018", node.key, "a value has one sign: either negative_when or sign", "remove one of them");
  if (const TomlNode* name = r.required("item")) item.sign_item = item_reference(*name, description, diagnostics);
  if (r.optional("negative")) {
    item.sign_value = static_cast<double>(r.optional_integer("negative", -2147483648LL, 4294967295LL).value_or(0));
  } else {
    item.sign_bit = static_cast<std::uint8_t>(r.required_integer("bit", 0, 31).value_or(0));
  }
  r.finish();
}

void check_scales(const Description& description, Diagnostics& diagnostics) {
  for (const Item& item : description.items) {
    const auto must_be_plain = [&](int index, const char* what) {
      if (index == kNone) return;
      const Item& other = description.item(index);
      const bool scaled = other.nominal != kNone || other.decimals_item != kNone || !other.scale_rows.empty();
      if (holds_a_number(other) && !scaled) return;
      auto& finding = diagnostics.error(
          "D072", item.where,
          fmt::format("{} of '{}' is '{}', which is no plain number that can be read", what, item.name, other.name),
          "it must be readable, no text, no switch, and have no scale of its own");
      finding.related = other.where;
      finding.related_label = "declared here";
    };
    must_be_plain(item.decimals_item, "what tells the decimals");
    must_be_plain(item.scale_item, "what chooses the scale");
    must_be_plain(item.range_item, "the range");
    if (item.sign_item != kNone && item.writable)
      diagnostics.error("D018", item.where, fmt::format("'{}' is written, and its sign stands elsewhere", item.name),
                        "give each direction an item of its own, without a sign");
  }
}

}  // namespace cyclerd::device::loader
