// From an instrument's raw numbers to SI and back, and when a read-back agrees with what was written.
#pragma once

#include <string_view>
#include <vector>

#include "protocols/device/description.hpp"
#include "protocols/device/item_link.hpp"
#include "protocols/device/site.hpp"

namespace cyclerd::device {

// Used by the one thread that owns the link. Allocates only when constructed.
class ItemScale {
 public:
  ItemScale(const Description& description, const SiteParameters& site);

  // Reads every item that tells a unit, then every item that others are scaled by; one outside 1e-3..1e7 is an error.
  [[nodiscard]] base::Status load_nominals(ItemLink& link);
  // `mismatch` when a unit is another one than when it was loaded: somebody changed it at the panel.
  [[nodiscard]] base::Status confirm_units(ItemLink& link) const;

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
  [[nodiscard]] base::Status load_units(ItemLink& link);
  [[nodiscard]] base::Result<Unit> unit_of(const Item& item, ItemLink& link) const;
  [[nodiscard]] double factor(int item) const noexcept;  // SI per raw step
  [[nodiscard]] double offset(int item) const noexcept { return units_[static_cast<std::size_t>(item)].offset; }

  const Description& d_;
  SiteParameters site_;
  std::vector<double> nominals_;  // SI, NaN until read
  std::vector<Unit> units_;       // NaN until read, where the instrument tells
};

// "item: detail", so that a message names what people know.
[[nodiscard]] base::Error with_item(base::Error error, std::string_view item);

}  // namespace cyclerd::device
