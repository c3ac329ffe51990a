// The driver of every instrument on a CAN bus: a Device made from its description.
#pragma once

#include <memory>

#include "protocols/base/clock.hpp"
#include "protocols/can/can_line.hpp"
#include "protocols/device/description.hpp"
#include "protocols/device/device.hpp"
#include "protocols/device/site.hpp"

namespace cyclerd::can {

// Does no I/O yet; open() does. All devices of a line are used by its one thread.
[[nodiscard]] std::unique_ptr<device::Device> make_can_device(std::shared_ptr<const device::Description> description,
                                                              std::shared_ptr<CanLine> line,
                                                              const device::SiteParameters& site, base::Clock& clock);

}  // namespace cyclerd::can
