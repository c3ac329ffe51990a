#include "protocols/device/site.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cyclerd::device {

namespace {

std::string shown(const Parameter& p, double value) {
  return p.dimension == text::dimension::kNone ? fmt::format("{}", value) : text::format_quantity(value, p.dimension);
}

std::optional<double> read_one(const Parameter& p, text::TableReader& reader) {
  if (p.kind == Parameter::Kind::boolean) {
    const auto value = reader.optional_bool(p.name);
    return value ? std::optional(*value ? 1.0 : 0.0) : std::nullopt;
  }
  if (p.kind == Parameter::Kind::number) return reader.optional_quantity(p.name, p.dimension);
  const auto word = reader.optional_word(p.name, p.words);
  for (std::size_t i = 0; word && i < p.words.size(); ++i) {
    if (p.words[i] == *word) return static_cast<double>(i);
  }
  return std::nullopt;
}

}  // namespace

SiteParameters default_site(const Description& description) {
  SiteParameters site;
  for (const auto& p : description.parameters) site.values.push_back(p.standard);
  return site;
}

SiteParameters bind_site(const Description& description, const text::TomlNode* table, text::Diagnostics& diagnostics) {
  SiteParameters site = default_site(description);
  for (const Parameter& p : description.parameters) {
    if (!p.required || (table && table->find(p.name))) continue;
    auto& finding = diagnostics.error(
        "D033", table ? table->key : text::Span{},
        fmt::format("{} needs the site parameter '{}': {}", description.id, p.name, p.help),
        fmt::format("no default is safe here; say it in the device's table of site parameters, {} = ...", p.name));
    finding.related = p.where;
    finding.related_label = "asked for here";
  }
  if (!table) return site;
  text::TableReader reader(*table, fmt::format("the site parameters of {}", description.id), diagnostics);
  for (std::size_t i = 0; i < description.parameters.size(); ++i) {
    const Parameter& p = description.parameters[i];
    const auto value = read_one(p, reader);
    if (!value) continue;
    const bool counts = p.kind == Parameter::Kind::number && p.dimension == text::dimension::kNone && p.whole;
    if (counts && *value != std::round(*value)) {
      diagnostics.error("D032", table->find(p.name)->value, fmt::format("'{}' is a number to count with", p.name));
      continue;
    }
    if (*value < p.min || *value > p.max) {
      auto& finding = diagnostics.error("D032", table->find(p.name)->value,
                                        fmt::format("'{}' is {}; it must lie between {} and {}", p.name,
                                                    shown(p, *value), shown(p, p.min), shown(p, p.max)));
      finding.related = p.where;
      finding.related_label = "range set here";
      continue;
    }
    site.values[i] = *value;
  }
  reader.finish();
  return site;
}

std::shared_ptr<const Description> at_site(std::shared_ptr<const Description> description, const SiteParameters& site) {
  const auto decides = [](const Item& item) { return item.address_parameter != kNone; };
  if (std::none_of(description->items.begin(), description->items.end(), decides)) return description;
  auto bound = std::make_shared<Description>(*description);
  for (Item& item : bound->items) {
    if (!decides(item)) continue;
    const double number = site.values[static_cast<std::size_t>(item.address_parameter)];
    item.address = static_cast<std::uint16_t>(item.address + item.address_step * (number - 1.0));
    item.address_parameter = kNone;
  }
  return bound;
}

}  // namespace cyclerd::device
