// From what was typed after `device probe` to a link that speaks the description's dialect.
#pragma once

#include <memory>

#include "daemon/ctl/client.hpp"
#include "daemon/ctl/options.hpp"
#include "protocols/base/clock.hpp"
#include "protocols/device/description.hpp"
#include "protocols/device/item_link.hpp"
#include "protocols/device/site.hpp"

namespace cyclerd::ctl {

// Does no I/O yet. A trouble when the wire does not suit the dialect.
[[nodiscard]] Outcome<std::unique_ptr<device::ItemLink>> make_probe_link(
    const std::shared_ptr<const device::Description>& description, const device::SiteParameters& site,
    const WireOptions& wire, base::Clock& clock);

// --set NAME=VALUE as the station file would have it: site = { NAME = VALUE }.
[[nodiscard]] Outcome<device::SiteParameters> probe_site(const device::Description& description,
                                                         const std::vector<std::string>& set);

// "10.0.0.7:502", "/dev/ttyUSB0", "can0": as `devices` shows it.
[[nodiscard]] std::string wire_text(const device::Description& description, const WireOptions& wire);

}  // namespace cyclerd::ctl
