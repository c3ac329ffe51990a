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

  // Reads every item that others are scaled by; one outside 1e-3..1e7 is an error.
  [[nodiscard]] base::Status load_nominals(ItemLink& link);

  [[nodiscard]] double to_SI(int item, double raw) const noexcept;
  // `invalid` when the item cannot hold the value. `who`: for the message.
  [[nodiscard]] base::Result<double> to_raw(int item, double value_SI, std::string_view who) const;
  // What the item will hold after a write of `raw`.
  [[nodiscard]] double as_held(int item, double raw) const noexcept;
  // `held` agrees with `raw` written to `item`; `held` was read from its read-back item.
  [[nodiscard]] bool agrees(int item, double raw, double held, double tolerance_steps) const noexcept;
  [[nodiscard]] int readback_of(int item) const noexcept;
  [[nodiscard]] double parameter(int index) const noexcept { return site_.values[static_cast<std::size_t>(index)]; }

 private:
  [[nodiscard]] double factor(int item) const noexcept;  // SI per raw step

  const Description& d_;
  SiteParameters site_;
  std::vector<double> nominals_;  // SI, NaN until read
};

// "item: detail", so that a message names what people know.
[[nodiscard]] base::Error with_item(base::Error error, std::string_view item);

}  // namespace cyclerd::device
