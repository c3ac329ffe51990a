#include "hil/cells/read_ageing.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "hil/cells/read_table.hpp"

namespace cyclerd::hil {
namespace {

constexpr std::string_view kOwn = "power";

AgeingEffect effect_of(std::string_view word) {
  if (word == "resistance-growth") return AgeingEffect::resistance_growth;
  return word == "capacity-gain" ? AgeingEffect::capacity_gain : AgeingEffect::capacity_loss;
}

std::optional<AgeingPart> read_part(const text::TomlNode& node, std::size_t number, text::Diagnostics& diagnostics) {
  text::TableReader reader(node, fmt::format("[[ageing.part]] number {}", number), diagnostics);
  AgeingPart part;
  auto effect = reader.required_word("effect", {"capacity-loss", "capacity-gain", "resistance-growth"});
  auto over = reader.required_word("over", {"days", "cycles"});
  auto power = read_number(reader, "power", {0.05, 5.0, ""}, true);
  auto rate = read_number(reader, "rate", {0.0, 1e3, ""}, true);
  part.activation_K = read_number(reader, "activation_K", {-20000.0, 20000.0, "K"}, false).value_or(0.0);
  part.reference_K =
      273.15 +
      read_bounded(reader, "reference_temperature", text::dimension::kTemperature, -50.0, 100.0, false).value_or(25.0);
  part.soc_slope = read_number(reader, "soc_slope", {-20.0, 20.0, ""}, false).value_or(0.0);
  part.depth_exponent = read_number(reader, "depth_exponent", {0.0, 5.0, ""}, false).value_or(0.0);
  part.rate_slope = read_number(reader, "rate_slope", {-5.0, 5.0, "h"}, false).value_or(0.0);
  reader.finish();
  if (!effect || !over || !power || !rate) return std::nullopt;
  part.effect = effect_of(*effect);
  part.over_cycles = *over == "cycles";
  part.exponent = *power;
  part.rate = *rate;
  return part;
}

void read_parts(text::TableReader& reader, AgeingSet& set) {
  const text::TomlNode* parts = reader.optional_array("part");
  if (parts == nullptr || parts->items.empty() || parts->items.size() > kMaxAgeingParts) {
    reader.diagnostics().error("C054", parts == nullptr ? reader.where() : parts->value,
                               fmt::format("law = \"power\" needs 1 to {} [[ageing.part]]", kMaxAgeingParts));
    return;
  }
  for (std::size_t i = 0; i < parts->items.size(); ++i) {
    const text::TomlNode& item = parts->items[i];
    if (!item.is_table()) {
      reader.diagnostics().error("C003", item.value, "`part` must be tables", "write [[ageing.part]] above each");
      continue;
    }
    if (auto part = read_part(item, i + 1, reader.diagnostics())) set.parts.push_back(*part);
  }
}

}  // namespace

std::optional<AgeingSet> read_ageing(text::TableReader& root) {
  const text::TomlNode* node = root.optional_table("ageing");
  if (node == nullptr) return std::nullopt;
  text::TableReader reader(*node, "[ageing]", root.diagnostics());
  AgeingSet set;
  std::vector<std::string> words(ageing_laws().begin(), ageing_laws().end());
  words.emplace_back(kOwn);
  const auto word = reader.required_word("law", words);
  set.acceleration = read_number(reader, "acceleration", {0.0, 1e9, ""}, false).value_or(1.0);
  const double capacity_rate = read_number(reader, "capacity_rate", {0.0, 100.0, ""}, false).value_or(1.0);
  const double resistance_rate = read_number(reader, "resistance_rate", {0.0, 100.0, ""}, false).value_or(1.0);
  if (word && *word == kOwn) read_parts(reader, set);
  if (word && *word != kOwn) set.parts = ageing_law(*word);
  reader.finish();
  for (AgeingPart& part : set.parts)
    part.rate *= part.effect == AgeingEffect::resistance_growth ? resistance_rate : capacity_rate;
  return set;
}

}  // namespace cyclerd::hil
