#include "protocols/device/item_scale.hpp"

#include <algorithm>
#include <cmath>

namespace cyclerd::device {

namespace {

constexpr double kMaxDecimals = 9;

}  // namespace

using base::ErrorCode;
using base::FixedText;
using base::Result;
using base::Status;

base::Error with_item(base::Error error, std::string_view item) {
  FixedText<200> detail{item};
  detail.append(": ").append(error.detail.view());
  error.detail = detail;
  return error;
}

ItemScale::ItemScale(const Description& description, const SiteParameters& site)
    : d_(description),
      site_(site),
      nominals_(description.items.size(), base::kAbsent),
      choices_(description.items.size()) {
  for (const Item& item : d_.items) {
    Unit unit{item.unit_factor, item.unit_offset};
    if (item.unit_item != kNone) unit = {base::kAbsent, base::kAbsent};
    for (const ItemUnit& u : item.units) {
      if (item.unit_parameter != kNone && u.code == parameter(item.unit_parameter)) unit = {u.factor, u.offset};
    }
    units_.push_back(unit);
  }
}

Result<ItemScale::Unit> ItemScale::unit_of(const Item& item, ItemLink& link) const {
  TRY_ASSIGN(const double code, link.read_raw(item.unit_item));
  for (const ItemUnit& u : item.units) {
    if (u.code == code) return Unit{u.factor, u.offset};
  }
  FixedText<200> detail{d_.item(item.unit_item).name};
  detail.append(" reads ").append(code).append(", which stands for no unit of ").append(item.name);
  return base::failure(ErrorCode::mismatch, link.name(), detail.view());
}

Status ItemScale::load_units(ItemLink& link) {
  for (std::size_t i = 0; i < d_.items.size(); ++i) {
    const Item& item = d_.items[i];
    if (item.unit_item == kNone) continue;
    TRY_ASSIGN(units_[i], unit_of(item, link));
  }
  return {};
}

Status ItemScale::confirm_units(ItemLink& link) const {
  TRY(confirm_decimals(link));
  for (std::size_t i = 0; i < d_.items.size(); ++i) {
    const Item& item = d_.items[i];
    if (item.unit_item == kNone) continue;
    // One that decides for several items is asked once.
    bool asked = false;
    for (std::size_t k = 0; k < i; ++k) asked = asked || d_.items[k].unit_item == item.unit_item;
    if (asked) continue;
    TRY_ASSIGN(const Unit now, unit_of(item, link));
    if (now.factor == units_[i].factor && now.offset == units_[i].offset) continue;
    FixedText<200> detail{"the unit of "};
    detail.append(item.name).append(" was changed at the instrument; it must be initialised again");
    return base::failure(ErrorCode::mismatch, link.name(), detail.view());
  }
  return {};
}

Status ItemScale::confirm_decimals(ItemLink& link) const {
  for (std::size_t i = 0; i < d_.items.size(); ++i) {
    const Item& item = d_.items[i];
    const auto same = [&item](const Item& before) { return before.decimals_item == item.decimals_item; };
    if (item.decimals_item == kNone || std::any_of(d_.items.begin(), d_.items.begin() + std::ptrdiff_t(i), same))
      continue;
    TRY_ASSIGN(const double now, link.read_raw(item.decimals_item));
    if (now == choices_[i].key) continue;
    FixedText<200> detail{"the decimals of "};
    detail.append(item.name).append(" were changed at the instrument; it must be initialised again");
    return base::failure(ErrorCode::mismatch, link.name(), detail.view());
  }
  return {};
}

Status ItemScale::load_nominals(ItemLink& link) {
  TRY(load_units(link));
  TRY(load_choices(link));
  for (const auto& item : d_.items) {
    if (item.nominal == kNone) continue;
    double& known = nominals_[static_cast<std::size_t>(item.nominal)];
    if (!std::isnan(known)) continue;
    TRY_ASSIGN(const double raw, link.read_raw(item.nominal));
    const double value = to_SI(item.nominal, raw);
    if (!std::isfinite(value) || value < 1e-3 || value > 1e7) {
      FixedText<200> detail{d_.item(item.nominal).name};
      detail.append(" reads ").append(value).append(
          "; a nominal value lies between 0.001 and 1e7. Is the word order right?");
      return base::failure(ErrorCode::mismatch, link.name(), detail.view());
    }
    known = value;
  }
  return {};
}

Status ItemScale::load_choices(ItemLink& link) {
  for (std::size_t i = 0; i < d_.items.size(); ++i) {
    const Item& item = d_.items[i];
    if (item.decimals_item != kNone) TRY(load_decimals(static_cast<int>(i), link));
    if (!item.scale_rows.empty()) TRY(load_row(static_cast<int>(i), link));
  }
  return {};
}

Status ItemScale::load_decimals(int index, ItemLink& link) {
  const Item& item = d_.item(index);
  TRY_ASSIGN(const double raw, link.read_raw(item.decimals_item));
  Choice& choice = choices_[static_cast<std::size_t>(index)];
  if (raw >= 0 && raw <= kMaxDecimals && raw == std::floor(raw)) {
    choice.key = raw;
    choice.scale = std::pow(10.0, -raw);
    return {};
  }
  FixedText<200> detail{d_.item(item.decimals_item).name};
  detail.append(" reads ").append(raw).append(", which is no number of decimals (0 to 9) of ").append(item.name);
  return base::failure(ErrorCode::mismatch, link.name(), detail.view());
}

Status ItemScale::load_row(int index, ItemLink& link) {
  const Item& item = d_.item(index);
  Choice& choice = choices_[static_cast<std::size_t>(index)];
  if (item.scale_item != kNone) {
    TRY_ASSIGN(choice.key, link.read_raw(item.scale_item));
  }
  choice.range = base::kAbsent;
  if (range_matters(item, choice)) {
    TRY_ASSIGN(choice.range, link.read_raw(item.range_item));
  }
  choose(item, choice);
  if (!std::isnan(choice.scale)) return {};
  FixedText<200> detail{"no row of the scale of "};
  detail.append(item.name).append(" fits");
  if (item.scale_item != kNone) detail.append(" ").append(d_.item(item.scale_item).name).append(" ").append(choice.key);
  if (!std::isnan(choice.range))
    detail.append(" with ").append(d_.item(item.range_item).name).append(" ").append(choice.range);
  detail.append("; this model is not described");
  return base::failure(ErrorCode::mismatch, link.name(), detail.view());
}

// A range is asked only of models that have one.
bool ItemScale::range_matters(const Item& item, const Choice& choice) const noexcept {
  if (item.range_item == kNone) return false;
  return std::any_of(item.scale_rows.begin(), item.scale_rows.end(), [&](const ScaleRow& r) {
    return (item.scale_item == kNone || (choice.key >= r.from && choice.key <= r.to)) && !std::isnan(r.range);
  });
}

void ItemScale::choose(const Item& item, Choice& choice) const noexcept {
  choice.scale = base::kAbsent;
  for (const ScaleRow& r : item.scale_rows) {
    if (item.scale_item != kNone && !(choice.key >= r.from && choice.key <= r.to)) continue;
    if (std::isnan(r.range) || r.range == choice.range) choice.scale = r.scale;
  }
}

void ItemScale::follow_ranges(const ItemLink& link) noexcept {
  for (std::size_t i = 0; i < d_.items.size(); ++i) {
    const Item& item = d_.items[i];
    if (item.range_item == kNone || !range_matters(item, choices_[i])) continue;
    choices_[i].range = link.scanned(item.range_item);
    choose(item, choices_[i]);
  }
}

Status ItemScale::ask_range(int index, ItemLink& link) {
  const Item& item = d_.item(index);
  Choice& choice = choices_[static_cast<std::size_t>(index)];
  if (!range_matters(item, choice)) return {};
  TRY_ASSIGN(choice.range, link.read_raw(item.range_item));
  choose(item, choice);
  return {};
}

double ItemScale::factor(int index) const noexcept {
  const Item& item = d_.item(index);
  const bool negated = item.negate_parameter != kNone ? parameter(item.negate_parameter) != 0.0 : item.negated;
  return negated ? -magnitude(index) : magnitude(index);
}

double ItemScale::magnitude(int index) const noexcept {
  const Item& item = d_.item(index);
  const auto at = static_cast<std::size_t>(index);
  if (item.decimals_item != kNone || !item.scale_rows.empty()) return choices_[at].scale * units_[at].factor;
  const double share =
      item.nominal == kNone ? 1.0 : nominals_[static_cast<std::size_t>(item.nominal)] / item.full_scale;
  // A nominal value is in SI already.
  return item.nominal == kNone ? item.scale * units_[static_cast<std::size_t>(index)].factor : item.scale * share;
}

double ItemScale::switched(int index, double value) const noexcept {
  const Item& item = d_.item(index);
  const bool inverted = item.invert_parameter != kNone ? parameter(item.invert_parameter) != 0.0 : item.inverted;
  return inverted ? static_cast<double>(value == 0.0) : value;
}

double ItemScale::to_SI(int index, double raw) const noexcept {
  return raw * factor(index) + offset(index);
}

Result<double> ItemScale::to_raw(int index, double value_SI, std::string_view who) const {
  const Item& item = d_.item(index);
  // Zero is zero in every scale but Fahrenheit's: a make-safe needs no nominal values.
  const double exact = value_SI == 0.0 && offset(index) == 0.0 ? 0.0 : (value_SI - offset(index)) / factor(index);
  const double raw = is_fraction(item.type) ? exact : std::round(exact);
  if (std::isfinite(raw) && raw >= item.raw_min && raw <= item.raw_max) return raw;
  FixedText<200> detail{item.name};
  if (std::isnan(factor(index))) {
    detail.append(
        ": its scale is not known: the instrument has not told it, or its range is one that is not described");
    return base::failure(ErrorCode::invalid, who, detail.view());
  }
  detail.append(": ").append(value_SI).append(" is outside what the register takes, ");
  detail.append(to_SI(index, item.raw_min)).append(" to ").append(to_SI(index, item.raw_max));
  return base::failure(ErrorCode::invalid, who, detail.view());
}

double ItemScale::as_held(int index, double raw) const noexcept {
  return d_.item(index).type == ValueType::f32 ? static_cast<double>(static_cast<float>(raw)) : raw;
}

int ItemScale::readback_of(int index) const noexcept {
  const Item& item = d_.item(index);
  return item.readback != kNone ? item.readback : index;
}

bool ItemScale::agrees(int index, double raw, double held, double tolerance_steps) const noexcept {
  const Item& item = d_.item(index);
  if (std::isnan(held)) return false;
  const int other = readback_of(index);
  if (item.type == ValueType::boolean) return (switched(index, raw) != 0.0) == (switched(other, held) != 0.0);
  if (item.readback_mask != 0xFFFFFFFFU) {
    const std::uint32_t differing = word_of(held) ^ word_of(raw);
    return (differing & item.readback_mask) == 0;
  }
  double difference = std::abs(held - as_held(index, raw));
  double step = 1.0;
  if (other != index && (factor(other) != factor(index) || offset(other) != offset(index))) {
    difference = std::abs(to_SI(other, held) - to_SI(index, raw));
    step = std::max(std::abs(factor(other)), std::abs(factor(index)));
  } else if (item.resolution > 0) {
    step = item.resolution / std::abs(factor(index));
  } else if (item.type == ValueType::f64 && item.written_step > 0) {
    step = item.written_step;
  } else if (is_fraction(item.type)) {
    return difference <= 1e-6 * std::abs(raw);
  }
  return difference <= tolerance_steps * step * (1 + 1e-9);
}

}  // namespace cyclerd::device
