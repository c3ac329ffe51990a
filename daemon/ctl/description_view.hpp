// A description for people: what it holds, what it does in words, and how sure each fact is. Pure.
#pragma once

#include <string>
#include <vector>

#include "daemon/ctl/client.hpp"
#include "protocols/device/description.hpp"

namespace cyclerd::ctl {

// How many facts of a description nobody has seen on hardware, by mark, and how many somebody has. The facts of the
// virtual instruments (`own`) need no witness.
struct Provenance {
  int two_sources = 0;
  int one_source = 0;
  int conflict = 0;
  int unconfirmed = 0;
  int verified = 0;
  int own = 0;

  [[nodiscard]] int unverified() const noexcept { return two_sources + one_source + conflict + unconfirmed; }
};
[[nodiscard]] Provenance provenance_of(const device::Description& description);
[[nodiscard]] bool is_unverified(const device::Item& item) noexcept;
// "12 facts unverified: 5 V2, 6 V1, 1 C", "nothing unverified".
[[nodiscard]] std::string provenance_text(const Provenance& provenance);
[[nodiscard]] Json provenance_json(const Provenance& provenance);

[[nodiscard]] std::string_view kind_word(device::DeviceKind kind) noexcept;
[[nodiscard]] std::string_view dialect_word(device::Dialect dialect) noexcept;
// Where an item is in the instrument: "holding 500", "MEAS:VOLT?".
[[nodiscard]] std::string place_text(const device::Description& description, const device::Item& item);
[[nodiscard]] std::string type_text(const device::Description& description, const device::Item& item);
[[nodiscard]] std::string scale_text(const device::Description& description, const device::Item& item);
// A value of the item in SI, as people read it: "3.7 V", "on", "17".
[[nodiscard]] std::string value_text(const device::Item& item, double value_SI);
// "set set_current to current_A and read it back; then 20 ms pause"
[[nodiscard]] std::string step_text(const device::Description& description, const device::Step& step);

[[nodiscard]] std::string description_page(const device::Description& description, int width, bool colour);
[[nodiscard]] Json description_json(const device::Description& description);

}  // namespace cyclerd::ctl
