// The last word before a write: may this command go to the instrument now?
#pragma once

#include <cstdint>

#include "daemon/safety/limits.hpp"
#include "protocols/base/command.hpp"
#include "protocols/base/fixed_text.hpp"
#include "protocols/base/rt.hpp"
#include "protocols/device/device.hpp"

namespace cyclerd::safety {

struct Decision {
  bool allowed = true;
  base::FixedText<200> words;  // why not, and what to do
};

// `latch_cause`: base::Latch::cause(), read just before. Rest and make_safe always pass. After a trip nothing else
// does. A set-point passes only when every number in it is finite, and when what it asks for and what it would let the
// instrument do by itself (its clamps) lie within the instrument's range and the channel's limits; a value at its bound
// is inside. Dwell times do not count here: nobody may ask for what may only happen for a moment.
[[nodiscard]] Decision admit(const base::Command& command, std::uint32_t latch_cause, const LimitTable& limits,
                             const device::Capability& capability) noexcept RT_NONBLOCKING;

}  // namespace cyclerd::safety
