// From an instrument's raw numbers to SI and back, and when a read-back agrees with what was written.
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

#include "protocols/device/description.hpp"
#include "protocols/device/item_link.hpp"
#include "protocols/device/site.hpp"

namespace cyclerd::device {

// The bits of a raw value; of one that has none (not a number, or beyond all registers): 0.
[[nodiscard]] inline std::uint32_t word_of(double raw) noexcept {
  return std::abs(raw) < 0x1p63 ? static_cast<std::uint32_t>(static_cast<std::int64_t>(raw)) : 0U;
}

// Used by the one thread that owns the link. Allocates only when constructed.
class ItemScale {
 public:
  ItemScale(const Description& description, const SiteParameters& site);

  // Reads every item that tells a unit, then every item that others are scaled by; one outside 1e-3..1e7 is an error.
  [[nodiscard]] base::Status load_nominals(ItemLink& link);
  // `mismatch` when a unit, or a number of decimals, is another one than when it was loaded: somebody changed it at the
  // panel.
  [[nodiscard]] base::Status confirm_units(ItemLink& link) const;

  // Takes the live ranges from the last scan: what was measured is scaled by the range it was measured in.
  void follow_ranges(const ItemLink& link) noexcept;
  // Reads the live range of an item that is to be written or checked, where it has one.
  [[nodiscard]] base::Status ask_range(int item, ItemLink& link);

  [[nodiscard]] double to_SI(int item, double raw) const noexcept;
  // `invalid` when the item cannot hold the value. `who`: for the message.
  [[nodiscard]] base::Result<double> to_raw(int item, double value_SI, std::string_view who) const;
  // What the item will hold after a write of `raw`.
  [[nodiscard]] double as_held(int item, double raw) const noexcept;
  // `held` agrees with `raw` written to `item`; `held` was read from its read-back item.
  [[nodiscard]] bool agrees(int item, double raw, double held, double tolerance_steps) const noexcept;
  [[nodiscard]] int readback_of(int item) const noexcept;
  // A switch's raw bit from its meaning, and back: the same exchange both ways.
  [[nodiscard]] double switched(int item, double value) const noexcept;
  [[nodiscard]] double parameter(int index) const noexcept { return site_.values[static_cast<std::size_t>(index)]; }

 private:
  struct Unit {
    double factor = 1.0;
    double offset = 0.0;
  };
  // What the registers of the instrument chose; NaN: not read yet, or no row fits.
  struct Choice {
    double key = base::kAbsent;    // what scale_item read
    double range = base::kAbsent;  // what range_item read
    double scale = base::kAbsent;
  };
  [[nodiscard]] base::Status load_units(ItemLink& link);
  [[nodiscard]] base::Status load_choices(ItemLink& link);
  [[nodiscard]] base::Status confirm_decimals(ItemLink& link) const;
  [[nodiscard]] base::Status load_decimals(int item, ItemLink& link);
  [[nodiscard]] base::Status load_row(int item, ItemLink& link);
  [[nodiscard]] bool range_matters(const Item& item, const Choice& choice) const noexcept;
  void choose(const Item& item, Choice& choice) const noexcept;
  [[nodiscard]] base::Result<Unit> unit_of(const Item& item, ItemLink& link) const;
  [[nodiscard]] double factor(int item) const noexcept;     // SI per raw step
  [[nodiscard]] double magnitude(int item) const noexcept;  // the same, before `negate`
  [[nodiscard]] double offset(int item) const noexcept { return units_[static_cast<std::size_t>(item)].offset; }

  const Description& d_;
  SiteParameters site_;
  std::vector<double> nominals_;  // SI, NaN until read
  std::vector<Unit> units_;       // NaN until read, where the instrument tells
  std::vector<Choice> choices_;   // per item
};

// "item: detail", so that a message names what people know.
[[nodiscard]] base::Error with_item(base::Error error, std::string_view item);

}  // namespace cyclerd::device
