// One instrument's items over its wire: raw numbers, SI values, read-back.
#pragma once

#include <span>
#include <vector>

#include "protocols/device/description.hpp"
#include "protocols/device/site.hpp"
#include "protocols/modbus/client.hpp"

namespace cyclerd::modbus {

// Used by the one thread that owns the client. Allocates only when constructed.
class ItemAccess {
 public:
  ItemAccess(const device::Description& description, const device::SiteParameters& site, TcpClient& client);

  [[nodiscard]] base::Result<double> read_raw(int item);
  [[nodiscard]] base::Result<base::FixedText<48>> read_text(int item);
  [[nodiscard]] base::Status write_raw(int item, double raw);

  // Reads every item that others are scaled by; one outside 1e-3..1e7 is an error.
  [[nodiscard]] base::Status load_nominals();

  [[nodiscard]] double decode(int item, std::span<const std::uint16_t> registers) const noexcept;  // raw
  [[nodiscard]] double to_SI(int item, double raw) const noexcept;
  // `invalid` when the register cannot hold the value.
  [[nodiscard]] base::Result<double> to_raw(int item, double value_SI) const;
  // What the item will hold after a write of `raw`.
  [[nodiscard]] double as_held(int item, double raw) const noexcept;
  // `held` agrees with `raw` written to `item`; `held` was read from its read-back item.
  [[nodiscard]] bool agrees(int item, double raw, double held, double tolerance_steps) const noexcept;
  [[nodiscard]] int readback_of(int item) const noexcept;
  [[nodiscard]] double parameter(int index) const noexcept { return site_.values[static_cast<std::size_t>(index)]; }

 private:
  [[nodiscard]] double factor(int item) const noexcept;  // SI per raw step

  const device::Description& d_;
  device::SiteParameters site_;
  TcpClient& client_;
  std::vector<WordOrder> words_;
  std::vector<double> nominals_;  // SI, NaN until read
};

// "item: detail", so that a message names what people know.
[[nodiscard]] base::Error with_item(base::Error error, std::string_view item);

}  // namespace cyclerd::modbus
