// What a port says, in words. Allocates nothing.
#pragma once

#include <string_view>

#include "daemon/safety/judge.hpp"
#include "protocols/base/command.hpp"
#include "protocols/base/fixed_text.hpp"
#include "protocols/base/result.hpp"

namespace cyclerd::io {

using Words = base::FixedText<206>;

// "charge 2.5 A up to 4.2 V", "25 degC at 1 K/min".
[[nodiscard]] Words words(const base::Setpoint& setpoint) noexcept;
[[nodiscard]] Words words(const base::ChamberSetpoint& setpoint) noexcept;

// "the cell voltage is above its limit: 4.2512 V, limit 4.25 V (cycler)".
[[nodiscard]] Words words(const safety::Verdict& verdict, std::string_view device) noexcept;

// Code and detail; Error::text() allocates.
[[nodiscard]] Words words(const base::Error& error) noexcept;

}  // namespace cyclerd::io
