// The driver of every instrument that has a description: sequences, read-backs, identity and readings over any dialect.
#pragma once

#include <memory>

#include "protocols/base/clock.hpp"
#include "protocols/device/description.hpp"
#include "protocols/device/device.hpp"
#include "protocols/device/item_link.hpp"
#include "protocols/device/site.hpp"

namespace cyclerd::device {

// Does no I/O yet; open() does. `site` comes from bind_site() or default_site(); `link` speaks the description's
// dialect and was made with the same description.
[[nodiscard]] std::unique_ptr<Device> make_scripted_device(std::shared_ptr<const Description> description,
                                                           const SiteParameters& site, std::unique_ptr<ItemLink> link,
                                                           base::Clock& clock);

}  // namespace cyclerd::device
