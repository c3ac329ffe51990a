#include "daemon/ctl/probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "daemon/ctl/description_view.hpp"
#include "daemon/ctl/terminal.hpp"
#include "protocols/device/scripted_device.hpp"
#include "protocols/device/words.hpp"
#include "protocols/modbus/codec.hpp"

namespace cyclerd::ctl {

using device::Dialect;
using device::Item;
using device::kNone;
using device::ValueType;
using device::WordOrder;

namespace {

constexpr int kSilencesToGiveUp = 3;  // items in a row without any answer

bool is_credible(double value) {
  return value == 0.0 || (std::abs(value) >= 1e-4 && std::abs(value) <= 1e6);
}

constexpr std::array<std::pair<WordOrder, const char*>, 4> kOrders{
    {{WordOrder::ABCD, "ABCD"}, {WordOrder::BADC, "BADC"}, {WordOrder::CDAB, "CDAB"}, {WordOrder::DCBA, "DCBA"}}};

std::string_view regulation_word(base::Regulation regulation) {
  switch (regulation) {
    case base::Regulation::off: return "nothing";
    case base::Regulation::current: return "current";
    case base::Regulation::voltage: return "voltage";
    case base::Regulation::power: return "power";
    case base::Regulation::resistance: return "resistance";
    case base::Regulation::unknown: break;
  }
  return "something unknown";
}

std::uint32_t bits_of(const device::BitField& field, double raw) {
  const auto word = static_cast<std::uint32_t>(static_cast<std::int64_t>(raw));
  const std::uint32_t value = (word & field.mask) >> field.shift;
  return field.invert ? static_cast<std::uint32_t>(value == 0) : value;
}

std::string raw_text(const Item& item, const ProbedItem& probed) {
  if (!probed.answered || item.type == ValueType::ascii) return {};
  if (std::isnan(probed.raw)) return "no number";
  const bool word = item.type == ValueType::u16 || item.type == ValueType::u32;
  if (word && !item.has_unit)
    return fmt::format("{:.10g} (0x{:X})", probed.raw, static_cast<std::uint64_t>(probed.raw));
  return fmt::format("{:.10g}", probed.raw);
}

std::string shown_value(const Item& item, const ProbedItem& probed) {
  if (!probed.answered) return {};
  return item.type == ValueType::ascii ? printable(probed.text) : value_text(item, probed.value_SI);
}

}  // namespace

bool ProbeRound::identified() const noexcept {
  return std::ranges::all_of(identity, [](const ProbedIdentity& i) { return i.fits; });
}

Probe::Probe(std::shared_ptr<const device::Description> description, const device::SiteParameters& site,
             std::unique_ptr<device::ItemLink> link, base::Clock& clock)
    : description_(std::move(description)),
      d_(*description_),
      site_(site),
      link_(std::move(link)),
      scale_(d_, site),
      clock_(clock) {}

void Probe::identify(ProbeRound& round) {
  const std::pair<const char*, const device::IdentityRule*> rules[] = {
      {"maker", &d_.maker}, {"model", &d_.model}, {"serial", &d_.serial}, {"firmware", &d_.firmware}};
  for (const auto& [what, rule] : rules) {
    ProbedIdentity found;
    found.what = what;
    if (rule->item == kNone) {
      if (rule->constant.empty()) continue;
      found.text = rule->constant;
      found.note = "as the description says; not asked";
    } else if (const auto text = link_.read_text(rule->item)) {
      found.text = printable(text->view());
      found.fits = rule->match.empty() || std::ranges::any_of(rule->match, [&](const std::string& pattern) {
                     return device::matches_pattern(text->view(), pattern);
                   });
      if (!found.fits) found.note = fmt::format("the description wants {}", fmt::join(rule->match, " or "));
    } else {
      found.fits = false;
      found.note = text.error().text();
      if (!link_.is_connected() && !link_.connect()) return round.identity.push_back(found);
    }
    round.identity.push_back(found);
  }
}

// Wrong byte and word orders are the commonest mistake with 32-bit values, and easy to see in the number.
std::string Probe::doubt(int index, double raw) const {
  const Item& item = d_.item(index);
  if (std::isnan(raw)) return "the instrument says that this is no value";
  if (raw < item.raw_min || raw > item.raw_max)
    return fmt::format("outside raw_min..raw_max ({:g} to {:g})", item.raw_min, item.raw_max);
  if (d_.dialect != Dialect::modbus || !item.has_unit || item.count != 2 || is_credible(scale_.to_SI(index, raw)))
    return {};
  WordOrder order = item.words;
  if (item.words_parameter != kNone) {
    const auto parameter = static_cast<std::size_t>(item.words_parameter);
    const std::string& word = d_.parameters[parameter].words[static_cast<std::size_t>(site_.values[parameter])];
    for (const auto& [value, name] : kOrders) order = word == name ? value : order;
  }
  std::array<std::uint16_t, 2> registers{};
  if (!modbus::encode(raw, item.type, order, registers)) return {};
  for (const auto& [other, name] : kOrders) {
    const double value = scale_.to_SI(index, modbus::decode(registers, item.type, other));
    if (other != order && value != 0.0 && is_credible(value))
      return fmt::format("hard to believe; with words = \"{}\" it would be {}", name, value_text(item, value));
  }
  return {};
}

ProbedItem Probe::ask(int index) {
  ProbedItem probed;
  probed.item = index;
  if (d_.item(index).type == ValueType::ascii) {
    const auto text = link_.read_text(index);
    probed.answered = text.has_value();
    if (text)
      probed.text = text->view();
    else
      probed.note = text.error().text();
    return probed;
  }
  const auto raw = link_.read_raw(index);
  probed.answered = raw.has_value();
  if (!raw) {
    probed.note = raw.error().text();
    return probed;
  }
  probed.raw = *raw;
  probed.value_SI = scale_.to_SI(index, *raw);
  probed.note = doubt(index, *raw);
  return probed;
}

std::string Probe::status_text(const std::vector<ProbedItem>& items) const {
  const auto raw_of = [&](int index) {
    for (const ProbedItem& p : items) {
      if (p.item == index && p.answered) return p.raw;
    }
    return base::kAbsent;
  };
  std::string text;
  const auto add = [&](const device::BitField& field, const char* yes, const char* no) {
    const double raw = field.item == kNone ? base::kAbsent : raw_of(field.item);
    if (std::isnan(raw)) return;
    text += (text.empty() ? "" : ", ") + std::string{bits_of(field, raw) != 0 ? yes : no};
  };
  add(d_.status.output_on, "output on", "output off");
  add(d_.status.remote, "remote control", "local control");
  add(d_.status.alarm, "an alarm", "no alarm");
  const auto& regulation = d_.status.regulation;
  const double raw = regulation.bits.item == kNone ? base::kAbsent : raw_of(regulation.bits.item);
  if (!std::isnan(raw)) {
    base::Regulation meaning = base::Regulation::unknown;
    for (const auto& [number, word] : regulation.values) {
      if (number == bits_of(regulation.bits, raw)) meaning = word;
    }
    text += (text.empty() ? "regulates " : ", regulates ") + std::string{regulation_word(meaning)};
  }
  return text;
}

ProbeRound Probe::round() {
  ProbeRound round;
  const base::MonoTime begin = clock_.now();
  if (!link_.is_connected()) {
    if (const base::Status connected = link_.connect(); !connected) {
      round.error = connected.error().text();
      return round;
    }
  }
  identify(round);
  if (link_.is_connected()) {
    if (const base::Status loaded = scale_.load_nominals(link_); !loaded) round.scale_note = loaded.error().text();
  }
  int silent = 0;
  for (std::size_t i = 0; i < d_.items.size(); ++i) {
    if (!d_.items[i].readable) continue;
    if (!link_.is_connected()) {
      if (const base::Status connected = link_.connect(); !connected) {
        round.error = connected.error().text();
        break;
      }
    }
    ProbedItem probed = ask(static_cast<int>(i));
    if (!probed.answered) ++round.failures;
    silent = probed.answered || link_.is_connected() ? 0 : silent + 1;
    round.items.push_back(std::move(probed));
    if (silent < kSilencesToGiveUp) continue;
    round.error = fmt::format("{} items in a row were not answered; the rest was not asked", silent);
    break;
  }
  round.status = status_text(round.items);
  round.took_s = (clock_.now() - begin).seconds();
  return round;
}

std::string probe_page(const device::Description& d, const ProbeRound& round, int width, bool colour) {
  std::string text;
  for (const ProbedIdentity& found : round.identity) {
    const std::string line =
        fmt::format("{:<9} {}{}", found.what, found.text, found.note.empty() ? "" : fmt::format("  ({})", found.note));
    text += paint(found.fits ? Tone::plain : Tone::bad, line, colour) + "\n";
  }
  if (!round.identity.empty() && !round.identified())
    text += paint(Tone::bad, "This is not the instrument that the description is for", colour) + "\n";
  Table table({"ITEM", "WHERE", "RAW", "VALUE", "MARK", "NOTE"});
  for (const ProbedItem& probed : round.items) {
    const Item& item = d.item(probed.item);
    table.add({item.name, place_text(d, item), raw_text(item, probed), shown_value(item, probed),
               std::string{device::to_string(item.mark)}, printable(probed.note)},
              !probed.answered      ? Tone::bad
              : probed.note.empty() ? Tone::plain
                                    : Tone::warning);
  }
  if (!round.items.empty()) text += "\n" + table.render(width, colour);
  if (!round.status.empty()) text += "\nstatus    " + round.status + "\n";
  if (!round.scale_note.empty()) text += paint(Tone::bad, round.scale_note, colour) + "\n";
  if (!round.error.empty()) text += paint(Tone::bad, printable(round.error), colour) + "\n";
  text += fmt::format("{} items read, {} failed, in {}; nothing was written\n",
                      round.items.size() - static_cast<std::size_t>(round.failures), round.failures,
                      duration_text(round.took_s));
  return text;
}

std::string probe_lines(const device::Description& d, const ProbeRound& round) {
  Table table({});
  for (const ProbedItem& probed : round.items) {
    const Item& item = d.item(probed.item);
    table.add({item.name, probed.answered && item.type != ValueType::ascii ? fmt::format("{:.10g}", probed.raw) : "",
               shown_value(item, probed), printable(probed.note)});
  }
  return table.plain();
}

Json probe_json(const device::Description& d, const ProbeRound& round) {
  const auto number = [](double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); };
  Json identity = Json::object();
  for (const ProbedIdentity& found : round.identity)
    identity[found.what] = {{"text", found.text}, {"fits", found.fits}, {"note", found.note}};
  Json items = Json::array();
  for (const ProbedItem& probed : round.items) {
    const Item& item = d.item(probed.item);
    items.push_back({{"item", item.name},
                     {"where", place_text(d, item)},
                     {"answered", probed.answered},
                     {"raw", number(probed.raw)},
                     {"value", number(probed.value_SI)},
                     {"text", shown_value(item, probed)},
                     {"mark", device::to_string(item.mark)},
                     {"note", probed.note}});
  }
  return {{"description", d.id},
          {"identity", identity},
          {"identified", round.identified()},
          {"items", items},
          {"status", round.status},
          {"failures", round.failures},
          {"took_s", round.took_s},
          {"error", round.error.empty() ? Json(nullptr) : Json(round.error)},
          {"scale_note", round.scale_note}};
}

}  // namespace cyclerd::ctl
